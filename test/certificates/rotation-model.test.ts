/**
 * Random search over replicas that take steps, stop in the middle of one, start anew, sleep and have wrong clocks, against a
 * model of the API server: a Secret and registrations that take a write only in the version that was read, and API servers that
 * learn of a registration after a while. Now and then, when nothing else goes on, an older Secret is put back. At every moment, what each replica serves is trusted by all of them, and each replica
 * answers wherever any of them calls.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { type Candidate, chooseServed } from '../../src/certificates/choose-served.ts';
import type { Observed } from '../../src/certificates/observed.ts';
import { pathToName } from '../../src/certificates/paths.ts';
import { nextStep, type RotationLimits, type Step } from '../../src/certificates/rotation.ts';
import { bundleOf, type RotationState } from '../../src/certificates/rotation-state.ts';
import { createRetainedAuthorities, type RetainedAuthorities } from '../../src/configuration/retained-authorities.ts';

const limits: RotationLimits = {
  propagationDelay: 10,
  overlap: 40,
  authorityLifetime: 600_000,
  serverLifetime: 200_000,
  pathLifetime: 200,
};
/** No replica is behind for longer: it reads the Secret at every tick, takes the next step, and watches both. */
const longestDelay = 15;
/** No API server is behind for longer than this, which is less than `propagationDelay`. */
const informerDelay = 9;
const names = ['bulkhead.bulkhead-system.svc'];
const replicaCount = 3;
const start = Date.parse('2026-11-21T12:00:00Z');

interface Versioned<Value> {
  readonly version: number;
  readonly value: Value;
}

interface Registered {
  readonly bundle: readonly string[];
  readonly path: string | undefined;
}

interface Replica {
  up: boolean;
  clockOff: number;
  memory: Versioned<RotationState> | undefined;
  serverSince: number;
  served: Candidate | undefined;
  trusted: Map<string, number>;
  pathSince: number;
  pathFound: boolean;
  lost: Map<string, number>;
  pathNamed: { readonly path: string | undefined; readonly since: number };
  retained: RetainedAuthorities;
  registration: Versioned<Registered>;
  secretSeenAt: number;
  registrationSeenAt: number;
  decidedAt: number;
  /** Whether it tells that it is ready: API servers call no other. */
  ready: boolean;
  refused: boolean;
  pendingStep: { readonly version: number; readonly step: Step } | undefined;
  pendingTrust: { readonly version: number; readonly registered: Registered | undefined } | undefined;
}

class Model {
  now = 0;
  version = 1;
  asked = false;
  secret: Versioned<RotationState | undefined> = { version: 0, value: undefined };
  /** Every one that was whole. */
  readonly secrets: RotationState[] = [];
  /** Everything that was registered, with the moment. */
  readonly registrations: (Versioned<Registered> & { readonly at: number })[] = [
    { at: 0, version: 0, value: { bundle: [], path: undefined } },
  ];
  readonly replicas: Replica[] = Array.from({ length: replicaCount }, () => ({
    up: false,
    clockOff: 0,
    memory: undefined,
    serverSince: 0,
    served: undefined,
    trusted: new Map(),
    pathSince: 0,
    pathFound: false,
    lost: new Map(),
    pathNamed: { path: undefined, since: 0 },
    retained: this.forgotten(),
    registration: { version: -1, value: { bundle: [], path: undefined } },
    secretSeenAt: 0,
    registrationSeenAt: 0,
    decidedAt: 0,
    ready: false,
    refused: false,
    pendingStep: undefined,
    pendingTrust: undefined,
  }));
  readonly seen = new Set<string>();

  get registration(): Versioned<Registered> {
    const last = this.registrations.at(-1);
    if (last === undefined) throw new Error('nothing');
    return last;
  }

  forgotten(): RetainedAuthorities {
    return createRetainedAuthorities({ now: () => this.now }, 150);
  }

  observed(replica: Replica): Observed {
    const { bundle, path } = replica.registration.value;
    return {
      hasBundle: bundle.length > 0,
      authorities: bundle,
      inBundlesFor: (one) => {
        const since = replica.trusted.get(one);
        return since === undefined ? undefined : this.now - since;
      },
      paths: path === undefined ? [] : [path],
      pathNamedFor: (one) => (one === replica.pathNamed.path ? this.now - replica.pathNamed.since : undefined),
    };
  }

  /** Where this replica answers. */
  answers(replica: Replica): string[] {
    const lost = [...replica.lost].filter(([, since]) => this.now - since < limits.overlap).map(([path]) => path);
    return [...answered(replica.memory?.value), ...lost, ...this.observed(replica).paths];
  }

  wanted(replica: Replica, state: RotationState): Registered {
    const { bundle, path } = replica.registration.value;
    const serving = replica.served?.authority;
    const own = [...bundleOf(state), ...(serving === undefined ? [] : [serving])];
    const hasPropagated = this.now - replica.pathSince >= limits.overlap;
    return {
      bundle: [...replica.retained.with(own, bundle)].sort(),
      path: pathToName(state, path, this.observed(replica).paths, hasPropagated),
    };
  }

  wall(replica: Replica): number {
    return start + this.now + replica.clockOff;
  }

  review(replica: Replica): void {
    const { memory } = replica;
    if (memory === undefined) return;
    const { server: pair, authority: issuer } = memory.value;
    const offered = { pair, authority: issuer.certificate, recent: memory.value.previous.length > 0 };
    const observed = this.observed(replica);
    const known = replica.registration.version >= 0;
    if (replica.served !== undefined && !known) return;
    replica.served =
      replica.served === undefined
        ? offered
        : chooseServed(replica.served, offered, observed, this.wall(replica), limits.propagationDelay);
    const { authority = '' } = replica.served;
    if (replica.ready || !known) return;
    const inBundlesFor = observed.hasBundle ? observed.inBundlesFor(authority) : Number.POSITIVE_INFINITY;
    replica.refused ||= replica.served.recent === true || observed.authorities.some((one) => one !== authority);
    replica.ready = inBundlesFor !== undefined && inBundlesFor >= (replica.refused ? limits.propagationDelay : 0);
  }

  learn(replica: Replica, { version, value }: Versioned<RotationState | undefined>): void {
    replica.secretSeenAt = this.now;
    if (value === undefined || version <= (replica.memory?.version ?? 0)) return;
    if (value.server.certificate !== replica.memory?.value.server.certificate) replica.serverSince = this.now;
    if (value.path !== replica.memory?.value.path) {
      for (const one of answered(replica.memory?.value))
        if (!answered(value).includes(one)) replica.lost.set(one, this.now);
      replica.pathSince = this.now;
      replica.pathFound = replica.memory === undefined;
    }
    replica.memory = { version, value };
    replica.retained.learned(value, limits.overlap);
    this.review(replica);
  }

  seeSecret(replica: Replica): void {
    if (replica.up) this.learn(replica, this.secret);
  }

  seeRegistration(replica: Replica): void {
    if (!replica.up) return;
    replica.registrationSeenAt = this.now;
    const current = this.registration;
    replica.registration = current;
    const { bundle, path } = current.value;
    for (const one of replica.trusted.keys()) if (!bundle.includes(one)) replica.trusted.delete(one);
    for (const one of bundle) if (!replica.trusted.has(one)) replica.trusted.set(one, this.now);
    replica.retained.named(bundle);
    if (path !== replica.pathNamed.path) replica.pathNamed = { path, since: this.now };
    this.review(replica);
  }

  /** Reads the Secret and decides; the write comes later, if ever. */
  decide(replica: Replica): void {
    if (!replica.up || replica.registration.version < 0) return;
    replica.decidedAt = this.now;
    const secret = this.secret;
    this.learn(replica, secret);
    const step =
      secret.value === undefined && replica.memory !== undefined
        ? { state: replica.memory.value, reason: 'gone' }
        : nextStep(
            secret.value ?? {},
            {
              now: this.wall(replica),
              observed: this.observed(replica),
              serverKnownFor: this.now - replica.serverSince,
              asked: this.asked,
              pathKnownFor: this.now - replica.pathSince,
              pathFound: replica.pathFound,
            },
            names,
            limits,
          );
    replica.pendingStep = step && { version: secret.version, step };
  }

  commit(replica: Replica): void {
    const { pendingStep } = replica;
    replica.pendingStep = undefined;
    if (!replica.up || pendingStep === undefined || pendingStep.version !== this.secret.version) return;
    this.seen.add(pendingStep.step.reason);
    if (pendingStep.step.state.next !== undefined) this.asked = false;
    const made = pendingStep.step.state.path !== this.secret.value?.path;
    if (this.secret.value === undefined) replica.pathSince = this.now;
    this.write(pendingStep.step.state);
    this.learn(replica, this.secret);
    if (made) replica.pathFound = false;
  }

  write(state: RotationState): void {
    this.secret = { version: ++this.version, value: state };
    this.secrets.push(state);
  }

  /** The registration was read at some time before; now the Secret is, and the write comes later. */
  readTrust(replica: Replica): void {
    if (!replica.up || replica.memory === undefined || replica.registration.version < 0) return;
    const same = (one: Registered) => isDeepStrictEqual(one, replica.registration.value);
    if (same(this.wanted(replica, replica.memory.value))) return;
    const { version } = replica.registration;
    this.learn(replica, this.secret);
    const registered = this.secret.value && this.wanted(replica, this.secret.value);
    replica.pendingTrust = registered && !same(registered) ? { version, registered } : undefined;
  }

  writeTrust(replica: Replica): void {
    const { pendingTrust } = replica;
    replica.pendingTrust = undefined;
    if (!replica.up || pendingTrust?.registered === undefined) return;
    if (pendingTrust.version !== this.registration.version) return;
    this.registrations.push({ at: this.now, version: ++this.version, value: pendingTrust.registered });
    this.seeRegistration(replica);
  }

  crash(replica: Replica): void {
    // One remains: with all of them goes what is only in memory.
    if (this.replicas.filter(({ up }) => up).length < 2) return;
    replica.up = false;
    replica.pendingStep = undefined;
    replica.pendingTrust = undefined;
  }

  startAgain(replica: Replica): void {
    if (replica.up) return;
    Object.assign(replica, {
      up: true,
      memory: undefined,
      served: undefined,
      serverSince: this.now,
      trusted: new Map(),
      pathSince: this.now,
      pathFound: false,
      lost: new Map(),
      pathNamed: { path: undefined, since: this.now },
      retained: this.forgotten(),
      registration: { version: -1, value: { bundle: [], path: undefined } },
      secretSeenAt: this.now,
      registrationSeenAt: this.now,
      decidedAt: this.now,
      ready: false,
      refused: false,
    });
  }

  pass(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed++) {
      this.now++;
      for (const replica of this.replicas) {
        if (this.now - replica.secretSeenAt >= longestDelay) this.seeSecret(replica);
        if (this.now - replica.registrationSeenAt >= longestDelay) this.seeRegistration(replica);
        if (this.now - replica.decidedAt >= longestDelay) {
          this.decide(replica);
          this.commit(replica);
        }
        if (replica.up) this.review(replica);
      }
      this.check();
    }
  }

  /** Everybody knows everything, and nothing is under way, as when somebody comes with a backup. */
  isQuiet(): boolean {
    const last = this.registrations.at(-1);
    if (last === undefined || this.now - last.at <= informerDelay) return false;
    return this.replicas.every(
      (replica) =>
        !replica.up ||
        (replica.memory?.version === this.secret.version &&
          replica.registration.version === last.version &&
          isDeepStrictEqual(this.wanted(replica, replica.memory.value), last.value) &&
          replica.pendingStep === undefined &&
          replica.pendingTrust === undefined),
    );
  }

  /** @throws when an API server, however late it learns, would refuse what a replica serves, or call where it does not answer */
  check(): void {
    for (const [index, { value }] of this.registrations.entries()) {
      const replacedAt = this.registrations[index + 1]?.at ?? Number.POSITIVE_INFINITY;
      if (replacedAt + informerDelay < this.now || value.bundle.length === 0) continue;
      for (const replica of this.replicas) {
        const { up, ready, served } = replica;
        if (!up || !ready || served?.authority === undefined) continue;
        if (!value.bundle.includes(served.authority)) throw new Error(`what is served is not trusted at ${this.now}`);
        if (value.path !== undefined && !this.answers(replica).includes(value.path))
          throw new Error(`where it is called a replica does not answer at ${this.now}`);
      }
    }
  }
}

function answered(state: RotationState | undefined): readonly string[] {
  return state === undefined ? [] : [state.path, ...state.previousPaths];
}

const which = fc.nat({ max: replicaCount - 1 });
/** What happens next, with a name by which a counterexample is read. */
class Act {
  readonly name: string;
  readonly run: (model: Model) => void;
  constructor(name: string, run: (model: Model) => void) {
    this.name = name;
    this.run = run;
  }
  toString(): string {
    return this.name;
  }
}

const named = (name: string, run: (model: Model) => void): fc.Arbitrary<Act> => fc.constant(new Act(name, run));
const on = (act: (model: Model, replica: Replica) => void, name: string): fc.Arbitrary<Act> =>
  which.map(
    (index) =>
      new Act(`${name}(${index})`, (model) => {
        const replica = model.replicas[index];
        if (replica !== undefined) act(model, replica);
      }),
  );

const year = 365 * 24 * 3_600_000;
const acts = fc.oneof(
  { weight: 6, arbitrary: on((model, replica) => model.decide(replica), 'decide') },
  { weight: 6, arbitrary: on((model, replica) => model.commit(replica), 'commit') },
  { weight: 6, arbitrary: on((model, replica) => model.readTrust(replica), 'readTrust') },
  { weight: 6, arbitrary: on((model, replica) => model.writeTrust(replica), 'writeTrust') },
  { weight: 3, arbitrary: on((model, replica) => model.seeSecret(replica), 'seeSecret') },
  { weight: 3, arbitrary: on((model, replica) => model.seeRegistration(replica), 'seeRegistration') },
  { weight: 1, arbitrary: on((model, replica) => model.crash(replica), 'crash') },
  { weight: 2, arbitrary: on((model, replica) => model.startAgain(replica), 'start') },
  {
    weight: 1,
    arbitrary: fc.tuple(which, fc.constantFrom(0, 0, -year, year, 150_000, 500_000)).map(
      ([index, off]) =>
        new Act(`clock(${index}, ${off})`, (model) => {
          const replica = model.replicas[index];
          if (replica !== undefined) replica.clockOff = off;
        }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(1, 3, 9, 11, 30)
      .map((milliseconds) => new Act(`pass(${milliseconds})`, (model) => model.pass(milliseconds))),
  },
  {
    weight: 2,
    arbitrary: named('ask', (model) => {
      model.asked = true;
    }),
  },
  {
    weight: 5,
    arbitrary: fc.nat().map(
      (index) =>
        new Act(`restore(${index})`, (model) => {
          const state = model.secrets[index % model.secrets.length];
          if (state !== undefined && model.isQuiet()) model.write(state);
        }),
    ),
  },
  {
    weight: 1,
    arbitrary: named('delete', (model) => {
      // Only while a replica remembers it, and none is about to register what it says: no order of writes to two objects would
      // save a replica that starts in between, makes another Secret, and learns of that registration later than an API server.
      const isRegistering = model.replicas.some(({ pendingTrust }) => pendingTrust !== undefined);
      if (!isRegistering && model.replicas.some(({ up, memory }) => up && memory?.version === model.secret.version))
        model.secret = { version: ++model.version, value: undefined };
    }),
  },
);

/** An installation that works: everybody is up, and what is served is trusted. */
function installed(): Model {
  const model = new Model();
  for (const replica of model.replicas) model.startAgain(replica);
  for (let round = 0; round < 2; round++) {
    for (const replica of model.replicas) {
      model.seeRegistration(replica);
      model.decide(replica);
      model.commit(replica);
      model.readTrust(replica);
      model.writeTrust(replica);
    }
  }
  model.pass(longestDelay + informerDelay + limits.propagationDelay);
  return model;
}

t.test('an older Secret is put back while a replica serves by an authority on its way out', async (t) => {
  const model = installed();
  const [former] = model.secrets;
  const [replica, behind] = model.replicas;
  if (former === undefined || replica === undefined || behind === undefined) throw new Error('nothing is installed');
  const passUntil = (isThere: () => boolean): void => {
    for (const start = model.now; !isThere(); ) {
      if (model.now - start > 1_000) throw new Error('it never comes');
      model.pass(1);
      model.readTrust(replica);
      model.writeTrust(replica);
    }
  };
  const replaceAuthority = (): void => {
    const { authority } = model.secret.value ?? former;
    model.asked = true;
    passUntil(() => model.secret.value?.authority !== authority);
  };
  replaceAuthority();
  passUntil(() => model.secret.value?.previous.length === 0);
  replaceAuthority();
  for (const one of [replica, behind]) model.seeSecret(one);
  const leaving = behind.served?.authority ?? '';
  const seenLeaving = model.now;
  t.same(model.secret.value?.previous, [leaving], 'one serves by the authority that is on its way out');
  t.not(replica.served?.authority, leaving, 'and another one by its successor');
  model.write(former);
  model.seeSecret(replica);
  model.readTrust(replica);
  model.writeTrust(replica);
  const { bundle } = model.registration.value;
  t.ok(bundle.includes(former.authority.certificate), 'the registration has heard of the older one');
  t.ok(bundle.includes(leaving), 'and still names the one that is served');
  passUntil(() => model.replicas.every(({ served }) => served?.authority === former.authority.certificate));
  passUntil(() => !model.registration.value.bundle.includes(leaving));
  t.ok(model.now - seenLeaving <= limits.overlap + longestDelay, 'which goes when nobody can serve it any more');
});

t.test('what is served is trusted at every moment, whatever happens', async (t) => {
  const reached = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(acts, { minLength: 50, maxLength: 250, size: 'max' }), (run) => {
      const model = installed();
      for (const act of run) {
        act.run(model);
        model.check();
      }
      for (const reason of model.seen) reached.set(reason, (reached.get(reason) ?? 0) + 1);
    }),
    { numRuns: Number(process.env.BULKHEAD_MODEL_RUNS ?? 300) },
  );
  for (const reason of [
    'another authority was asked for',
    'the CA bundles have the successor',
    'the overlap is over',
    'the path was due for replacement',
    'no webhook configuration names the previous path any more',
    'API servers call another path',
    'gone',
    'the successor is not valid now',
    'the certificate was due for renewal',
  ])
    t.ok((reached.get(reason) ?? 0) > 5, `${reason}: ${reached.get(reason)} times`);
});
