import t from 'tap';
import { Addressed } from '../../src/connectivity/address-matcher.ts';
import { compare } from '../../src/connectivity/compare.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { pictureOf } from '../../src/picture/picture.ts';
import { tenancy } from './compare.ts';
import { namespace, pod, policy } from './worlds.ts';

const read = (objects: Parameters<typeof readSnapshot>[0]) =>
  readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });

/** Ten policies with as many single addresses each, and each with a port of its own. */
function cluster(blocks: number) {
  const policies = Array.from({ length: 10 }, (_, at) => {
    const to = Array.from({ length: blocks }, (_, block) => ({
      ipBlock: { cidr: `203.${block >> 7}.${(block * 2) & 255}.${at}/32` },
    }));
    const egress = [{ to, ports: [{ port: 1000 + at }] }];
    return policy(`acme-web/p${at}`, { podSelector: {}, policyTypes: ['Egress'], egress });
  });
  const before = [namespace('acme-web', 'acme'), pod('acme-web/web', { app: 'web' })];
  return { before: read([...before]), after: read([...before, ...policies]) };
}

type Cluster = ReturnType<typeof cluster>;

const questions: Readonly<Record<string, (cluster: Cluster) => unknown>> = {
  'what is open to addresses': ({ after }) => pictureOf(after, tenancy, 0),
  'what a change opens to addresses': ({ before, after }) => compare(before, after, tenancy),
};

/** How often a block is compared with a party. */
function comparisons(run: () => unknown): number {
  const { has } = Addressed.prototype;
  let count = 0;
  Addressed.prototype.has = function (party) {
    count++;
    return has.call(this, party);
  };
  try {
    run();
  } finally {
    Addressed.prototype.has = has;
  }
  return count;
}

for (const [says, ask] of Object.entries(questions))
  t.test(`${says}: twice the ranges of several policies is twice the work`, async (t) => {
    const [small, large] = [50, 100].map((blocks) => {
      const made = cluster(blocks);
      return comparisons(() => ask(made));
    }) as [number, number];
    t.ok(small > 500, `${small} comparisons`);
    t.ok(large < 2.3 * small, `${large} comparisons, and ${small} for half of it`);
  });
