import t from 'tap';
import { parseGateRequest } from '../../src/gates/parse-gate-request.ts';
import { unlined } from '../../src/tenancy/problem.ts';

const good = {
  tenant: 'beta',
  direction: 'egress',
  ports: [{ port: 443 }, { protocol: 'UDP', port: 1000, endPort: 1010 }],
  expires: '2027-01-31T00:00:00Z',
};

function parse(spec: object) {
  const value = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'GateRequest', metadata: { name: 'to-beta' }, spec };
  return parseGateRequest({ value, locate: unlined('to-beta') });
}

t.test('a request is read', async (t) => {
  t.match(parse(good), {
    ok: true,
    value: {
      tenant: 'beta',
      direction: 'egress',
      ports: [
        { protocol: 'TCP', first: 443, last: 443 },
        { protocol: 'UDP', first: 1000, last: 1010 },
      ],
      expires: Date.UTC(2027, 0, 31),
    },
  });
});

const { expires: _, ...endless } = good;
const mistakes: readonly (readonly [sentence: string, spec: object, problem: object])[] = [
  ['it ends', endless, { path: 'spec.expires', reason: 'is missing' }],
  ['at a moment', { ...good, expires: 'soon' }, { path: 'spec.expires', reason: /is not a time as in RFC 3339/ }],
  ['it lists ports', { ...good, ports: [] }, { path: 'spec.ports', reason: 'lists nothing' }],
  [
    'few of them',
    { ...good, ports: Array(9).fill({ port: 443 }) },
    { path: 'spec.ports', reason: 'holds more than 8' },
  ],
  ['by number', { ...good, ports: [{ port: 'http' }] }, { path: 'spec.ports[0].port' }],
  ['it has a direction', { ...good, direction: 'both' }, { path: 'spec.direction' }],
  [
    'GAT-01: it does not say for whom it speaks',
    { ...good, from: 'gamma' },
    { path: 'spec.from', reason: 'is not a known field' },
  ],
  ['the other tenant has a name', { ...good, tenant: '*' }, { path: 'spec.tenant' }],
];
for (const [sentence, spec, problem] of mistakes)
  t.test(sentence, async (t) => t.match(parse(spec), { ok: false, problems: [problem] }));
