//! `kiban serve`: the pages of a deployment, over TLS, or on a loopback address (plain HTTP stays on the machine).

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use kiban_journeys::{
    Deployment, World,
    kernel::{Clock, SystemClock, Timestamp},
};
use kiban_web::{App, Settings};
use tokio::net::TcpListener;

use crate::{
    At,
    say::{self, Failure, Outcome},
};

/// Where pages are served if nothing else is said.
pub(crate) const LISTEN: &str = "127.0.0.1:8080";

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: At,
    /// 待ち受けるアドレス（証明書を指定しないときは、この機器の中だけ）
    #[arg(long, default_value = LISTEN)]
    listen: SocketAddr,
    /// ブラウザから見たアドレス（https://ドメイン名）。パスキーはこのアドレスに結び付きます
    #[arg(long)]
    origin: Option<String>,
    /// サーバー証明書（PEM、サーバー自身の証明書が先頭）
    #[arg(long, requires_all = ["key", "origin"])]
    certificate: Option<PathBuf>,
    /// その秘密鍵（PEM）
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
}

pub(crate) async fn run(args: Args) -> Outcome {
    let tls = match (&args.certificate, &args.key) {
        (Some(certificate), Some(key)) => {
            Some(kiban_web::tls(certificate, key).map_err(|e| Failure::new(e.ja(), &e))?)
        }
        _ => None,
    };
    let origin = args.origin.or_else(|| Some(format!("http://localhost:{}", args.listen.port())));
    let settings = Settings { demo: false, secure: tls.is_some(), origin };
    serve(&args.at.dir, args.listen, World::real(), settings, tls).await
}

/// A demo goes on where it ended: its clock begins at the last event and runs as fast as the world's.
pub(crate) async fn demo(dir: &Path, listen: SocketAddr) -> Outcome {
    let last = kiban_journeys::last_event_at(dir).await?;
    let clock = Arc::new(ResumedClock::at(last));
    let world = World { clock, ..World::real() };
    serve(dir, listen, world, Settings { demo: true, ..Settings::default() }, None).await
}

async fn serve(
    dir: &Path,
    listen: SocketAddr,
    world: World,
    settings: Settings,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> Outcome {
    if tls.is_none() && !listen.ip().is_loopback() {
        return Err(Failure::plain(
            "暗号化のない画面は、この機器の中（127.0.0.1）でだけ公開できます。--listen を直すか、--certificate と --key を指定してください。",
            "plain HTTP is served on loopback addresses only",
        ));
    }
    if tls.is_some() && settings.origin.as_ref().is_some_and(|o| !o.starts_with("https://")) {
        return Err(Failure::plain(
            "証明書を指定したときの --origin は https:// で始まります。",
            "the origin of pages over TLS begins with https://",
        ));
    }
    let on = Deployment::open(dir, world.clone()).await?;
    let origin = settings.origin.clone();
    let app = App::new(on, world, settings).map_err(|e| Failure::new(e.ja(), &e))?;
    let listener = TcpListener::bind(listen).await.map_err(Failure::io(
        "待ち受けを始められません。--listen で別の番号を指定してください。",
    ))?;
    let address = listener.local_addr().map_err(Failure::io("待ち受けを始められません。"))?;
    let shown = origin.unwrap_or_else(|| format!("http://{address}"));
    say::line(&format!("画面：{shown}/　（終えるには Ctrl-C）"));
    let warming = app.clone();
    let warm = tokio::spawn(async move { warming.warm().await });
    let stop = async {
        // Without signals the pages are served until the process ends.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let daily = tokio::spawn(every_day(app.clone()));
    let served = match tls {
        Some(tls) => kiban_web::serve_tls(app, listener, tls, stop).await,
        None => kiban_web::serve(app, listener, stop).await,
    };
    warm.abort();
    daily.abort();
    served.map_err(Failure::io("画面の提供が止まりました。"))
}

/// How often the clock is looked at for a new day.
const LOOK: Duration = Duration::from_mins(5);

/// The daily work, on each day of the deployment's clock.
async fn every_day(app: App) {
    loop {
        app.daily().await;
        tokio::time::sleep(LOOK).await;
    }
}

/// A clock that goes on from an instant of the past.
#[derive(Debug)]
struct ResumedClock(Mutex<(Timestamp, Instant)>);

impl ResumedClock {
    #[expect(clippy::disallowed_methods, reason = "a demo's time passes as the world's does")]
    fn at(last: Option<Timestamp>) -> Self {
        Self(Mutex::new((last.unwrap_or_else(|| SystemClock.now()), Instant::now())))
    }
}

impl Clock for ResumedClock {
    fn now(&self) -> Timestamp {
        let (base, begun) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = jiff::SignedDuration::try_from(begun.elapsed()).unwrap_or_default();
        base.saturating_add(passed).unwrap_or(base)
    }
}
