// The browser, the finished pages, and the faults that were found in them.
import { chromium } from 'playwright-core';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from './serve.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const target = `${resolve(process.env.INIT_CWD ?? root, process.env.CARGO_TARGET_DIR ?? `${root}target`)}/`;
export const book = `${target}book/`;
export const pictures = `${target}screenshots/`;
export const pages = readdirSync(book).filter(name => name.endsWith('.html') && name !== 'toc.html');
/** The last page in the order of reading, which has no next one. */
export const lastPage = readFileSync(`${root}book/SUMMARY.md`, 'utf8').match(/\((\w+)\.md\)\s*$/)[1] + '.html';
export const chapters = pages.filter(name => !['404.html', 'index.html', 'print.html'].includes(name));
export const faults = [];

const { server, base } = await serve(book, '/some/folder/');
export { base };
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

export async function close() {
  await browser.close();
  server.close();
}

// Opens a page and gives it to `look`; what the page does meanwhile is watched.
// `also` is what it may ask for; the other options are Playwright's: javaScriptEnabled, forcedColors, hasTouch, …
export async function open(url, { theme = 'light', width = 1280, height = 900, also = [], ...options }, look) {
  const context = await browser.newContext({ viewport: { width, height }, ...options });
  await context.addInitScript(name => localStorage.setItem('mdbook-theme', name), theme);
  const page = await context.newPage();
  const fault = text => faults.push(`${url.split('/').pop()} (${theme}, ${width}): ${text}`);
  page.on('console', m => m.type() === 'error' && fault(`console: ${m.text()}`));
  page.on('pageerror', e => fault(`script: ${e.message}`));
  page.on('requestfailed', r => r.failure().errorText === 'net::ERR_ABORTED' || fault(`not loaded: ${r.url()}`));
  page.on('request', r => {
    const own = [base, 'data:', 'file://', ...also].some(start => r.url().startsWith(start));
    own || fault(`asks for ${r.url()}`);
  });
  const responses = [];
  page.on('response', response => responses.push(response));
  await page.goto(url, { waitUntil: 'load' });
  await look(page, fault, responses);
  await context.close();
}

// Does the jobs, some at the same time.
export async function together(jobs, workers = 3) {
  const next = async () => { for (let job; (job = jobs.shift());) await job(); };
  await Promise.all(Array.from({ length: workers }, next));
}
