/** The page of `bulkhead audit -o html` in Chromium: five tenants, names that are markup, and keys alone. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { pageOf } from '../../../src/commands/audit-page.ts';
import { runCommandLine } from '../../../src/commands/command-line.ts';
import type { Picture } from '../../../src/picture/picture.ts';
import { foundOrSkip } from '../../apiserver/cluster-test.ts';
import { findChromium, type Page, startChromium } from './chromium.ts';
import { largePicture } from './large.ts';

const example = [
  ...['--tenants', 'docs/examples/audit/tenants.yaml', '--config', 'manifests/overlays/example/bulkhead.yaml'],
  ...['-f', 'docs/examples/audit/cluster.yaml'],
];

async function pageOfExample(): Promise<string> {
  const lines: string[] = [];
  await runCommandLine(['audit', ...example, '-o', 'html'], { print: (line) => lines.push(line), environment: {} });
  return lines.join('\n');
}

t.test('it holds all that it needs, and its policy allows nothing else', async (t) => {
  const html = await pageOfExample();
  t.match(
    html,
    /content="default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'"/,
  );
  t.notMatch(html, /\b(src|href)=/, 'nothing is loaded');
  t.notMatch(html, /\bon[a-z]+=|style=/, 'no inline handlers or styles');
  for (const file of ['elements', 'matrix', 'lists', 'main'])
    t.notMatch(
      await readFile(`src/report/page/${file}.js`, 'utf8'),
      /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b/,
    );
});

const chromium = await foundOrSkip('the page in Chromium', findChromium);
const browser = chromium && (await startChromium(chromium));
t.teardown(() => browser?.close());

async function opened(
  t: Test,
  html: string,
  size?: { readonly width: number; readonly height: number },
): Promise<Page> {
  if (browser === undefined) throw new Error('Chromium is missing');
  const page = await browser.open(html, size);
  t.teardown(() => page.close());
  return page;
}

/** Screenshots for people: `SCREENSHOTS=DIR`. */
async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (folder !== undefined) await page.screenshot(join(folder, `${name}.png`));
}

if (browser !== undefined) {
  t.test('contradictions of the layers are on the page, of all and of a tenant', async (t) => {
    const folder = t.testdir({
      'mesh.yaml': `apiVersion: v1
kind: Namespace
metadata: { name: acme-db, labels: { istio-injection: enabled } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: from-web, namespace: acme-db }
spec: { selector: { matchLabels: { app: db } }, rules: [{ from: [{ source: { namespaces: [acme-web] } }] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: cache, namespace: acme-db, labels: { app: cache } }
spec: { containers: [] }
---
apiVersion: v1
kind: Pod
metadata: { name: db, namespace: acme-db, labels: { app: db } }
spec: { containers: [] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: open, namespace: acme-db }
spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }
`,
    });
    const lines: string[] = [];
    await runCommandLine(['audit', ...example, '-f', folder, '-o', 'html'], {
      print: (line) => lines.push(line),
      environment: {},
    });
    const page = await opened(t, lines.join('\n'));
    const text = () => page.evaluate<string>('document.body.innerText');
    t.match(await text(), /Contradictions between network policies and policies of the mesh/);
    t.match(await text(), /l4-unguarded/);
    t.match(await text(), /NetworkPolicy acme-db\/open spec\.ingress/);
    await page.evaluate("location.hash = '#/tenant/acme'");
    await page.press('Tab');
    t.equal(await page.evaluate("document.querySelector('main h2')?.innerText"), 'acme');
    t.match(await text(), /l4-unguarded/);
    await page.evaluate("location.hash = '#/tenant/beta'");
    await page.press('Tab');
    t.equal(await page.evaluate("document.querySelector('main h2')?.innerText"), 'beta');
    t.notMatch(await text(), /l4-unguarded/);
    t.strictSame(page.errors, []);
  });

  t.test('five tenants: the matrix, a tenant, a crossing, and what a search finds', async (t) => {
    const page = await opened(t, await pageOfExample());
    const text = (selector: string) =>
      page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`);
    const texts = (selector: string) =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => one.title || one.innerText)`,
      );
    t.strictSame(await texts('.cell a.gate'), ['acme to beta: 5432/TCP, through a gate']);
    t.ok((await texts('.cell a.violation')).includes('delta to epsilon: every port, not granted'));
    const border = (kind: string) =>
      page.evaluate(`getComputedStyle(document.querySelector('.cell a.${kind}')).borderTopStyle`);
    t.strictSame([await border('gate'), await border('violation')], ['dashed', 'solid'], 'not by colour alone');
    t.not(await text('.cell a.gate'), await text('.cell a.violation'), 'and by a sign');
    const tree = await page.accessible();
    for (const node of [
      'link acme to beta: 5432/TCP, through a gate',
      'rowheader acme',
      'searchbox Find a tenant, namespace or workload (/)',
    ])
      t.ok(tree.includes(node), `a screen reader is given: ${node}`);
    await shoot(page, 'five-light');
    await page.media({ 'prefers-color-scheme': 'dark' });
    await shoot(page, 'five-dark');
    t.not(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)');
    await page.media({});

    await page.evaluate('document.querySelector(\'.cell a[tabindex="0"]\').focus()');
    const focused = () => page.evaluate<string>('document.activeElement.title || document.activeElement.tagName');
    const first = await focused();
    await page.press('ArrowDown');
    t.not(await focused(), first, 'an arrow goes to another cell');
    await page.press('Enter');
    t.match(await page.evaluate('location.hash'), /^#\/crossing\//);
    t.match(await text('main h2'), / → /);

    await page.evaluate("location.hash = '#/tenant/acme'");
    await page.press('Tab');
    t.equal(await text('main h2'), 'acme');
    t.match(await text('main'), /mode enforce; 1 namespace, 2 pods/);
    t.match(await text('main'), /allow egress to beta: 5432\/TCP/, 'what is open and from which policy');
    t.match(await text('main'), /Identity rests on cryptographic proof\s+\? not known/);
    t.match(await text('main'), /Traffic is encrypted[^✓✕◐]*mesh-namespaces, mutual-tls/, 'and the checks of each');
    await shoot(page, 'tenant');

    await page.evaluate("search.value = 'orders'; search.dispatchEvent(new Event('input'))");
    await page.evaluate('new Promise((done) => setTimeout(done, 300))');
    t.strictSame(await texts('.results a'), ['beta-data/Deployment orders']);
    await page.evaluate("document.querySelector('.results a').click()");
    await page.press('Tab');
    t.equal(await text('main h2'), 'beta');
    t.ok(await page.evaluate("document.getElementById('ns-beta-data').open"));
    t.ok((await page.pdf()).length > 1000, 'it prints');
    t.strictSame(page.errors, []);
  });

  t.test('by keys alone: each stop is seen, the matrix is one stop, and Escape comes back', async (t) => {
    const page = await opened(t, await pageOfExample());
    const focused = () =>
      page.evaluate<string>(
        "(({ title, innerText, id, tagName }) => title || id || innerText?.split('\\n')[0] || tagName)(document.activeElement)",
      );
    const outline = () => page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
    const stops: string[] = [];
    for (let stop = 0; stop < 5; stop++) {
      await page.press('Tab');
      stops.push(await focused());
      t.equal(await outline(), 'solid', `${stops.at(-1)} is seen to have the focus`);
    }
    t.strictSame(stops, [
      ...['Skip to the content', 'Who reaches whom', 'search'],
      ...['(platform) to delta: every port, not granted', '(platform)'],
    ]);
    await page.press('Tab', 8);
    const visited = [await focused()];
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'End', 'Home', 'ArrowUp', 'PageDown', 'PageUp'])
      await page.press(key).then(async () => visited.push(await focused()));
    t.strictSame(
      visited.map((text) => text.replace(/:.*/, '')),
      [
        ...['(platform) to delta', '(platform) to epsilon', 'delta to epsilon', 'delta to (platform)'],
        ...['delta to epsilon', 'delta to (platform)', 'beta to (platform)', 'gamma to (platform)'],
        '(platform) to delta',
      ],
    );
    t.equal(await outline(), 'solid');
    await page.press('End', 2);
    t.match(await focused(), /^gamma to/, 'Control and End go to the last');
    await page.press('ArrowUp');
    await shoot(page, 'keys');
    const before = await focused();
    await page.press('Enter');
    t.equal(await page.evaluate('document.title'), 'epsilon → (platform) - Bulkhead');
    t.equal(await page.evaluate('document.activeElement.id'), 'content', 'a screen reader begins with what is new');
    await page.press('Escape');
    t.equal(await focused(), before, 'Escape comes back to the cell');

    await page.press('/');
    t.equal(await focused(), 'search');
    for (const letter of 'acme') await page.press(letter);
    await page.evaluate('new Promise((done) => setTimeout(done, 300))');
    t.match(await page.evaluate<string>('document.querySelector("[role=status]").innerText'), /^\d+ found$/);
    await page.press('ArrowDown');
    t.equal(await focused(), 'acme');
    await page.press('ArrowDown');
    t.equal(await focused(), 'acme-web');
    await page.press('ArrowUp');
    await page.press('ArrowUp');
    t.equal(await focused(), 'search');
    await page.press('Escape');
    t.strictSame(await page.evaluate('[search.value, results.hidden]'), ['', true], 'Escape leaves the search');
    t.equal(await focused(), 'search');
    t.strictSame(page.errors, []);
  });

  t.test('a screen reader is told of rows, columns and parts, and each has a name', async (t) => {
    const page = await opened(t, await pageOfExample());
    const tree = await page.accessible();
    for (const node of [
      'grid Matrix of tenants. Rows reach columns.',
      ...['rowheader acme', 'columnheader beta', 'columnheader from ↓ to →', 'heading Matrix of tenants'],
      'table Crossings (10)',
    ])
      t.ok(tree.includes(node), node);
    const count = (selector: string) =>
      page.evaluate<number>(`document.querySelectorAll(${JSON.stringify(selector)}).length`);
    t.equal(
      await count('[role=grid] [role=row] > :not([role=gridcell], [role=rowheader], [role=columnheader], .own)'),
      0,
    );
    t.equal(await count('[role=gridcell]:not([aria-colindex]), [role=row]:not([aria-rowindex])'), 0);
    t.equal(await count('[role=rowheader]:not([aria-colindex]), [role=columnheader]:not([aria-colindex])'), 0);
    t.equal(await count('table:not(:has(caption)), th:not([scope])'), 0);
    t.equal(await count('.cell a[tabindex="0"]'), 1, 'Tab stops once in the matrix');
    t.equal(await count('main, header, h1'), 3);
    t.equal(await page.evaluate('document.documentElement.lang'), 'en');
    await page.evaluate("location.hash = '#/tenant/acme'");
    await page.press('Tab');
    t.ok((await page.accessible()).includes('navigation Back'));
    t.strictSame(page.errors, []);
  });

  t.test('both schemes can be read, and paper is light and whole', async (t) => {
    const page = await opened(t, await pageOfExample());
    // The lowest contrast of the texts that are shown (WCAG 2.2: 4.5 for text).
    const contrast = `(() => {
      const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
      const light = (color) => {
        const [r, g, b] = numbers(color).map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const backOf = (element) => {
        for (let at = element; at; at = at.parentElement) {
          const color = getComputedStyle(at).backgroundColor;
          if ((numbers(color)[3] ?? 1) === 1) return color;
        }
        return 'rgb(255, 255, 255)';
      };
      let least = 21;
      for (const element of document.querySelectorAll('body *')) {
        if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')) continue;
        if (element.closest('script, style')) continue;
        const [one, other] = [light(getComputedStyle(element).color), light(backOf(element))].sort((a, b) => b - a);
        least = Math.min(least, (one + 0.05) / (other + 0.05));
      }
      return least;
    })()`;
    for (const scheme of ['light', 'dark']) {
      await page.media({ 'prefers-color-scheme': scheme });
      const least = await page.evaluate<number>(contrast);
      t.ok(least >= 4.5, `${scheme}: a contrast of ${least.toFixed(1)}`);
    }
    await page.media({ 'prefers-color-scheme': 'dark' }, 'print');
    t.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)');
    t.equal(await page.evaluate("getComputedStyle(document.querySelector('header input')).display"), 'none');
    t.ok((await page.evaluate<number>(contrast)) >= 4.5, 'paper');
    await shoot(page, 'print');
    t.strictSame(page.errors, []);
  });

  t.test('violations are red in the light and in the dark, and gates are not', async (t) => {
    const page = await opened(t, await pageOfExample());
    const isRed = async (selector: string, property: string) => {
      const found = `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property}`;
      const [red = 0, green = 0, blue = 0] = (await page.evaluate<string>(found)).match(/[\d.]+/g)?.map(Number) ?? [];
      return red > 150 && red > 1.5 * green && red > 1.5 * blue;
    };
    for (const scheme of ['light', 'dark']) {
      await page.media({ 'prefers-color-scheme': scheme });
      for (const property of ['color', 'borderTopColor']) {
        t.ok(await isRed('.cell a.violation', property), `${scheme}: ${property} of a cell`);
        t.notOk(await isRed('.cell a.gate', property), `${scheme}: ${property} of a gate`);
        t.ok(await isRed('.figure.broken', property), `${scheme}: ${property} of the number`);
      }
      t.ok(await isRed('td .broken', 'color'), `${scheme}: the ports in the list`);
    }
    t.strictSame(page.errors, []);
  });

  t.test('all of a long list can be reached, by keys too', async (t) => {
    const names = [...Array(450).keys()].map((index) => `tenant-${String(index).padStart(3, '0')}`);
    const crossings = names.map((from) => ({
      ...{ from, to: 'acme', ports: '80/TCP', grants: [], violation: '80/TCP' },
      example: { from: `Pod ${from}/web`, to: 'Pod acme-web/db' },
    }));
    const connectivity = {
      ...largePicture(2),
      crossings,
      selectNothing: names.map((name) => `NetworkPolicy ${name}/old`),
    };
    const page = await opened(t, await pageOf({ report: undefined, problems: [], connectivity }));
    const listOf = (caption: string) =>
      `[...document.querySelectorAll('.list')].find((one) => one.innerText.startsWith(${JSON.stringify(caption)}))`;
    for (const caption of ['Crossings (450)', 'Policies that select no pods (450)']) {
      const list = listOf(caption);
      const rows = () => page.evaluate<number>(`${list}.querySelectorAll('tbody tr').length`);
      const button = () => page.evaluate<string>(`${list}.querySelector('button').innerText`);
      t.equal(await rows(), 200);
      t.equal(await button(), 'Show 200 more of 250');
      t.equal(await page.evaluate(`${list}.querySelector('button').tabIndex`), 0, 'Tab stops there');
      await page.evaluate(`${list}.querySelector('button').focus()`);
      await page.press('Enter');
      t.equal(await rows(), 400);
      t.equal(await button(), 'Show 50 more of 50');
      t.equal(await page.evaluate('document.activeElement.tagName'), 'BUTTON', 'the focus stays for the next part');
      await page.press('Enter');
      t.equal(await rows(), 450);
      t.ok(await page.evaluate(`${list}.querySelector('button').hidden`), 'nothing is left');
      t.match(
        await page.evaluate('document.activeElement.innerText'),
        /tenant-400/,
        'the focus goes to the first of the last part',
      );
      t.match(await page.evaluate(`${list}.innerText`), /tenant-449/);
    }
    t.strictSame(page.errors, []);
  });

  t.test('a matrix that does not fit on the screen is printed as a whole', async (t) => {
    const html = await pageOf({ report: undefined, problems: [], connectivity: largePicture(40) });
    const page = await opened(t, html, { width: 500, height: 300 });
    const rows = () => page.evaluate<number>("document.querySelectorAll('.matrix .row').length");
    const some = await rows();
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    const all = await rows();
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    t.ok(all > some, `${all} of ${some}`);
    t.equal(await rows(), some);
    t.strictSame(page.errors, []);
  });

  t.test('a fragment is a permanent link, and one that means nothing does no harm', async (t) => {
    const page = await opened(t, await pageOfExample());
    for (const [hash, heading] of [
      ['#/crossing/acme/beta', 'acme → beta'],
      ['#/crossing/acme/nobody', 'acme → nobody'],
      ['#/tenant/%E0%A4%A', 'Matrix of tenants'],
      ['#/tenant/nobody', 'There is no such tenant'],
      ['#/', 'Matrix of tenants'],
    ] as const) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.evaluate('new Promise((done) => setTimeout(done, 50))');
      t.equal(await page.evaluate("document.querySelector('main h2').innerText"), heading, hash);
    }
    t.strictSame(page.errors, []);
  });

  t.test('names that are markup stay names, of every kind that is shown', async (t) => {
    const evil = (what: string) => `</script><img src=x onerror=alert(1)>${what}"'&<!--\u2028`;
    const [tenant, other] = [evil('tenant'), evil('other')];
    const connectivity: Picture = {
      readings: [evil('reading')],
      tenants: [tenant, other].map((name) => ({
        ...{ name, mode: evil('mode'), namespaces: 1, pods: 1, inside: evil('inside') },
        zeroTrust: [{ requirement: 'enforced', state: 'not', evidence: [evil('evidence')] }],
      })),
      crossings: [
        {
          ...{ from: tenant, to: other, ports: evil('ports'), violation: evil('violation') },
          grants: [{ kind: evil('kind'), name: evil('service'), ports: evil('granted') }],
          example: { from: evil('front'), to: evil('back') },
          onlyIn: [{ reading: evil('engine'), ports: evil('own ports') }],
          openedBy: [{ policy: evil('opener'), path: evil('rule') }],
        },
      ],
      namespaces: [
        {
          ...{ name: evil('namespace'), tenant, pods: 1, onNodes: 1, open: { ingress: 1, egress: 1, both: 1 } },
          workloads: [{ name: evil('workload'), pods: 1, open: ['ingress'] }],
          policies: [
            {
              ...{ name: evil('policy'), pods: 1 },
              rules: [{ direction: 'ingress', action: 'allow', peers: evil('peers'), ports: evil('rule ports') }],
            },
          ],
        },
      ],
      outside: [
        {
          ...{ tenant, direction: 'egress', addresses: evil('addresses'), ports: evil('outside ports') },
          ...{ state: 'not granted', namespaces: 1, example: evil('example') },
        },
      ],
      gates: [{ from: tenant, to: other, ports: evil('gate ports'), state: 'unused', declaredBy: tenant }],
      selectNothing: [evil('selects nothing')],
      openNothing: [evil('opens nothing')],
      layers: [],
      exemptions: [],
      unread: [{ policy: evil('policy'), field: evil('field'), reason: evil('reason') }],
    };
    const html = await pageOf({ report: undefined, problems: [evil('problem')], connectivity });
    const page = await opened(t, html);
    const shownOn = async (hash: string) => {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.evaluate('new Promise((done) => setTimeout(done, 100))');
      return page.evaluate<string>("document.querySelector('main').textContent");
    };
    const texts = [
      await shownOn('#/'),
      await shownOn(`#/tenant/${encodeURIComponent(tenant)}`),
      await shownOn(`#/crossing/${encodeURIComponent(tenant)}/${encodeURIComponent(other)}`),
    ].join('\n');
    const kinds = html.matchAll(/onerror=alert\(1\)>([a-z ]+)/g);
    const all = new Set([...kinds].map(([, what]) => what ?? ''));
    t.ok(all.size > 20, 'every kind of name is there');
    // A crossing tells what grants it in words, and a mode is shown with a word before it.
    for (const what of all) t.ok(texts.includes(evil(what)), `${what} is shown as it is`);
    t.equal(await page.evaluate("document.querySelectorAll('img, iframe, object').length"), 0);
    t.equal(await page.evaluate("document.querySelectorAll('script').length"), 2);
    await page.evaluate("search.value = 'onerror'; search.dispatchEvent(new Event('input'))");
    await page.evaluate('new Promise((done) => setTimeout(done, 300))');
    t.equal(await page.evaluate("document.querySelectorAll('.results li').length"), 4);
    t.strictSame(page.errors, []);
  });
}
