/** Text of Ingresses that versions of ingress-nginx write into their configuration (SVC-07): what breaks out of its place, and what does not. */
import t from 'tap';
import { cast } from '../fixtures/cast.ts';
import { createReview, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const review = createReview(tenancy, namespaces);

function ingress(path: string, annotations: Readonly<Record<string, string>> = {}) {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'acme-web', annotations },
    spec: {
      rules: [{ host: 'acme.example.com', http: { paths: [{ path, pathType: 'ImplementationSpecific', backend }] } }],
    },
  };
}

const line = 'has a line break or another control character';
const paths: readonly (readonly [path: string, reason?: string])[] = [
  ['/'],
  ['/shop/v1.0/~user'],
  ['/app;jsessionid=1'],
  ['/api(/|$)(.*)'],
  ['/(?!admin|static).*'],
  ['/v[0-9]{1,3}/items/[a-f0-9]{8}'],
  ['/app(;jsessionid=[A-F0-9]{32})? x'],
  ['/users/{id:[^;/]+}/posts'],
  ['/say "hello"'],
  ['/a\\{ b; c \\}'],
  ['/\x24{x} ; y'],
  ['/docs/content_by_lua'],
  ['/blog/a#b'],
  ['/x\nlocation /y', line],
  ['/x\r', line],
  ['/x\u0000', line],
  ['/x {return 200;} location /y', 'has a blank and ";" beside "{"'],
  ['/x{1}{return 200;}location /y', 'has a blank and ";" beside "{"'],
  ['/x" y last; return 200; rewrite "', 'has a blank and ";" beside a quote'],
  ['/x\\\\" y last; return 200; rewrite "', 'has a blank and ";" beside a quote'],
  ['/x{content_by_lua_block{os.execute("id")}}location/y', 'has code of Lua behind "{"'],
  ['/x # y', 'has a comment'],
];

for (const [path, reason] of paths)
  t.test(`${reason === undefined ? 'admitted' : 'refused'}: the path ${JSON.stringify(path)}`, async (t) => {
    const { allowed, status } = await submit(review, {
      user: cast['acme developer'],
      operation: 'CREATE',
      object: ingress(path),
    });
    t.equal(allowed, reason === undefined, JSON.stringify(path), { status });
    if (reason !== undefined)
      t.match(status?.message, `spec.rules[0].http.paths[0].path\n    ${reason}, and versions of`);
  });

const values: readonly (readonly [name: string, value: string, reason?: string])[] = [
  ['permanent-redirect', 'https://acme.example.com/new?a=1&b=2#top'],
  ['permanent-redirect', 'https://acme.example.com$request_uri'],
  ['permanent-redirect', 'https://\x24{host}/a'],
  ['temporal-redirect', 'https://$host$request_uri\n'],
  ['app-root', '/app/'],
  ['rewrite-target', '/$1'],
  ['rewrite-target', "/it's/$1$2"],
  ['auth-method', 'GET'],
  ['auth-method', ' POST\n'],
  ['permanent-redirect', 'https://x;load_module y', 'has ";"'],
  ['permanent-redirect', 'https://x\n;', line],
  ['temporal-redirect', 'https://x } location / {', 'has "}"'],
  ['app-root', '/app\\', 'has "\\"'],
  ['rewrite-target', '/$1" break', 'has a quote'],
  ['rewrite-target', '/\x24{a{b}}', 'has "{"'],
  ['rewrite-target', '/a #', 'has a comment'],
  ['rewrite-target', '/a # b', 'has a comment'],
  ['app-root', '/`id`', 'has "`"'],
  ['auth-method', 'GET;proxy_pass x', 'has ";"'],
  ['auth-method', 'GET$x', 'has "$"'],
  ['auth-method', "GET'x'", 'has "\'"'],
];

for (const [name, value, reason] of values)
  t.test(`${reason === undefined ? 'admitted' : 'refused'}: ${name} ${JSON.stringify(value)}`, async (t) => {
    const key = `nginx.ingress.kubernetes.io/${name}`;
    const object = ingress('/', { [key]: value });
    const { allowed, status } = await submit(review, { user: cast['acme developer'], operation: 'CREATE', object });
    t.equal(allowed, reason === undefined, JSON.stringify(value), { status });
    if (reason !== undefined) t.match(status?.message, `metadata.annotations[${key}]\n    ${reason}, and versions of`);
    const oldObject = ingress('/', { [key]: 'https://old' });
    t.equal(
      (await submit(review, { user: cast['acme developer'], operation: 'UPDATE', object, oldObject })).allowed,
      allowed,
    );
    const kept = { user: cast['acme developer'], operation: 'UPDATE', object, oldObject: object } as const;
    t.equal((await submit(review, kept)).allowed, true, 'it was stored before');
  });
