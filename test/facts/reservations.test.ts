import t from 'tap';
import { createReservations } from '../../src/facts/reservations.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy, type Tenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import { fakeClock } from '../client/fake-clock.ts';

const delay = 60_000;
const named = (name: string, ...prefixes: string[]) => ({
  ...undeclaredTenant(name),
  reserved: reservedIn({ namespaces: { prefixes: prefixes.length === 0 ? [`${name}-`] : prefixes } }),
});
const whole = { ...undeclaredTenant('acme'), reserved: reservedIn({ namespaces: { names: ['payments'] } }) };
const [acme, beta] = [named('acme'), named('beta')];
type Steps = readonly (readonly [Tenancy, milliseconds: number])[];
const none = createTenancy(defaultSettings, []);

/** Reservations after some tenancies, one after the other, each of which lasts so many milliseconds. */
function after(...steps: Steps) {
  const clock = fakeClock();
  let current = none;
  const reservations = createReservations(() => current, delay, clock);
  for (const [tenancy, milliseconds] of steps) {
    current = tenancy;
    reservations.changed();
    clock.advance(milliseconds);
  }
  return { reservations, now: clock.now() };
}

function settingsWith(platform: Partial<Settings['platform']>): Settings {
  return { ...defaultSettings, platform: { ...defaultSettings.platform, ...platform } };
}

t.test('a reservation has propagated a minute after it became known', async (t) => {
  const first = createTenancy(defaultSettings, [acme]);
  const moved = createTenancy(defaultSettings, [named('acme', 'ac-'), named('beta', 'acme-')]);
  const tolerant = createTenancy(settingsWith({ namespaces: new Set(['acme-tools']) }), [acme]);
  const rows: readonly [sentence: string, steps: Steps, name: string, propagated: boolean][] = [
    ['after a minute', [[first, delay]], 'acme-web', true],
    ['before', [[first, delay - 1]], 'acme-web', false],
    [
      'other tenants that come change nothing',
      [
        [first, 1],
        [createTenancy(defaultSettings, [acme, beta]), delay - 1],
      ],
      'acme-web',
      true,
    ],
    [
      'their own names are new',
      [
        [first, 1],
        [createTenancy(defaultSettings, [acme, beta]), delay - 1],
      ],
      'beta-web',
      false,
    ],
    ['a name with more than one dash', [[first, delay]], 'acme-web-two', true],
    [
      'a prefix beside one that was known',
      [
        [first, delay],
        [createTenancy(defaultSettings, [named('acme', 'acme-', 'ac-')]), delay - 1],
      ],
      'ac-web',
      false,
    ],
    [
      'the one that was known stays so',
      [
        [first, delay],
        [createTenancy(defaultSettings, [named('acme', 'ac-', 'acme-')]), 0],
      ],
      'acme-web',
      true,
    ],
    ['a whole name', [[createTenancy(defaultSettings, [whole]), delay]], 'payments', true],
    ['a whole name before', [[createTenancy(defaultSettings, [whole]), delay - 1]], 'payments', false],
    ['a longer name', [[createTenancy(defaultSettings, [whole]), delay]], 'payments-x', false],
    ['a name without the prefix', [[first, delay]], 'acme', false],
    [
      'a prefix that was another tenant’s',
      [
        [first, delay],
        [moved, delay - 1],
      ],
      'acme-web',
      false,
    ],
    [
      'a prefix that was given up meanwhile',
      [
        [first, delay],
        [none, 0],
        [first, delay - 1],
      ],
      'acme-web',
      false,
    ],
    [
      'a name that the platform has given up',
      [
        [tolerant, delay],
        [first, delay - 1],
      ],
      'acme-tools',
      false,
    ],
    [
      'a prefix within one of the platform',
      [[createTenancy(settingsWith({ prefixes: ['acme-'] }), [acme]), delay]],
      'acme-web',
      false,
    ],
  ];
  for (const [sentence, steps, name, settled] of rows) {
    const { reservations, now } = after(...steps);
    t.equal(reservations.hadPropagated(name, name.startsWith('beta') ? 'beta' : 'acme', now), settled, sentence);
    t.equal(reservations.hadPropagated(name, 'gamma', now), false, `${sentence}: not for another tenant`);
  }
});

t.test('a change that was not announced counts from the first question about it', async (t) => {
  const clock = fakeClock();
  let current = none;
  const reservations = createReservations(() => current, delay, clock);
  current = createTenancy(defaultSettings, [acme]);
  clock.advance(delay);
  t.equal(reservations.hadPropagated('acme-web', 'acme', clock.now()), false);
  clock.advance(delay);
  t.equal(reservations.hadPropagated('acme-web', 'acme', clock.now()), true);
});
