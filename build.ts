/**
 * `npm run build`: dist/, what the image runs. Everything that is imported is in it, the libraries too, so that nothing else is
 * installed beside it; each command, help, and what reads kubeconfigs are in files that are loaded when needed.
 */
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

/** What `bulkhead version` prints: `COMMIT` where the build has no repository, as in an image. */
function commit(): string | undefined {
  if (process.env.COMMIT) return process.env.COMMIT;
  const described = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], {
    encoding: 'utf8',
  });
  return described.status === 0 ? described.stdout.trim() : undefined;
}

const outdir = 'dist';
await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: ['src/main.ts'],
  outdir,
  bundle: true,
  splitting: true,
  // As deep as in src: what is read beside the code, such as the examples of the demo, is found by its place.
  chunkNames: 'commands/[name]-[hash]',
  platform: 'node',
  target: 'node24',
  format: 'esm',
  define: { bulkheadCommit: JSON.stringify(commit()) ?? 'undefined' },
  // Not minified: a stack trace in a log is read by people.
  legalComments: 'linked',
  // Libraries that are CommonJS ask for Node's own modules in their way.
  banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  logLevel: 'warning',
});
