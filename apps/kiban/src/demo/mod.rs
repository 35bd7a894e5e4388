//! `kiban demo`: the main job from an empty folder to delivered datasets, on simulated people and a scripted clock.

mod holders;
mod leaks;
mod pending;
mod print;
mod products;
mod report;
mod stage;
mod stopping;
mod story;
mod truth;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use kiban_country::Calendar;
use kiban_journeys::{
    Actor, Deployment, Parties, World,
    kernel::{Date, ScriptedClock},
};

use self::{stage::Stages, story::Story};
use crate::{
    commands::serve,
    say::{self, Failure, Outcome},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// 新しいフォルダ（省略時は ./kiban-demo、すでにあれば kiban-demo-2 …）
    #[arg(long)]
    dir: Option<PathBuf>,
    /// 模擬の住民の数
    #[arg(long, default_value_t = 5_000)]
    persons: u32,
    /// 乱数の種
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 作った後に（すでにあればそのまま）画面を公開します
    #[arg(long)]
    serve: bool,
    /// 画面を待ち受けるアドレス（この機器の中だけ）
    #[arg(long, default_value = serve::LISTEN, requires = "serve")]
    listen: SocketAddr,
}

/// Everything the phases share.
pub(crate) struct Demo {
    pub(crate) dir: PathBuf,
    pub(crate) on: Deployment,
    pub(crate) parties: Parties,
    pub(crate) clock: Arc<ScriptedClock>,
    pub(crate) calendar: Calendar,
    pub(crate) story: Story,
    pub(crate) stages: Stages,
}

impl Demo {
    pub(crate) fn actor(&self, key: &str) -> Result<Actor, Failure> {
        Ok(self.parties.actor(key)?)
    }
    pub(crate) fn truth(&self) -> PathBuf {
        self.dir.join("country/truth")
    }
    pub(crate) fn home(&self, holder: &str) -> PathBuf {
        self.dir.join("holders").join(holder)
    }
}

/// The hospitals and the municipality, with what they send.
pub(crate) const HOLDERS: [&str; 3] = ["hospital_a", "hospital_b", "municipality"];

pub(crate) async fn run(args: Args) -> Outcome {
    if !args.serve {
        return make(&args, fresh(args.dir.clone())?).await;
    }
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from("kiban-demo"));
    if !dir.join("governance.sqlite").exists() {
        Box::pin(make(&args, fresh(Some(dir.clone()))?)).await?;
    }
    serve::demo(&dir, args.listen).await
}

async fn make(args: &Args, dir: PathBuf) -> Outcome {
    let calendar = Calendar::default();
    // A month before the first notice: the parties are registered.
    let clock = Arc::new(ScriptedClock::starting(day_after(calendar.notice_date, -29)));
    let world = World { clock: clock.clone(), ..World::real() };
    say::line(&format!(
        "基盤のデモを {} に作ります（模擬住民 {} 人、種 {}）。",
        dir.display(),
        args.persons,
        args.seed
    ));
    let stages = Stages::new(if args.serve { 9 } else { 8 });
    stages.begin("鍵とデータベースの作成");
    let parties = Parties::parse(include_str!("../../data/parties.toml"))?;
    let on = Deployment::create(&dir, "kiban.example/demo", world).await?;
    let story = Story {
        seed: args.seed,
        persons: u64::from(args.persons),
        version: env!("CARGO_PKG_VERSION"),
        ..Story::default()
    };
    let mut demo = Demo { dir, on, parties, clock, calendar, story, stages };
    holders::make_country(&mut demo, args.seed, args.persons)?;
    holders::register(&mut demo).await?;
    holders::send_and_receive(&mut demo).await?;
    holders::link(&mut demo).await?;
    let datasets = products::all(&mut demo).await?;
    stopping::after_delivery(&mut demo, &datasets).await?;
    if args.serve {
        pending::leave(&mut demo, &datasets).await?;
    }
    verify(&mut demo).await?;
    demo.stages.end();
    let page = report::render(&demo.story).map_err(|e| Failure::new("報告を作れません。", &e))?;
    fs::write(demo.dir.join("report.html"), page).map_err(Failure::io("報告を書けません。"))?;
    print::summary(&demo);
    let leaks: u64 = demo.story.datasets.iter().map(|d| d.leaks).sum();
    let wrong: u64 = demo.story.groups.iter().map(|g| g.wrong).sum();
    if leaks + wrong + demo.story.stop.present_after > 0 {
        return Err(Failure::plain(
            "デモの検査で不一致が見つかりました。上の結果を確かめてください。",
            "the demo's own checks failed",
        ));
    }
    Ok(())
}

async fn verify(demo: &mut Demo) -> Outcome {
    demo.stages.begin("検証");
    let verified = kiban_journeys::verify_deployment(&demo.dir, &[]).await?;
    if let Some(finding) = verified.findings.first() {
        return Err(Failure::plain(finding.clone(), "verification failed"));
    }
    demo.story.events = verified.events;
    demo.story.files_verified = verified.files + verified.packages;
    demo.story.seconds = demo.stages.seconds();
    Ok(())
}

/// The day `n` days after `date`.
pub(crate) fn day_after(date: Date, n: i64) -> Date {
    date.saturating_add(jiff::Span::new().days(n))
}

/// The folder asked for, if it is new or empty; or the first free default.
fn fresh(asked: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let free = |dir: &Path| fs::read_dir(dir).map_or(!dir.exists(), |mut e| e.next().is_none());
    match asked {
        Some(dir) if free(&dir) => Ok(dir),
        Some(_) => Err(Failure::plain(
            "指定のフォルダは空ではありません。新しいフォルダを指定してください。",
            "the folder is not empty",
        )),
        None => {
            let names = std::iter::once("kiban-demo".to_owned())
                .chain((2..1_000).map(|n| format!("kiban-demo-{n}")));
            names.map(PathBuf::from).find(|d| free(d)).ok_or_else(|| {
                Failure::plain(
                    "空いているフォルダ名がありません。--dir で指定してください。",
                    "no free folder",
                )
            })
        }
    }
}
