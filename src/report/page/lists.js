// What is shown of a tenant, of a crossing, and of all of them.

const data = JSON.parse(document.getElementById('data').textContent);
const platform = '(platform)';
const toCome = '(tenants to come)';
const namespaces = data.namespaces.map(([name, tenant, pods, onNodes, ingress, egress, workloads, policies]) => ({
  ...{ name, tenant: data.texts[tenant], pods, onNodes, ingress, egress, workloads, policies },
}));
const spacesOf = Map.groupBy(namespaces, ({ tenant }) => tenant);
const requirements = new Map(data.requirements.map((one) => [one.id, one]));
const tenantLink = (name) => link(['tenant', name], name);

const grantText = ({ kind, name, ports }) => `${ports} by ${kind}${name === '' ? '' : ` ${name}`}`;

const portsOf = (one) => [
  one.violation === '' ? undefined : make('div', { class: 'broken' }, `✕ ${one.violation}: nothing grants it`),
  ...one.grants.map((grant) => make('div', {}, grantText(grant))),
  ...(one.onlyIn ?? []).map(({ reading, ports }) => make('div', { class: 'hint' }, `as ${reading} reads it: ${ports}`)),
];

const order = { violation: 0, gate: 1, service: 2 };

const crossingList = (caption, crossings) =>
  list(
    caption,
    ['From', 'To', 'Ports', 'Example'],
    crossings.toSorted((a, b) => order[kindOf(a)] - order[kindOf(b)]),
    (one) => [
      tenantLink(one.from),
      tenantLink(one.to),
      portsOf(one),
      link(['crossing', one.from, one.to], `${one.example.from} → ${one.example.to}`),
    ],
  );

const outsideList = (items) =>
  list(
    'Open to and from addresses outside of the cluster',
    ['Tenant', 'Direction', 'Addresses', 'Ports', 'State', 'Namespaces', 'Example'],
    items,
    (one) => [tenantLink(one.tenant), one.direction, one.addresses, one.ports, one.state, one.namespaces, one.example],
  );

const gateList = (items) =>
  list('Gates', ['From', 'To', 'Ports', 'State', 'Declared by'], items, (one) => [
    ...[tenantLink(one.from), tenantLink(one.to), one.ports, one.state, one.declaredBy],
  ]);

function zeroTrustList(tenants) {
  return list(
    'Zero trust by tenant',
    ['Tenant', ...data.requirements.map(({ title }) => title)],
    tenants,
    ({ name, zeroTrust }) => [tenantLink(name), ...zeroTrust.map(({ state }) => stateOf(state))],
  );
}

const counted = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;

const openOf = (mark) =>
  [
    mark & 1 ? 'open for ingress' : undefined,
    mark & 2 ? 'open for egress' : undefined,
    mark & 4 ? 'on the network of the node' : undefined,
  ]
    .filter(Boolean)
    .join(', ') || 'isolated';

function ruleOf(number) {
  const [direction, action, peers, ports] = JSON.parse(data.texts[number]);
  const way = direction === 'ingress' ? 'from' : 'to';
  return make('div', {}, `${action} ${direction} ${way} ${peers === '' ? 'no peer that exists' : peers}: ${ports}`);
}

function namespaceOf(one, isOpen) {
  const open = [
    one.ingress > 0 && `${one.ingress} open for ingress`,
    one.egress > 0 && `${one.egress} open for egress`,
  ];
  const told = [counted(one.pods, 'pod'), ...open.filter(Boolean), one.onNodes > 0 && `${one.onNodes} on nodes`];
  const details = make('details', { id: `ns-${one.name}`, open: isOpen });
  details.append(make('summary', {}, make('strong', {}, one.name), ` ${told.filter(Boolean).join(', ')}`));
  let isFilled = false;
  const fill = () => {
    if (isFilled) return;
    isFilled = true;
    details.append(
      list('Workloads', ['Workload', 'Pods', 'Isolation'], one.workloads, ([name, pods, mark]) => [
        ...[name, pods, mark === 0 ? 'isolated' : make('span', { class: 'broken' }, `✕ ${openOf(mark)}`)],
      ]),
      list('Policies', ['Policy', 'Pods', 'Opens'], one.policies, ([name, pods, rules]) => [
        ...[data.texts[name], pods, rules.length === 0 ? 'nothing' : rules.map(ruleOf)],
      ]),
    );
  };
  if (isOpen) fill();
  details.addEventListener('toggle', fill);
  addEventListener('beforeprint', () => {
    if (!details.isConnected) return;
    fill();
    details.open = true;
  });
  return details;
}

/** Where network policies and policies of a mesh contradict each other. */
const layerList = (layers) =>
  list(
    'Contradictions between network policies and policies of the mesh',
    ['Check', 'Tenant', 'Object', 'Why', 'Other side', 'Fix'],
    layers,
    ({ check, tenant, object, path, reason, other, fix }) => [
      ...[check, tenantLink(tenant), path === '' ? object : `${object} ${path}`, reason, other, fix],
    ],
  );

function tenantPage(name, opened) {
  const tenant = data.tenants.find((one) => one.name === name);
  if (tenant === undefined) return [make('h2', {}, 'There is no such tenant'), make('p', {}, name)];
  const own = spacesOf.get(name) ?? [];
  const rejected = data.rejected.filter((one) => one.tenant === name);
  const known =
    tenant.mode === undefined
      ? name === platform
        ? 'namespaces without a tenant'
        : name === toCome
          ? 'tenants that are created later, to which rules are open'
          : 'not declared'
      : `mode ${tenant.mode}`;
  return [
    make('h2', {}, name),
    make(
      'p',
      {},
      `${known}; ${counted(tenant.namespaces, 'namespace')}, ${counted(tenant.pods, 'pod')}; open inside: ${tenant.inside || 'nothing'}`,
    ),
    tenant.zeroTrust.length > 0 &&
      list('Zero trust', ['Requirement', 'State', 'Evidence', 'Checks'], tenant.zeroTrust, (one) => {
        const { title, checks } = requirements.get(one.requirement);
        const evidence = one.evidence.map((text) => make('div', {}, text));
        return [title, stateOf(one.state), evidence, make('span', { class: 'hint' }, checks.join(', '))];
      }),
    rejected.length > 0 &&
      list('Would be rejected if it were written now', ['Check', 'Objects'], rejected, (one) => [one.check, one.count]),
    crossingList(
      'Reaches',
      data.crossings.filter(({ from }) => from === name),
    ),
    crossingList(
      'Is reached by',
      data.crossings.filter(({ to }) => to === name),
    ),
    outsideList(data.outside.filter((one) => one.tenant === name)),
    gateList(data.gates.filter(({ from, to }) => from === name || to === name)),
    ...(data.layers.some(({ tenant }) => tenant === name)
      ? [layerList(data.layers.filter(({ tenant }) => tenant === name))]
      : []),
    make('h3', {}, `Namespaces (${own.length})`),
    ...own.map((one) => namespaceOf(one, one.name === opened || own.length === 1)),
  ].filter(Boolean);
}

function crossingPage(from, to) {
  // Two where rules open more to pods that will come than to those that are there.
  const all = data.crossings.filter((crossing) => crossing.from === from && crossing.to === to);
  const heading = make('h2', {}, tenantLink(from), ' → ', tenantLink(to));
  if (all.length === 0) return [heading, make('p', {}, 'Nothing is open.')];
  return [
    heading,
    ...all.flatMap((one) => [
      make('p', {}, `${one.toCome ? 'Open to pods that will come' : 'Open'}: ${one.ports}`),
      ...portsOf(one).filter(Boolean),
      make('p', {}, `Two who connect: ${one.example.from} → ${one.example.to}`),
      ...(one.openedBy ?? []).map(({ policy, path }) => make('p', {}, `Opened by ${policy} ${path}`)),
    ]),
    gateList(data.gates.filter((gate) => gate.from === from && gate.to === to)),
  ];
}
