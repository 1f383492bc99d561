// What `cargo run` adds to a page: it loads again after a build, and tells a fault.
import { readFileSync } from 'node:fs';
import { base, open } from './browser.mjs';

const script = readFileSync(new URL('../theme/reload.html', import.meta.url), 'utf8');

export async function buildsAreTold() {
  await open(base + 'index.html', { also: [new URL('/build', base).href] }, async (page, fault) => {
    let answer = '1\nerror: fork.md:3: dead link';
    let loads = 0;
    await page.route('**/build', route => route.fulfill({ body: answer }));
    await page.route('**/spawn.html', async route => {
      loads += 1;
      const response = await route.fetch();
      await route.fulfill({ response, body: await response.text() + script });
    });
    await page.goto(base + 'spawn.html');
    const banner = page.getByRole('alert');
    await banner.waitFor({ timeout: 5000 }).catch(() => fault('a fault of the build is not shown'));
    answer = '2\n';
    await page.waitForTimeout(2500);
    if (loads !== 2) fault(`after a build the page was loaded ${loads - 1} times more, not once`);
    if (await banner.isVisible()) fault('a fault is shown that is mended');
  });
}
