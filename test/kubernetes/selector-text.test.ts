/** Label selectors as kubectl takes them in a flag (k8s.io/apimachinery/pkg/labels, Parse). */
import t from 'tap';
import { parseSelectorText } from '../../src/kubernetes/selector-text.ts';

const shop = { app: 'shop', tier: 'front', 'example.com/role': '', size: '12' };

const matching: Readonly<Record<string, boolean>> = {
  '': true,
  'app=shop': true,
  'app==shop': true,
  'app = shop , tier = front': true,
  'app=shop,tier=back': false,
  'app!=shop': false,
  'app!=other': true,
  'missing!=shop': true,
  app: true,
  missing: false,
  '!missing': true,
  '! app': false,
  'app in (shop, other)': true,
  'app in(other)': false,
  'app notin (other)': true,
  'app notin (shop)': false,
  'missing notin (shop)': true,
  'app in (shop),tier notin (back, side),!missing': true,
  'example.com/role': true,
  'example.com/role=': true,
  'example.com/role in ()': true,
  'app=': false,
  'size>11': true,
  'size > 12': false,
  'size<13': true,
  'app>1': false,
  'missing<1': false,
  'app=shop,app=other': false,
  'app in (a,shop,)': true,
};
for (const [text, expected] of Object.entries(matching))
  t.test(`-l '${text}' ${expected ? 'selects' : 'leaves out'} the shop`, async (t) => {
    const parsed = parseSelectorText(text);
    t.equal(parsed.ok && parsed.value(shop), expected, JSON.stringify(parsed));
  });

t.test('objects without labels are those that have none of the keys', async (t) => {
  const tested = (text: string, labels: object | null | undefined) => {
    const parsed = parseSelectorText(text);
    return parsed.ok && parsed.value(labels as Record<string, string> | undefined);
  };
  for (const labels of [undefined, null, {}]) {
    t.equal(tested('app', labels), false);
    t.equal(tested('!app', labels), true);
    t.equal(tested('app!=shop', labels), true);
  }
  t.equal(tested('constructor', {}), false, 'a key may be the name of something that every object has');
  t.equal(tested('app=1', { app: 1 }), false, 'a label is text');
});

const wrong: Readonly<Record<string, RegExp>> = {
  ',': /a key is missing at ","/,
  'app=shop,': /a key is missing at the end/,
  'app,,tier': /a key is missing at ",tier"/,
  '=shop': /a key is missing at "=shop"/,
  'app in': /"in" is followed by \( and values/,
  'app in shop': /"in" is followed by \( and values/,
  'app in (shop': /"in" is followed by \( and values/,
  'app shop': /write =, !=, in or notin after app, not "shop"/,
  'app=a b': /write a comma after app=a, not "b"/,
  'app>many': /> needs a whole number/,
  'app>': /> needs a whole number/,
  '!app=shop': /write a comma after !app, not "=shop"/,
  '-app=shop': /"-app" is not the key of a label/,
  'a/b/c': /"a\/b\/c" is not the key of a label/,
  'app=sh_op-': /"sh_op-" is not a value that a label can have/,
  [`app in (${'x'.repeat(64)})`]: /is not a value that a label can have/,
  'app=(shop)': /write a comma after app=, not "\(shop\)"/,
};
for (const [text, reason] of Object.entries(wrong))
  t.test(`-l '${text.slice(0, 20)}' is wrong`, async (t) => {
    const parsed = parseSelectorText(text);
    t.notOk(parsed.ok);
    t.match(parsed.ok ? '' : parsed.reason, reason);
  });
