/**
 * The short forms of test/soak: they assert what must never be, and nothing about speed. No other test runs beside them (.taprc). All run
 * at once, as they wait for most of their time, except the one that keeps both processors busy.
 */
import { join } from 'node:path';
import tap from 'tap';

const atOnce = ['replicas', 'one-process', 'certificate-ways', 'rotation', 'crowd'];

function run(form: string): Promise<unknown> {
  const file = join(import.meta.dirname, `${form}.ts`);
  return tap.spawn(process.execPath, [...process.execArgv, file], { buffered: true }, form);
}

tap.jobs = atOnce.length;
await Promise.all(atOnce.map(run));
await run('reviews');
