import { issueAuthority } from '../../../src/certificates/issue-certificate.ts';
import type { Json } from '../doctored-cluster.ts';
import { mutating, type Seed, validating } from './seed.ts';
import { webhook } from './webhooks.ts';

const hour = 3_600_000;
const bundle = (lifetime: number, at = Date.now()) =>
  Buffer.from(issueAuthority(at, lifetime).certificate).toString('base64');

const asService: Seed = {
  wrong: 'a Service, whose certificate nobody outside sees',
  ids: ['certificate-not-seen'],
  async make(cluster) {
    const names = ['bulkhead', 'bulkhead-namespaces'].flatMap((one) => [`${mutating}/${one}`, `${validating}/${one}`]);
    const undos: (() => Promise<void>)[] = [];
    for (const path of [...names, `${validating}/bulkhead-workloads`])
      undos.push(
        await cluster.changed(path, ({ webhooks }: { webhooks: { name: string; clientConfig: Json }[] }) => {
          for (const one of webhooks)
            one.clientConfig = {
              service: { namespace: 'bulkhead-system', name: 'bulkhead', path: `/${one.name.split('.')[0]}` },
              caBundle: one.clientConfig.caBundle,
            };
        }),
      );
    return async () => {
      for (const undo of undos) await undo();
    };
  },
};

export const certificates: readonly Seed[] = [
  asService,
  {
    wrong: 'a caBundle without a certificate',
    ids: ['certificate-authority-missing'],
    make: webhook(`${validating}/bulkhead`, ({ clientConfig }) => {
      clientConfig.caBundle = Buffer.from('# none yet\n').toString('base64');
    }),
  },
  {
    wrong: 'a caBundle that has expired',
    ids: ['certificate-expired', 'certificate-not-verified'],
    make: webhook(`${validating}/bulkhead`, ({ clientConfig }) => {
      clientConfig.caBundle = bundle(-hour / 2, Date.now());
    }),
  },
  {
    wrong: 'a caBundle that expires tomorrow',
    ids: ['certificate-expires-soon', 'certificate-not-verified'],
    make: webhook(`${validating}/bulkhead`, ({ clientConfig }) => {
      clientConfig.caBundle = bundle(24 * hour);
    }),
  },
  {
    wrong: 'a caBundle of another authority',
    ids: ['certificate-not-verified'],
    make: webhook(`${validating}/bulkhead`, ({ clientConfig }) => {
      clientConfig.caBundle = bundle(9999 * hour);
    }),
  },
];
