/**
 * `npm run build`: dist/, what the image runs. Everything that is imported is in it, the libraries too, so that nothing else is
 * installed beside it; each command, help, and what reads kubeconfigs are in files that are loaded when needed.
 */
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { build, type Plugin } from 'esbuild';

/** What `bulkhead version` prints: `COMMIT` where the build has no repository, as in an image. */
function commit(): string | undefined {
  if (process.env.COMMIT) return process.env.COMMIT;
  const described = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], {
    encoding: 'utf8',
  });
  return described.status === 0 ? described.stdout.trim() : undefined;
}

/**
 * Node's `http` is taken as a CommonJS module takes it. An `import` of it reads all that it exports, and so loads Node's `fetch`, which
 * nothing here uses: a thirtieth of the processor time until the first answer.
 */
const lazyHttp: Plugin = {
  name: 'lazy-http',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:node:)?http$/ }, () => ({ path: 'http', namespace: 'lazy-http' }));
    onLoad({ filter: /^http$/, namespace: 'lazy-http' }, () => ({
      contents: "module.exports = process.getBuiltinModule('node:http');",
    }));
  },
};

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
  plugins: [lazyHttp],
  // Not minified: a stack trace in a log is read by people.
  legalComments: 'linked',
  // Libraries that are CommonJS ask for Node's own modules in their way.
  banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  logLevel: 'warning',
});
