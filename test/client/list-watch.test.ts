import fc from 'fast-check';
import t, { type Test } from 'tap';
import { createConnection } from '../../src/client/connection.ts';
import { trustedFor } from '../../src/client/freshness.ts';
import { type ListWatch, startListWatch } from '../../src/client/list-watch.ts';
import { type FakeApiServer, type Fault, startFakeApiServer } from './fake-api-server.ts';
import { type FakeClock, fakeClock, until } from './fake-clock.ts';

const path = '/api/v1/namespaces';

interface Followed {
  readonly server: FakeApiServer;
  readonly clock: FakeClock;
  readonly watch: ListWatch;
  /** `+name uid`, `~name uid` for a change, `-name uid`, and `forget` versions, as the handler was told. */
  readonly told: string[];
  /** What somebody who believes the handler knows: name to resourceVersion. */
  readonly cache: Map<string, string>;
  readonly logged: { readonly message: string; readonly [field: string]: unknown }[];
  /** Lets a wait after a failure pass, and turns until the next request is there. */
  retry(): Promise<void>;
}

interface Start {
  readonly server?: FakeApiServer;
  readonly chance?: number;
  readonly throwsOn?: string;
  /** The handler remembers versions. */
  readonly remembers?: boolean;
}

async function follow(
  t: Test,
  prepare: (server: FakeApiServer) => void = () => {},
  start: Start = {},
): Promise<Followed> {
  const server = await startFakeApiServer();
  prepare(server);
  const clock = fakeClock(start.chance);
  const authentication = { credentials: async () => ({ server: server.url, headers: {}, tls: {} }), refused: () => {} };
  const connection = createConnection(authentication, clock);
  const told: string[] = [];
  const cache = new Map<string, string>();
  const logged: Followed['logged'] = [];
  const log = (fields: Readonly<Record<string, unknown>>, message: string) => void logged.push({ ...fields, message });
  const watch = startListWatch({
    connection,
    path,
    clock,
    log: { info: log, warn: log, error: log },
    handler: {
      changed({ metadata: { name, uid, resourceVersion } }) {
        if (name === start.throwsOn) throw new Error('the handler has a bug');
        told.push(`${cache.has(name) ? '~' : '+'}${name} ${uid}`);
        cache.set(name, resourceVersion);
      },
      removed({ name, uid }) {
        told.push(`-${name} ${uid}`);
        cache.delete(name);
      },
      ...(start.remembers && { forgetVersions: () => void told.push('forget') }),
    },
  });
  t.teardown(async () => {
    await watch.stop();
    connection.close();
    await server.stop();
  });
  async function retry(): Promise<void> {
    const { failures } = watch.counters();
    await until('a failure is waited out', () => clock.waits().some((wait) => wait <= 60_000 && wait !== 30_000));
    const seen = server.requests.length;
    const shortest = clock.waits()[0] ?? 0;
    clock.advance(shortest);
    await until(
      'the next request is there',
      () => server.requests.length > seen || watch.counters().failures > failures,
    );
  }
  return { server, clock, watch, told, cache, logged, retry };
}

const namespace = (name: string, fields: Record<string, unknown> = {}) => ({ metadata: { name, ...fields } });

function expected(server: FakeApiServer): [string, string][] {
  return server.list('namespaces').map(({ metadata }) => [metadata.name, metadata.resourceVersion ?? '']);
}

async function atRest({ server, cache }: Followed): Promise<void> {
  const sorted = () => JSON.stringify([...cache].sort(([one], [other]) => (one < other ? -1 : 1)));
  await until('the cache is what the server has', () => sorted() === JSON.stringify(expected(server)));
}

/** Both ends know that the watch is open: the wait for its answer has become the wait for its silence. */
async function watching({ server, clock }: Followed, watches = 1): Promise<void> {
  const opened = () => server.requests.filter(({ query }) => query.has('watch')).length;
  await until(
    'a watch is open',
    () => opened() >= watches && server.watches.length > 0 && clock.waits().includes(90_000),
  );
}

t.test('the first list is read page by page, and then watched from its resourceVersion', async (t) => {
  const followed = await follow(t, (server) => {
    for (let index = 0; index < 1201; index++) server.put('namespaces', namespace(`n${index}`));
  });
  await followed.watch.synced;
  await watching(followed);
  t.equal(followed.cache.size, 1201);
  const [one, two, three, watch] = followed.server.requests;
  t.equal(one?.query.get('limit'), '500');
  t.equal(one?.query.get('resourceVersion'), null, 'the newest state, not that of some cache');
  t.match(two?.query.get('continue'), /^1301:500$/);
  t.match(three?.query.get('continue'), /^1301:1000$/);
  t.equal(watch?.query.get('resourceVersion'), '1301');
  t.equal(watch?.query.get('allowWatchBookmarks'), 'true');
  t.equal(watch?.query.get('timeoutSeconds'), '360', 'half-way between 240 and 480 for a chance of 0.5');
  t.equal(followed.watch.staleness(), 0);
});

t.test('changes arrive in the order of the server', async (t) => {
  const followed = await follow(t);
  await watching(followed);
  followed.server.put('namespaces', namespace('a'));
  followed.server.put('namespaces', namespace('b'));
  followed.server.put('namespaces', namespace('a', { labels: { x: 'y' } }));
  followed.server.remove('namespaces', 'b');
  followed.server.put('namespaces', namespace('b'));
  await atRest(followed);
  t.same(followed.told, ['+a uid-1', '+b uid-2', '~a uid-1', '-b uid-2', '+b uid-3']);
});

t.test('a list that expires between two pages begins anew', async (t) => {
  const followed = await follow(t, (server) => {
    for (let index = 0; index < 600; index++) server.put('namespaces', namespace(`n${index}`));
    server.failNext({ kind: 'status', code: 410, reason: 'Expired' }, ({ query }) => query.has('continue'));
  });
  await followed.retry();
  await followed.watch.synced;
  t.equal(followed.cache.size, 600);
  t.equal(followed.watch.counters().lists, 2);
});

t.test('failures of the list are waited out, whatever they are', async (t) => {
  const faults: readonly [string, Fault, RegExp][] = [
    ['reset', { kind: 'reset' }, /ECONNRESET|socket hang up/],
    ['cut off', { kind: 'truncate' }, /aborted/],
    ['not a list', { kind: 'text', text: '{"kind":"Other"}' }, /not a list of objects/],
    ['not JSON', { kind: 'text', text: '<html>' }, /JSON/],
    ['forbidden', { kind: 'status', code: 403, reason: 'Forbidden' }, /403 Forbidden says the fake/],
    ['server error', { kind: 'status', code: 500 }, /500/],
  ];
  for (const [name, fault, reason] of faults) {
    await t.test(name, async (t) => {
      const followed = await follow(t, (server) => {
        server.put('namespaces', namespace('a'));
        server.failNext(fault);
      });
      await until('the failure is noticed', () => followed.watch.trouble() !== undefined);
      t.match(followed.watch.trouble(), reason);
      t.equal(followed.watch.staleness(), Number.POSITIVE_INFINITY, 'nothing was ever heard');
      await followed.retry();
      await followed.watch.synced;
      t.same(followed.told, ['+a uid-1']);
    });
  }
});

t.test('a list that is not answered at all is given up after 30 s', async (t) => {
  const followed = await follow(t, (server) => {
    server.put('namespaces', namespace('a'));
    server.failNext({ kind: 'silence' });
  });
  await until('the request is there', () => followed.server.requests.length === 1);
  followed.clock.advance(30_000);
  await until('the failure is noticed', () => followed.watch.trouble() !== undefined);
  t.equal(followed.watch.trouble(), 'no whole page within 30 s');
  await followed.retry();
  await followed.watch.synced;
  t.same(followed.told, ['+a uid-1']);
});

t.test('waits double from 0.8 s to 30 s, with full jitter', async (t) => {
  const followed = await follow(t, (server) => {
    for (let index = 0; index < 8; index++) server.failNext({ kind: 'status', code: 500 });
  });
  const waits: unknown[] = [];
  for (let failures = 1; failures <= 8; failures++) {
    await until('the failure is logged', () => followed.logged.length === failures);
    waits.push(followed.logged[failures - 1]?.wait);
    followed.clock.advance(30_000);
  }
  t.same(waits, [400, 800, 1600, 3200, 6400, 12800, 15000, 15000]);
  await followed.watch.synced;
});

t.test('Retry-After is obeyed when it asks for more', async (t) => {
  const followed = await follow(t, (server) => {
    server.failNext({ kind: 'status', code: 429, reason: 'TooManyRequests', retryAfter: 7 });
  });
  await until('the failure is logged', () => followed.logged.length === 1);
  t.equal(followed.logged[0]?.wait, 7000);
  followed.clock.advance(6_999);
  t.equal(followed.server.requests.length, 1, 'not before');
  followed.clock.advance(1);
  await followed.watch.synced;
});

t.test('a broken watch goes on from the last change that was applied', async (t) => {
  const breaks: readonly [string, (followed: Followed) => void][] = [
    ['reset', ({ server }) => server.watches[0]?.reset()],
    [
      'a line cut off in the middle',
      ({ server }) => {
        server.watches[0]?.write('{"type":"ADDED","object":{"metadata":{"name":"half"');
        server.watches[0]?.end();
      },
    ],
    ['ended by the server', ({ server }) => server.watches[0]?.end()],
  ];
  for (const [name, breakIt] of breaks) {
    await t.test(name, async (t) => {
      const followed = await follow(t);
      await watching(followed);
      followed.server.put('namespaces', namespace('a'));
      await atRest(followed);
      breakIt(followed);
      await until('the watch is closed', () => followed.server.watches.length === 0);
      followed.server.put('namespaces', namespace('b'));
      await followed.retry();
      await atRest(followed);
      t.same(followed.told, ['+a uid-1', '+b uid-2'], 'each change once');
      t.equal(followed.server.requests.at(-1)?.query.get('resourceVersion'), '101', 'the version of the change to a');
      t.equal(followed.watch.counters().lists, 1, 'without a new list');
    });
  }
});

t.test('a bookmark moves the place to go on from', async (t) => {
  const followed = await follow(t);
  await watching(followed);
  followed.server.bookmark();
  followed.server.put('namespaces', namespace('a'));
  await atRest(followed);
  followed.server.bookmark();
  followed.server.watches[0]?.end();
  await until('the watch is closed', () => followed.server.watches.length === 0);
  followed.server.compact();
  // What lies before the bookmark is gone; only the compaction itself lies after it.
  await followed.retry();
  const watches = () => followed.server.requests.filter(({ query }) => query.has('watch'));
  await until('a watch is asked for', () => watches().length === 2);
  t.equal(watches().at(-1)?.query.get('resourceVersion'), '103');
});

t.test('history that is gone brings a new list, and the difference by uid', async (t) => {
  const ways: readonly [string, (server: FakeApiServer) => void][] = [
    ['410 as an event', () => {}],
    [
      '410 as an answer',
      (server) => server.failNext({ kind: 'status', code: 410, reason: 'Expired' }, ({ query }) => query.has('watch')),
    ],
    [
      'a version that the server has not reached',
      (server) =>
        server.failNext(
          { kind: 'status', code: 504, reason: 'Timeout', cause: 'ResourceVersionTooLarge' },
          ({ query }) => query.has('watch'),
        ),
    ],
  ];
  for (const [name, prepare] of ways) {
    await t.test(name, async (t) => {
      const followed = await follow(t, (server) => {
        for (const one of ['kept', 'changed', 'deleted', 'anew']) server.put('namespaces', namespace(one));
      });
      const { server, told } = followed;
      await watching(followed);
      server.watches[0]?.mute();
      told.length = 0;
      server.put('namespaces', namespace('changed', { labels: { x: 'y' } }));
      server.remove('namespaces', 'deleted');
      server.remove('namespaces', 'anew');
      server.put('namespaces', namespace('anew'));
      server.put('namespaces', namespace('added'));
      server.compact();
      prepare(server);
      server.watches[0]?.end();
      await followed.retry();
      await followed.retry();
      await atRest(followed);
      t.same(told, ['+added uid-6', '-anew uid-4', '+anew uid-5', '~changed uid-2', '-deleted uid-3']);
      t.equal(followed.watch.counters().lists, 2);
    });
  }
});

t.test('a version that goes backwards brings a new list', async (t) => {
  const followed = await follow(t, (server) => server.put('namespaces', namespace('a')));
  await watching(followed);
  followed.server.watches[0]?.write('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}\n');
  await until('the failure is noticed', () => followed.watch.trouble() !== undefined);
  t.equal(followed.watch.trouble(), 'the resourceVersion went backwards');
  await followed.retry();
  await until('a new list', () => followed.watch.counters().lists === 2);
});

for (const remembers of [false, true])
  t.test(
    `etcd is restored from a backup, and a handler ${remembers ? 'remembers' : 'does not care for'} versions`,
    async (t) => {
      const followed = await follow(t, (server) => server.put('namespaces', namespace('a')), { remembers });
      const { server, told, watch } = followed;
      await watching(followed);
      const moment = server.version();
      server.put('namespaces', namespace('b'));
      server.put('namespaces', namespace('c'));
      await atRest(followed);
      t.same(told.splice(0), [...(remembers ? ['forget'] : []), '+a uid-1', '+b uid-2', '+c uid-3']);

      server.restore(moment);
      server.put('namespaces', namespace('b', { uid: 'uid-2', labels: { other: 'history' } }));
      await until('the failure is noticed', () => watch.trouble() !== undefined);
      // The first list says that versions went backwards, and the second breaks off.
      let lists = 0;
      server.failNext({ kind: 'status', code: 500 }, ({ query }) => query.get('limit') === '500' && ++lists === 2);
      await followed.retry();
      await until('that is noticed, too', () => watch.counters().failures === 2);
      await followed.retry();
      await until('it is over', () => watch.trouble() === undefined);
      await until('a watch is open', () => server.watches.length > 0);
      await atRest(followed);
      t.same(told.slice(-3), ['~a uid-1', '~b uid-2', '-c uid-3'], 'also what has a version that was known');
      t.equal(followed.logged.filter(({ message }) => /went backwards/.test(message)).length, 1);
      server.put('namespaces', namespace('d'));
      await atRest(followed);
      t.same(told.at(-1), '+d uid-4');
    },
  );

t.test(
  'a handler that remembers versions is told everything after a failure: history may have come as far again',
  async (t) => {
    const followed = await follow(t, (server) => server.put('namespaces', namespace('a')), { remembers: true });
    const { server, told } = followed;
    await watching(followed);
    const moment = server.version();
    server.put('namespaces', namespace('b'));
    await atRest(followed);
    told.length = 0;
    server.restore(moment);
    server.put('namespaces', namespace('c'));
    server.put('namespaces', namespace('d'));
    await until('the failure is noticed', () => followed.watch.trouble() !== undefined);
    await followed.retry();
    await atRest(followed);
    t.same(told, ['forget', '~a uid-1', '+c uid-3', '+d uid-4', '-b uid-2']);
  },
);

t.test('a line that cannot be read brings a new list instead of the same line again', async (t) => {
  const lines: readonly [string, string | Buffer, RegExp][] = [
    ['not JSON', 'oops\n', /unreadable/],
    ['an event without an object', '{"type":"ADDED"}\n', /unreadable/],
    ['an unknown type', '{"type":"NEWS","object":{}}\n', /unreadable/],
    ['longer than any object', Buffer.alloc(10 * 1024 * 1024 + 1, 120), /more than 10485760 bytes/],
  ];
  for (const [name, line, reason] of lines) {
    await t.test(name, async (t) => {
      const followed = await follow(t, (server) => server.put('namespaces', namespace('a')));
      await watching(followed);
      followed.server.watches[0]?.write(line);
      await until('the failure is noticed', () => followed.watch.trouble() !== undefined);
      t.match(followed.watch.trouble(), reason);
      await followed.retry();
      await watching(followed, 2);
      t.equal(followed.watch.counters().lists, 2);
      t.same(followed.told, ['+a uid-1'], 'what is known already is not told again');
    });
  }
});

t.test('lines end at line feeds alone, also when a character lies across two chunks', async (t) => {
  const followed = await follow(t);
  await watching(followed);
  const name = 'a\u2028b\u2029\u00e4';
  const line = Buffer.from(
    `{"type":"ADDED","object":{"metadata":{"name":"${name}","uid":"u","resourceVersion":"900"}}}\n`,
  );
  for (const byte of line) {
    followed.server.watches[0]?.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  await until('it arrived', () => followed.told.length > 0);
  t.same(followed.told, [`+${name} u`]);
});

t.test('a connection that is silent for 90 s is given up, whatever TCP believes', async (t) => {
  const followed = await follow(t);
  await watching(followed);
  followed.server.watches[0]?.mute();
  followed.server.put('namespaces', namespace('a'));
  followed.clock.advance(89_999);
  t.equal(followed.watch.staleness(), 89_999, 'how old the knowledge is can be asked');
  t.equal(followed.watch.trouble(), undefined);
  followed.clock.advance(1);
  await until('the failure is noticed', () => followed.watch.trouble() !== undefined);
  t.equal(followed.watch.trouble(), 'nothing was heard for 90 s');
  await followed.retry();
  await atRest(followed);
  t.equal(followed.watch.staleness(), 0);
});

t.test('only what says something about the state is heard', async (t) => {
  const rows: readonly [sentence: string, heard: boolean, happens: (followed: Followed) => Promise<void>][] = [
    [
      'a watch that is opened again',
      false,
      async (followed) => {
        followed.server.watches[0]?.reset();
        await until('the watch is closed', () => followed.server.watches.length === 0);
        await followed.retry();
        await watching(followed, 2);
      },
    ],
    [
      'half a line',
      false,
      async ({ server }) => {
        server.watches[0]?.write('{"type":"BOOKMARK",');
        // There is nothing that this could be seen by.
        await new Promise((resolve) => setTimeout(resolve, 20));
      },
    ],
    [
      'a bookmark',
      true,
      async ({ server, watch }) => {
        server.bookmark();
        await until('it is heard', () => watch.staleness() < 60_000);
      },
    ],
    [
      'a change',
      true,
      async (followed) => {
        followed.server.put('namespaces', namespace('a'));
        await atRest(followed);
      },
    ],
    [
      'a new list',
      true,
      async (followed) => {
        followed.server.watches[0]?.write('oops\n');
        await until('the failure is noticed', () => followed.watch.trouble() !== undefined);
        await followed.retry();
        await until('it is listed', () => followed.watch.staleness() < 60_000);
      },
    ],
  ];
  for (const [sentence, heard, happens] of rows) {
    await t.test(sentence, async (t) => {
      const followed = await follow(t);
      await watching(followed);
      followed.clock.advance(60_000);
      await happens(followed);
      t.equal(followed.watch.staleness() < 60_000, heard);
    });
  }
});

t.test('a list is as old as its beginning, for all its pages show the moment of the first', async (t) => {
  let clock: FakeClock | undefined;
  const followed = await follow(t, (server) => {
    for (let index = 0; index < 600; index++) server.put('namespaces', namespace(`n${index}`));
    const takeTime = ({ query }: { readonly query: URLSearchParams }) => {
      if (query.has('continue')) clock?.advance(7_000);
      return false;
    };
    server.failNext({ kind: 'reset' }, takeTime);
  });
  clock = followed.clock;
  await followed.watch.synced;
  t.equal(followed.watch.staleness(), 7_000);
});

t.test('what was not heard for 90 s is listed anew, not watched from the same place for ever', async (t) => {
  const listed = ({ watch }: Followed) => watch.counters().lists;
  await t.test('a watch that brings nothing', async (t) => {
    const followed = await follow(t);
    await watching(followed);
    followed.clock.advance(90_000);
    await until('it is given up', () => followed.watch.trouble() !== undefined);
    await followed.retry();
    const asked = followed.server.requests.slice(0, 3).map(({ query }) => (query.has('watch') ? 'watch' : 'list'));
    t.same(asked, ['list', 'watch', 'list']);
  });

  await t.test('watches that are cut before they bring anything', async (t) => {
    const followed = await follow(t);
    for (const watches of [1, 2]) {
      await watching(followed, watches);
      t.equal(listed(followed), 1, 'a short silence is none');
      followed.clock.advance(50_000);
      followed.server.watches[0]?.reset();
      await until('the failure is noticed', () => followed.watch.trouble() !== undefined);
      await followed.retry();
    }
    await until('the list', () => listed(followed) === 2);
  });
});

t.test('bookmarks keep a quiet watch alive', async (t) => {
  const followed = await follow(t);
  await watching(followed);
  for (let minute = 0; minute < 5; minute++) {
    followed.clock.advance(60_000);
    followed.server.bookmark();
    await until('the bookmark is heard', () => followed.watch.staleness() === 0);
  }
  t.equal(followed.watch.counters().watches, 1);
});

/** Of a list-watch: how often it was checked whether memory is current. */
function checks({ server }: Followed): number {
  return server.requests.filter(({ query }) => query.get('timeoutSeconds') === '5').length;
}

/** Memory is asked for, and its check has begun. */
async function checking(followed: Followed): Promise<void> {
  const before = checks(followed);
  followed.watch.isCurrent();
  await until('a check has begun', () => checks(followed) > before);
}

t.test('while memory is needed, a quiet watch is checked by a second one', async (t) => {
  const followed = await follow(t, (server) => {
    server.put('namespaces', namespace('web'));
    server.put('pods', { metadata: { name: 'other', namespace: 'web' } });
  });
  await watching(followed);
  const { clock, server, watch } = followed;
  clock.advance(2_000);
  t.equal(watch.isCurrent(), true);
  t.equal(checks(followed), 0, 'it was heard just now');
  clock.advance(trustedFor - 2_000);
  t.equal(watch.isCurrent(), true);
  clock.advance(1);
  t.equal(watch.isCurrent(), false);
  await until('the event is replayed', () => clock.waits().includes(100));
  t.equal(checks(followed), 1, 'one at a time');
  const second = server.requests.at(-1)?.query;
  t.equal(
    second?.get('resourceVersion'),
    String(Number(server.get('namespaces', 'web')?.metadata.resourceVersion) - 1),
  );
  clock.advance(100);
  await until('memory is current', () => watch.staleness() === 101);
  t.equal(watch.isCurrent(), true);
  await until('the second watch is closed', () => server.watches.length === 1);
  t.equal(watch.counters().watches, 1, 'the first one goes on');
});

t.test('a check that is answered otherwise does not make memory current', async (t) => {
  const answers: readonly [string, (followed: Followed) => void | Promise<void>][] = [
    ['by a newer event', ({ server }) => void server.put('namespaces', namespace('lost'))],
    ['by the end of the watch', ({ server }) => server.watches.at(-1)?.end()],
    ['by a line that cannot be read', ({ server }) => server.watches.at(-1)?.write('{}\n')],
  ];
  for (const [sentence, answer] of answers) {
    await t.test(sentence, async (t) => {
      const followed = await follow(t, (server) => server.put('namespaces', namespace('web')));
      await watching(followed);
      const { clock, server, watch } = followed;
      server.watches[0]?.mute();
      clock.advance(trustedFor + 1);
      await checking(followed);
      await until('the event is replayed', () => clock.waits().includes(100));
      await answer(followed);
      await until('the second watch is closed', () => server.watches.length === 1);
      clock.advance(9_999);
      t.equal(watch.isCurrent(), false);
      t.equal(checks(followed), 1, 'it is not checked again at once');
      clock.advance(1);
      await checking(followed);
    });
  }
  await t.test('by 410, where the API server has no such event', async (t) => {
    const followed = await follow(t, (server) => server.put('namespaces', namespace('web')));
    await watching(followed);
    followed.server.compact();
    followed.clock.advance(trustedFor + 1);
    await checking(followed);
    await until('the second watch is closed', () => followed.server.watches.length === 1);
    t.equal(followed.watch.isCurrent(), false);
  });
  await t.test('by nothing', async (t) => {
    const followed = await follow(t, (server) => server.put('namespaces', namespace('web')));
    await watching(followed);
    followed.server.failNext({ kind: 'silence' }, ({ query }) => query.get('timeoutSeconds') === '5');
    followed.clock.advance(trustedFor + 1);
    await checking(followed);
    followed.clock.advance(2_000);
    t.equal(followed.watch.isCurrent(), false);
  });
});

t.test('nothing is checked where memory is empty', async (t) => {
  const followed = await follow(t);
  await watching(followed);
  followed.clock.advance(trustedFor + 1);
  t.equal(followed.watch.isCurrent(), false);
  t.equal(checks(followed), 0);
});

t.test('what failed before a healthy watch does not count any more', async (t) => {
  const followed = await follow(t, (server) => {
    for (let index = 0; index < 5; index++) server.failNext({ kind: 'status', code: 500 });
  });
  for (let index = 0; index < 5; index++) await followed.retry();
  await watching(followed);
  followed.clock.advance(60_000);
  followed.server.bookmark();
  await until('the bookmark is heard', () => followed.watch.staleness() === 0);
  followed.clock.advance(60_000);
  followed.server.watches[0]?.reset();
  await until('the failure is logged', () => followed.logged.length === 6);
  t.equal(followed.logged[5]?.wait, 400, 'the first wait again');
});

t.test('a watch that the server ends when its time is over is opened again at once', async (t) => {
  const followed = await follow(t);
  await watching(followed);
  followed.clock.advance(60_000);
  followed.server.bookmark();
  await until('the bookmark is heard', () => followed.watch.staleness() === 0);
  followed.clock.advance(60_000);
  followed.server.watches[0]?.end();
  await watching(followed, 2);
  t.equal(followed.watch.counters().failures, 0);
});

t.test('what a handler throws is counted, and the next change is handled', async (t) => {
  const followed = await follow(t, (server) => server.put('namespaces', namespace('bad')), { throwsOn: 'bad' });
  await watching(followed);
  followed.server.put('namespaces', namespace('good'));
  await until('the next is told', () => followed.told.length > 0);
  t.same(followed.told, ['+good uid-2']);
  t.equal(followed.watch.counters().handlerErrors, 1);
  t.match(followed.logged[0], { message: 'a change could not be handled', error: 'Error: the handler has a bug' });
});

t.test('nothing is handled after the stop', async (t) => {
  const followed = await follow(t);
  await watching(followed);
  await followed.watch.stop();
  await until('the watch is closed', () => followed.server.watches.length === 0);
  followed.server.put('namespaces', namespace('a'));
  followed.clock.advance(1_000_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.same(followed.told, []);
  t.equal(followed.server.requests.length, 2, 'the list and the watch');
});

t.test('a stop ends also what waits', async (t) => {
  const followed = await follow(t, (server) => server.failNext({ kind: 'status', code: 500 }));
  await until('the failure is noticed', () => followed.watch.trouble() !== undefined);
  await followed.watch.stop();
  t.same(followed.clock.waits(), [], 'no timer is left');
});

t.test('after any faults the cache is what the server has', async (t) => {
  type Step = (followed: Followed) => void;
  const names = ['a', 'b', 'c', 'd'];
  let label = 0;
  const step: fc.Arbitrary<[string, Step]> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .constantFrom(...names)
        .map((name): [string, Step] => [
          `put ${name}`,
          ({ server }) => server.put('namespaces', namespace(name, { labels: { n: String(label++) } })),
        ]),
    },
    {
      weight: 3,
      arbitrary: fc
        .constantFrom(...names)
        .map((name): [string, Step] => [`remove ${name}`, ({ server }) => server.remove('namespaces', name)]),
    },
    fc.constantFrom<[string, Step]>(
      ['reset', ({ server }) => server.watches[0]?.reset()],
      ['mute', ({ server }) => server.watches[0]?.mute()],
      ['end', ({ server }) => server.watches[0]?.end()],
      ['garbage', ({ server }) => server.watches[0]?.write('{"type":\n')],
      [
        'half a line',
        ({ server }) => {
          server.watches[0]?.write('{"type"');
          server.watches[0]?.reset();
        },
      ],
      ['compact', ({ server }) => server.compact()],
      ['bookmark', ({ server }) => server.bookmark()],
      ['fail 500', ({ server }) => server.failNext({ kind: 'status', code: 500 })],
      ['fail 429', ({ server }) => server.failNext({ kind: 'status', code: 429, retryAfter: 1 })],
      ['fail 410', ({ server }) => server.failNext({ kind: 'status', code: 410, reason: 'Expired' })],
      ['fail reset', ({ server }) => server.failNext({ kind: 'reset' })],
      ['fail truncate', ({ server }) => server.failNext({ kind: 'truncate' })],
    ),
    { weight: 4, arbitrary: fc.constant<[string, Step]>(['time', ({ clock }) => clock.advance(5_000)]) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      await t.test(steps.map(([name]) => name).join(', '), async (t) => {
        const followed = await follow(t);
        for (const [, run] of steps) {
          run(followed);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        // A muted watch is noticed by the watchdog alone.
        const sorted = () => JSON.stringify([...followed.cache].sort(([one], [other]) => (one < other ? -1 : 1)));
        for (let turn = 0; turn < 400 && sorted() !== JSON.stringify(expected(followed.server)); turn++) {
          followed.clock.advance(1_000);
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        t.same([...followed.cache].sort(), expected(followed.server));
      });
    }),
    { numRuns: 40, endOnFailure: true },
  );
});
