/** The steps of the rotation, and the promise that no replica ever serves what an API server does not trust. */
import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { anchorOf } from '../../src/certificates/authorities.ts';
import { issueAuthority, issueServerCertificate } from '../../src/certificates/issue-certificate.ts';
import type { Observed } from '../../src/certificates/observed.ts';
import { newPath } from '../../src/certificates/paths.ts';
import { nextStep, type RotationFacts, rotationLimits } from '../../src/certificates/rotation.ts';
import {
  bundleOf,
  isComplete,
  phaseOf,
  type Remains,
  type RotationState,
  readState,
  writeState,
} from '../../src/certificates/rotation-state.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const names = ['bulkhead.bulkhead-system.svc'];

const noPath = { paths: [], pathNamedFor: () => undefined };
const nobody: Observed = { hasBundle: false, authorities: [], inBundlesFor: () => undefined, ...noPath };
function observed(trust: ReadonlyMap<string, number>): Observed {
  return { hasBundle: true, authorities: [...trust.keys()], inBundlesFor: (one) => trust.get(one), ...noPath };
}

const atFirst = { now, observed: nobody, serverKnownFor: 0, asked: false, pathKnownFor: 0, pathFound: false };

function step(remains: Remains, facts: Partial<RotationFacts> = {}) {
  return nextStep(remains, { ...atFirst, ...facts }, names, rotationLimits);
}

function must(found: ReturnType<typeof step>): RotationState {
  if (found === undefined) throw new Error('there is no step');
  return found.state;
}

const fresh = must(step({}));
const everywhere = (state: RotationState, inBundlesFor = Number.POSITIVE_INFINITY) =>
  observed(new Map(bundleOf(state).map((one) => [one, inBundlesFor])));

t.test('where there is nothing, all of it is made', async (t) => {
  t.ok(isComplete(fresh));
  t.equal(phaseOf(fresh), 'steady');
  t.equal(anchorOf(fresh.server, [fresh.authority.certificate]), fresh.authority.certificate);
  t.match(fresh.path, /^[0-9a-f]{48}$/, 'with 192 bits of a path');
  t.equal(step(fresh), undefined, 'and nothing more is to do');
  const before = issueAuthority(now).certificate;
  const expired = issueAuthority(now - 20 * day, 10 * day).certificate;
  const trust = observed(new Map([before, expired].map((one) => [one, hour])));
  const made = must(step({}, { observed: trust }));
  t.strictSame(made.previous, [before, expired], 'what API servers trust stays trusted, whatever the clock here says');
});

t.test('a state is read as it was written', async (t) => {
  const next = issueAuthority(now);
  const state = {
    ...fresh,
    next,
    previous: [issueAuthority(now).certificate, issueAuthority(now).certificate],
    previousPaths: [newPath(), ''],
  };
  const data = new Map(
    Object.entries(writeState(state)).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  );
  t.strictSame(readState(data), state);
  t.strictSame(
    [...data.keys()],
    [
      'ca.crt',
      'ca.key',
      'tls.crt',
      'tls.key',
      'next-ca.crt',
      'next-ca.key',
      'previous-ca.crt',
      'path',
      'previous-path',
    ],
  );
  for (const [key, part] of [
    ['ca.crt', 'authority'],
    ['ca.key', 'authority'],
    ['tls.crt', 'server'],
    ['tls.key', 'server'],
    ['next-ca.key', 'next'],
    ['path', 'path'],
  ] as const) {
    for (const damaged of [undefined, '', 'x', data.get(key)?.slice(0, -40)]) {
      const remains = readState(new Map([...data, [key, damaged ?? '']]));
      t.equal(remains[part], undefined, `${key} damaged: ${part} counts as missing`);
    }
  }
  t.equal(readState(new Map([...data, ['ca.crt', next.certificate]])).authority, undefined, 'a key of another');
  const leafAsAuthority = new Map([...data, ['ca.crt', fresh.server.certificate], ['ca.key', fresh.server.key]]);
  t.equal(readState(leafAsAuthority).authority, undefined, 'a certificate that may not sign is no authority');
  const other = issueServerCertificate(issueAuthority(now), names, now);
  const mixed = new Map([...data, ['tls.crt', other.certificate], ['tls.key', other.key]]);
  t.equal(readState(mixed).server, undefined, 'a certificate of another authority is not served');
});

t.test('the certificate is renewed by the same authority', async (t) => {
  const cases: readonly [when: string, at: number, renewed: boolean][] = [
    ['half of its life is over', now + 15 * day, false],
    ['just before two thirds', now + 20 * day - minute, false],
    ['at two thirds', now + 20 * day, true],
    ['it has expired', now + 31 * day, true],
    ['the clock was wrong: it is from the future', now - 2 * hour, false],
  ];
  for (const [when, at, renewed] of cases) {
    const found = step(fresh, { now: at, observed: everywhere(fresh) });
    if (!renewed) {
      t.equal(found?.state.server.certificate ?? fresh.server.certificate, fresh.server.certificate, when);
      continue;
    }
    const { server, ...rest } = must(found);
    const { server: _, ...before } = fresh;
    t.strictSame(rest, before, `${when}: nothing else changes`);
    t.equal(new X509Certificate(server.certificate).validToDate.getTime(), at + 30 * day);
  }
  const renamed = nextStep(fresh, { ...atFirst, observed: everywhere(fresh) }, ['other.svc'], rotationLimits);
  t.ok(new X509Certificate(must(renamed).server.certificate).checkHost('other.svc'), 'also for another name');
  t.ok(must(step({ ...fresh, server: undefined })).server, 'also when it is damaged');
  const short = issueAuthority(now, 2 * day);
  const cut = {
    ...fresh,
    authority: short,
    server: issueServerCertificate(short, names, now),
    next: issueAuthority(now),
  };
  t.equal(
    step(cut, { observed: nobodyTrusts(cut) }),
    undefined,
    'one that ends with its authority is not renewed again and again',
  );
});

function nobodyTrusts(state: RotationState): Observed {
  return observed(new Map([[state.authority.certificate, hour]]));
}

t.test('the authority is replaced by overlap', async (t) => {
  for (const [why, facts] of [
    ['at two thirds of its life', { now: now + 244 * day }],
    ['when it is asked for', { asked: true }],
    ['when it has expired', { now: now + 400 * day }],
    ['when it is from the future', { now: now - 400 * day }],
  ] as const) {
    const at = 'now' in facts ? facts.now : now;
    const renewed = { ...fresh, server: issueServerCertificate(fresh.authority, names, Math.min(at, now + 300 * day)) };
    const began = must(step(renewed, { ...facts, observed: everywhere(renewed) }));
    t.equal(phaseOf(began), 'publishing', why);
    t.strictSame([began.authority, began.server], [renewed.authority, renewed.server], 'it serves on');
    t.strictSame(began.previousPaths, [renewed.path], 'there is another path, and both are answered');
    t.match(began.path, /^[0-9a-f]{48}$/);
    t.equal(bundleOf(began).length, 2, 'both are to be trusted');
    const trust = (milliseconds: number | undefined) =>
      observed(
        new Map(milliseconds === undefined || began.next === undefined ? [] : [[began.next.certificate, milliseconds]]),
      );
    for (const inBundlesFor of [undefined, 0, minute - 1])
      t.not(
        phaseOf(step(began, { now: at, observed: trust(inBundlesFor) })?.state ?? began),
        'overlap',
        `${inBundlesFor}`,
      );
    const promoted = must(step(began, { now: at, observed: trust(minute) }));
    t.equal(promoted.authority.certificate, began.next?.certificate, 'the successor takes its place');
    t.equal(anchorOf(promoted.server, [promoted.authority.certificate]), promoted.authority.certificate);
    t.strictSame(promoted.previous, [began.authority.certificate], 'the one before is trusted, and its key is gone');
    t.equal(Object.values(writeState(promoted)).includes(began.authority.key), false);
    const later = { now: at, observed: everywhere(promoted) };
    t.equal(step(promoted, { ...later, serverKnownFor: 15 * minute - 1 }), undefined, 'the overlap lasts');
    t.equal(step(promoted, { ...later, serverKnownFor: hour, observed: everywhere(promoted, minute) }), undefined);
    t.equal(step(promoted, { ...later, asked: true }), undefined, 'no other one begins meanwhile');
    t.strictSame(must(step(promoted, { ...later, serverKnownFor: hour })).previous, [], 'and ends');
  }
});

t.test('a successor that is not valid now is made anew', async (t) => {
  const state = { ...fresh, next: issueAuthority(now + 365 * day) };
  const found = must(step(state, { observed: everywhere(state) }));
  t.not(found.next?.certificate, state.next.certificate);
  t.equal(found.authority, fresh.authority);
});

t.test('where nobody trusts anything, nothing is waited for', async (t) => {
  const began = must(step(fresh, { asked: true }));
  t.equal(phaseOf(must(step(began))), 'overlap');
});

t.test('without a certificate to serve and with an authority that is over, it begins anew', async (t) => {
  const { server: _, ...rest } = fresh;
  const state = must(step(rest, { now: now + 400 * day }));
  t.not(state.authority.certificate, fresh.authority.certificate);
  t.equal(anchorOf(state.server, [state.authority.certificate]), state.authority.certificate);
});
