// Opens cells, filters, searches and follows links. Without it every panel simply stands open.
'use strict';
document.documentElement.classList.add('scripted');

const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
const byId = (id) => document.getElementById(id);
const panelOf = (cell) => byId(cell.getAttribute('aria-controls'));

let lines = [];            // One entry a clause: its line of the table, its cells and their panels.
let cellOf = new Map();    // From a panel to the cell that opens it.
const chosen = new Set();  // The filters that are pressed.

function survey() {
  lines = all('tr.line').map((line) => {
    const cells = all('button.cell', line);
    return {line, cells, panels: cells.map(panelOf)};
  });
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

function isChosen(panel) {
  return chosen.size === 0 || panel.dataset.has.split(' ').some((each) => chosen.has(each));
}

function sift() {
  const query = byId('search').value.trim().toLowerCase();
  let shown = 0;
  for (const entry of lines) {
    const kept = entry.panels.map(isChosen);
    const stays = (chosen.size === 0 || kept.includes(true)) && (query === '' || words(entry).includes(query));
    entry.line.classList.toggle('out', !stays);
    entry.panels.forEach((panel, n) => {
      panel.classList.toggle('out', !(stays && kept[n]));
      entry.cells[n].classList.toggle('dim', !kept[n]);
    });
    shown += stays ? 1 : 0;
  }
  for (const chapter of all('.matrix tbody')) {
    chapter.classList.toggle('out', chapter.querySelector('.line:not(.out)') === null);
  }
  byId('shown').textContent = shown === lines.length ? `${shown} clauses` : `${shown} of ${lines.length} clauses`;
  byId('empty').hidden = shown > 0;
}

function press(filter, on) {
  filter.setAttribute('aria-pressed', String(on));
  chosen[on ? 'add' : 'delete'](filter.dataset.filter);
}

function showAll() {
  byId('search').value = '';
  all('.filter').forEach((filter) => press(filter, false));
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

// A link may name a cell or a row within one: whatever hides it is opened first.
function follow() {
  const target = linked();
  const cell = target?.querySelector(':scope > button.cell') ?? null;
  const panel = cell === null ? target?.closest('tr.panel') ?? null : panelOf(cell);
  if (panel === null) return;
  if (panel.classList.contains('out')) showAll();
  show(panel, true);
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
  const rows = lines.filter((entry) => !entry.line.classList.contains('out'));
  const row = rows.findIndex((entry) => entry.cells.includes(cell));
  const step = {ArrowUp: -1, ArrowDown: 1, ArrowLeft: -1, ArrowRight: 1}[key];
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const cells = rows[row].cells;
    cells[cells.indexOf(cell) + step]?.focus();
    return;
  }
  const column = cell.parentElement.cellIndex;
  for (let n = row + step; n >= 0 && n < rows.length; n += step) {
    const next = rows[n].line.children[column].querySelector('button.cell');
    if (next !== null) return next.focus();
  }
}

// The table's head sticks below the bar, whose height depends on the width of the window.
function measure() {
  const bar = document.querySelector('.bar');
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
    sift();
  } else if (button.classList.contains('copy')) {
    copy(button);
  } else if (button.classList.contains('close')) {
    closePanel(button.closest('tr.panel'));
  } else if (button.id === 'clear') {
    showAll();
  } else if (button.id === 'close-all') {
    all('tr.panel').forEach((panel) => show(panel, false));
  } else if (button.id === 'open-bad') {
    all('tr.panel.fail, tr.panel.error, tr.panel.unreached').forEach((panel) => show(panel, true));
  }
}

function onKey(event) {
  const on = event.target;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === '/' && on.tagName !== 'INPUT') {
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

document.addEventListener('DOMContentLoaded', () => {
  survey();
  sift();
  measure();
  document.addEventListener('click', onClick);
  document.addEventListener('keydown', onKey);
  byId('search').addEventListener('input', sift);
  window.addEventListener('hashchange', follow);
  new ResizeObserver(measure).observe(document.querySelector('.bar'));
  follow();
});
