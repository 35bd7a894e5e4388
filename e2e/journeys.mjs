// The journeys by keyboard alone, at phone width: every control is reached by Tab and worked by Space or Enter.
// node e2e/journeys.mjs http://127.0.0.1:8080      (on a fresh demo: it changes the deployment)
import { open } from './browser.mjs';

const [base] = process.argv.slice(2);
const browser = await open({ width: 390, height: 844 });
let journeys = 0;

function fail(text) {
  throw new Error(text);
}

/** Tab until the focus is on what `matches` says of the element `e`; the focus must be visible. */
async function to(matches) {
  for (let i = 0; i < 400; i++) {
    await browser.key('Tab');
    const found = await browser.evaluate(`(() => { const e = document.activeElement; if (!e || e === document.body) return null;
      if (!(${matches})) return false; const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; })()`);
    if (found === true) return;
    if (found === null && i > 300) break;
    if (found === undefined) fail(`the focus is not visible on ${matches}`);
  }
  fail(`not reached by keyboard: ${matches} at ${await browser.evaluate('location.pathname')}`);
}

const field = (name) => to(`e.name === '${name}'`);
const fill = async (name, text) => { await field(name); await browser.type(text); };
const tick = async (name, value) => {
  // A group of radios is one stop; the wanted one is checked by its label's key as the browser allows.
  await to(`e.name === '${name}'`);
  await browser.evaluate(`document.querySelector('input[name=${name}][value="${value}"]').focus()`);
  await browser.key(' ');
};
const press = async (label) => {
  await to(`(e.tagName === 'BUTTON' || e.tagName === 'A') && e.textContent.includes('${label}')`);
  const done = browser.loaded();
  await browser.key('Enter');
  await done;
};
const shows = async (text) => {
  if (!(await browser.evaluate('document.body.innerText')).includes(text)) {
    fail(`「${text}」がありません：${await browser.evaluate('location.pathname + " " + document.querySelector("main").innerText.slice(0, 400)')}`);
  }
};
const signIn = async (label) => {
  // One address signs in only so often: on a fast machine that is reached, and one waits as the page says.
  for (let tries = 0; tries < 10; tries++) {
    await browser.go(`${base}/sign-in`);
    await press(label);
    const wait = (await browser.evaluate('document.body.innerText')).match(/(\d+)秒ほど待ってから/);
    if (!wait) break;
    await new Promise((r) => setTimeout(r, 1000 * Number(wait[1])));
  }
  await shows('いま：');
};
const done = (name) => { journeys += 1; console.log(`ok ${name}`); };

// 1 A patient stops, in four steps.
await browser.go(base);
await press('提供を止める');
await browser.evaluate("document.querySelector('a.skip').focus()");
await tick('holder', await browser.evaluate("[...document.querySelectorAll('input[name=holder]')].find((e) => e.parentElement.innerText.includes('架空総合病院')).value"));
await press('次へ');
await fill('name', '架空 次郎');
await fill('birth', '昭和30年4月1日');
await fill('contact', '架空市 000-0000-0000');
await press('次へ');
await shows('架空 次郎');
await press('この内容で送る');
await shows('窓口に送りました');
const number = await browser.evaluate("document.querySelector('strong code').innerText");
await press('状況を調べる');
await fill('number', number);
await press('調べる');
await shows('まだです');
done('patient');

// 2 A researcher goes from the catalogue to an application.
await signIn('利用者（研究者）');
await browser.go(`${base}/catalogue`);
await press('傷病');
await shows('condition.icd10');
await browser.go(`${base}/applications`);
await press('新しい利用申請');
for (const [name, text] of Object.entries({ title: '鍵盤だけで書いた申請', responsible_name: '架空 責任者', responsible_affiliation: '架空大学', handlers: '架空 取扱者／架空大学', purpose: '医療分野の研究開発', method: '集計', items: 'condition.code', population: '記録のある者' })) await fill(name, text);
for (const name of ['data_from', 'data_until']) { await field(name); await browser.evaluate(`document.activeElement.value = '2025-04-0${name === 'data_from' ? 1 : 2}'`); }
for (const [name, text] of Object.entries({ minimality: '必要な列に限る', place: '管理区域', environment: '分離した計算機', security: '多要素認証', publication: '学会', funding: '自己資金', conflicts: 'なし' })) await fill(name, text);
for (const name of ['use_from', 'use_until']) { await field(name); await browser.evaluate(`document.activeElement.value = '2026-04-0${name === 'use_from' ? 1 : 2}'`); }
await press('保存する');
await shows('鍵盤だけで書いた申請');
await press('提出する');
await shows('提出済み');
done('researcher');

// 3 The secretariat and a committee member.
await signIn('審査委員会事務局');
await press('申請を確かめて付議する');
await press('審査委員会に付議する');
await signIn('委員①④');
await press('審査して評決する');
await tick('interest', 'no');
await press('申告する');
await tick('vote', 'approve');
await fill('reason', '適切である。');
await press('評決する');
await shows('評決済み');
done('committee');

// 4 A dataset is made, two approve it, it is handed over and fetched; an uncertified user's is refused.
const task = async (what, which) => {
  const opened = browser.loaded();
  await to(`e.tagName === 'A' && e.textContent.includes('${what}') && ${which}`);
  await browser.key('Enter');
  await opened;
};
const approve = async (approver, which) => {
  await signIn(approver);
  await task('提供を承認する', which);
  await shows('空席');
  await tick('route', 'sealed_transfer');
  await fill('confirm', await browser.evaluate("document.querySelector('#h-confirm').innerText.match(/「(.+)」/)[1]"));
  await press('提供を承認する');
};
await signIn('加工担当者（取扱-0004）');
await browser.go(`${base}/applications`);
await press('糖尿病');
await press('加工を実行する');
await shows('加工しました');
const dataset = await browser.evaluate('location.pathname');
for (const approver of ['取扱-0006', '取扱-0007']) {
  await approve(approver, `e.pathname === '${dataset}'`);
  await shows('あなた');
}
await approve('取扱-0006', `e.closest('tr').innerText.includes('認定のない者')`);
await shows('認定を確認できません');
await signIn('提供担当者');
// Another dataset of the same study may wait, too.
await task('データを提供する', `e.pathname === '${dataset}'`);
await tick('route', 'sealed_transfer');
await press('封緘して提供する');
await shows('提供済み');
await browser.go(`${base}/sign-in`);
await to("e.tagName === 'BUTTON' && e.textContent.includes('利用者（研究者）') && e.textContent.includes('架空大学')");
const user = browser.loaded();
await browser.key('Enter');
await user;
await browser.go(base + dataset);
await to(`e.tagName === 'A' && e.pathname === '${dataset}/package'`);
const fetched = await browser.evaluate(`fetch('${dataset}/package').then((r) => r.status)`);
if (fetched !== 200) fail(`the package is not given: ${fetched}`);
done('release');

// 5 The desk opens the request and issues the receipt.
await browser.go(`${base}/sign-in`);
await to("e.tagName === 'BUTTON' && e.textContent.includes('医療情報取扱事業者の担当者') && e.textContent.includes('架空総合病院')");
const desk = browser.loaded();
await browser.key('Enter');
await desk;
await press('提供停止の求めに答える');
await press('内容を開く');
await shows('顕名');
await fill('local_id', 'E2E-0001');
await fill('evidence', '本人確認書類の写し');
await press('受付書面を交付する');
await shows('受付書面');
// The producer applies it to every store; until then nothing is made of anybody's records.
await signIn('受入担当者');
await press('停止を保管先に反映する');
await press('反映する');
await shows('すべての保管先が停止を確認しました');
done('desk');

// 6 The auditor verifies and finds who looked.
await signIn('監査担当者');
await browser.go(`${base}/audit`);
await press('いま検証する');
await shows('すべて一致しました');
await field('openings');
await browser.key(' ');
await press('調べる');
await shows('結果');
done('auditor');

// 7 Two readers answer a pair that linking left open, and do not see each other's answer.
const answers = async (reader, answer, reason) => {
  await signIn(reader);
  await press('名寄せの組を確かめる');
  const open = browser.loaded();
  await to("e.tagName === 'A' && e.pathname.startsWith('/links/cases/')");
  const id = await browser.evaluate('document.activeElement.pathname');
  await browser.key('Enter');
  await open;
  await shows('なぜこの得点か');
  await press('両方の記載を開く');
  await shows('顕名');
  await tick('answer', answer);
  await fill('reason', reason);
  await press('回答する');
  await shows('あなたの回答');
  return id;
};
const one = await answers('確認担当者', 'same', '氏名と生年月日が一致する。');
const two = await answers('照会対応者', 'same', '住所の表記の違いだけである。');
if (one !== two) fail(`the second reader is not led to the pair that waits: ${one} ${two}`);
await shows('同じ人');
await shows('氏名と生年月日が一致する。');
done('linkage');

// 8 The catalogue answers while one types, and the list of a search can be reached again.
await browser.go(`${base}/catalogue`);
await fill('q', 'condition');
for (let i = 0; i < 50 && !(await browser.evaluate('document.body.innerText')).includes('見つかった変数'); i++) await new Promise((r) => setTimeout(r, 100));
await shows('見つかった変数');
if (!(await browser.evaluate('location.search')).includes('condition')) fail('the address does not say what is shown');
if (await browser.evaluate("document.activeElement.name !== 'q'")) fail('the focus was lost while typing');
await press('condition.icd10');
await shows('コード体系');
done('search');

// 9 The second checker of an output does not see the first one's vote before the own one.
await signIn('取扱-0014');
await press('出力を検査する');
await shows('1人が検査しました');
if ((await browser.evaluate('document.body.innerText')).includes('G3bと合わせる')) fail("the first checker's vote is shown to the second");
await tick('verdict', 'return');
await fill('reason', 'G4が小さい。');
await press('検査の結果を記録する');
await shows('差戻し');
await shows('G3bと合わせる');
done('output');

// 10 Two different people open the rows that a regulator asks for; the regulator reads the answer.
await signIn('取扱-0012');
await browser.go(`${base}/enquiries`);
await press('高血圧');
await shows('別の人が同意するまで');
await signIn('取扱-0013');
await press('照会された行の開封に同意する');
await press('開封に同意する');
await shows('2人の同意がそろいました');
await press('照会された行を開く');
await shows('顕名');
await shows('元の記録');
await fill('text', '元の記録と一致していました。');
await press('回答する');
await shows('回答しました');
await signIn('承認審査機関等の担当者');
await press('照会への回答を読む');
await press('回答を閲覧する');
await shows('元の記録と一致していました。');
done('enquiry');

await browser.close();
const refused = browser.violations.filter((v) => /Content Security Policy|Refused/.test(v));
if (refused.length) fail(refused.join('\n'));
console.log(`${journeys} journeys by keyboard`);
