/** `bulkhead audit` in a process of its own, which tells its parent what it has printed and its peak of resident memory. */
import { runCommandLine } from '../../src/commands/command-line.ts';

const began = performance.now();
let report = '';
await runCommandLine(['audit', ...process.argv.slice(2), '-o', 'json'], {
  print(line) {
    report = line;
  },
  environment: {},
});
const { maxRSS } = process.resourceUsage();
process.send?.({ report, peak: maxRSS * 1024, milliseconds: performance.now() - began });
