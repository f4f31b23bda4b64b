/**
 * Loaded before each test file. tap follows each module that a test loads, and each Node that a test starts, to count coverage: it reads
 * the source maps of all libraries. Types are stripped in place, so positions are true without. Where no coverage is counted, nothing is
 * followed: a replica in a process of its own is started in half of the processor time.
 */
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

interface Child {
  env: NodeJS.ProcessEnv;
}

process.setSourceMapsEnabled(false);
if (process.env._TAPJS_PROCESSINFO_COVERAGE_ === '0') {
  followNoChildren();
  followNoLibraries();
}

/** What tap adds to the environment of each child, after its listener has. */
function followNoChildren(): void {
  const requireOfTap = createRequire(import.meta.resolve('@tapjs/processinfo'));
  const { addListener } = requireOfTap('process-on-spawn') as { addListener(listener: (child: Child) => void): void };
  addListener((child) => {
    const { NODE_OPTIONS = '', ...env } = child.env;
    const own = NODE_OPTIONS.replace(/"--import=[^"]*\/@tapjs\/processinfo\/[^"]*"/, '').trim();
    child.env = own === '' ? env : { ...env, NODE_OPTIONS: own };
  });
}

/** The library of the API has a thousand files, which name each other by their whole names. */
function followNoLibraries(): void {
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      /^\..*\.js$/.test(specifier) && context.parentURL?.includes('/@kubernetes/client-node/')
        ? { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true }
        : nextResolve(specifier, context),
    load: (url, context, nextLoad) =>
      context.format === 'module' && /^file:.*\/node_modules\/[^?]*$/.test(url)
        ? { format: 'module', source: readFileSync(fileURLToPath(url)), shortCircuit: true }
        : nextLoad(url, context),
  });
}
