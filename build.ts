/**
 * `npm run build`: dist/, what the image runs. Everything that is imported is in it, the libraries too, so that nothing else is
 * installed beside it; each command, help, and what reads kubeconfigs are in files that are loaded when needed.
 *
 * `npm run bundle`: bundle/, a package of one file for people who have Node and no checkout, called `bulkhead` and, as a plugin of kubectl,
 * `kubectl-bulkhead`.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin, transform } from 'esbuild';
import { scripts, styles } from './src/report/page.ts';

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

/**
 * The library does nothing when it is loaded, and does not say so: what is not used of it is left out, which is 15 MB. Its files name each
 * other by their whole names, which are joined here: to ask esbuild for each of thousands would be nine tenths of the time of a build.
 * It copies files with tar-fs, which is left out with that.
 */
const pureLibrary: Plugin = {
  name: 'pure-library',
  setup({ onResolve, resolve }) {
    const isAsked = Symbol('asked');
    onResolve({ filter: /^(?:@kubernetes\/client-node|tar-fs)$/ }, async ({ path, pluginData, ...where }) =>
      pluginData === isAsked
        ? undefined
        : { ...(await resolve(path, { ...where, pluginData: isAsked })), sideEffects: false },
    );
    onResolve({ filter: /^\..*\.js$/ }, ({ path, importer, resolveDir }) =>
      importer.includes('/@kubernetes/client-node/') ? { path: join(resolveDir, path), sideEffects: false } : undefined,
    );
  },
};

/**
 * The client's own requests go through undici, and only its kubeconfigs are read here (src/client/kubeconfig.ts). So undici is left out, a
 * quarter of the bundle. Whatever would use it fails and says so.
 */
const withoutUndici: Plugin = {
  name: 'without-undici',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'without-undici', sideEffects: false }));
    onLoad({ filter: /^undici$/, namespace: 'without-undici' }, () => ({
      contents: `class LeftOut { constructor() { throw new Error('undici is left out of this build'); } }
export const Agent = LeftOut, ProxyAgent = LeftOut, FormData = LeftOut;
export const fetch = () => new LeftOut();`,
    }));
  },
};

/** What fastify loads when a test calls `inject`, and never before. */
const withoutInject: Plugin = {
  name: 'without-inject',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^light-my-request$/ }, ({ path }) => ({ path, namespace: 'without-inject' }));
    onLoad({ filter: /./, namespace: 'without-inject' }, () => ({
      contents: "throw new Error('light-my-request is left out of this build');",
    }));
  },
};

/** The script and style of `bulkhead audit -o html`, which are beside the code in the sources. */
async function page(): Promise<Readonly<Record<'script' | 'style', string>>> {
  const joined = async (names: readonly string[], loader: 'js' | 'css'): Promise<string> => {
    const texts = await Promise.all(names.map((name) => readFile(`src/report/page/${name}`, 'utf8')));
    return (await transform(texts.join(''), { loader, minify: true })).code.trim();
  };
  return { script: await joined(scripts, 'js'), style: await joined(styles, 'css') };
}

const common = {
  entryPoints: ['src/main.ts'],
  bundle: true,
  platform: 'node',
  format: 'esm',
  define: { bulkheadCommit: JSON.stringify(commit()) ?? 'undefined', bulkheadPage: JSON.stringify(await page()) },
  plugins: [lazyHttp, withoutUndici, withoutInject, pureLibrary],
  // Libraries that are CommonJS ask for Node's own modules in their way.
  banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** For the image. Not minified: a stack trace in a log is read by people. */
async function buildImage(): Promise<void> {
  const outdir = 'dist';
  await rm(outdir, { recursive: true, force: true });
  await build({
    ...common,
    outdir,
    splitting: true,
    // As deep as in src: what is read beside the code, such as the examples of the demo, is found by its place.
    chunkNames: 'commands/[name]-[hash]',
    target: 'node24',
    legalComments: 'linked',
  });
}

/** A folder that `npm pack` makes a package of. It has no dependencies, and nothing runs when it is installed. */
async function buildBundle(): Promise<void> {
  const folder = 'bundle';
  const file = 'bulkhead.mjs';
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await build({
    ...common,
    outfile: `${folder}/${file}`,
    target: 'node22',
    legalComments: 'external',
    minify: true,
  });
  const { name, version, description, license, type, engines } = JSON.parse(await readFile('package.json', 'utf8'));
  const bin = { bulkhead: file, 'kubectl-bulkhead': file };
  const manifest = { name, version, private: true, description, license, type, engines, bin };
  await writeFile(`${folder}/package.json`, `${JSON.stringify(manifest, undefined, 2)}\n`);
  await writeFile(`${folder}/LICENSE`, await readFile('LICENSE'));
}

await (process.argv.includes('--bundle') ? buildBundle() : buildImage());
