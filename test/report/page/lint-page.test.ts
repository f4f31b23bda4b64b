/** The page of `bulkhead lint -o html` in Chromium: what it shows, and that names which are markup stay text. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { runCommandLine } from '../../../src/commands/command-line.ts';
import { lintPage } from '../../../src/report/lint-page.ts';
import type { LintFinding, LintReport } from '../../../src/report/lint-report.ts';
import { foundOrSkip } from '../../apiserver/cluster-test.ts';
import { findChromium, startChromium } from './chromium.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');
const hostile = `</p><script>window.hit=1</script><img src=x onerror="window.hit=2">'"&`;
const finding: LintFinding = {
  ...{ check: 'host-network', severity: 'error', object: `Pod a/${hostile}`, apiVersion: 'v1', file: hostile },
  ...{ line: 3, column: 5, path: hostile, headline: hostile, reason: hostile, witness: hostile, fix: hostile },
  ...{ docs: hostile, fingerprint: '', known: true },
};
const report: LintReport = {
  ...{ findings: [finding], objects: [], files: 1, assumedNamespaces: [], gone: 0, version: hostile },
  skipped: { otherKinds: 1, notObjects: 2, ofPlatform: 3, configuration: 0 },
};

async function ofExamples(): Promise<string> {
  const lines: string[] = [];
  const flags = [
    '--tenants',
    'manifests/overlays/example/tenants',
    '--config',
    'manifests/overlays/example/bulkhead.yaml',
  ];
  const surroundings = { print: (line: string) => lines.push(line), environment: {} };
  t.equal(await runCommandLine(['lint', ...flags, '-o', 'html', 'manifests/examples/objects'], surroundings), 1);
  return lines.join('\n');
}

t.test('nothing is loaded, and nothing is run', async (t) => {
  for (const html of [await ofExamples(), lintPage(report, sha256)]) {
    t.match(html, /content="default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'"/);
    t.notMatch(html, /<script|<img|<a |<link/);
  }
});

const chromium = await foundOrSkip('the page in Chromium', findChromium);
if (chromium !== undefined) {
  const browser = await startChromium(chromium);
  t.teardown(() => browser.close());
  t.test('what is found, with its fix', async (t) => {
    const page = await browser.open(await ofExamples());
    t.teardown(() => page.close());
    const text = await page.evaluate<string>('document.body.innerText');
    t.match(text, /NetworkPolicy acme-web\/open: allows traffic from other tenants/);
    t.match(text, /Fix: add bulkhead\.dev\/tenant: acme to its matchLabels/);
    t.equal(
      await page.evaluate<string>('getComputedStyle(document.querySelector("article")).borderLeftStyle'),
      'solid',
    );
  });
  t.test('names that are markup are text', async (t) => {
    const page = await browser.open(lintPage(report, sha256));
    t.teardown(() => page.close());
    t.equal(await page.evaluate<unknown>('window.hit ?? null'), null);
    t.ok((await page.evaluate<string>('document.querySelector("h3").innerText')).includes(`Pod a/${hostile}`));
  });
}
