import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

const url = (name: string): string => new URL(name, import.meta.url).href;

/** Test files that a machine without Go, and one without `unshare`, cannot run. */
const files = {
  'cluster.ts': `
    import { clusterTest } from '${url('cluster-test.ts')}';
    await clusterTest('needs a cluster', async () => { throw new Error('runs'); });
  `,
  'network.ts': `
    import { privateNetworkTest } from '${url('private-network.ts')}';
    await privateNetworkTest(import.meta.url, 'needs a network', async () => { throw new Error('runs'); });
  `,
};

const expectations: readonly [sentence: string, file: keyof typeof files, ci: string, code: number, output: RegExp][] =
  [
    [
      'without Go, a cluster test is skipped with the reason',
      'cluster.ts',
      '',
      0,
      /^ok 1 - needs a cluster # SKIP no Go was found: install Go /m,
    ],
    [
      'without Go, a cluster test fails in CI',
      'cluster.ts',
      'true',
      1,
      /^not ok 1 - needs a cluster: no Go was found: install Go /m,
    ],
    [
      'without namespaces, a network test is skipped with the reason',
      'network.ts',
      '',
      0,
      /^ok 1 - needs a network # SKIP needs Linux, user namespaces, /m,
    ],
    [
      'without namespaces, a network test fails in CI',
      'network.ts',
      'true',
      1,
      /^not ok 1 - needs a network: needs Linux, user namespaces, /m,
    ],
  ];

for (const [sentence, file, ci, code, output] of expectations) {
  t.test(sentence, async (t) => {
    const directory = t.testdir({ ...files, bin: {} });
    const env = { HOME: directory, PATH: join(directory, 'bin'), CI: ci };
    const ended = await promisify(execFile)(process.execPath, [join(directory, file)], { env }).catch((error) => error);
    t.equal(ended.code ?? 0, code);
    t.match(ended.stdout, output);
  });
}
