// What the book adds to mdBook's own scripts. Without it every page can be read.
'use strict';

const all = selector => [...document.querySelectorAll(selector)];

// A private window may refuse to remember.
function remember(key, value) {
  try { localStorage.setItem(key, value); } catch { }
}
function recall(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

// What a block of code shows: the file above it, its tab, or what a shell says.
function nameOf(pre) {
  const pair = pre.closest('.pair');
  const place = pair && [...pair.querySelectorAll('pre')].indexOf(pre);
  const label = pair?.querySelectorAll('label')[place];
  const file = pre.previousElementSibling;
  if (label) return label.textContent;
  if (file?.matches('.file')) return file.textContent;
  return pre.querySelector('.language-console') ? 'the command' : 'the output';
}

// What scrolls is reached by the Tab key, and has a name; what does not, is not.
function markScrolling(box) {
  const name = box.matches('code') ? nameOf(box.parentElement) : 'table';
  const marks = { tabindex: 0, role: 'group', 'aria-label': `${name}, scrolls` };
  const scrolls = box.scrollWidth > box.clientWidth;
  for (const [mark, value] of Object.entries(marks)) {
    scrolls ? box.setAttribute(mark, value) : box.removeAttribute(mark);
  }
}
const sizes = new ResizeObserver(entries => entries.forEach(entry => markScrolling(entry.target)));
all('pre > code, .table-wrapper').forEach(box => sizes.observe(box));

// There the arrow keys scroll; elsewhere mdBook turns the page by them.
document.addEventListener('keydown', event => {
  const arrow = event.key === 'ArrowLeft' || event.key === 'ArrowRight';
  if (arrow && event.target.closest('pre, .table-wrapper')) event.stopPropagation();
}, true);

// mdBook copies what this returns. Of a shell's block, the commands are of use.
const wholeText = window.playground_text;
window.playground_text = (pre, hidden) => {
  const text = wholeText(pre, hidden);
  const commands = text.split('\n').filter(line => line.startsWith('$ ')).map(line => line.slice(2));
  return pre.querySelector('.language-console') && commands.length ? commands.join('\n') : text;
};
for (const button of all('.clip-button')) {
  button.title = `Copy ${nameOf(button.closest('pre'))}`;
  button.setAttribute('aria-label', button.title);
}

// Who chooses a language in one pair wants it in all. The page moves, the tab does not.
function show(language) {
  for (const input of all(`.pair > input[id$="-${language}"]`)) input.checked = true;
}
document.addEventListener('change', event => {
  const language = event.target.matches('.pair > input') && event.target.id.split('-').pop();
  if (!language) return;
  const place = () => event.target.nextElementSibling.getBoundingClientRect().top;
  const before = place();
  show(language);
  window.scrollBy({ top: place() - before, behavior: 'instant' });
  remember('language', language);
});
show(recall('language') === 'rust' ? 'rust' : 'python');

// The site makes mdBook's sidebar toggle a real button; here it gets its work.
// Where the sidebar covers the page, it goes when it has served.
document.addEventListener('click', ({ target }) => {
  const toggle = document.getElementById('mdbook-sidebar-toggle-anchor');
  const covers = toggle.checked && matchMedia('(max-width: 620px)').matches;
  const served = covers && target.closest('#mdbook-sidebar a, .page');
  if (served || target.closest('#mdbook-sidebar-toggle')) toggle.click();
});

// Paper is white, and nothing on it opens by a click.
const STYLES = { coal: 'tomorrow-night', navy: 'tomorrow-night', ayu: 'ayu-highlight' };
function setTheme(before, theme) {
  document.documentElement.classList.replace(before, theme);
  for (const sheet of all('#mdbook-highlight-css, #mdbook-tomorrow-night-css, #mdbook-ayu-highlight-css')) {
    sheet.disabled = sheet.id !== `mdbook-${STYLES[theme] ?? 'highlight'}-css`;
  }
}
let fromPaper = null;
function toPaper() {
  if (fromPaper) return;
  const theme = all('.theme').map(button => button.id.split('-').pop())
    .find(name => document.documentElement.classList.contains(name));
  const closed = all('details:not([open])');
  setTheme(theme, 'light');
  for (const details of closed) details.open = true;
  fromPaper = () => {
    setTheme('light', theme);
    for (const details of closed) details.open = false;
    fromPaper = null;
  };
}
addEventListener('beforeprint', toPaper);
addEventListener('afterprint', () => fromPaper?.());
matchMedia('print').addEventListener('change', event => event.matches ? toPaper() : fromPaper?.());
