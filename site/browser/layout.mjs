// Where things stand, on a phone and on a desk.
import { base, chapters, open, together } from './browser.mjs';

export async function twinsSideBySide() {
  await open(base + 'fork.html', { width: 1440 }, async (page, fault) => {
    const blocks = page.locator('.pair:has(#fork-python) > pre');
    const [left, right] = [await blocks.nth(0).boundingBox(), await blocks.nth(1).boundingBox()];
    if (!left || !right || left.y !== right.y || left.x >= right.x) fault('the twins are not side by side');
    const size = selector => page.locator(selector).first().evaluate(code => getComputedStyle(code).fontSize);
    if (await size('.pair code') !== await size('.file + pre code')) fault('the twins have smaller letters than other code');
  });
}

// Every cell can be brought into the window by scrolling its table.
async function noColumnIsHidden(page, fault) {
  const hidden = await page.locator('table').evaluateAll(tables => tables.filter(table => {
    const box = table.parentElement;
    box.scrollLeft = box.scrollWidth;
    const last = table.rows[0].cells[table.rows[0].cells.length - 1].getBoundingClientRect();
    return last.right > innerWidth || last.left < 0;
  }).map(table => table.textContent.slice(0, 20)));
  for (const table of hidden) fault(`the last column cannot be reached: ${table}`);
}

async function tabLabels(page, fault) {
  const broken = await page.locator('.pair > label').evaluateAll(labels => labels.flatMap(label => {
    const texts = [...label.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
    const range = document.createRange();
    const cut = texts.filter(text => { range.selectNode(text); return range.getClientRects().length > 1; });
    const out = label.getBoundingClientRect().right > innerWidth || label.scrollWidth > label.clientWidth;
    return cut.length || out ? [label.textContent] : [];
  }));
  for (const label of broken) fault(`a tab's label is cut or broken within a word: ${label}`);
}

// What a program said is wrapped, and so read without scrolling.
async function messagesWrap(page, fault) {
  const wide = await page.locator('pre > code:is(.language-text, .language-console)').evaluateAll(boxes =>
    boxes.filter(box => box.scrollWidth > box.clientWidth).map(box => box.textContent.slice(0, 30)));
  for (const text of wide) fault(`what a program said is cut off: ${text}`);
}

// The labels of a figure neither touch each other nor leave the figure.
async function labelsOfFigures(page, fault) {
  const wrong = await page.locator('.figure svg').evaluateAll(figures => figures.flatMap(figure => {
    const frame = figure.getBoundingClientRect();
    const labels = [...figure.querySelectorAll('text')].map(text => ({ text: text.textContent, box: text.getBoundingClientRect() }));
    const touch = ({ box: a }, { box: b }) => a.left < b.right && b.left < a.right && a.top + 3 < b.bottom - 3 && b.top + 3 < a.bottom - 3;
    const leaves = ({ box }) => box.left < frame.left || box.right > frame.right || box.bottom > frame.bottom + 1;
    return labels.flatMap((label, i) => [
      ...labels.slice(i + 1).filter(other => touch(label, other)).map(other => `“${label.text}” touches “${other.text}”`),
      ...leaves(label) ? [`“${label.text}” leaves its figure`] : [],
    ]);
  }));
  for (const what of wrong) fault(what);
}

export async function chaptersOnAPhone() {
  await together(['index.html', ...chapters].map(name => () => open(base + name, { width: 390 }, async (page, fault) => {
    for (const look of [noColumnIsHidden, tabLabels, messagesWrap]) await look(page, fault);
    await page.setViewportSize({ width: 1280, height: 900 });
    await labelsOfFigures(page, fault);
  })));
}

export async function sidebarOnAPhone() {
  await open(base + 'fork.html', { width: 390, hasTouch: true }, async (page, fault) => {
    const isOpen = () => page.evaluate(() => document.documentElement.classList.contains('sidebar-visible'));
    const ways = { 'a heading is chosen': '#mdbook-sidebar .on-this-page a >> nth=1', 'the page is touched': '.page' };
    for (const [way, what] of Object.entries(ways)) {
      await page.tap('#mdbook-sidebar-toggle');
      if (!await isOpen()) fault('the sidebar does not open');
      await page.waitForTimeout(500); // it slides
      await page.locator(what).first().tap({ position: what === '.page' ? { x: 20, y: 300 } : undefined });
      if (await isOpen()) fault(`the sidebar stays open when ${way}`);
    }
  });
}

// Of the lines of all paragraphs, the longest.
function longestLine() {
  const range = document.createRange();
  const lengths = [...document.querySelectorAll('main > p')].flatMap(p => {
    const lines = new Map();
    const walker = document.createTreeWalker(p, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode());) {
      for (let i = 0; i < node.length; i++) {
        range.setStart(node, i);
        range.setEnd(node, i + 1);
        const line = Math.round(range.getBoundingClientRect().bottom / 12);
        lines.set(line, (lines.get(line) ?? 0) + 1);
      }
    }
    return [...lines.values()];
  });
  return Math.max(...lengths);
}

export async function lengthOfLines() {
  for (const width of [768, 1280, 1440, 1920]) {
    await open(base + 'fork.html', { width }, async (page, fault) => {
      const longest = await page.evaluate(longestLine);
      if (longest > 80) fault(`a line of prose has ${longest} letters`);
    });
  }
}

export async function wideTablesOnADesk() {
  await open(base + 'shared_memory.html', { width: 1280 }, async (page, fault) => {
    const cut = await page.locator('.table-wrapper').evaluateAll(boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).length);
    if (cut) fault(`${cut} tables have to be scrolled on a desk`);
  });
}
