/**
 * Loaded before each test file. tap follows each module that a test loads, and each Node that a test starts, to count coverage: it reads
 * the source maps of all libraries. Types are stripped in place, so positions are true without. Where no coverage is counted, nothing is
 * followed: a replica in a process of its own is started in half of the processor time.
 *
 * `npm test` names this file in NODE_OPTIONS, so that it comes before what it turns off: that saves a sixth of the processor time of
 * short test files. Otherwise it comes from `.taprc`, after tap has read its own source maps.
 */
import { createRequire } from 'node:module';

interface Child {
  env: NodeJS.ProcessEnv;
}

process.setSourceMapsEnabled(false);
if (process.env._TAPJS_PROCESSINFO_COVERAGE_ === '0') {
  process.env._TAPJS_PROCESSINFO_EXCLUDE_ = '/./';
  process.env.NODE_OPTIONS = (process.env.NODE_OPTIONS ?? '').replace('--import=./test/preload.ts', '').trim();
  followNoChildren();
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
