/** The short forms, all at once: most of their time they wait. No other test runs beside them (.taprc). */
import { join } from 'node:path';
import tap from 'tap';

const forms = ['replicas', 'one-process', 'certificate-ways', 'rotation'];

tap.jobs = forms.length;
for (const form of forms) {
  const file = join(import.meta.dirname, `${form}.ts`);
  tap.spawn(process.execPath, [...process.execArgv, file], { buffered: true }, form);
}
