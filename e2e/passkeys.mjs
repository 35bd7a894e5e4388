// A passkey of Chromium's virtual authenticator, outside a demo: enrol with a code, sign in, be refused without verification.
// node e2e/passkeys.mjs http://localhost:8080 CODE AXE [SHOTS]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from './browser.mjs';

const [base, code, axePath, shots] = process.argv.slice(2);
const axe = readFileSync(axePath, 'utf8');
if (shots) mkdirSync(shots, { recursive: true });
const browser = await open({ width: 390, height: 844 });
const fail = (text) => { throw new Error(text); };

await browser.tab('WebAuthn.enable');
const { authenticatorId } = await browser.tab('WebAuthn.addVirtualAuthenticator', { options: {
  protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
  automaticPresenceSimulation: true } });

const shows = async (text) => {
  const seen = await browser.evaluate('document.body.innerText');
  if (!seen.includes(text)) fail(`「${text}」がありません：${seen.slice(0, 600)}`);
};
/** Until the script has said or done something; bounded. */
const until = async (expression) => {
  for (let i = 0; i < 200; i++) {
    if (await browser.evaluate(expression).catch(() => false)) return;
    await new Promise((r) => setTimeout(r, 50));
  }
  fail(`${expression} did not come true: ${await browser.evaluate('document.body.innerText.slice(0, 400)')}`);
};
const look = async (name) => {
  await browser.tab('Page.setBypassCSP', { enabled: true });
  await browser.evaluate(`${axe}; 0`);
  const found = await browser.evaluate("axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.impact + ' ' + v.id))");
  if (found.length) fail(`${name}: ${found.join(', ')}`);
  await browser.tab('Page.setBypassCSP', { enabled: false });
  for (const [width, what] of [[320, '-320'], [1280, '']]) {
    await browser.size(width, 900);
    const over = await browser.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    if (over > 0) fail(`${name}: ${over} px sideways at ${width}`);
    if (shots) writeFileSync(`${shots}/${name}${what}.png`, await browser.shot());
  }
  await browser.size(390, 844);
};
const to = async (matches) => {
  for (let i = 0; i < 60; i++) {
    await browser.key('Tab');
    if (await browser.evaluate(`(() => { const e = document.activeElement; return ${matches}; })()`)) return;
  }
  fail(`not reached by keyboard: ${matches}`);
};
const ready = (path) => until(`document.readyState === 'complete' && location.pathname === '${path}'`);

await browser.go(`${base}/enrol`);
await look('enrol');
await to("e.name === 'code'");
await browser.type('AAAA-AAAA-AAAA-AAAA');
await browser.key('Enter');
await until("document.querySelector('[role=alert]').textContent.includes('登録コード')");
await browser.go(`${base}/enrol`);
await to("e.name === 'code'");
await browser.type(code);
await to("e.tagName === 'BUTTON' && e.textContent.includes('パスキーを登録')");
await browser.key('Enter');
await ready('/sign-in');
await shows('パスキーを登録しました');
await look('sign-in');
console.log('ok enrol');

const signIn = async () => {
  await browser.go(`${base}/sign-in`);
  await to("e.tagName === 'BUTTON' && e.textContent.includes('パスキーでサインイン')");
  await browser.key('Enter');
};
await browser.tab('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
await signIn();
await until("document.querySelector('[role=alert]').textContent.length > 5");
await browser.go(`${base}/home`);
await ready('/sign-in');
console.log('ok refused without verification');

await browser.tab('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
await signIn();
await ready('/home');
await shows('いま：安全管理責任者');
console.log('ok sign in');

await browser.go(`${base}/accounts`);
await look('accounts');
await browser.evaluate("document.querySelector('details').open = true");
await to("e.tagName === 'BUTTON' && e.textContent.includes('登録コードを発行')");
await browser.key('Enter');
await until("document.querySelector('h1').textContent === 'パスキーの登録コード'");
await look('invitation');
console.log('ok invite');

const refused = browser.violations.filter((v) => /Content Security Policy|Refused/.test(v));
if (refused.length) fail(refused.join('\n'));
await browser.close();
