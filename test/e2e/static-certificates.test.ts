/** Certificates that somebody has written into files, by the overlay for them. */
import { privateNetworkTest } from '../apiserver/private-network.ts';
import { routing } from '../soak/soak-network.ts';
import { certificateFiles, installOverlay } from './installed-overlay.ts';
import { certificateOf } from './served-certificate.ts';

const copy = 'cp certs/ca.crt certs/tls.crt certs/tls.key manifests/overlays/static';
const apply = 'kubectl apply -k manifests/overlays/static';

await privateNetworkTest(
  import.meta.url,
  'certificates that somebody has written',
  async (t, plane) => {
    const pods = await installOverlay(t, plane, ['npm run certs', copy, apply]);
    const files = await certificateFiles(plane);
    for (const { address } of pods)
      t.equal((await certificateOf(address)).toString(), files?.['tls.crt'], `${address} serves them`);
    const nobodys = { metadata: { name: 'nobodys', labels: { 'bulkhead.dev/tenant': 'nobody' } } };
    const { status, text } = await plane.request('POST', '/api/v1/namespaces', nobodys);
    t.equal(status, 403);
    t.match(text, 'admission webhook \\"validate.bulkhead.dev\\" denied the request', 'and the border is guarded');
  },
  { apiServerFlags: [routing] },
);
