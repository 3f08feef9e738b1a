// Unpacks the evidence that the page carries as data. What comes out of it is only ever set as text.
'use strict';

const unpacked = new Map();  // From the name of a piece to the promise of what is in it.

// A browser that cannot unpack leaves the promise broken, and whoever asked says so.
function evidence(name) {
  if (!unpacked.has(name)) unpacked.set(name, unpack(byId(`evidence!${name}`).textContent));
  return unpacked.get(name);
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Response(stream).json();
}

// Every text in a value, for the search.
function textsOf(value, found = []) {
  if (typeof value === 'string') {
    found.push(value);
  } else if (value !== null && typeof value === 'object') {
    for (const each of Object.values(value)) textsOf(each, found);
  }
  return found;
}

// An element; what is neither an element nor nothing becomes text in it.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== '' && child !== null));
  return element;
}

// As Python's grouped(): 12 345, with spaces that do not break.
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, '\u202f');
const counted = (number, what) => `${grouped(number)} ${what}${number === 1 ? '' : 's'}`;
