// What a reader types leads to the section that answers.
import { base, open } from './browser.mjs';

export async function searchByKeyboard() {
  await open(base + 'index.html', {}, async (page, fault) => {
    await page.keyboard.press('s');
    await page.keyboard.type('zombie');
    const found = page.locator('#mdbook-searchresults a').first();
    await found.waitFor({ timeout: 10_000 }).catch(() => fault('search for “zombie” finds nothing'));
  });
}
