/**
 * `npm run build`: dist/, what the image runs. Everything that is imported is in it, the libraries too, so that nothing else is
 * installed beside it; what only some commands need (kubeconfigs, demo, audit) is in files that are loaded when needed.
 */
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

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
  // Not minified: a stack trace in a log is read by people.
  legalComments: 'linked',
  // Libraries that are CommonJS ask for Node's own modules in their way.
  banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  logLevel: 'warning',
});
