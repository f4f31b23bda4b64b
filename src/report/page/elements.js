// Elements are made of text nodes and fixed attributes alone: no name from the cluster is ever read as markup.

/** @type {(tag: string, attributes?: Record<string, unknown>, ...children: unknown[]) => HTMLElement} */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== false));
  return element;
}

const link = (parts, ...children) => make('a', { href: fragment(parts) }, ...children);

const fragment = (parts) => `#/${parts.map(encodeURIComponent).join('/')}`;

/** Rows that come when they are asked for, so that long lists cost nothing until then. */
const rowsAtOnce = 200;

/**
 * @param {string} caption
 * @param {string[]} head
 * @param {unknown[]} items
 * @param {(item: unknown) => unknown[]} cells of one item; the first is the heading of the row
 */
function list(caption, head, items, cells) {
  if (items.length === 0)
    return make('p', { class: 'list' }, make('strong', {}, caption), ': ', make('span', { class: 'hint' }, 'none'));
  const body = make('tbody');
  const table = make(
    'table',
    {},
    make('caption', {}, `${caption} (${items.length})`),
    make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))),
    body,
  );
  const more = make('button', { type: 'button' });
  let shown = 0;
  const show = (count) => {
    for (const item of items.slice(shown, shown + count)) {
      const [first, ...rest] = cells(item);
      body.append(make('tr', {}, make('th', { scope: 'row' }, first), ...rest.map((cell) => make('td', {}, cell))));
    }
    shown = Math.min(items.length, shown + count);
    more.textContent = `Show ${Math.min(rowsAtOnce, items.length - shown)} more of ${items.length - shown}`;
    more.hidden = shown === items.length;
  };
  more.addEventListener('click', () => {
    const next = shown;
    show(rowsAtOnce);
    if (!more.hidden) return;
    // The hidden button loses the focus, so the first new row takes it.
    body.rows[next].tabIndex = -1;
    body.rows[next].focus();
  });
  addEventListener('beforeprint', () => body.isConnected && show(items.length));
  show(rowsAtOnce);
  return make('div', { class: 'list' }, table, more);
}

const marks = { met: '✓', partly: '◐', not: '✕', 'not known': '?' };

const stateOf = (state) =>
  make(
    'span',
    { class: `state ${state.replace(' ', '-')}` },
    make('span', { 'aria-hidden': 'true' }, marks[state]),
    ` ${state}`,
  );
