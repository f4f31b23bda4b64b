/** `enforcement: observe`: nothing is denied or changed, whatever is found and whatever fails, and everything is told. */
import t from 'tap';
import { createAdmission, type Observed } from '../../src/admission/admission.ts';
import type { Phase } from '../../src/admission/decision.ts';
import type { NamespaceSource } from '../../src/admission/facts.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { lateAnswer } from '../../src/server/late-answer.ts';
import { probeAnnotation } from '../../src/tenancy/probe.ts';
import { loadCases } from '../fixtures/cases.ts';
import { cast } from '../fixtures/cast.ts';
import { bytesOf, farDeadline, responseOf, reviewOf, type Sent, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const user = cast['acme developer'];
const seen: Observed[] = [];
const defects: unknown[] = [];
const waited = () => Promise.reject(new Error('a pod waited for its baseline'));

function observing(source: Partial<NamespaceSource> = {}, known = true, tenants = tenancy) {
  return createAdmission({
    tenancy: () => (known ? tenants : undefined),
    namespaces: { ...namespaces, ...source },
    // Nothing is put in place, so a pod must not wait for it.
    baselines: { isIsolated: () => false, whenIsolated: waited, fetchIsolated: waited },
    observes: () => true,
    onObserved: (observed) => seen.push(observed),
    onDefect: (error) => defects.push(error),
  });
}

async function ask(phase: Phase, sent: Sent, review = observing()) {
  const answer = await review(phase, bytesOf(reviewOf(sent)), farDeadline());
  return { ...responseOf(answer.body), decision: answer.decision };
}

const hostNetwork = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'acme-web' },
  spec: { hostNetwork: true, containers: [{ name: 'main', image: 'nginx' }] },
} as KubernetesObject;

t.test('what would be refused is admitted, counted under its own mode, and told with its fix', async (t) => {
  seen.length = 0;
  const { allowed, warnings, auditAnnotations, decision } = await ask('validate', {
    user,
    operation: 'CREATE',
    object: hostNetwork,
  });
  t.ok(allowed);
  t.match(
    warnings,
    [/^host-network would refuse this: spec\.hostNetwork is true/, /^host-network: fix: /],
    'the warning',
  );
  t.match(auditAnnotations, { mode: 'observe', checks: /host-network/ });
  t.match(
    decision,
    { allowed: true, mode: 'observe', code: 403, checks: ['host-network'] },
    'the log line and counters',
  );
  t.match(seen, [{ request: { name: 'web' }, findings: [{ check: 'host-network' }] }], 'whoever writes Events is told');
});

t.test('a dry run is told to whoever sends it, and to nobody else', async (t) => {
  seen.length = 0;
  const { allowed, warnings } = await ask('validate', { user, operation: 'CREATE', object: hostNetwork, dryRun: true });
  t.ok(allowed);
  t.match(warnings, [/would refuse this/]);
  t.strictSame(seen, []);
});

t.test('nothing is changed: no label is added, no selector narrowed', async (t) => {
  const { allowed, patch, warnings } = await ask('mutate', { user, operation: 'CREATE', object: hostNetwork });
  t.ok(allowed);
  t.equal(patch, undefined);
  t.equal(warnings, undefined);
});

t.test('no fixture that is refused is refused in observe, but for probes', async (t) => {
  // Where mutate was passed by, observe takes it for not passed by.
  const cases = loadCases().filter(({ expects, unmutated }) => expects === 'fail' && !unmutated);
  t.ok(cases.length > 100, `${cases.length} cases`);
  for (const { id, user: role, check, ...sent } of cases) {
    const { allowed, auditAnnotations } = await submit(observing(), { ...sent, user: cast[role] });
    t.equal(allowed, check !== 'handshake', id);
    t.ok(auditAnnotations?.checks?.split(',').includes(check), `${id}: it is told`);
  }
});

t.test(
  'of a tenant in mode audit or warn everything is told too, and what only its mode enforce refuses',
  async (t) => {
    // Probes are refused, and only tenants in mode enforce have quotas and baselines.
    const others: ReadonlySet<string> = new Set(['handshake', 'quota-without-requests', 'already-allowed']);
    const cases = loadCases().filter(
      ({ check, expects, unmutated }) => expects === 'fail' && !unmutated && !others.has(check),
    );
    for (const mode of ['audit', 'warn'] as const) {
      const review = observing({}, true, createWorld(mode).tenancy);
      let [now, later] = [0, 0];
      for (const { id, user: role, check, ...sent } of cases) {
        seen.length = 0;
        const answer = await submit(review, { ...sent, user: cast[role] });
        t.ok(answer.auditAnnotations?.checks?.split(',').includes(check), `${id}: it is counted and logged`);
        const lines = answer.warnings ?? [];
        t.ok(lines.length > 0, `${id}: whoever writes it is warned`);
        const first = lines[0] ?? '';
        if (/ would refuse (this|the pods) in mode enforce: /.test(first)) later++;
        else if (/ would refuse (this|the pods): /.test(first)) now++;
        const [observed] = seen;
        t.equal(
          observed?.findings[0].refuses,
          / would refuse this: /.test(first) || (/ in mode /.test(first) ? false : undefined),
          id,
        );
      }
      t.ok(now > 50, `${mode}: ${now} would be refused`);
      t.ok(later > 50, `${mode}: ${later} would be refused in mode enforce`);
    }
  },
);

t.test('a policy whose spec stays as it is would be refused in no mode', async (t) => {
  const review = observing({}, true, createWorld('audit').tenancy);
  const open = (labels: object) =>
    ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'open', namespace: 'acme-web', labels },
      spec: { podSelector: {}, ingress: [{}] },
    }) as KubernetesObject;
  seen.length = 0;
  const sent: Sent = { user, operation: 'UPDATE', object: open({ app: 'web' }), oldObject: open({}) };
  const { warnings } = await ask('validate', sent, review);
  t.match(warnings, [/^cross-tenant-ingress: spec\.ingress\[0\]/]);
  t.strictSame(seen, []);
});

t.test('what enforce would label, narrow and admit is not reported', async (t) => {
  const cases = loadCases().filter(({ expects, unmutated }) => expects === 'pass' && !unmutated);
  t.ok(cases.length > 100, `${cases.length} cases`);
  for (const { id, user: role, ...sent } of cases) {
    seen.length = 0;
    await submit(observing(), { ...sent, user: cast[role] });
    t.strictSame(
      seen.flatMap(({ findings }) => findings.map(({ check }) => check)),
      [],
      id,
    );
  }
});

t.test('what fails is admitted too', async (t) => {
  const sent: Sent = { user, operation: 'CREATE', object: hostNetwork };
  const unreachable: Partial<NamespaceSource> = {
    lookup: () => undefined,
    isFree: () => false,
    fetch: () => Promise.reject(new Error('no API server')),
  };
  const broken: Partial<NamespaceSource> = {
    lookup() {
      throw new Error('a defect');
    },
  };
  for (const phase of ['mutate', 'validate'] as const) {
    t.match(
      await ask(phase, sent, observing({}, false)),
      { allowed: true, decision: { code: 503 } },
      'unknown tenants',
    );
    t.match(await ask(phase, sent, observing(unreachable)), { allowed: true, decision: { code: 503 } }, 'no facts');
    t.match(await ask(phase, sent, observing(broken)), { allowed: true, decision: { code: 500 } }, 'a defect');
    const unread = JSON.stringify({ ...reviewOf(sent), request: { uid: 'a', kind: 7 } });
    const answer = await observing()(phase, Buffer.from(unread), farDeadline());
    t.match(responseOf(answer.body), { allowed: true }, 'a request that is not understood');
    const late = lateAnswer({ phase, observes: true }, bytesOf(reviewOf(sent)));
    t.match(responseOf(late?.body ?? ''), { allowed: true }, 'a review that is late');
  }
  t.ok(defects.length > 0, 'defects are still told');
});

t.test('a probe is refused: a replica that enforces may have sent it', async (t) => {
  const object = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'probe', annotations: { [probeAnnotation]: 'x' } },
  } as KubernetesObject;
  const { allowed, status } = await ask('validate', { user: cast['platform admin'], operation: 'CREATE', object });
  t.notOk(allowed);
  t.match(status?.message, /probe "x" is rejected/);
});
