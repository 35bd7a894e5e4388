// So many visitors at once, each looking at pages one after another: every other one is signed in and goes where the
// navigation leads.  node e2e/load.mjs http://127.0.0.1:8080 [users] [looks]
const [base, users = '200', looks = '20'] = process.argv.slice(2);
const open = ['/', '/projects', '/catalogue', '/catalogue/tables/condition', '/hospitals', '/stop', '/sign-in'];

const cookies = (reply) => reply.headers.getSetCookie().map((c) => c.split(';')[0]);
// Signs in as the account of a demo's picker; the pages its navigation leads to.
async function signIn(account) {
  const picker = await fetch(`${base}/sign-in`);
  const csrf = (await picker.text()).match(/name="csrf" value="([^"]+)"/)[1];
  const reply = await fetch(`${base}/api/v1/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': csrf, cookie: cookies(picker).join('; ') },
    body: JSON.stringify({ account }),
  });
  const cookie = cookies(reply).join('; ');
  const home = await (await fetch(`${base}/home`, { headers: { cookie } })).text();
  const nav = home.match(/<nav[\s\S]*?<\/nav>/)[0];
  return { cookie, pages: [...nav.matchAll(/href="(\/[^"]*)"/g)].map((m) => m[1]) };
}
const accounts = (await (await fetch(`${base}/sign-in`)).text()).matchAll(/name="account" value="([^"]+)"/g);
const staff = [];
for (const [, account] of [...accounts].slice(0, 10)) staff.push(await signIn(account));
if (staff.some((s) => s.pages.length === 0)) throw new Error('somebody is not signed in');
const times = [];
let errors = 0;
async function visit(n) {
  for (let i = 0; i < Number(looks); i++) {
    // A person reads before the next look.
    await new Promise((r) => setTimeout(r, 500 + ((n * 37 + i * 101) % 1000)));
    const { cookie, pages } = n % 2 ? staff[(n >> 1) % staff.length] : { cookie: '', pages: open };
    const begun = performance.now();
    try {
      const reply = await fetch(base + pages[(n + i) % pages.length], { headers: { cookie } });
      await reply.text();
      if (reply.status !== 200) errors += 1;
    } catch {
      errors += 1;
    }
    times.push(performance.now() - begun);
  }
}
await Promise.all(Array.from({ length: Number(users) }, (_, n) => visit(n)));
times.sort((a, b) => a - b);
const at = (q) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * q))]);
console.log(`${users} users, ${times.length} looks: median ${at(0.5)} ms, p95 ${at(0.95)} ms, worst ${at(1)} ms, ${errors} errors`);
const limit = Number(process.env.P95_MS ?? 300);
if (at(0.95) >= limit) console.log(`p95 is not under ${limit} ms`);
process.exit(errors || at(0.95) >= limit ? 1 : 0);
