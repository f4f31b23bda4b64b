/** Certificates come another way, by a rollout under load, and back: nobody who asks notices. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { issueAuthority, issueServerCertificate } from '../../../src/certificates/issue-certificate.ts';
import { privateNetworkTest } from '../../apiserver/private-network.ts';
import { guardService, writeCertificates } from '../guarded-service.ts';
import { serviceName } from '../manifests.ts';
import { describeRollout, lightLoad, missedRollout, rollOut } from '../rollout.ts';
import { routing } from '../soak-network.ts';

await privateNetworkTest(
  import.meta.url,
  'the way of certificates is changed under load',
  async (t, plane) => {
    const given = issueAuthority(Date.now());
    const ways: Readonly<Record<string, (folder: string) => Promise<readonly string[]>>> = {
      // Longer than the rollout.
      secret: async () => [
        '--webhook-configurations',
        '--certificate-secret=bulkhead-system/bulkhead-certificates',
        '--rotation=tick=1,settle=3,overlap=120',
      ],
      files: async (folder) => {
        const files = join(folder, 'certificates');
        await writeCertificates(files, issueServerCertificate(given, [serviceName], Date.now()));
        await writeFile(join(files, 'ca.crt'), given.certificate);
        return ['--webhook-configurations', `--certificates=${files}`];
      },
    };
    let way = ways.secret;
    const probe = { periodSeconds: 0.2, failureThreshold: 2 };
    const service = await guardService(plane, {
      probe,
      nodeFlags: [`--import=${resolve('test/soak/quick-trust.ts')}`],
      certificateArguments: async (folder) => (await way?.(folder)) ?? [],
    });
    t.teardown(() => service.stop());
    for (const next of ['files', 'secret']) {
      way = ways[next];
      const result = await rollOut(service, { restarts: 1, pauseSeconds: 5, waitForDrains: false, load: lightLoad });
      t.same(missedRollout(result, 1), [], `${next}: ${describeRollout(result)}`);
    }
  },
  { apiServerFlags: [routing], controllers: false },
);
