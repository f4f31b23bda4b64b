/**
 * An overlay of one's own, with tenants of its own, is changed as the documentation says: another source of certificates, and tenants
 * as objects in place of files. Each change is rolled out, and the border is guarded all the time.
 */
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { privateNetworkTest } from '../apiserver/private-network.ts';
import { eventually } from '../soak/observer.ts';
import { routing } from '../soak/soak-network.ts';
import { certificateFiles, isGuarded, ownOverlay } from './installed-overlay.ts';
import { shellBlocks } from './project-folder.ts';
import { certificateOf } from './served-certificate.ts';
import { request } from './stand-in-kubelet.ts';

const tenants = '/apis/bulkhead.dev/v1alpha1/tenants';

await privateNetworkTest(
  import.meta.url,
  'an overlay of one’s own is changed',
  async (t, plane) => {
    const { folder: mine, apply, waits, run, pods, rollOut } = await ownOverlay(t, plane);

    await t.test('files that cannot be loaded are not in force, and that is seen', async (t) => {
      const [replica] = pods();
      if (replica === undefined) throw new Error('no pod runs');
      const verbose = async (): Promise<string> =>
        (await fetch(`http://${replica.address}:${replica.portOf('health')}/readyz?verbose`)).text();
      t.equal(await verbose(), '[+]ready ok\nreadyz check passed\n');
      const volume = '/api/v1/namespaces/bulkhead-system/configmaps/bulkhead-tenants';
      const patch = async (data: object): Promise<void> => {
        await request(plane, 'PATCH', volume, { data }, 'application/merge-patch+json');
        await replica.refresh();
      };
      const { data } = (await plane.request('GET', volume)).body as { readonly data: Readonly<Record<string, string>> };
      await patch({ 'beta.yaml': data['beta.yaml']?.replace('spec:', 'spec:\n  mode: loud') });
      await eventually('it says so', async () => (await verbose()).includes('[!]'));
      t.match(
        await verbose(),
        /^\[\+\]ready ok\n\[!\]tenants and settings: what was read last is not in force \(1 problem, the first at .*beta\.yaml:\d+:\d+\); the log says more\nreadyz check passed\n$/,
      );
      const events = 'kubectl -n bulkhead-system get events --field-selector reason=ConfigurationRejected';
      await eventually('an Event does', async () => (await run(events)).includes('spec.mode: "loud" is not one of'));
      await patch(Object.fromEntries(Object.keys(data).map((name) => [name, null])));
      await eventually(
        'nor is a change that takes all tenants',
        async () => (await run(events)).includes('declares no tenant any more'),
        90,
      );
      await isGuarded(t, plane, 'the tenants before are in force');
      await patch(data);
      await eventually('corrected', async () => !(await verbose()).includes('[!]'));
    });

    const [, change = []] = await shellBlocks('docs/certificates.md');
    const [edit = '', ...applied] = change;
    t.strictSame(applied, [apply, waits[0]], 'the page has the same commands');
    await run('npm run certs');
    await run('cp certs/ca.crt certs/tls.crt certs/tls.key manifests/overlays/static');
    await run(edit);
    await rollOut('files', ['10.0.1.4', '10.0.1.5']);
    const files = await certificateFiles(plane);
    for (const { address } of pods())
      t.equal((await certificateOf(address)).toString(), files?.['tls.crt'], `${address} serves the files`);
    t.equal(await secretType(plane), 'kubernetes.io/tls', 'as cert-manager makes it');

    // What cert-manager has made, with marks of its own.
    await run('kubectl -n bulkhead-system delete secret bulkhead-certificate-files');
    const kept =
      'kubectl -n bulkhead-system create secret tls bulkhead-certificate-files --cert=certs/tls.crt --key=certs/tls.key';
    await run(kept);
    await run(apply);
    t.match(await certificateFiles(plane), files ?? {}, 'the Secret of another source is taken over');

    await run(`sed -i 's|- ../static|- ../self-managed|' ${mine}/kustomization.yaml`);
    await rollOut('made by the replicas again', ['10.0.1.6', '10.0.1.7']);

    const [move = []] = (await shellBlocks('manifests/base/README.md')).filter(([first]) => first?.includes('tenants'));
    const [objects = ''] = move;
    t.match(
      await run(objects),
      /Warning: tenant-document: metadata.name has no effect: tenants are read from files here/,
    );
    const ready = async (): Promise<unknown> => (await plane.request('GET', `${tenants}/omega`)).body;
    await eventually(
      'the object says that it has no effect',
      async () => JSON.stringify(await ready()).includes('FilesInForce'),
      90,
    );
    t.match(await ready(), { status: { conditions: [{ type: 'Ready', status: 'False' }] } });
    t.match((await plane.request('DELETE', `${tenants}/gamma`)).status, 200, 'and can be deleted');
    await run(objects);
    await run(`printf 'components:\n  - ../../components/tenant-objects\n' >> ${mine}/kustomization.yaml`);
    await rollOut('tenants as objects', ['10.0.1.8', '10.0.1.9']);
    await eventually('the object is in force', async () => JSON.stringify(await ready()).includes('InForce'), 90);
    t.match(await ready(), { status: { conditions: [{ type: 'Ready', status: 'True' }] } });

    const overlay = await run('kubectl kustomize manifests/overlays/objects');
    t.notMatch(overlay, '--tenants=', 'the overlay for objects has no files of tenants');
    t.notMatch(overlay, '/etc/bulkhead/tenants');
  },
  { apiServerFlags: [routing] },
);

async function secretType(plane: ControlPlane): Promise<unknown> {
  const { body } = await plane.request('GET', '/api/v1/namespaces/bulkhead-system/secrets/bulkhead-certificate-files');
  return (body as { readonly type?: unknown }).type;
}
