// Opens the pages of the book in headless Chromium and looks for faults.
//
//   cargo run -- build && npm --prefix site/browser run check
//   npm --prefix site/browser run check -- skipLink weigh      these two alone
//
// Leaves a picture of each page in target/screenshots, unless CI is set.
import { close, faults, pages } from './browser.mjs';

const parts = ['pages', 'keyboard', 'layout', 'paper', 'emulated', 'served', 'search'];
const modules = await Promise.all(parts.map(part => import(`./${part}.mjs`)));
const checks = modules.flatMap(module => Object.entries(module));
const wanted = process.argv.slice(2);
for (const [name, check] of checks.filter(([name]) => !wanted.length || wanted.includes(name))) {
  const start = Date.now();
  await check().catch(error => faults.push(`${name}: ${error.message.split('\n')[0]}`));
  console.log(`${name}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
}
await close();
for (const fault of faults) console.error(`error: ${fault}`);
console.log(`${pages.length} pages, ${faults.length} fault(s)${process.env.CI ? '' : '; pictures in target/screenshots'}`);
process.exitCode = faults.length ? 1 : 0;
