// So many visitors at once, each looking at pages one after another.  node e2e/load.mjs http://127.0.0.1:8080 [users] [looks]
const [base, users = '200', looks = '20'] = process.argv.slice(2);
const pages = ['/', '/projects', '/catalogue', '/catalogue/tables/condition', '/hospitals', '/stop', '/sign-in'];
const times = [];
let errors = 0;
async function visit(n) {
  for (let i = 0; i < Number(looks); i++) {
    // A person reads before the next look.
    await new Promise((r) => setTimeout(r, 500 + ((n * 37 + i * 101) % 1000)));
    const begun = performance.now();
    try {
      const reply = await fetch(base + pages[(n + i) % pages.length]);
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
