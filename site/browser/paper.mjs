// The book on paper: light, open, named, with contents.
import { base, open } from './browser.mjs';

function sheet() {
  const style = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
  const light = colour => (colour.match(/[\d.]+/g) ?? []).slice(0, 3).every(part => part > 200);
  const shown = element => element.checkVisibility();
  const pairs = [...document.querySelectorAll('.pair')];
  return {
    'the page is dark': !light(style('html', 'backgroundColor')),
    'code is dark': !light(style('pre > code', 'backgroundColor')),
    'the letters are light': light(style('main p', 'color')) || light(style('pre > code', 'color')),
    'an answer is closed': [...document.querySelectorAll('details > :last-child')].some(answer => !shown(answer)),
    'a half of a pair is missing': !pairs.every(pair => [...pair.querySelectorAll('pre, label')].every(shown)),
    'a half of a pair is not below its name': !pairs.every(pair => {
      const y = selector => [...pair.querySelectorAll(selector)].map(part => part.getBoundingClientRect().y);
      const [[name, otherName], [code, otherCode]] = [y('label'), y('pre')];
      return name < code && code < otherName && otherName < otherCode;
    }),
    'a name may stand alone at the foot': ['.file', '.pair > label', 'h2'].some(name => style(name, 'breakAfter') !== 'avoid'),
    'the letters are large': parseFloat(style('main p', 'fontSize')) > 14,
    'a figure is higher than a sheet': [...document.querySelectorAll('.figure svg')].some(figure => figure.clientHeight > 950),
    'something has to be scrolled': [...document.querySelectorAll('pre > code')].some(box => box.scrollWidth > box.clientWidth),
  };
}

export async function onPaper() {
  for (const name of ['print.html', 'fork.html']) {
    await open(base + name, { theme: 'navy', width: 720 }, async (page, fault) => {
      await page.emulateMedia({ media: 'print' });
      await page.waitForFunction(() => matchMedia('print').matches);
      await page.waitForTimeout(100);
      const wrong = await page.evaluate(sheet);
      for (const [what, is] of Object.entries(wrong)) if (is) fault(`on paper ${what}`);
      await page.emulateMedia({ media: 'screen' });
      const asBefore = () => document.documentElement.classList.contains('navy') && !document.querySelector('details')?.open;
      const back = await page.waitForFunction(asBefore, null, { timeout: 20000 }).catch(() => false);
      if (!back) fault('after printing, the page is not as it was');
    });
  }
}

export async function contentsOnPaper() {
  await open(base + 'print.html', {}, async (page, fault) => {
    await page.emulateMedia({ media: 'print' });
    const dead = await page.locator('.contents a').evaluateAll(links => links.filter(link => !document.querySelector(link.hash)).length);
    const [lines, headings] = [await page.locator('.contents li').count(), await page.locator('main > :is(h1, h2)').count()];
    if (dead || lines !== headings) fault(`the contents have ${lines} lines for ${headings} headings, and ${dead} dead links`);
    const numbered = await page.evaluate(() => [...document.styleSheets].some(sheet => [...sheet.cssRules].some(rule => rule.cssText.includes('counter(page)'))));
    if (!numbered) fault('the sheets have no numbers');
  });
}
