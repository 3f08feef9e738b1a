// Opens cells, filters, searches and follows links. Without it the page still tells every verdict.
'use strict';
document.documentElement.classList.add('scripted');

const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
const byId = (id) => document.getElementById(id);

let lines = [];            // One entry a line of a table that opens, with its cells.
let clauses = [];          // Those of the matrix.
const panelOf = new Map(); // From a cell to what it opened, and back.
const cellOf = new Map();
const chosen = new Set();  // The filters of the matrix that are pressed.
let turn = 0;              // Which search was asked for last.

function survey() {
  lines = all('tr.line').map((line) => ({line, cells: all('button.cell', line)}));
  clauses = lines.filter((entry) => entry.line.closest('#matrix') !== null);
}

function show(panel, open) {
  panel.classList.toggle('open', open);
  cellOf.get(panel).setAttribute('aria-expanded', String(open));
}

function closePanel(panel) {
  show(panel, false);
  cellOf.get(panel).focus();
}

// An empty row for what the cell opens, below its line and beside those of the line's other cells.
function panelFor(cell) {
  const line = cell.closest('tr');
  const before = all('button.cell', line).filter((each) => panelOf.has(each) && Number(each.dataset.part) < Number(cell.dataset.part));
  const verdict = Array.from(cell.classList).find((name) => name in marks('marks') || name in marks('letters'));
  const panel = make('tr', {class: `panel ${verdict}`, id: `panel!${cell.parentElement.id}`},
    make('td', {colspan: line.closest('table').tHead.rows[0].cells.length}));
  (before.length === 0 ? line : panelOf.get(before.at(-1))).after(panel);
  panelOf.set(cell, panel);
  cellOf.set(panel, cell);
  cell.setAttribute('aria-controls', panel.id);
  return panel;
}

// While it is unpacked the panel says that it is busy.
async function fill(element, name, sheet) {
  element.setAttribute('aria-busy', 'true');
  try {
    element.replaceChildren(sheet(await evidence(name)));
  } catch (error) {
    element.replaceChildren(refused(error));
  }
  element.removeAttribute('aria-busy');
}

async function openCell(cell, wanted = '') {
  const isNew = !panelOf.has(cell);
  const panel = isNew ? panelFor(cell) : panelOf.get(cell);
  show(panel, true);
  if (!isNew && (wanted === '' || byId(wanted) !== null)) return;
  const sheet = cell.closest('#matrix') === null ? spotSheet : clauseSheet;
  await fill(panel.firstChild, cell.closest('tr').dataset.evidence, (data) => sheet(data, Number(cell.dataset.part), wanted));
}

function toggleCell(cell) {
  if (panelOf.get(cell)?.classList.contains('open')) return show(panelOf.get(cell), false);
  openCell(cell);
  history.replaceState(null, '', `#${cell.parentElement.id}`);
}

async function openFinding(details) {
  if (details.children.length > 1 || details.dataset.evidence === undefined) return;
  const body = make('div', {class: 'body'});
  details.append(body);
  await fill(body, details.dataset.evidence, (findings) => findingDetails(findings[Number(details.dataset.part)]));
}

// The text of a clause and all that its cells hold; unpacked when it is first searched.
async function readWords(entry) {
  if (entry.words !== undefined) return;
  let texts = [];
  try {
    texts = searchable(await evidence(entry.line.dataset.evidence));
  } catch {  // What stands in the page can be searched all the same.
  }
  entry.words = [entry.line.textContent, ...texts].join('\n').toLowerCase();
}

// One after another, so that the page stays quick meanwhile.
async function readAllWords() {
  for (const entry of clauses) await readWords(entry);
}

const has = (cell, filters) => filters.size === 0 || cell.dataset.has.split(' ').some((each) => filters.has(each));

// Takes away a line, or what of it does not have what the filters ask for.
function siftLine(entry, filters, isFound) {
  const kept = entry.cells.map((cell) => has(cell, filters));
  const stays = (filters.size === 0 || kept.includes(true)) && isFound;
  entry.line.classList.toggle('out', !stays);
  entry.cells.forEach((cell, n) => {
    panelOf.get(cell)?.classList.toggle('out', !(stays && kept[n]));
    cell.classList.toggle('dim', !kept[n]);
  });
  return stays;
}

async function sift() {
  const mine = ++turn;
  const query = byId('search').value.trim().toLowerCase();
  if (query !== '') {
    byId('matrix').setAttribute('aria-busy', 'true');
    byId('shown').textContent = 'searching…';
    await readAllWords();
    if (mine !== turn) return;
  }
  byId('matrix').removeAttribute('aria-busy');
  const shown = clauses.filter((entry) => siftLine(entry, chosen, query === '' || entry.words.includes(query))).length;
  for (const chapter of all('.matrix tbody')) {
    chapter.classList.toggle('out', chapter.querySelector('.line:not(.out)') === null);
  }
  byId('shown').textContent = shown === clauses.length ? `${shown} clauses` : `${shown} of ${clauses.length} clauses`;
  byId('empty').hidden = shown > 0;
}

function siftFaults(section) {
  const filters = new Set(all('.filter[aria-pressed="true"]', section).map((each) => each.dataset.filter));
  lines.filter((entry) => section.contains(entry.line)).forEach((entry) => siftLine(entry, filters, true));
  for (const map of all('.map', section)) {
    map.classList.toggle('out', map.querySelector('.line:not(.out)') === null);
  }
}

function press(filter, on) {
  filter.setAttribute('aria-pressed', String(on));
  const section = filter.closest('.faults');
  if (section !== null) return siftFaults(section);
  chosen[on ? 'add' : 'delete'](filter.dataset.filter);
}

function showAll() {
  all('.filter').forEach((filter) => press(filter, false));
  if (clauses.length === 0) return;
  byId('search').value = '';
  sift();
}

function linkedName() {
  const name = location.hash.slice(1);
  try {
    return byId(name) === null ? decodeURIComponent(name) : name;
  } catch {  // A lone percent sign is no escape.
    return name;
  }
}

// The cell that holds a run: its link begins with the cell's, unless it was too long to be kept whole.
async function cellWith(name) {
  document.body.setAttribute('aria-busy', 'true');
  try {
    return await cellAmong(name);
  } catch {  // What cannot be unpacked cannot be searched.
    return null;
  } finally {
    document.body.removeAttribute('aria-busy');
  }
}

async function cellAmong(name) {
  const cells = clauses.flatMap((entry) => entry.cells.map((cell) => ({entry, cell})));
  const likely = ({cell}) => name.startsWith(`${cell.parentElement.id}.`);
  for (const {entry, cell} of [...cells.filter(likely), ...cells.filter((each) => !likely(each))]) {
    const data = await evidence(entry.line.dataset.evidence);
    if (anchorsOf(data, Number(cell.dataset.part)).includes(name)) return cell;
  }
  return null;
}

function arrive(target, seen) {
  for (let each = target; each !== null; each = each.parentElement) {
    if (each.tagName === 'DETAILS') each.open = true;
  }
  target.scrollIntoView({block: 'start', inline: 'nearest'});
  seen.classList.remove('arrived');
  void seen.offsetWidth;  // Restarts the animation.
  seen.classList.add('arrived');
}

// A link may name a cell, a run within one, or a finding: whatever hides it is opened first.
async function follow() {
  const name = linkedName();
  if (name === '') return;
  const target = byId(name);
  if (target !== null && target.tagName === 'DETAILS') {
    await openFinding(target);
  } else if (target !== null && target.querySelector(':scope > button.cell') === null && target.closest('tr.panel') === null) {
    return;  // A section, to which the browser goes by itself.
  }
  if (target !== null && target.closest('tr.panel, td[id]') === null) return arrive(target, target);
  const inPanel = target?.closest('tr.panel') ?? null;
  const cell = target?.querySelector(':scope > button.cell') ?? (inPanel === null ? await cellWith(name) : cellOf.get(inPanel));
  if (cell === null || linkedName() !== name) return;
  if (cell.closest('tr').classList.contains('out') || cell.classList.contains('dim')) showAll();
  await openCell(cell, name === cell.parentElement.id ? '' : name);
  if (byId(name) === null) return;  // It could not be unpacked, and the cell says so.
  if (byId(name).getAttribute('aria-pressed') === 'false') byId(name).click();  // A variant: it is chosen.
  const place = byId(name);
  arrive(place, place.contains(cell) ? panelOf.get(cell).querySelector('.sheet') : place);
}

async function copy(button) {
  let copied = true;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    copied = copyBySelection(button.dataset.copy);
  }
  if (button.classList.contains('done')) return;
  const label = button.textContent;
  button.textContent = copied ? 'Copied' : 'Not copied';
  button.classList.add('done');
  setTimeout(() => {
    button.textContent = label;
    button.classList.remove('done');
  }, 1200);
}

// Where there is no clipboard for pages, as with a file opened in some browsers.
function copyBySelection(text) {
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}

// Arrow keys walk over the cells that are in sight: up and down a column, along a line.
function walk(cell, key) {
  const section = cell.closest('section');
  const rows = lines.filter((entry) => section.contains(entry.line) && !entry.line.classList.contains('out'));
  const row = rows.findIndex((entry) => entry.cells.includes(cell));
  const step = {ArrowUp: -1, ArrowDown: 1, ArrowLeft: -1, ArrowRight: 1}[key];
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const cells = rows[row].cells;
    cells[cells.indexOf(cell) + step]?.focus();
    return;
  }
  const column = cell.parentElement.cellIndex;
  const table = cell.closest('table');
  for (let n = row + step; n >= 0 && n < rows.length; n += step) {
    const {line, cells} = rows[n];
    // Another call of the fault map has columns of its own.
    const isOther = line.closest('table') !== table;
    const next = isOther ? cells[0] : line.children[column].querySelector('button.cell');
    if (next) return next.focus();
  }
}

// The table's head sticks below the bar, whose height depends on the width of the window.
function measure(bar) {
  const stuck = getComputedStyle(bar).position === 'sticky';
  document.documentElement.style.setProperty('--bar', stuck ? `${bar.offsetHeight}px` : '0px');
}

function onClick(event) {
  const button = event.target.closest('button');
  if (button === null) return;
  if (button.classList.contains('cell')) {
    toggleCell(button);
  } else if (button.classList.contains('filter')) {
    press(button, button.getAttribute('aria-pressed') !== 'true');
    if (button.closest('#matrix') !== null) sift();
  } else if (button.classList.contains('copy')) {
    copy(button);
  } else if (button.classList.contains('close')) {
    closePanel(button.closest('tr.panel'));
  } else if (button.id === 'clear') {
    showAll();
  } else if (button.classList.contains('close-all')) {
    all('tr.panel', button.closest('section')).forEach((panel) => show(panel, false));
  } else if (button.id === 'open-bad') {
    all('#matrix button.cell:is(.fail, .error, .unreached)').forEach((cell) => openCell(cell));
  }
}

function onKey(event) {
  const on = event.target;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === '/' && on.tagName !== 'INPUT' && byId('search') !== null) {
    byId('search').focus();
  } else if (event.key === 'Escape' && on.closest('tr.panel') !== null) {
    closePanel(on.closest('tr.panel'));
  } else if (event.key.startsWith('Arrow') && on.classList.contains('cell')) {
    walk(on, event.key);
  } else {
    return;
  }
  event.preventDefault();
}

function prepareMatrix() {
  const bar = document.querySelector('.bar');
  sift();
  measure(bar);
  byId('search').addEventListener('input', sift);
  byId('search').addEventListener('focus', readAllWords);
  new ResizeObserver(() => measure(bar)).observe(bar);
}

// Paper has no way to open a list.
function openForPaper() {
  const lists = all('details.list:not([open])');
  lists.forEach((list) => { list.open = true; });
  window.addEventListener('afterprint', () => lists.forEach((list) => { list.open = false; }), {once: true});
}

document.addEventListener('DOMContentLoaded', () => {
  survey();
  if (byId('matrix') !== null) prepareMatrix();
  all('details[data-evidence]').forEach((details) => {
    details.addEventListener('toggle', () => openFinding(details));
    if (details.open) openFinding(details);
  });
  document.addEventListener('click', onClick);
  document.addEventListener('keydown', onKey);
  window.addEventListener('hashchange', follow);
  window.addEventListener('beforeprint', openForPaper);
  follow();
});
