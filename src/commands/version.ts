/** Prints what an issue report needs: the versions of Bulkhead and of Node, and the commit that was built. */
import { commit, version } from './build.ts';
import { defineCommand } from './command.ts';

export const command = defineCommand({
  summary: 'print the version of Bulkhead, its commit where it is known, and the version of Node',
  options: {},
  async run(_, { print }) {
    print(`bulkhead ${version}`);
    if (commit !== undefined) print(`commit ${commit}`);
    print(`node ${process.version}`);
    return 0;
  },
});
