// Every page as every role: axe-core, sideways scroll at 320 px and at 200 %, title, headings, nothing refused by the policy.
// node e2e/pages.mjs http://127.0.0.1:8080 AXE [SHOTS]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from './browser.mjs';

const [base, axePath, shots] = process.argv.slice(2);
const axe = readFileSync(axePath, 'utf8');
if (shots) mkdirSync(shots, { recursive: true });

const browser = await open({ width: 1280 });
const document_ = await (await fetch(`${base}/api/v1/openapi.json`)).json();
const looks = Object.entries(document_.paths)
  .filter(([path, of]) => of.get && !path.includes('{') && !/\.(csv|jsonld|pdf)$/.test(path))
  .map(([path]) => path.replace('/api/v1', '') || '/');

const problems = [];
const seen = new Set();
const slow = [];

async function look(role, path, name) {
  const begun = performance.now();
  await browser.go(base + path);
  const paint = await browser.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0");
  slow.push([Math.round(paint || performance.now() - begun), role, path]);
  const facts = await browser.evaluate(`({
    title: document.title, h1: document.querySelectorAll('h1').length, lang: document.documentElement.lang,
    status: performance.getEntriesByType('navigation')[0].responseStatus,
    empty: [...document.querySelectorAll('section, ul.cards, ol, tbody')].filter((e) => !e.textContent.trim()).length })`);
  const say = (text) => problems.push(`${role} ${path}: ${text}`);
  // The second step of a stop without the first gives the first step again, with what is missing.
  // A demo has no providers and no second factor: their pages are not there, in Japanese.
  const expected = path === '/stop/person' ? 422 : /^\/sign-in\/(provider|second)/.test(path) ? 404 : 200;
  if (facts.status !== expected) say(`status ${facts.status}`);
  if (!/[ぁ-ん一-龠]/.test(facts.title) || facts.h1 !== 1 || facts.lang !== 'ja') say(`title or heading ${JSON.stringify(facts)}`);
  if (facts.empty) say(`${facts.empty} empty areas`);
  await browser.tab('Page.setBypassCSP', { enabled: true });
  await browser.evaluate(`${axe}; 0`);
  const found = await browser.evaluate("axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.impact + ' ' + v.id + ' ' + v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(' | ')))");
  found.forEach((v) => say(`axe ${v}`));
  for (const [width, what] of [[320, '320 px'], [640, '200 %']]) {
    await browser.size(width, 800);
    const over = await browser.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    if (over > 0) say(`${over} px sideways at ${what}`);
    if (shots && width === 320) writeFileSync(`${shots}/${name}-320.png`, await browser.shot());
  }
  await browser.size(1280, 900);
  if (shots) writeFileSync(`${shots}/${name}.png`, await browser.shot());
}

/** Where the page leads: pages of ours, no files. */
async function links() {
  const all = await browser.evaluate(`[...document.querySelectorAll('main a[href^="/"]')].map((a) => a.getAttribute('href'))`);
  return all.filter((h) => !/\/(package|proof|file)$|\/attachments\/|\.(csv|jsonld|pdf)$|^\/sign-in/.test(h.replace(/\?.*/, '')));
}

async function walk(role, paths) {
  const queue = [...paths];
  const local = new Set(queue);
  while (queue.length) {
    const path = queue.shift();
    // One page of a kind: without ids, and without what a list asks for.
    const shape = path.replace(/_[0-9a-z]{26}/g, '').replace(/\?.*/, '');
    // ONCE: whoever reaches a page first looks for all.
    const key = process.env.ONCE ? shape : `${role} ${shape}`;
    if (seen.has(key) && path !== shape) continue;
    seen.add(key);
    await look(role, path, `${role}${shape.replaceAll('/', '_')}`);
    for (const link of await links()) {
      if (!local.has(link)) {
        local.add(link);
        queue.push(link);
      }
    }
  }
}

await walk('anybody', looks.filter((p) => !document_.paths[`/api/v1${p === '/' ? '' : p}`].get.security));
await browser.go(`${base}/sign-in`);
const people = await browser.evaluate("[...document.querySelectorAll('.cards form')].map((f) => [f.account.value, f.querySelector('button').firstChild.textContent.trim()])");
const roles = new Map();
people.forEach(([account, role]) => { if (!roles.has(role.split('（')[0])) roles.set(role.split('（')[0], account); });
for (const [role, account] of roles) {
  await browser.go(`${base}/sign-in`);
  let done = browser.loaded();
  await browser.evaluate(`document.querySelector('input[name=account][value="${account}"]').form.requestSubmit()`);
  await done;
  // Nobody is looked at under a role that was never taken.
  if ((await browser.evaluate('location.pathname')) !== '/home') problems.push(`${role}: not signed in`);
  const places = await browser.evaluate("[...document.querySelectorAll('nav.places a')].map((a) => a.getAttribute('href'))");
  await walk(role, places.filter((p) => !['/catalogue'].includes(p)));
}
await browser.close();
slow.sort((a, b) => b[0] - a[0]);
console.log(`${seen.size} pages; slowest first paint: ${slow.slice(0, 3).map(([ms, r, p]) => `${ms} ms ${r} ${p}`).join('; ')}`);
const refused = browser.violations.filter((v) => /Content Security Policy|Refused/.test(v));
[...problems, ...refused].forEach((p) => console.log(p));
process.exit(problems.length + refused.length ? 1 : 0);
