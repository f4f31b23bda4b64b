// Which part is shown, by the fragment of the address.

const content = make('main', { id: 'content', tabindex: '-1' });
const results = make('ul', { id: 'results', class: 'results', hidden: true, 'aria-label': 'Found' });
const told = make('p', { id: 'told', class: 'hint', role: 'status' });
const search = make('input', {
  ...{ id: 'search', type: 'search', autocomplete: 'off', spellcheck: 'false' },
  ...{ 'aria-controls': 'results', 'aria-describedby': 'told' },
});
/** The crossing that is shown, or was last. */
let last;
const largeMatrix = 40;

function overview() {
  const { tenants, crossings } = data;
  const isCrossing = new Set(
    crossings.filter(({ from, to }) => from !== platform && to !== platform).flatMap(({ from, to }) => [from, to]),
  );
  const names = tenants.map(({ name }) => name);
  const some = names.filter((name) => isCrossing.has(name));
  const isLarge = names.length > largeMatrix && some.length > 0 && some.length < names.length;
  const holder = make('div');
  const show = (isAll) => holder.replaceChildren(matrix(isAll ? names : some, crossings, last));
  show(!isLarge);
  const box = make('input', { type: 'checkbox' });
  box.addEventListener('change', () => show(box.checked));
  const violations = crossings.filter(({ violation }) => violation !== '').length;
  const dead = [
    ['Policies that select no pods', data.selectNothing],
    ['Policies that open nothing, as their peers do not exist', data.openNothing],
  ].filter(([, items]) => items.length > 0);
  const open = namespaces.filter((one) => one.tenant !== platform && one.ingress + one.egress > 0);
  return [
    make(
      'p',
      { class: 'summary' },
      ...[
        [names.filter((name) => !name.startsWith('(')).length, 'tenants'],
        [namespaces.length, 'namespaces'],
        [crossings.length, 'crossings'],
        [violations, 'not granted', violations > 0],
        [open.length, 'namespaces open', open.length > 0],
      ].map(([number, text, isBad]) =>
        make('span', { class: isBad ? 'figure broken' : 'figure' }, make('b', {}, number), ` ${text}`),
      ),
    ),
    ...data.warnings.map((text) => make('p', { class: 'broken' }, `✕ ${text}`)),
    make('h2', {}, 'Matrix of tenants'),
    legend(),
    ...(isLarge
      ? [
          make(
            'label',
            {},
            box,
            ` all ${names.length}, and not only the ${some.length} that other tenants reach or are reached by`,
          ),
        ]
      : []),
    holder,
    crossingList('Crossings', crossings),
    zeroTrustList(tenants.filter(({ zeroTrust }) => zeroTrust.length > 0)),
    list(
      'Namespaces with pods that no policy isolates',
      ['Namespace', 'Tenant', 'Pods', 'Ingress', 'Egress'],
      open,
      (one) => [
        ...[
          link(['tenant', one.tenant, one.name], one.name),
          tenantLink(one.tenant),
          one.pods,
          one.ingress,
          one.egress,
        ],
      ],
    ),
    outsideList(data.outside.filter(({ tenant, state }) => tenant !== platform && state !== 'granted')),
    gateList(data.gates.filter(({ state }) => state !== 'used')),
    ...(data.exemptions.length > 0
      ? [
          list(
            'Exemptions in force',
            ['Exemption', 'Namespace', 'Tenant', 'Checks', 'Until'],
            data.exemptions,
            ({ name, namespace, tenant, checks, expires }) => [
              ...[name, namespace, tenantLink(tenant), checks.join(', '), expires.slice(0, 10)],
            ],
          ),
        ]
      : []),
    ...(data.layers.length > 0 ? [layerList(data.layers)] : []),
    ...dead.map(([caption, items]) => list(caption, ['Policy'], items, (name) => [name])),
    make('p', { class: 'hint' }, `Policies as read by: ${data.readings.join(', ')}.`),
  ];
}

const matchesShown = 50;

function find() {
  const text = search.value.trim().toLowerCase();
  const found = [];
  let count = 0;
  const add = (name, what, parts) => {
    if (!name.toLowerCase().includes(text)) return;
    count++;
    if (found.length < matchesShown) found.push(make('li', {}, link(parts, name), ` ${what}`));
  };
  if (text !== '') {
    for (const { name } of data.tenants) add(name, 'tenant', ['tenant', name]);
    for (const { name, tenant } of namespaces) add(name, `namespace of ${tenant}`, ['tenant', tenant, name]);
    for (const { name, tenant, workloads } of namespaces)
      for (const [workload] of workloads) add(`${name}/${workload}`, `workload of ${tenant}`, ['tenant', tenant, name]);
  }
  results.replaceChildren(...found);
  results.hidden = found.length === 0;
  told.textContent =
    text === '' ? '' : `${count} found${count > found.length ? `, the first ${found.length} are shown` : ''}`;
}

function route(isFirst) {
  let parts = [];
  try {
    parts = location.hash.slice(2).split('/').map(decodeURIComponent);
  } catch {
    // Somebody has written the address by hand.
  }
  const [what, first = '', second] = parts;
  const isBack = what !== 'tenant' && what !== 'crossing' && last?.isShown === true;
  last = what === 'crossing' ? { from: first, to: second ?? '', isShown: true } : last && { ...last, isShown: false };
  const shown =
    what === 'tenant'
      ? tenantPage(first, second)
      : what === 'crossing'
        ? crossingPage(first, second ?? '')
        : overview();
  const isPart = what === 'tenant' || what === 'crossing';
  content.replaceChildren(
    ...(isPart ? [make('nav', { 'aria-label': 'Back' }, link([''], '← All tenants'))] : []),
    ...shown,
  );
  const title = what === 'tenant' ? first : what === 'crossing' ? `${first} → ${second ?? ''}` : 'who reaches whom';
  document.title = `${title} - Bulkhead`;
  if (isFirst !== true) {
    content.focus({ preventScroll: true });
    scrollTo(0, 0);
    // Who comes back goes on where he was.
    if (isBack) content.querySelector('.cell a[tabindex="0"]')?.focus();
  }
  if (what === 'tenant' && second !== undefined) document.getElementById(`ns-${second}`)?.scrollIntoView();
}

let waiting;
search.addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(find, 100);
});
results.addEventListener('click', () => {
  search.value = '';
  find();
});
search.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown' && !results.hidden) results.querySelector('a').focus();
  else return;
  event.preventDefault();
});
results.addEventListener('keydown', (event) => {
  const item = event.target.closest('li');
  const next =
    event.key === 'ArrowDown'
      ? item?.nextElementSibling
      : event.key === 'ArrowUp'
        ? item?.previousElementSibling
        : null;
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  event.preventDefault();
  (next?.querySelector('a') ?? (event.key === 'ArrowUp' ? search : undefined))?.focus();
});
/** Out of what is open: first what was found, then a tenant or a crossing. A slash goes to the search. */
addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === '/' && event.target !== search) {
    event.preventDefault();
    search.focus();
  }
  if (event.key !== 'Escape') return;
  if (search.value !== '') {
    search.value = '';
    find();
    search.focus();
  } else if (/^#\/(tenant|crossing)\//.test(location.hash)) location.hash = fragment(['']);
});
addEventListener('hashchange', route);
document.body.append(
  make('a', { class: 'skip', href: '#content' }, 'Skip to the content'),
  make(
    'header',
    {},
    make('h1', {}, link([''], 'Who reaches whom')),
    make('label', { for: 'search' }, 'Find a tenant, namespace or workload (/)'),
    search,
    told,
    results,
  ),
  content,
);
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  content.focus();
});
route(true);
