/** What tap would do for coverage is not done where none is counted. */
import { spawnSync } from 'node:child_process';
import t from 'tap';

const counted = process.env._TAPJS_PROCESSINFO_COVERAGE_ !== '0';

function optionsOfChild(given: NodeJS.ProcessEnv = {}): string {
  const print = 'console.log(process.env.NODE_OPTIONS, process.sourceMapsEnabled)';
  return spawnSync(process.execPath, ['-e', print], { env: { ...given }, encoding: 'utf8' }).stdout.trim();
}

t.test('a Node that a test starts is not followed by tap', { skip: counted && 'coverage is counted' }, async (t) => {
  t.equal(optionsOfChild(), 'undefined false');
  t.match(optionsOfChild({ NODE_OPTIONS: '--no-warnings' }), /^"?--no-warnings"? false$/, 'and keeps its own options');
});
