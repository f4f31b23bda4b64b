import fc from 'fast-check';
import t from 'tap';
import { allPorts, containsPort, formatPort, type PortRange, parsePort } from '../../src/kubernetes/port-range.ts';

t.test('ports are read as the API means them', (t) => {
  const table: readonly [unknown, string][] = [
    [{}, 'all/TCP'],
    [{ protocol: null, port: null, endPort: null }, 'all/TCP'],
    [{ protocol: 'UDP' }, 'all/UDP'],
    [{ port: 80 }, '80/TCP'],
    [{ protocol: 'SCTP', port: 65535 }, '65535/SCTP'],
    [{ port: 30000, endPort: 30100 }, '30000-30100/TCP'],
    [{ port: 80, endPort: 80 }, '80/TCP'],
    [{ port: 1, endPort: 65535 }, 'all/TCP'],
    [{ port: 'http' }, 'http/TCP'],
    [{ protocol: 'UDP', port: 'dns-udp' }, 'dns-udp/UDP'],
  ];
  for (const [written, text] of table) {
    const port = parsePort(written);
    t.equal(port.ok ? formatPort(port.value) : port.reason, text, JSON.stringify(written));
  }
  t.end();
});

t.test('other ports are refused, with the field and the reason', (t) => {
  const table: readonly [unknown, string | undefined, RegExp][] = [
    [null, undefined, /^null is not a port$/],
    [80, undefined, /^80 is not a port$/],
    [[80], undefined, /^a list is not a port$/],
    [{ ports: 80 }, undefined, /^"ports" is not a field of a port$/],
    [{ protocol: 'tcp' }, 'protocol', /^"tcp" is not a protocol/],
    [{ protocol: 'ICMP' }, 'protocol', /^"ICMP" is not a protocol/],
    [{ protocol: {} }, 'protocol', /^a map is not a protocol/],
    [{ port: 0 }, 'port', /^0 is not a port$/],
    [{ port: 65536 }, 'port', /^65536 is not a port$/],
    [{ port: 80.5 }, 'port', /^80\.5 is not a port$/],
    [{ port: -1 }, 'port', /^-1 is not a port$/],
    [{ port: true }, 'port', /^true is not a port$/],
    [{ port: [80] }, 'port', /^a list is not a port$/],
    [{ port: '80' }, 'port', /^"80" is a string and so the name of a port, and no port can be named so$/],
    [{ port: 'HTTP' }, 'port', /^"HTTP" is a string/],
    [{ port: 'a--b' }, 'port', /^"a--b" is a string/],
    [{ port: 'a-name-that-is-too-long' }, 'port', /is a string/],
    [{ port: '' }, 'port', /^"" is a string/],
    [{ port: 'http', endPort: 90 }, 'endPort', /needs a numeric port/],
    [{ endPort: 90 }, 'endPort', /needs a numeric port/],
    [{ port: 80, endPort: 79 }, 'endPort', /^79 is not the end of a range that begins at 80$/],
    [{ port: 80, endPort: '90' }, 'endPort', /^"90" is not the end of a range/],
    [{ port: 80, endPort: 65536 }, 'endPort', /^65536 is not the end of a range/],
  ];
  for (const [written, field, reason] of table) {
    const port = parsePort(written);
    if (port.ok) t.fail(`accepted ${JSON.stringify(written)}`);
    else {
      t.match(port.reason, reason, JSON.stringify(written));
      t.equal(port.field, field);
      t.not(port.fix, '');
    }
  }
  const quoted = parsePort({ port: '80' });
  t.equal(quoted.ok || quoted.fix, 'write the number 80 without quotes', 'a quoted number is put right');
  t.end();
});

t.test('containment agrees with trying every port', (t) => {
  const range = fc
    .tuple(
      fc.constantFrom<PortRange['protocol']>('TCP', 'UDP'),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
    )
    .map(([protocol, a, b]): PortRange => ({ protocol, first: Math.min(a, b), last: Math.max(a, b) }));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 6 }), range, (outer, inner) => {
      const has = (port: number) =>
        outer.some(({ protocol, first, last }) => protocol === inner.protocol && first <= port && port <= last);
      let all = true;
      for (let port = inner.first; port <= inner.last; port++) all &&= has(port);
      return containsPort(outer, inner) === all;
    }),
    { numRuns: 3000, seed: 1 },
  );
  t.end();
});

t.test('a named port may be any port of any protocol', (t) => {
  const http = { protocol: 'TCP', name: 'http' } as const;
  t.ok(containsPort(allPorts, http), 'where every port is open, so is it');
  t.notOk(
    containsPort([{ protocol: 'TCP', first: 80, last: 80 }], http),
    'where only 80 is, it may be another (NP-09)',
  );
  t.notOk(containsPort([{ protocol: 'TCP', first: 2, last: 65535 }], http), 'or the one that is left out');
  t.notOk(containsPort([{ protocol: 'UDP', first: 1, last: 65535 }], http), 'of its own protocol');
  const inCilium = { protocol: 'TCP', name: 'http', keepsProtocol: true } as const;
  t.ok(containsPort([{ protocol: 'TCP', first: 1, last: 65535 }], inCilium), 'Cilium keeps to the protocol');
  t.notOk(containsPort([{ protocol: 'TCP', first: 2, last: 65535 }], inCilium), 'and to no number');
  t.notOk(
    containsPort([{ protocol: 'TCP', first: 1, last: 65535 }], http),
    'where no pod has the name, kube-router opens the other protocols too (NP-09)',
  );
  t.end();
});
