// Opens every page of the book in headless Chromium and looks for faults: what
// axe finds, errors in the console, requests to elsewhere, pages wider than the
// window, heavy pages; and that search, tabs and sidebar work by keyboard.
//
//   cargo run -- build && npm --prefix site/browser run check
//
// Leaves a picture of each page in target/screenshots.
import { chromium } from 'playwright-core';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { serve } from './serve.mjs';

const book = fileURLToPath(new URL('../../target/book/', import.meta.url));
const pictures = fileURLToPath(new URL('../../target/screenshots/', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const WEIGHT_LIMIT = 130 * 1024;
const ALL_THEMES = ['light', 'rust', 'coal', 'navy', 'ayu'];

const pages = readdirSync(book).filter(name => name.endsWith('.html') && name !== 'toc.html');
const inAllThemes = new Set(['index.html', 'fork.html', 'print.html']);
const faults = [];
const { server, base } = await serve(book, '/some/folder/');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

// Opens a page and gives it to `look`; what the page does meanwhile is watched.
async function open(url, { theme = 'light', width = 1280, height = 900 }, look) {
  const context = await browser.newContext({ viewport: { width, height } });
  await context.addInitScript(name => localStorage.setItem('mdbook-theme', name), theme);
  const page = await context.newPage();
  const fault = text => faults.push(`${url.split('/').pop()} (${theme}, ${width}): ${text}`);
  page.on('console', m => m.type() === 'error' && fault(`console: ${m.text()}`));
  page.on('pageerror', e => fault(`script: ${e.message}`));
  page.on('requestfailed', r => fault(`not loaded: ${r.url()}`));
  page.on('request', r => {
    const own = [base, 'data:', 'file://'].some(start => r.url().startsWith(start));
    own || fault(`asks for ${r.url()}`);
  });
  const responses = [];
  page.on('response', response => responses.push(response));
  await page.goto(url, { waitUntil: 'load' });
  await look(page, fault, responses);
  await context.close();
}

async function lookAtPage(page, fault) {
  // What is wider than the window scrolls in a box of its own, or not at all.
  const wide = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('.page, .content')]
      .filter(box => box.scrollWidth > box.clientWidth)
      .map(box => `${box.tagName} has ${box.scrollWidth} px in ${box.clientWidth}`));
  for (const box of wide) fault(`wider than the window: ${box}`);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(tags => axe.run(document, { runOnly: tags }), RULES);
  for (const { id, nodes } of violations) fault(`axe: ${id}: ${nodes.length} times, first ${nodes[0].target.join(' ')}`);
}

async function lookAtAllPages() {
  for (const name of pages) {
    for (const theme of inAllThemes.has(name) ? ALL_THEMES : ['light', 'navy']) {
      for (const width of theme === 'light' || theme === 'navy' ? [1280, 390] : [1280]) {
        await open(base + name, { theme, width }, async (page, fault) => {
          await lookAtPage(page, fault);
          const picture = `${name.replace('.html', '')}-${theme}-${width}.png`;
          await page.screenshot({ path: pictures + picture, fullPage: name !== 'print.html' });
        });
      }
    }
  }
}

async function weigh() {
  for (const name of pages.filter(name => name !== 'print.html')) {
    let weight = 0;
    await open(base + name, {}, async (page, _, responses) => {
      await page.waitForLoadState('networkidle');
      for (const response of responses) weight += gzipSync(await response.body()).length;
    });
    console.log(`${name}: ${(weight / 1024).toFixed(0)} KB compressed`);
    if (weight > WEIGHT_LIMIT) faults.push(`${name}: ${weight} bytes compressed, more than ${WEIGHT_LIMIT}`);
  }
}

async function searchByKeyboard() {
  await open(base + 'index.html', {}, async (page, fault) => {
    await page.keyboard.press('s');
    await page.keyboard.type('zombie');
    const found = page.locator('#mdbook-searchresults a').first();
    await found.waitFor({ timeout: 10_000 }).catch(() => fault('search for “zombie” finds nothing'));
  });
}

async function tabsByKeyboard() {
  await open(base + 'fork.html', { width: 390 }, async (page, fault) => {
    const [python, rust] = ['python', 'rust'].map(name => page.locator(`.pair:has(#fork-python) > pre:has(code.language-${name})`));
    if (!await python.isVisible() || await rust.isVisible()) fault('the first tab is not Python alone');
    await page.focus('#fork-python');
    await page.keyboard.press('ArrowRight');
    if (await python.isVisible() || !await rust.isVisible()) fault('the arrow key does not turn the tab');
  });
  await open(base + 'fork.html', { width: 1600 }, async (page, fault) => {
    const blocks = page.locator('.pair:has(#fork-python) > pre');
    const [left, right] = [await blocks.nth(0).boundingBox(), await blocks.nth(1).boundingBox()];
    if (!left || !right || left.y !== right.y || left.x >= right.x) fault('the twins are not side by side');
  });
}

async function sidebarByKeyboard() {
  await open(base + 'fork.html', {}, async (page, fault) => {
    const sidebar = page.locator('#mdbook-sidebar');
    const before = await sidebar.isVisible();
    await page.focus('#mdbook-sidebar-toggle');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(500); // it slides
    if (await sidebar.isVisible() === before) fault('Enter on the toggle does not move the sidebar');
  });
}

async function fromFileSystem() {
  for (const name of pages.filter(name => name !== 'print.html')) {
    await open(pathToFileURL(book + name).href, {}, async (page, fault) => {
      if (!await page.locator('main h1').first().isVisible()) fault('shows no heading from the file system');
    });
  }
}

rmSync(pictures, { recursive: true, force: true });
mkdirSync(pictures, { recursive: true });
const checks = [lookAtAllPages, weigh, searchByKeyboard, tabsByKeyboard, sidebarByKeyboard, fromFileSystem];
for (const check of checks) {
  console.log(`${check.name} …`);
  await check();
}
await browser.close();
server.close();
for (const fault of faults) console.error(`error: ${fault}`);
console.log(`${pages.length} pages, ${faults.length} fault(s); pictures in target/screenshots`);
process.exitCode = faults.length ? 1 : 0;
