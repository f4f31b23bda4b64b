/**
 * `npm run bench:page`: the page of an audit of 1,000 tenants with 10,000 namespaces, in Chromium. `--screenshots DIR` keeps pictures.
 * Ends with 1 when the page opens in more than two seconds, a step of a scroll takes more than one, or it complains.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pageOf } from '../../src/commands/audit-page.ts';
import { findChromium, startChromium } from '../report/page/chromium.ts';
import { largePicture } from '../report/page/large.ts';

const longest = 2000;
/** Of two frames, each with 400 pixels more. */
const longestStep = 1000;
const { values } = parseArgs({
  options: { tenants: { type: 'string', default: '1000' }, screenshots: { type: 'string' } },
});
const chromium = await findChromium();
if ('missing' in chromium) throw new Error(chromium.missing);

const begin = performance.now();
const connectivity = largePicture(Number(values.tenants));
const made = performance.now();
const html = await pageOf({ report: undefined, problems: [], connectivity });
const print = (line: string) => process.stdout.write(`${line}\n`);
print(
  `the picture: ${Math.round(made - begin)} ms; the page: ${Math.round(performance.now() - made)} ms, ${(html.length / 1e6).toFixed(1)} MB`,
);
print(
  `${connectivity.tenants.length} tenants, ${connectivity.namespaces.length} namespaces, ${connectivity.crossings.length} crossings`,
);

const browser = await startChromium(chromium);
const page = await browser.open(html);
const frames = await page.evaluate<number>(`(async () => {
  const view = document.querySelector('.matrix');
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  let longest = 0;
  for (let step = 0; step < 60; step++) {
    const begin = performance.now();
    view.scrollTop += 400;
    view.scrollLeft += 400;
    await frame();
    await frame();
    longest = Math.max(longest, performance.now() - begin);
  }
  return longest;
})()`);
const elements = await page.evaluate<number>("document.getElementsByTagName('*').length");
const shoot = async (name: string) => {
  if (values.screenshots !== undefined) await page.screenshot(join(values.screenshots, `${name}.png`));
};
await shoot('large-scrolled');
await page.evaluate("document.querySelector('.matrix').scrollTo(0, 0)");
await page.press('Tab');
await shoot('large');
const found = await page.evaluate<number>(
  "(() => { search.value = '0500'; const begin = performance.now(); find(); return performance.now() - begin; })()",
);
const tenant = await page.evaluate<number>(
  "(() => { const begin = performance.now(); tenantPage('tenant-0500'); return performance.now() - begin; })()",
);
print(
  `opens in ${Math.round(page.openMilliseconds)} ms with ${elements} elements; a scroll takes at most ${Math.round(frames)} ms`,
);
print(`a search takes ${Math.round(found)} ms, a tenant ${Math.round(tenant)} ms; errors: ${page.errors.length}`);
for (const error of page.errors) print(error);
await browser.close();
process.exitCode = page.openMilliseconds > longest || frames > longestStep || page.errors.length > 0 ? 1 : 0;
