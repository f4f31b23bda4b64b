/** networking/v1alpha3 VirtualService: where requests for a host go, at proxies beside pods and at gateways. */
import { fieldOf, isMap, listOf, valueAt } from '../../kubernetes/json.ts';
import { type Misfit, misfits, type Shape } from './shape.ts';
import type { Destination, LedHost, Reference, Traffic, Written } from './traffic.ts';
import { noTraffic } from './traffic.ts';
import { destinationAt, destinationShape, fullName, textOf, texts, textsOf } from './values.ts';

/** Conditions on a request narrow, whatever they are; `gateways` of a condition stands for that of the spec. */
const requestShape: Shape = {
  gateways: texts,
  ...{ name: 'anything', uri: 'anything', scheme: 'anything', method: 'anything', authority: 'anything' },
  ...{ headers: 'anything', port: 'anything', sourceLabels: 'anything', queryParams: 'anything' },
  ...{ ignoreUriCase: 'anything', withoutHeaders: 'anything', sourceNamespace: 'anything', statPrefix: 'anything' },
};

const connectionShape: Shape = {
  ...{ gateways: texts, destinationSubnets: texts },
  ...{ port: 'anything', sourceSubnet: 'anything', sourceLabels: 'anything', sourceNamespace: 'anything' },
};

const routesShape: Shape = [{ destination: destinationShape, weight: 'anything', headers: 'anything' }];

export const virtualServiceShape: Shape = {
  ...{ hosts: texts, gateways: texts, exportTo: texts },
  http: [
    {
      match: [requestShape],
      route: routesShape,
      delegate: { name: 'text', namespace: 'text' },
      mirror: destinationShape,
      mirrors: [{ destination: destinationShape, percentage: 'anything' }],
      // A redirect is an answer of the host, and the destination of a rewritten request is judged as it is.
      ...{ redirect: 'anything', rewrite: 'anything', directResponse: 'anything' },
      ...{ name: 'anything', timeout: 'anything', retries: 'anything', fault: 'anything', headers: 'anything' },
      ...{
        mirrorPercent: 'anything',
        mirror_percent: 'anything',
        mirrorPercentage: 'anything',
        corsPolicy: 'anything',
      },
    },
  ],
  tls: [{ match: [{ ...connectionShape, sniHosts: texts }], route: routesShape }],
  tcp: [{ match: [connectionShape], route: routesShape }],
};

/** The gateway that stands for all proxies beside pods. */
const mesh = 'mesh';

export function readVirtualService(spec: unknown, namespace: string): Traffic {
  const gateways = gatewaysIn(spec, namespace);
  const isAtMesh = gateways.some(({ text }) => text === mesh) || textsOf(fieldOf(spec, 'gateways'), '') === undefined;
  const isAtGateway = gateways.some(({ text }) => text !== mesh);
  const hosts = hostsIn(spec, namespace).flatMap((one): readonly LedHost[] => [
    ...(isAtMesh ? [{ ...one, at: 'mesh' } as const] : []),
    ...(isAtGateway ? [{ ...one, at: 'gateway' } as const] : []),
  ]);
  return {
    ...noTraffic,
    exportTo: textsOf(fieldOf(spec, 'exportTo'), 'spec.exportTo'),
    hosts,
    destinations: destinationsIn(spec, namespace),
    references: [...gateways.flatMap(({ reference }) => reference ?? []), ...delegatesIn(spec, namespace)],
    // Of a listener on every address, they choose whose connections go to the route.
    addresses: isAtMesh ? subnetsIn(spec) : [],
    misfits: [...misfits(spec, virtualServiceShape, 'spec'), ...unnamed(spec, isAtGateway)],
  };
}

/** Names in `sniHosts` choose connections as hosts do. */
function hostsIn(spec: unknown, namespace: string): readonly Written[] {
  const ofTls = matchesIn(spec, 'tls').flatMap(
    ({ path, match }) => textsOf(fieldOf(match, 'sniHosts'), `${path}.sniHosts`) ?? [],
  );
  const hosts = textsOf(fieldOf(spec, 'hosts'), 'spec.hosts') ?? [];
  return [...hosts, ...ofTls].map(({ path, text }) => ({ path, text: fullName(text, namespace) }));
}

/** Routes that do not say for which host they are, whatever `hosts` are: of TCP at a gateway, and of TLS without `sniHosts`. */
function unnamed(spec: unknown, isAtGateway: boolean): readonly Misfit[] {
  const ofTcp = isAtGateway ? routesIn(spec, 'tcp') : [];
  const ofTls = matchesIn(spec, 'tls').filter(({ match }) => textsOf(fieldOf(match, 'sniHosts'), '') === undefined);
  return [
    ...ofTcp.map(({ path }) => ({
      path,
      reason: 'takes every connection to the ports of the gateways, since TCP names no host',
      fix: 'write tls with sniHosts, or remove gateways',
    })),
    ...ofTls.map(({ path }) => ({
      path,
      reason: 'takes every connection by TLS, since it names no host',
      fix: 'write sniHosts',
    })),
  ];
}

function subnetsIn(spec: unknown): readonly Written[] {
  return (['tls', 'tcp'] as const).flatMap((kind) =>
    matchesIn(spec, kind).flatMap(
      ({ path, match }) => textsOf(fieldOf(match, 'destinationSubnets'), `${path}.destinationSubnets`) ?? [],
    ),
  );
}

interface NamedGateway {
  readonly text: string;
  readonly reference: Reference | undefined;
}

/** Those of the spec, and of every condition. */
function gatewaysIn(spec: unknown, namespace: string): readonly NamedGateway[] {
  const ofMatches = (['http', 'tls', 'tcp'] as const).flatMap((kind) =>
    matchesIn(spec, kind).flatMap(({ path, match }) => textsOf(fieldOf(match, 'gateways'), `${path}.gateways`) ?? []),
  );
  return [...(textsOf(fieldOf(spec, 'gateways'), 'spec.gateways') ?? []), ...ofMatches].map(({ path, text }) => ({
    text,
    reference: text === mesh ? undefined : { path, ...gatewayName(text, namespace), role: 'gateway' },
  }));
}

/** `NAMESPACE/NAME`, `./NAME` and `NAME`; formerly also `NAME.NAMESPACE` with more labels (pilot/pkg/model, resolveGatewayName). */
function gatewayName(text: string, own: string): Pick<Reference, 'namespace' | 'name'> {
  const slash = text.indexOf('/');
  if (slash >= 0) {
    const before = text.slice(0, slash);
    return { namespace: before === '.' ? own : before, name: text.slice(slash + 1) };
  }
  const [name = '', namespace = own] = text.split('.');
  return { namespace, name };
}

function matchesIn(spec: unknown, kind: 'http' | 'tls' | 'tcp') {
  return routesIn(spec, kind).flatMap(({ path, route }) =>
    listOf(fieldOf(route, 'match')).map((match, index) => ({ path: `${path}.match[${index}]`, match })),
  );
}

function routesIn(spec: unknown, kind: 'http' | 'tls' | 'tcp') {
  return listOf(fieldOf(spec, kind)).map((route, index) => ({ path: `spec.${kind}[${index}]`, route }));
}

function destinationsIn(spec: unknown, namespace: string): readonly Destination[] {
  const inList = (list: unknown, path: string): readonly Destination[] =>
    listOf(list).flatMap((one, index) =>
      destinationAt(fieldOf(one, 'destination'), `${path}[${index}].destination`, namespace),
    );
  return (['http', 'tls', 'tcp'] as const).flatMap((kind) =>
    routesIn(spec, kind).flatMap(({ path, route }) => [
      ...inList(fieldOf(route, 'route'), `${path}.route`),
      ...destinationAt(fieldOf(route, 'mirror'), `${path}.mirror`, namespace),
      ...inList(fieldOf(route, 'mirrors'), `${path}.mirrors`),
    ]),
  );
}

/** Another VirtualService that says where requests go. Without a namespace it is in that of the root. */
function delegatesIn(spec: unknown, own: string): readonly Reference[] {
  return routesIn(spec, 'http').flatMap(({ path, route }): readonly Reference[] => {
    const delegate = fieldOf(route, 'delegate');
    if (!isMap(delegate)) return [];
    const namespace = textOf(valueAt(delegate, 'namespace')) || own;
    return [
      { path: `${path}.delegate.namespace`, namespace, name: textOf(valueAt(delegate, 'name')), role: 'delegate' },
    ];
  });
}
