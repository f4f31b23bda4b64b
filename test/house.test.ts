/** The house of docs/architecture.md: imports only point down, and three libraries stay in one room each. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';
import typescript from 'typescript';

/** For each room, from the ground up, the rooms it may import from beside itself. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  kubernetes: [],
  keys: [],
  tenancy: ['kubernetes', 'keys'],
  exemptions: ['kubernetes', 'tenancy'],
  reach: ['kubernetes', 'tenancy'],
  gates: ['kubernetes', 'tenancy', 'reach'],
  baseline: ['kubernetes', 'tenancy'],
  kinds: ['kubernetes', 'tenancy', 'reach', 'baseline'],
  checks: ['kubernetes', 'keys', 'tenancy', 'exemptions', 'reach', 'gates', 'baseline', 'kinds'],
  mutations: ['kubernetes', 'tenancy', 'reach', 'baseline', 'kinds'],
  backstop: ['kubernetes', 'keys', 'tenancy', 'exemptions', 'baseline', 'kinds', 'checks'],
  connectivity: ['kubernetes', 'keys', 'tenancy', 'reach', 'baseline', 'kinds'],
  admission: [
    'kubernetes',
    'tenancy',
    'exemptions',
    'reach',
    'baseline',
    'kinds',
    'checks',
    'mutations',
    'connectivity',
  ],
  picture: ['kubernetes', 'tenancy', 'reach', 'baseline', 'connectivity'],
  report: ['connectivity', 'picture'],
  certificates: [],
  client: ['kubernetes', 'admission'],
  facts: ['kubernetes', 'tenancy', 'exemptions', 'gates', 'baseline', 'admission', 'client'],
  reconcile: [
    'kubernetes',
    'keys',
    'tenancy',
    'exemptions',
    'gates',
    'baseline',
    'kinds',
    'admission',
    'client',
    'facts',
  ],
  configuration: ['kubernetes', 'tenancy', 'kinds', 'admission', 'certificates', 'client', 'reconcile'],
  cluster: ['kubernetes', 'tenancy', 'admission', 'client', 'facts', 'reconcile', 'configuration'],
  files: ['kubernetes', 'tenancy', 'exemptions', 'gates', 'admission', 'certificates'],
  server: ['kubernetes', 'tenancy', 'kinds', 'admission', 'certificates'],
  doctor: [
    'kubernetes',
    'tenancy',
    'reach',
    'baseline',
    'kinds',
    'checks',
    'backstop',
    'admission',
    'report',
    'client',
    'facts',
    'configuration',
  ],
  commands: [
    'kubernetes',
    'tenancy',
    'reach',
    'baseline',
    'kinds',
    'checks',
    'backstop',
    'connectivity',
    'picture',
    'admission',
    'report',
    'certificates',
    'client',
    'facts',
    'configuration',
    'cluster',
    'files',
    'server',
    'doctor',
  ],
  main: ['commands'],
};

/** Libraries that only these rooms may import. */
const confined: Readonly<Record<string, string>> = {
  fastify: 'server',
  '@kubernetes/client-node': 'client',
  commander: 'commands',
};

/** The part of all lines that one room may hold. */
const largestRoom = 0.15;

/** Lines of one file. A file that holds two things becomes two. */
const longestFile = 250;

/** Rooms without input and output: none of these modules of Node. */
const pureRooms = [
  'kubernetes',
  'keys',
  'tenancy',
  'exemptions',
  'reach',
  'gates',
  'baseline',
  'kinds',
  'checks',
  'mutations',
  'backstop',
  'admission',
  'picture',
  'report',
];
/** admission waits for facts, so it has timers; only one of its files reads a clock. */
const timelessRooms = pureRooms.filter((room) => room !== 'admission');
const clockOfAdmission = 'src/admission/clock.ts';
const effects = /^node:(fs|net|tls|http|https|http2|child_process|dgram|dns|worker_threads|process|readline)/;

const files = globSync('src/**/*.ts');
const documentation = readFileSync('docs/architecture.md', 'utf8');

function listed(cell: string): string[] {
  return cell.split(',').flatMap((name) => name.trim() || []);
}

function roomOf(file: string): string {
  const [, first = '', second] = file.split('/');
  return second === undefined ? first.replace(/\.ts$/, '') : first;
}

function importsOf(file: string): string[] {
  return typescript.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles.map((one) => one.fileName);
}

t.test('every file stands in a room of the house', async (t) => {
  t.ok(files.length > 50, 'the sources were found');
  for (const file of files) t.ok(Object.hasOwn(rooms, roomOf(file)), `${file} is in a known room`);
});

t.test('the table has no circle', async (t) => {
  const above = Object.keys(rooms);
  for (const [room, others] of Object.entries(rooms)) {
    for (const other of others) t.ok(above.indexOf(other) < above.indexOf(room), `${other} is below ${room}`);
  }
});

t.test('docs/architecture.md shows the same table', async (t) => {
  const shown: Record<string, readonly string[]> = {};
  const [, table = ''] = /\n\| room \| may import \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(documentation) ?? [];
  for (const row of table.trimEnd().split('\n')) {
    const [, names = '', others = ''] = row.split('|');
    for (const name of listed(names)) shown[name] = listed(others);
  }
  t.strictSame(shown, rooms);
});

t.test('no room is too large to live in', async (t) => {
  const lines = new Map<string, number>();
  let all = 0;
  for (const file of files) {
    const count = readFileSync(file, 'utf8').split('\n').length;
    lines.set(roomOf(file), (lines.get(roomOf(file)) ?? 0) + count);
    all += count;
  }
  for (const [room, count] of lines) t.ok(count <= largestRoom * all, `${room} has ${count} of ${all} lines`);
});

t.test('no file is too long to read', async (t) => {
  for (const file of files) {
    const count = readFileSync(file, 'utf8').trimEnd().split('\n').length;
    t.ok(count <= longestFile, `${file} has ${count} lines`);
  }
});

t.test('imports only point down', async (t) => {
  for (const file of files) {
    const room = roomOf(file);
    for (const imported of importsOf(file).filter((name) => name.startsWith('.'))) {
      const target = roomOf(normalize(join(dirname(file), imported)));
      t.ok(target === room || rooms[room]?.includes(target), `${file} may import ${imported}`);
    }
  }
});

t.test('a library stays in its room', async (t) => {
  for (const file of files) {
    for (const imported of importsOf(file)) {
      const owner = Object.entries(confined).find(
        ([name]) => imported === name || imported.startsWith(`${name}/`),
      )?.[1];
      if (owner !== undefined) t.equal(roomOf(file), owner, `${file} may import ${imported}`);
    }
  }
});

t.test('what judges does no input or output', async (t) => {
  for (const file of files.filter((one) => pureRooms.includes(roomOf(one)))) {
    for (const imported of importsOf(file)) t.notMatch(imported, effects, `${file} does not import ${imported}`);
    t.notMatch(readFileSync(file, 'utf8'), /\bprocess\.(env|argv|exit|on)\b/, `${file} does not read the process`);
  }
});

t.test('what judges reads neither a clock nor a random number', async (t) => {
  const read =
    /\b(Date\.now|performance\.|new Date\(\)|setTimeout|setInterval|AbortSignal\.timeout|Math\.random|node:crypto)/;
  for (const file of files.filter((one) => timelessRooms.includes(roomOf(one))))
    t.notMatch(readFileSync(file, 'utf8'), read, file);
  const clock = /\b(Date\.now|performance\.|new Date\(\)|Math\.random|node:crypto)/;
  for (const file of files.filter((one) => roomOf(one) === 'admission' && one !== clockOfAdmission))
    t.notMatch(readFileSync(file, 'utf8'), clock, file);
});

t.test('main is the only file that knows the process', async (t) => {
  for (const file of files.filter((one) => one !== 'src/main.ts')) {
    t.notMatch(
      readFileSync(file, 'utf8'),
      /\bprocess\.(env|argv|exit|exitCode|on|once)\b/,
      `${file} does not read argv or env, install handlers or end the process`,
    );
  }
});
