// What a reader does without a mouse.
import { base, open } from './browser.mjs';

const pair = '.pair:has(#fork-python)';

export async function tabsByKeyboard() {
  await open(base + 'fork.html', { width: 390 }, async (page, fault) => {
    const [python, rust] = ['python', 'rust'].map(name => page.locator(`${pair} > pre:has(code.language-${name})`));
    if (!await python.isVisible() || await rust.isVisible()) fault('the first tab is not Python alone');
    await page.focus('#fork-python');
    await page.keyboard.press('ArrowRight');
    if (await python.isVisible() || !await rust.isVisible()) fault('the arrow key does not turn the tab');
  });
}

export async function twinsAreAGroup() {
  await open(base + 'fork.html', {}, async (page, fault) => {
    const group = page.getByRole('group', { name: 'fork: Python and Rust', exact: true });
    if (await group.getByRole('radio').count() !== 2) fault('the twins are no group with a name and two tabs');
  });
}

export async function languageOfAllPairs() {
  await open(base + 'fork.html', { width: 390 }, async (page, fault) => {
    const others = () => page.locator('.pair > input[id$="-rust"]').evaluateAll(inputs => inputs.every(input => input.checked));
    const label = page.locator('label[for=fork_buffer-rust]');
    await label.scrollIntoViewIfNeeded();
    const before = (await label.boundingBox()).y;
    await label.click();
    if (!await others()) fault('choosing Rust in one pair does not choose it in all');
    if (Math.abs((await label.boundingBox()).y - before) > 2) fault('choosing a language moves the tab away');
    await page.goto(base + 'pipe.html');
    if (!await others()) fault('the next page does not remember that Rust was chosen');
  });
}

export async function sidebarByKeyboard() {
  await open(base + 'fork.html', {}, async (page, fault) => {
    const sidebar = page.locator('#mdbook-sidebar');
    const before = await sidebar.isVisible();
    await page.focus('#mdbook-sidebar-toggle');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(500); // it slides
    if (await sidebar.isVisible() === before) fault('Enter on the toggle does not move the sidebar');
  });
}

export async function skipLink() {
  await open(base + 'fork.html', {}, async (page, fault) => {
    await page.keyboard.press('Tab');
    const first = await page.evaluate(() => document.activeElement.textContent);
    await page.keyboard.press('Enter');
    const reached = await page.evaluate(() => document.activeElement.matches('main'));
    if (!first.startsWith('Skip') || !reached) fault('the first Tab and Enter do not lead to the text');
  });
}

export async function arrowsInABlock() {
  for (const [name, box] of [['fork.html', '.pair > pre > code'], ['shared_memory.html', '.table-wrapper']]) {
    await open(base + name, { width: 390 }, async (page, fault) => {
      const first = page.locator(`${box}[tabindex]`).first();
      await first.focus();
      await page.keyboard.press('ArrowRight');
      const scrolls = page.waitForFunction(box => box.scrollLeft, await first.elementHandle(), { timeout: 3000 });
      const scrolled = await scrolls.catch(() => false); // smoothly, so it takes its time
      if (!page.url().endsWith(name)) fault(`an arrow key in ${box} turns the page`);
      else if (!scrolled) fault(`an arrow key does not scroll ${box}`);
    });
  }
}

// Only what scrolls stops the Tab key, also after the window was made wider.
export async function stopsOfTheTabKey() {
  await open(base + 'fork.html', { width: 390 }, async (page, fault) => {
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await page.waitForTimeout(200);
      const wrong = await page.locator('pre > code, .table-wrapper').evaluateAll(boxes =>
        boxes.filter(box => box.checkVisibility() && (box.scrollWidth > box.clientWidth) !== box.hasAttribute('tabindex'))
          .map(box => box.textContent.slice(0, 30)));
      for (const box of wrong) fault(`${width} px: the Tab key and what scrolls disagree: ${box}`);
    }
  });
}

async function copied(page, name) {
  const button = page.getByRole('button', { name: `Copy ${name}`, exact: true }).first();
  if (!await button.count()) return `nothing: no button has the name of ${name}`;
  await button.focus();
  await page.keyboard.press('Enter');
  return page.evaluate(() => navigator.clipboard.readText());
}

export async function copyByKeyboard() {
  const options = { permissions: ['clipboard-read', 'clipboard-write'] };
  await open(base + 'index.html', options, async (page, fault) => {
    if (await copied(page, 'the command') !== 'cargo run --example fork') fault('not the command alone is copied');
  });
  await open(base + 'fork.html', options, async (page, fault) => {
    for (const [name, part] of [['examples/fork_twice.rs', 'fn main'], ['examples/fork.py', 'import os']]) {
      const text = await copied(page, name);
      if (!text.includes(part)) fault(`${name}: copied is ${text}`);
    }
  });
}
