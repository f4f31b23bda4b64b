/** The search finds exemptions that reach further than they say, and keys that a profile forgets. It needs no engine for that. */
import t from 'tap';
import { exemptableChecks } from '../../src/exemptions/exemption-schema.ts';
import { builtInKeys } from '../../src/keys/built-in-keys.ts';
import { compileReservedKeys, type ReservedKey } from '../../src/keys/reserved-keys.ts';
import type { Exemption } from '../../src/tenancy/exemption.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';
import { now } from '../reach/search-worlds.ts';
import { type Admit, admitByChecks } from './admit.ts';
import { networkPolicy } from './kinds/network-policy.ts';
import { type Counterexample, runBatches } from './search.ts';

/** Batches after which the search gives up. */
const most = 100;

const leaks: readonly [string, Admit][] = [
  ['exemptions count in every namespace', exempting((one, namespace) => ({ ...one, namespace }))],
  ['exemptions count for every tenant', exempting((one) => ({ ...one, tenant: 'acme' }))],
  ['exemptions never end', exempting((one) => ({ ...one, expires: Number.POSITIVE_INFINITY }))],
  ['exemptions count for every check', exempting((one) => ({ ...one, checks: new Set(exemptableChecks) }))],
  ['kinds are not looked at', matching((match) => ({ ...match, kinds: undefined }))],
  ['names are not looked at', matching((match) => ({ ...match, names: undefined }))],
  ['requesters are not looked at', matching((match) => ({ ...match, requesters: undefined }))],
  ['owners are not looked at', matching((match) => ({ ...match, owner: undefined }))],
  ['service accounts are not looked at', matching((match) => ({ ...match, serviceAccounts: undefined }))],
  ['images are not looked at', matching((match) => ({ ...match, images: undefined }))],
  ['images of several exemptions add up', exempting(addUpImages)],
  [
    'what is exempted from one check is exempted from all',
    (sent, object, border) => {
      const judged = admitByChecks(sent, object, border);
      return judged.some(({ exemption }) => exemption) ? judged.map((one) => ({ ...one, refuses: false })) : judged;
    },
  ],
  [
    'no mesh and no plugin of a cloud has keys',
    (sent, object, border) => {
      const podKeys = compileReservedKeys(builtInKeys('pods', { plugin: 'kube-router', mesh: 'none' }));
      const { tenancy } = border;
      const forgetful = { ...tenancy, reserved: { ...tenancy.reserved, podKeys } };
      return admitByChecks(sent, object, { ...border, tenancy: forgetful });
    },
  ],
  ['what is released, or has no effect, stays reserved', reserving(() => ({ podKeys: builtInKeys('pods') }))],
  ['allowed values are not looked at', reserving(() => ({ allowedValues: new Map() }))],
  [
    'with one value of a key every value is allowed',
    reserving(({ settings }) => ({
      allowedValues: new Map([...settings.allowedValues].map(([key, values]) => [key, new Set([...values, 'x'])])),
    })),
  ],
  ['changes of pods are not looked at', (sent, ...rest) => (sent.before ? [] : admitByChecks(sent, ...rest))],
  [
    'a changed pod is judged as a new one',
    ({ before: _, ...sent }, object, border) => admitByChecks(sent, object, border),
  ],
  [
    'keys that are taken away are not looked at',
    (...asked) => admitByChecks(...asked).filter(({ reason }) => !reason.startsWith('would be removed')),
  ],
  [
    'templates are not looked at',
    (sent, ...rest) => (sent.deployment === undefined ? admitByChecks(sent, ...rest) : []),
  ],
  [
    'a template is judged as a pod of its author',
    ({ deployment: _, ...sent }, object, border) => admitByChecks(sent, object, border),
  ],
];
for (const [leak, admit] of leaks) {
  t.test(`it is found out when ${leak}`, async (t) => {
    const found: Counterexample[] = [];
    let batches = 0;
    const search = { kind: networkPolicy, engines: [], seed: 4, soundnessAlone: true, asFound: true, admit };
    await runBatches(search, 0, (_batch, _tally, counterexample) => {
      if (counterexample?.kind === 'soundness') found.push(counterexample);
      return found.length > 0 || ++batches >= most;
    });
    t.equal(found.length, 1, found[0]?.text ?? 'nothing was found');
    t.comment(`after ${batches} batches: ${found[0]?.text}`);
  });
}

type Changed = (exemption: Exemption, namespace: string, all: readonly Exemption[]) => Exemption;

/** Admits as if the exemptions were others. */
function exempting(change: Changed): Admit {
  return (sent, object, border) => {
    const { namespace, tenancy } = border;
    const all = [...tenancy.exemptions.values()].flat();
    const changed = all.map((one) => change(one, namespace, all)).filter((one) => one.namespace === namespace);
    const leaking: Tenancy = { ...tenancy, exemptions: new Map([[namespace, changed]]) };
    return admitByChecks(sent, object, { ...border, tenancy: leaking });
  };
}

/** Admits as if the settings said something else of reserved keys. */
function reserving(
  change: (tenancy: Tenancy) => {
    readonly podKeys?: readonly ReservedKey[];
    readonly allowedValues?: Tenancy['settings']['allowedValues'];
  },
): Admit {
  return (sent, object, border) => {
    const { tenancy } = border;
    const { podKeys, allowedValues = tenancy.settings.allowedValues } = change(tenancy);
    const reserved = { ...tenancy.reserved, ...(podKeys && { podKeys: compileReservedKeys(podKeys) }) };
    const leaking = { ...tenancy, reserved, settings: { ...tenancy.settings, allowedValues } };
    return admitByChecks(sent, object, { ...border, tenancy: leaking });
  };
}

function matching(change: (match: Exemption['match']) => Exemption['match']): Admit {
  return exempting((one) => ({ ...one, match: change(one.match) }));
}

/** With the images of others for the same checks, while these hold. */
function addUpImages(one: Exemption, namespace: string, all: readonly Exemption[]): Exemption {
  const others = all.filter(
    (other) =>
      other.namespace === namespace &&
      other.tenant === one.tenant &&
      other.expires > now &&
      one.checks.isSubsetOf(other.checks),
  );
  const images = one.match.images && others.flatMap(({ match }) => match.images ?? []);
  return { ...one, match: { ...one.match, images } };
}
