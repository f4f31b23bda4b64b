/** Selecting namespaces by labels that only the platform writes (settings: trustedNamespaceLabels). */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { readNetworkPolicy } from '../../src/reach/dialects/network-policy.ts';
import { overBroadSelectors } from '../../src/reach/over-broad.ts';
import type { Border } from '../../src/reach/violation.ts';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { acme, border as base, dns, ingressController, judge, label, nameLabel, settings } from './world.ts';

const role = 'example.com/role';
const zone = 'example.com/zone';
const border: Border = {
  ...base,
  isKept: () => true,
  tenancy: createTenancy(
    {
      ...settings,
      platform: { ...settings.platform, namespaces: new Set(['ingress-nginx', 'default', 'edge']) },
      sharedServices: [dns, ingressController],
      trustedLabels: new Map([
        [
          role,
          new Map([
            ['', new Set(['ingress-nginx'])],
            ['dns', new Set(['kube-system'])],
            ['edge', new Set(['edge', 'ingress-nginx'])],
          ]),
        ],
        [zone, new Map([['a', new Set(['ingress-nginx', 'kube-system'])]])],
      ]),
    },
    [acme],
  ),
};
type Requirement = readonly [key: string, operator: string, ...values: string[]];
const peer = (...requirements: readonly Requirement[]) => ({
  namespaceSelector: {
    matchExpressions: requirements.map(([key, operator, ...values]) => ({ key, operator, values })),
  },
});
const from = (...requirements: readonly Requirement[]) => ({ ingress: [{ from: [peer(...requirements)] }] });
const verdictOf = (spec: unknown, where = border) => {
  const [found] = judge(spec, where);
  return found === undefined ? 'contained' : `${found.verdict}: ${found.reason}`;
};

t.test('In with listed values stands for the namespaces that are listed', (t) => {
  t.equal(verdictOf({ ingress: [{ from: [{ namespaceSelector: { matchLabels: { [role]: '' } } }] }] }), 'contained');
  t.equal(verdictOf(from([role, 'In', ''])), 'contained', 'an empty value is one');
  t.equal(verdictOf(from([role, 'In', '', 'edge'], [nameLabel, 'In', 'ingress-nginx'])), 'contained', 'with a name');
  t.equal(verdictOf(from([role, 'In', 'edge'], [zone, 'In', 'a'])), 'contained', 'two labels leave what both list');
  t.match(verdictOf(from([role, 'In', 'edge'])), /^escapes: matches the namespace edge by the label example.com\/role/);
  t.match(verdictOf(from([role, 'In', 'dns'])), /^escapes: matches the namespace kube-system/, 'a service of egress');
  const egress = (ports: unknown) => ({ policyTypes: ['Egress'], egress: [{ to: [peer([role, 'In', ''])], ports }] });
  t.match(verdictOf(egress([{ port: 80 }])), /^escapes: matches the namespace ingress-nginx by the label/);
  t.end();
});

t.test('nothing else proves', (t) => {
  const every = /^escapes: matches every namespace of the platform with the label example\.com\/role/;
  t.match(verdictOf(from([role, 'Exists'])), every);
  t.match(verdictOf(from([role, 'In', '', 'other'])), every, 'one value of two is not listed');
  t.match(verdictOf(from([role, 'Exists'], [role, 'NotIn', 'other'])), every);
  const tenants = /^escapes: matches namespaces of every tenant/;
  t.match(verdictOf(from([role, 'NotIn', 'other'])), tenants);
  t.match(verdictOf(from([role, 'DoesNotExist'])), tenants);
  t.equal(verdictOf(from([label, 'In', 'acme'], [role, 'DoesNotExist'])), 'contained');
  t.end();
});

t.test('no namespace of a tenant has the label', (t) => {
  const dead = /^nothing: matches nothing, as no namespace has both bulkhead\.dev\/tenant and example\.com\/role$/;
  t.match(verdictOf(from([role, 'In', ''], [label, 'In', 'beta'])), dead);
  t.match(verdictOf(from([role, 'Exists'], [label, 'Exists'])), dead);
  t.match(verdictOf(from([role, 'In', ''], [nameLabel, 'In', 'kube-system'])), /^nothing: .*of such a name/);
  t.end();
});

t.test('a witness has no label that cannot be', (t) => {
  const witness = (...requirements: readonly Requirement[]) => judge(from(...requirements), border)[0]?.witness;
  const without = 'a namespace without the label bulkhead.dev/tenant, with the label';
  t.equal(witness([role, 'Exists']), `${without} ${role}=any`);
  t.equal(witness([role, 'In', '', 'other']), `${without} ${role}=other`, 'not the listed one');
  t.equal(
    witness([role, 'In', '', 'edge']),
    `${without}s ${role}=edge, ${nameLabel}=edge`,
    'the value that is listed for this namespace',
  );
  t.equal(witness([role, 'DoesNotExist']), `a namespace with the label ${label}=not-acme`);
  t.end();
});

t.test('a label that a namespace has and must not proves nothing', (t) => {
  const doubtful = /^unproven: selects by the label example\.com\/role, which proves nothing while namespaces have it/;
  const lost = { ...border, isKept: (key: string) => key !== role };
  t.match(verdictOf(from([role, 'In', '']), lost), doubtful);
  t.match(verdictOf(from([role, 'Exists'], [label, 'In', 'beta']), lost), doubtful, 'nor that no tenant has it');
  t.equal(verdictOf(from([role, 'In', ''], [label, 'In', 'acme']), lost), 'contained', 'and takes nothing away');
  t.equal(verdictOf(from([role, 'In', ''], [zone, 'In', 'a'], [nameLabel, 'In', 'ingress-nginx']), lost), 'contained');
  t.match(verdictOf(from([role, 'In', '']), { ...border, isKept: undefined }), doubtful, 'nor where nobody looked');
  t.match(judge(from([role, 'In', '']), lost), [
    {
      fix: /^write kubernetes\.io\/metadata\.name instead, or ask the platform to remove the label example\.com\/role from/,
    },
  ]);
  t.end();
});

t.test('soft isolation does not narrow what needs the label', (t) => {
  const wide = (where: Border, ...requirements: readonly Requirement[]) =>
    overBroadSelectors(readNetworkPolicy({ spec: from(...requirements) }), where).length;
  t.equal(wide(border, ['env', 'Exists']), 1);
  t.equal(wide(border, [role, 'DoesNotExist']), 1);
  t.equal(wide(border, [role, 'Exists']), 0);
  t.equal(wide({ ...border, isKept: () => false }, [role, 'In', '']), 0);
  t.end();
});

t.test('the recipe for OpenShift', (t) => {
  const page = readFileSync('docs/how-to/platform-labels.md', 'utf8');
  const blocks = (kind: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`yaml ${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text]) =>
      parse(text ?? ''),
    );
  const [document] = blocks('openshift');
  const loaded = parseSettings({ value: document, locate: unlined('the recipe') });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  t.same(
    loaded.warnings.filter(({ path }) => path === 'spec.sharedServices'),
    [],
    'names resolve',
  );
  const where = { ...border, tenancy: createTenancy(loaded.value, [acme]) };
  const [admitted] = blocks('openshift admitted');
  const [refused] = blocks('openshift refused');
  t.equal(verdictOf(admitted.spec, where), 'contained');
  t.match(verdictOf(refused.spec, where), /^escapes: matches every namespace of the platform with the label/);
  const older = (value: string) => from(['network.openshift.io/policy-group', 'In', value]);
  t.equal(verdictOf(older('ingress'), where), 'contained');
  t.equal(verdictOf(older('monitoring'), where), 'contained');
  t.end();
});
