// The matrix of tenants: only the cells that are open and in sight are elements, so that a thousand tenants are as quick as five.

const side = 30;

/**
 * gate       a gate grants all of it
 * service    a shared service does, or gates and services
 * violation  nothing grants a part of it
 */
function kindOf({ violation, grants }) {
  if (violation !== '') return 'violation';
  return grants.some(({ kind }) => kind === 'gate') ? 'gate' : 'service';
}

const signs = { violation: '✕', gate: '⇢', service: '•' };
const words = { violation: 'not granted', gate: 'through a gate', service: 'shared service' };

const sentenceOf = (one) => `${one.from} to ${one.to}: ${one.ports}, ${words[kindOf(one)]}`;

/** @param last ends of the crossing that was open before: its cell is the one that Tab goes to */
function matrix(names, crossings, last) {
  const places = new Map(names.map((name, index) => [name, index]));
  const rows = names.map(() => []);
  const columns = names.map(() => []);
  for (const one of crossings) {
    const [row, column] = [places.get(one.from), places.get(one.to)];
    if (row === undefined || column === undefined) continue;
    const cell = { row, column, one };
    rows[row].push(cell);
    columns[column].push(cell);
  }
  for (const line of rows) line.sort((a, b) => a.column - b.column);
  for (const line of columns) line.sort((a, b) => a.row - b.row);
  const cells = rows.flat();
  let current = cells.find(({ one }) => one.from === last?.from && one.to === last?.to) ?? cells[0];

  const longest = Math.min(22, Math.max(...names.map((name) => name.length)));
  const wide = Math.round(longest * 8.5) + 24;
  const high = Math.round(longest * 6.4) + 34;
  const layer = make('div', { class: 'layer' });
  const view = make(
    'div',
    {
      ...{ class: 'matrix', role: 'grid', tabindex: '-1', 'aria-rowcount': names.length + 1 },
      ...{ 'aria-colcount': names.length + 1, 'aria-label': 'Matrix of tenants. Rows reach columns.' },
    },
    layer,
  );
  layer.style.width = `${wide + names.length * side + high}px`;
  layer.style.height = `${high + names.length * side}px`;

  const placed = (element, left, top) => {
    if (left !== undefined) element.style.left = `${left}px`;
    if (top !== undefined) element.style.top = `${top}px`;
    return element;
  };
  const cellOf = (cell) => {
    const { row, column, one } = cell;
    const kind = kindOf(one);
    const anchor = make(
      'a',
      {
        ...{ href: fragment(['crossing', one.from, one.to]), class: kind, 'aria-label': sentenceOf(one) },
        ...{ title: sentenceOf(one), tabindex: cell === current ? '0' : '-1' },
      },
      signs[kind],
    );
    cell.anchor = anchor;
    anchor.addEventListener('focus', () => {
      current = cell;
    });
    const attributes = { class: 'cell', role: 'gridcell', 'aria-colindex': column + 2 };
    return placed(make('div', attributes, anchor), wide + column * side, undefined);
  };

  const draw = (isWhole) => {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = view;
    const range = (from, length, before) =>
      isWhole === true
        ? [0, names.length]
        : [
            Math.max(0, Math.floor((from - before) / side) - 4),
            Math.min(names.length, Math.ceil((from + length) / side) + 4),
          ];
    const [top, bottom] = range(scrollTop, clientHeight || 800, high);
    const [left, right] = range(scrollLeft, clientWidth || 1200, wide);
    const isFocused = view.contains(document.activeElement);
    const heads = names
      .slice(left, right)
      .map((name, index) =>
        placed(
          make(
            'div',
            { class: 'column', role: 'columnheader', 'aria-colindex': left + index + 2 },
            make('a', { href: fragment(['tenant', name]), tabindex: '-1', title: name }, name),
          ),
          wide + (left + index) * side,
          undefined,
        ),
      );
    const corner = make('div', { class: 'corner', role: 'columnheader', 'aria-colindex': 1 }, 'from ↓ to →');
    corner.style.width = `${wide}px`;
    const head = make('div', { class: 'head', role: 'row', 'aria-rowindex': 1 }, corner, ...heads);
    head.style.height = `${high}px`;
    const lines = names.slice(top, bottom).map((name, index) => {
      const row = top + index;
      const header = make(
        'div',
        { class: 'name', role: 'rowheader', 'aria-colindex': 1 },
        make('a', { href: fragment(['tenant', name]), tabindex: '-1', title: name }, name),
      );
      header.style.width = `${wide}px`;
      const own = placed(
        make('div', { class: 'own', title: `inside ${name}`, 'aria-hidden': 'true' }),
        wide + row * side,
      );
      const cells = rows[row].filter(({ column }) => column >= left && column < right).map(cellOf);
      return placed(
        make('div', { class: 'row', role: 'row', 'aria-rowindex': row + 2 }, header, own, ...cells),
        undefined,
        high + row * side,
      );
    });
    layer.replaceChildren(head, ...lines);
    if (isFocused && current?.anchor?.isConnected) current.anchor.focus({ preventScroll: true });
  };

  const goTo = (cell) => {
    if (cell === undefined) return;
    current = cell;
    const [x, y] = [cell.column * side, cell.row * side];
    if (x < view.scrollLeft) view.scrollLeft = x;
    if (x + wide + 2 * side > view.scrollLeft + view.clientWidth)
      view.scrollLeft = x + wide + 2 * side - view.clientWidth;
    if (y < view.scrollTop) view.scrollTop = y;
    if (y + high + 2 * side > view.scrollTop + view.clientHeight)
      view.scrollTop = y + high + 2 * side - view.clientHeight;
    draw();
    cell.anchor.focus({ preventScroll: true });
  };
  view.addEventListener('keydown', (event) => {
    if (current === undefined || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((view.clientHeight - high) / side) - 1);
    const nearest = (row) => cells.toSorted((a, b) => Math.abs(a.row - row) - Math.abs(b.row - row))[0];
    const [inRow, inColumn] = [rows[current.row], columns[current.column]];
    const next = {
      ArrowRight: () => inRow[inRow.indexOf(current) + 1],
      ArrowLeft: () => inRow[inRow.indexOf(current) - 1],
      ArrowDown: () =>
        inColumn[inColumn.indexOf(current) + 1] ?? rows.slice(current.row + 1).find((row) => row.length > 0)?.[0],
      ArrowUp: () =>
        inColumn[inColumn.indexOf(current) - 1] ?? rows.slice(0, current.row).findLast((row) => row.length > 0)?.[0],
      Home: () => (event.ctrlKey ? cells[0] : inRow[0]),
      End: () => (event.ctrlKey ? cells.at(-1) : inRow.at(-1)),
      PageDown: () => nearest(current.row + page),
      PageUp: () => nearest(current.row - page),
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    goTo(next());
  });
  let isWaiting = false;
  view.addEventListener('scroll', () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      draw();
    });
  });
  draw();
  // The size is known once it is part of the page.
  requestAnimationFrame(() => draw());
  // On paper nothing scrolls; more than this fits on no sheet, and the list of crossings has them all.
  if (names.length <= mostPrinted)
    for (const [moment, isWhole] of [
      ['beforeprint', true],
      ['afterprint', false],
    ])
      addEventListener(moment, () => view.isConnected && draw(isWhole));
  return view;
}

const mostPrinted = 60;

const legend = () =>
  make(
    'p',
    { class: 'legend' },
    ...['violation', 'gate', 'service'].flatMap((kind) => [
      make('span', { class: `key ${kind}`, 'aria-hidden': 'true' }, signs[kind]),
      ` ${words[kind]} `,
    ]),
    make(
      'span',
      { class: 'hint' },
      'Rows reach columns. Arrow keys go from cell to cell, Enter opens one, Escape comes back.',
    ),
  );
