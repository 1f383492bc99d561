// Readers whose browsers differ: forced colours, no motion, no script.
import { base, chapters, lastPage, open, pictures, together } from './browser.mjs';

// Every letter differs from what it stands on; Chromium computes what it forces.
function unreadable() {
  const numbers = colour => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const far = (one, other) => one.slice(0, 3).reduce((sum, part, i) => sum + Math.abs(part - other[i]), 0) > 250;
  const page = numbers(getComputedStyle(document.body).backgroundColor).slice(0, 3);
  const boxes = [...document.querySelectorAll('.figure svg :is(.box, .cell)')].map(box => numbers(getComputedStyle(box).fill));
  const letters = [...document.querySelectorAll('.figure text')].map(text => numbers(getComputedStyle(text).fill));
  const ground = boxes.length ? boxes : [page];
  const [chosen, other] = [':checked', ':not(:checked)'].map(state => document.querySelector(`.pair > input${state} + label`));
  const border = label => getComputedStyle(label).borderBottomColor;
  return {
    'letters of a figure vanish in its boxes': letters.some(letter => ground.some(box => !far(letter, box))),
    'the chosen tab looks like the other': !!chosen && border(chosen) === border(other),
  };
}

export async function forcedColours() {
  for (const colorScheme of ['light', 'dark']) {
    for (const name of ['fork.html', 'index.html']) {
      await open(base + name, { width: 390, forcedColors: 'active', colorScheme, theme: 'coal' }, async (page, fault) => {
        for (const [what, is] of Object.entries(await page.evaluate(unreadable))) if (is) fault(`forced colours, ${colorScheme}: ${what}`);
        await page.screenshot({ path: `${pictures}forced-${colorScheme}-${name.replace('html', 'png')}`, fullPage: true });
      });
    }
  }
}

export async function reducedMotion() {
  await open(base + 'fork.html', { reducedMotion: 'reduce' }, async (page, fault) => {
    const moving = await page.evaluate(() => [...document.querySelectorAll('*')].filter(element => {
      const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
      return Math.max(...transitionDuration.split(',').map(parseFloat)) > 0.01 || animationName !== 'none' || scrollBehavior === 'smooth';
    }).map(element => element.id || element.className || element.tagName));
    if (moving.length) fault(`moves in spite of reduced motion: ${[...new Set(moving)].slice(0, 5).join(', ')}`);
    await page.locator('#mdbook-sidebar-toggle').click();
    await page.waitForTimeout(100);
    if (await page.locator('#mdbook-sidebar').isVisible()) fault('without motion the sidebar does not go');
  });
}

export async function withoutScript() {
  await together(['index.html', ...chapters].map(name => () => open(base + name, { width: 390, javaScriptEnabled: false }, async (page, fault) => {
    const see = async (what, locator) => await locator.isVisible() || fault(`without a script ${what} cannot be reached`);
    await see('the list of chapters', page.getByRole('link', { name: 'Contents' }));
    await see('the text', page.locator('main h1'));
    if (name !== lastPage) await see('the next chapter', page.locator('main a[rel=next]').first());
    if (!await page.locator('.pair').count()) return;
    const rust = page.locator('.pair').first().locator('pre').nth(1);
    await page.locator('.pair').first().locator('label').nth(1).click();
    await see('the second twin', rust);
  })));
  await open(base + 'fork.html', { width: 390, javaScriptEnabled: false }, async (page, fault) => {
    await page.getByRole('link', { name: 'Contents' }).click();
    await page.getByRole('link', { name: /pipe/ }).first().click();
    if (!page.url().endsWith('pipe.html')) fault('without a script the contents lead nowhere');
  });
}
