// Every page: what axe finds, requests to elsewhere, boxes wider than the window,
// weight; from a server and from the file system.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { base, book, faults, open, pages, pictures, together } from './browser.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const WEIGHT_LIMIT = 130 * 1024;
const BOTH = ['light', 'navy'];
// The colours are the same on all pages, and fork.html has all kinds of parts.
const THEMES = { 'index.html': BOTH, 'fork.html': [...BOTH, 'rust', 'coal', 'ayu'], 'process.html': BOTH };

// The printed page holds the chapters once more, and on a phone the pages have the same parts: axe has seen them.
async function lookAtPage(page, name, fault) {
  // What is wider than the window scrolls in a box of its own, or not at all.
  const wide = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('.page, .content')]
      .filter(box => box.scrollWidth > box.clientWidth)
      .map(box => `${box.tagName} has ${box.scrollWidth} px in ${box.clientWidth}`));
  for (const box of wide) fault(`wider than the window: ${box}`);
  const isPhone = page.viewportSize().width < 500;
  if (name === 'print.html' || isPhone && !(name in THEMES)) return;
  await page.evaluate(axe);
  const { violations } = await page.evaluate(tags => axe.run(document, { runOnly: tags }), RULES);
  for (const { id, nodes } of violations) fault(`axe: ${id}: ${nodes.length} times, first ${nodes[0].target.join(' ')}`);
}

function looks(name) {
  const themes = THEMES[name] ?? ['light'];
  const widths = theme => theme === 'light' || name in THEMES && theme === 'navy' ? [1280, 390] : [1280];
  return themes.flatMap(theme => widths(theme).map(width => async () => {
    await open(base + name, { theme, width }, async (page, fault) => {
      await lookAtPage(page, name, fault);
      if (process.env.CI) return; // nobody looks at pictures there
      const picture = `${name.replace('.html', '')}-${theme}-${width}.png`;
      await page.screenshot({ path: pictures + picture, fullPage: name !== 'print.html' });
    });
  }));
}

export async function lookAtAllPages() {
  rmSync(pictures, { recursive: true, force: true });
  mkdirSync(pictures, { recursive: true });
  await together(pages.flatMap(looks));
}

export async function weigh() {
  await together(pages.filter(name => name !== 'print.html').map(name => async () => {
    let weight = 0;
    await open(base + name, {}, async (page, _, responses) => {
      await page.waitForLoadState('networkidle');
      for (const response of responses) weight += gzipSync(await response.body()).length;
    });
    console.log(`${name}: ${(weight / 1024).toFixed(0)} KB compressed`);
    if (weight > WEIGHT_LIMIT) faults.push(`${name}: ${weight} bytes compressed, more than ${WEIGHT_LIMIT}`);
  }));
}

export async function fromFileSystem() {
  await together(pages.filter(name => name !== 'print.html').map(name => async () => {
    await open(pathToFileURL(book + name).href, {}, async (page, fault) => {
      if (!await page.locator('main h1').first().isVisible()) fault('shows no heading from the file system');
    });
  }));
}
