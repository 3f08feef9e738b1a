// Opens cells, filters, searches and follows links. Without it every panel simply stands open.
'use strict';
document.documentElement.classList.add('scripted');

const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
const byId = (id) => document.getElementById(id);
const panelOf = (cell) => byId(cell.getAttribute('aria-controls'));

let lines = [];            // One entry a line of a table that opens: its cells and their panels.
let clauses = [];          // Those of the matrix.
let cellOf = new Map();    // From a panel to the cell that opens it.
const chosen = new Set();  // The filters of the matrix that are pressed.

function survey() {
  lines = all('tr.line').map((line) => {
    const cells = all('button.cell', line);
    return {line, cells, panels: cells.map(panelOf)};
  });
  clauses = lines.filter((entry) => entry.line.closest('#matrix') !== null);
  cellOf = new Map(lines.flatMap((entry) => entry.cells.map((cell, n) => [entry.panels[n], cell])));
}

function show(panel, open) {
  panel.classList.toggle('open', open);
  cellOf.get(panel).setAttribute('aria-expanded', String(open));
}

function closePanel(panel) {
  show(panel, false);
  cellOf.get(panel).focus();
}

function toggleCell(cell) {
  const panel = panelOf(cell);
  show(panel, !panel.classList.contains('open'));
  if (panel.classList.contains('open')) history.replaceState(null, '', `#${cell.parentElement.id}`);
}

// The text of a clause and all that its cells hold; made when it is first searched.
function words(entry) {
  if (entry.words === undefined) {
    const ids = entry.panels.flatMap((panel) => all('[id]', panel).map((each) => each.id));
    const texts = [entry.line, ...entry.panels].map((each) => each.textContent);
    entry.words = [...texts, ...ids].join('\n').toLowerCase();
  }
  return entry.words;
}

function has(panel, filters) {
  return filters.size === 0 || panel.dataset.has.split(' ').some((each) => filters.has(each));
}

// Takes away a line, or what of it does not have what the filters ask for.
function siftLine(entry, filters, isFound) {
  const kept = entry.panels.map((panel) => has(panel, filters));
  const stays = (filters.size === 0 || kept.includes(true)) && isFound;
  entry.line.classList.toggle('out', !stays);
  entry.panels.forEach((panel, n) => {
    panel.classList.toggle('out', !(stays && kept[n]));
    entry.cells[n].classList.toggle('dim', !kept[n]);
  });
  return stays;
}

function sift() {
  const query = byId('search').value.trim().toLowerCase();
  const shown = clauses.filter((entry) => siftLine(entry, chosen, query === '' || words(entry).includes(query))).length;
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

function linked() {
  const name = location.hash.slice(1);
  try {
    return byId(name) ?? byId(decodeURIComponent(name));
  } catch {  // A lone percent sign is no escape.
    return null;
  }
}

// A link may name a cell, a row within one, or a finding: whatever hides it is opened first.
function follow() {
  const target = linked();
  if (target === null) return;
  const cell = target.querySelector(':scope > button.cell');
  const panel = cell === null ? target.closest('tr.panel') : panelOf(cell);
  if (panel === null && target.tagName !== 'DETAILS') return;
  if (panel !== null) {
    if (panel.classList.contains('out')) showAll();
    show(panel, true);
  }
  for (let each = target; each !== null; each = each.parentElement) {
    if (each.tagName === 'DETAILS') each.open = true;
  }
  target.scrollIntoView({block: 'start', inline: 'nearest'});
  const seen = cell === null ? target : panel.querySelector('.sheet');
  seen.classList.remove('arrived');
  void seen.offsetWidth;  // Restarts the animation.
  seen.classList.add('arrived');
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
    all('#matrix tr.panel:is(.fail, .error, .unreached)').forEach((panel) => show(panel, true));
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
  new ResizeObserver(() => measure(bar)).observe(bar);
}

document.addEventListener('DOMContentLoaded', () => {
  survey();
  if (byId('matrix') !== null) prepareMatrix();
  document.addEventListener('click', onClick);
  document.addEventListener('keydown', onKey);
  window.addEventListener('hashchange', follow);
  follow();
});
