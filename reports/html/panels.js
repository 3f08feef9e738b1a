// Makes what a cell or a finding opens, out of the data that evidence.py wrote.
'use strict';

const marks = (kind) => JSON.parse(document.body.dataset[kind]);

function badge(verdict, kind) {
  const glyph = make('span', {class: 'glyph', 'aria-hidden': 'true'}, marks(kind)[verdict]);
  return make('span', {class: `badge ${verdict}`}, glyph, ` ${verdict}`);
}

const term = (what, ...children) => [make('dt', {}, what), make('dd', {}, ...children)];
const told = (what, text) => (text === '' ? []
  : [make('dt', {}, what), make('dd', {class: what.toLowerCase().replace(/ /g, '-')}, make('bdi', {}, text))]);

// A line ends after a word of the command, never after the hyphens of an option.
function repeatedBy(command) {
  const words = command.split(' ').flatMap((word) => [' ', make('span', {}, word)]).slice(1);
  const button = make('button', {type: 'button', class: 'copy', 'data-copy': command, 'aria-label': 'Copy the command'}, 'Copy');
  return [make('dt', {}, 'Repeat'), make('dd', {class: 'repeat'}, make('code', {}, ...words), button)];
}

function planOf(plan) {
  const rules = plan.map(([rule, seen, fired]) => make('li', {}, make('code', {}, rule), seen === undefined ? ''
    : [' ', make('span', {class: 'fired'}, `matched ${grouped(seen)}, fired ${grouped(fired)}`)]));
  return rules.length === 0 ? [] : term('Plan', make('ul', {class: 'plan'}, ...rules));
}

function stepsOf(did) {
  const steps = did.map((step) => make('li', {class: step.startsWith(' ') ? 'came' : 'step'}, step.trim()));
  return steps.length === 0 ? [] : term('Done', make('ol', {}, ...steps));
}

function traceOf(trace) {
  if (trace.length === 0) return [];
  const lines = trace.map(([kind, line]) => [
    kind === 'injected' ? make('mark', {}, line) : make('span', kind === 'note' ? {class: 'note'} : {}, line), '\n']);
  return term('Trace', make('pre', {class: 'trace', tabindex: '0', role: 'group', 'aria-label': 'Trace'}, ...lines.flat()));
}

// Beside each other, as the threads were.
function stacksOf(stacks) {
  const blocks = stacks.map(([head, frames]) => make('figure', {}, make('figcaption', {}, head),
    make('pre', {tabindex: '0', role: 'group', 'aria-label': head}, frames.join('\n'))));
  return blocks.length === 0 ? [] : term('Stacks', make('div', {class: 'stacks'}, ...blocks));
}

function saidOf(said) {
  if (said === '') return [];
  return term('Said', make('pre', {tabindex: '0', role: 'group', 'aria-label': 'What the subject wrote'}, make('bdi', {}, said)));
}

const evidenceOf = (run) => [...planOf(run.plan), ...stepsOf(run.did), ...saidOf(run.said), ...stacksOf(run.stacks), ...traceOf(run.trace)];

// One run of an outcome, by what evidence.py left out because it follows from the names.
function runOf(data, part, testCase, [variant, anchor, repeat, full]) {
  const usual = `${data.cells[part].name}/${testCase.name}@${variant}`;
  return {variant, anchor: anchor || usual, repeat: repeat || `hark replay ${usual}`, full};
}

const anchorsOf = (data, part) => data.cases.flatMap((each) => (each.on[part] ?? [])
  .flatMap((outcome) => outcome.runs.map((run) => runOf(data, part, each, run).anchor)));

// All that a search of a clause looks into.
const searchable = (data) => [...textsOf(data), ...data.cells.flatMap((_, part) => anchorsOf(data, part))];

function tagOf(tag, loud) {
  return tag === '' ? '' : [' ', make('span', {class: loud ? 'tag loud' : 'tag'}, tag)];
}

// What is told of the run that is chosen among those with one outcome.
function detailsOf(outcome, run) {
  const recorded = outcome.recorded.map(([name, value]) => make('li', {}, `${name}: `, make('bdi', {}, value)));
  return make('dl', {}, ...outcome.said.flatMap(([what, text]) => told(what, text)),
    ...(recorded.length === 0 ? [] : term('Recorded', make('ul', {class: 'facts'}, ...recorded))),
    ...(run.full ? evidenceOf(run.full) : told('Evidence', 'not kept in this page: the command prints its steps and its trace')),
    ...repeatedBy(run.repeat));
}

const MOST_CHIPS = 400;

function chipsOf(outcome, runs, chosen, choose) {
  const first = runs.slice(0, MOST_CHIPS);
  const chips = (first.includes(chosen) ? first : [...first, chosen]).map((run) => {
    const chip = make('button', {type: 'button', class: 'chip', id: run.anchor, 'aria-pressed': String(run === chosen)}, run.variant);
    chip.addEventListener('click', () => choose(run));
    return chip;
  });
  const left = runs.length - chips.length;
  return make('p', {class: 'chips', role: 'group', 'aria-label': 'Variants with this outcome'}, ...chips,
    left > 0 ? make('span', {class: 'place'}, `and ${grouped(left)} more, each of which a link opens`) : '');
}

// What a closed outcome shows of itself.
function gistOf(outcome) {
  const said = new Map(outcome.said);
  const text = said.get('Seen') ?? said.get('Message') ?? said.get('Reason');
  return text === undefined ? '' : [' ', make('bdi', {class: 'gist'}, text.slice(0, 200))];
}

// The outcome of one case: its details are made when it is opened, for the run that a link names or the first.
function outcomeOf(data, part, testCase, outcome, sentence, wanted, open) {
  const runs = outcome.runs.map((run) => runOf(data, part, testCase, run));
  const linked = runs.find((run) => run.anchor === wanted);
  const alone = runs.length === 1;
  const summary = make('summary', {}, badge(outcome.verdict, 'marks'),
    sentence === '' ? '' : [' ', make('span', {class: 'sentence'}, sentence)],
    outcome.how === '' ? '' : [' ', make('span', {class: 'how'}, outcome.how)],
    ' ', make('span', {class: 'variant'}, alone ? runs[0].variant : `in ${grouped(runs.length)} variants`),
    tagOf(outcome.tag, outcome.loud), outcome.quiet ? '' : gistOf(outcome));
  const body = make('div', {class: 'body'});
  const element = make('details', {class: `outcome ${outcome.verdict}`, id: alone ? runs[0].anchor : false}, summary, body);
  const choose = (run, again) => {
    body.replaceChildren(...(alone ? [] : [chipsOf(outcome, runs, run, (other) => choose(other, true))]), detailsOf(outcome, run));
    if (again) byId(run.anchor).focus();
  };
  const fill = () => body.hasChildNodes() || choose(linked ?? runs[0]);
  element.addEventListener('toggle', fill);
  if (linked !== undefined || open) {
    fill();
    element.open = true;
  }
  return element;
}

// How each other subject fared: the weightiest verdict, and a link to where it is told.
function elsewhere(label, fared) {
  return make('div', {class: 'elsewhere'}, make('span', {class: 'label'}, label),
    make('ul', {'aria-label': label}, ...fared.map(({verdict, kind, name, anchor, note, tag}) => make('li', {},
      verdict === '' ? make('span', {class: 'place'}, `${name}: not run`)
        : make('a', {href: `#${anchor}`}, badge(verdict, kind), ` ${name}`),
      note ? make('span', {class: 'place'}, ` ${note}`) : '', tagOf(tag ?? '', tag === 'unexpected')))));
}

const share = (count, total) => (count === total ? grouped(total) : `${grouped(count)} of ${grouped(total)}`);

function others(data, part) {
  const fared = data.cells.map((cell) => ({verdict: cell.verdict, kind: 'marks', name: cell.name, anchor: cell.anchor,
    note: cell.verdict && [cell.how, share(cell.count, cell.total)].filter(Boolean).join(', '), tag: cell.tag}))
    .filter((_, n) => n !== part);
  return fared.length === 0 ? '' : elsewhere('The other subjects', fared);
}

function othersInCase(data, part, testCase) {
  const fared = data.cells.map((cell, n) => ({cell, n, outcomes: testCase.on[n]})).filter(({n, outcomes}) => n !== part && outcomes)
    .map(({cell, n, outcomes: [outcome]}) => ({verdict: outcome.verdict, kind: 'marks', name: cell.name, note: outcome.how,
      anchor: runOf(data, n, testCase, outcome.runs[0]).anchor}));
  return fared.length === 0 ? '' : elsewhere('This case elsewhere', fared);
}

function caseOf(data, part, testCase, wanted) {
  const outcomes = testCase.on[part];
  const isQuiet = outcomes.length === 1 && outcomes[0].quiet;
  const where = make('span', {class: 'where'}, `${testCase.name}, ${testCase.where}`);
  if (isQuiet) {
    const element = outcomeOf(data, part, testCase, outcomes[0], testCase.sentence, wanted, false);
    element.firstChild.after(where);
    return make('section', {class: 'case quiet'}, element);
  }
  return make('section', {class: 'case'}, make('h4', {}, testCase.sentence, ' ', where), othersInCase(data, part, testCase),
    ...outcomes.map((outcome, n) => outcomeOf(data, part, testCase, outcome, '', wanted, n === 0 && !outcome.quiet)));
}

function headOf(title, whose, anchor, label) {
  return make('header', {}, make('h3', {}, title, ' ', make('span', {class: 'whose'}, whose)),
    make('a', {class: 'link', href: `#${anchor}`, 'aria-label': 'Link to this cell'}, '#'),
    make('button', {type: 'button', class: 'close', 'aria-label': `Close ${label}`}, 'Close'));
}

// The document marks what is code as Markdown does.
const withCode = (text) => text.split(/`([^`]+)`/).map((piece, n) => (n % 2 === 1 ? make('code', {}, piece) : piece));

// The document's own words, the same in English, and where they stand.
function wordsOf(data) {
  const [code, language] = data.language;
  const policy = data.policy === 'document' ? '' : `, policy ${data.policy}`;
  return make('figure', {class: 'words'},
    data.sentence === '' ? '' : make('blockquote', {lang: code, dir: 'auto'}, ...withCode(data.sentence)),
    make('figcaption', {}, make('span', {class: 'promise', lang: 'en'}, data.promise),
      make('span', {class: 'place'}, `${data.sentence === '' ? '' : `the document in ${language}, `}${data.place}; ${data.level}${policy}`)));
}

function remarkOf(data, cell) {
  if (data.contradicts === '') return '';
  return make('p', {class: 'remark'}, 'The document contradicts itself here: see ',
    make('a', {href: `#${cell.other}`}, data.contradicts), ' and ', make('a', {href: '#contradictions'}, 'which of the two is followed'), '.');
}

const VERDICTS = ['fail', 'error', 'unreached', 'unsupported', 'recorded', 'pass'];

function clauseSheet(data, part, wanted) {
  const cell = data.cells[part];
  const cases = data.cases.filter((each) => each.on[part] !== undefined);
  // What a reader must see first; of equals in the order of the run.
  const urgency = ({on: {[part]: [first]}}) => [first.loud ? 0 : 1, VERDICTS.indexOf(first.verdict)];
  const byUrgency = (one, other) => urgency(one)[0] - urgency(other)[0] || urgency(one)[1] - urgency(other)[1];
  const label = `${cell.name}, ${data.id}`;
  return make('div', {class: 'sheet', role: 'region', 'aria-label': label},
    headOf(data.id, cell.name, cell.anchor, label), wordsOf(data), remarkOf(data, cell), others(data, part),
    ...cases.sort(byUrgency).map((each) => caseOf(data, part, each, wanted)));
}

function partOf(cell, part) {
  const line = make('p', {}, badge(part.outcome, 'letters'), part.how === '' ? '' : [' ', make('span', {class: 'how'}, part.how)],
    ' ', make('span', {class: 'variant'}, `${grouped(part.count)} of ${counted(cell.total, 'run')}`),
    part.policy === '' ? '' : tagOf(`policy ${part.policy}`, false),
    part.finding === '' ? '' : [' ', make('a', {href: `#${part.finding}`}, `the finding${part.traced ? ', with its trace' : ''}`)]);
  return make('div', {class: `outcome ${part.outcome}`}, line,
    make('dl', {}, ...term(part.count > 1 ? 'A case' : 'Case', make('code', {}, part.case)), ...told('Seen', part.seen),
      ...planOf(part.plan), ...repeatedBy(part.repeat)));
}

function spotSheet(data, part) {
  const cell = data.cells[part];
  const label = `${cell.call} ${cell.errno}`;
  const fared = cell.others.map((other) => ({verdict: other.outcome, kind: 'letters', name: other.name, anchor: other.anchor,
    note: other.outcome && `at ${counted(other.sites, 'call site')}`}));
  return make('div', {class: 'sheet', role: 'region', 'aria-label': label}, headOf(label, cell.site, cell.anchor, label),
    fared.length === 0 ? '' : elsewhere('The other subjects', fared), ...cell.parts.map((each) => partOf(cell, each)));
}

const findingDetails = (finding) => make('dl', {}, ...told('Seen', finding.seen), ...term('Case', make('code', {}, finding.case)),
  ...evidenceOf(finding), ...repeatedBy(finding.repeat));

const refused = (error) => make('p', {class: 'sheet', role: 'alert'},
  `This browser cannot unpack the evidence (${error.message}). hark report --format markdown tells it without a browser.`);
