//! A deployment with its parties, its clock and the simulated country, at several points of the story.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex},
};

use kiban_country::{Calendar, Country, Fixtures, NoProgress, Params, fixtures};
use kiban_journeys::{
    Actor, Deployment, Parties, Received, StopRequest, World,
    holder::{self, Gate, SealError, SealReport, SealRequest},
    kernel::{Bases, Date, NoSteps, OsEntropy, Regime, ScriptedClock, Steps},
    stop::{Requester, Scope},
};

use super::{Scratch, acts, files, lasting, run};

/// The parties of the demo.
pub(crate) const PARTIES: &str = include_str!("../../../data/parties.toml");
/// The worked specification, with k = 1 and without limits of risk: of so few persons hardly any would be left.
pub(crate) fn specification() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let text = include_str!("../../../../../spec/demo/spec.toml");
        assert!(text.contains("\ntarget = 5\n"));
        text.replace("\ntarget = 5\n", "\ntarget = 1\n")
            .replace("\nmax_risk = 0.2\n", "\n")
            .replace("\nmax_singled_out = 0.0\n", "\n")
    });
    &TEXT
}
/// Who sends.
pub(crate) const HOLDERS: [&str; 3] = ["hospital_a", "hospital_b", "municipality"];
/// Patients kept of the FHIR fixture, so that tests without optimisation stay short.
const FHIR_PATIENTS: usize = 36;
/// Residents.
const RESIDENTS: u32 = 60;

/// A deployment on disk, closed.
pub(crate) struct Template {
    pub(crate) dir: PathBuf,
    pub(crate) day: Date,
}

/// An open copy of a deployment.
pub(crate) struct Site {
    pub(crate) on: Deployment,
    pub(crate) parties: Parties,
    pub(crate) clock: Arc<ScriptedClock>,
    pub(crate) calendar: Calendar,
    pub(crate) dir: PathBuf,
    scratch: Option<Scratch>,
}

/// The day `n` days after `date`.
pub(crate) fn day_after(date: Date, n: i64) -> Date {
    (0..n.abs())
        .fold(date, |d, _| if n > 0 { d.tomorrow().unwrap() } else { d.yesterday().unwrap() })
}

fn world(day: Date, steps: Arc<dyn Steps>) -> (World, Arc<ScriptedClock>) {
    let clock = Arc::new(ScriptedClock::starting(day));
    (World { clock: clock.clone(), entropy: Arc::new(OsEntropy), steps }, clock)
}

impl Template {
    /// An open copy, on the day on which the template stands.
    pub(crate) async fn copy(&self) -> Site {
        let scratch = Scratch::copy_of(&self.dir);
        let mut site = Site::open(scratch.path(), self.day, Arc::new(NoSteps)).await;
        site.scratch = Some(scratch);
        site
    }
}

impl Site {
    /// A new deployment with its parties and their clients; no country.
    pub(crate) async fn create(dir: &Path) -> Self {
        Self::create_with(dir, Parties::parse(PARTIES).unwrap(), &HOLDERS).await
    }

    /// A new deployment of other parties, with the clients of some holders.
    pub(crate) async fn create_with(dir: &Path, parties: Parties, holders: &[&str]) -> Self {
        let calendar = Calendar::default();
        let (world, clock) = world(day_after(calendar.notice_date, -29), Arc::new(NoSteps));
        let on = Deployment::create(dir, "kiban.invalid/test", world).await.unwrap();
        let site = Self { on, parties, clock, calendar, dir: dir.to_owned(), scratch: None };
        let registrar = site.actor("registrar");
        kiban_journeys::register_parties(&site.on, &registrar, &site.parties).await.unwrap();
        let members = site.parties.members();
        kiban_journeys::keep_roster(&site.on, &site.actor("secretary"), &members).await.unwrap();
        for holder in holders {
            let home = site.home(holder);
            kiban_journeys::set_up_holder(&site.on, &registrar, &site.parties, holder, &home)
                .await
                .unwrap();
        }
        site
    }

    /// Opens a deployment on a day, with a witness of its steps.
    pub(crate) async fn open(dir: &Path, day: Date, steps: Arc<dyn Steps>) -> Self {
        let (world, clock) = world(day, steps);
        let on = Deployment::open(dir, world).await.unwrap();
        let parties = Parties::parse(PARTIES).unwrap();
        Self {
            on,
            parties,
            clock,
            calendar: Calendar::default(),
            dir: dir.to_owned(),
            scratch: None,
        }
    }

    /// Closes it and leaves it on disk.
    pub(crate) async fn close(self) -> Option<Scratch> {
        self.on.log().db().close().await;
        self.scratch
    }

    /// The deployment for a router to own, and what else there is.
    pub(crate) fn into_parts(self) -> (Deployment, Arc<ScriptedClock>, Parties, Option<Scratch>) {
        (self.on, self.clock, self.parties, self.scratch)
    }

    pub(crate) fn actor(&self, key: &str) -> Actor {
        self.parties.actor(key).unwrap()
    }
    pub(crate) fn home(&self, holder: &str) -> PathBuf {
        self.dir.join("holders").join(holder)
    }
    pub(crate) fn truth(&self) -> PathBuf {
        self.dir.join("country/truth")
    }
    pub(crate) fn source(&self, holder: &str) -> PathBuf {
        self.dir.join("country/holders").join(holder).join("source")
    }

    /// Copies a holder's lists of notices and stops to its client.
    pub(crate) fn lists(&self, holder: &str) {
        for list in ["notices.csv", "stops.csv"] {
            let from = self.dir.join("country/holders").join(holder).join(list);
            fs::copy(from, self.home(holder).join(list)).unwrap();
        }
    }

    /// Seals a holder's source on a day.
    pub(crate) fn seal(&self, holder: &str, on: Date, gate: Gate) -> Result<SealReport, SealError> {
        let mut request = SealRequest::from_home(self.home(holder), vec![self.source(holder)], on)?;
        request.gate = gate;
        self.clock.set_date(on);
        holder::seal(&request, self.on.rules(), &*self.clock, &OsEntropy, &NoSteps, &mut |_| {})
    }

    /// Receives a sealed file and hands the receipt to the holder.
    pub(crate) async fn receive(&self, holder: &str, file: &Path) -> Received {
        let received =
            kiban_journeys::receive_delivery(&self.on, &self.actor("intake"), file).await.unwrap();
        let key = self.on.log().verify_key().clone();
        holder::accept_receipt(&self.home(holder), &received.receipt, &key).unwrap();
        received
    }

    /// The stop requests of a list of the country.
    pub(crate) fn stops(&self, holder: &str, list: &str) -> Vec<StopRequest> {
        let path = self.dir.join("country/holders").join(holder).join(list);
        let request = |row: std::collections::BTreeMap<String, String>| StopRequest {
            holder: Parties::organization_id(holder),
            local_id: row["local_id"].clone(),
            regimes: row["regimes"]
                .split(';')
                .filter_map(|r| r.parse::<Regime>().ok())
                .collect::<Bases>(),
            requested_on: row["requested_on"].parse().unwrap(),
            receipt_number: row["receipt_no"].clone(),
            requester: Requester::Person,
            evidence: "本人確認記録".to_owned(),
            scope: Scope::Holder,
            identities: Vec::new(),
        };
        if path.exists() {
            files::csv_rows(&path).into_iter().map(request).collect()
        } else {
            Vec::new()
        }
    }

    /// Records and applies stop requests; every store must acknowledge.
    pub(crate) async fn apply(&self, requests: &[StopRequest]) {
        let intake = self.actor("intake");
        for request in requests {
            let received = kiban_journeys::record_stop(&self.on, &intake, request).await.unwrap();
            let applied =
                kiban_journeys::apply_stop(&self.on, &intake, received.stop.id).await.unwrap();
            assert!(applied.open.is_empty() && applied.proof().is_some());
        }
    }

    /// The findings of a verification; none if all is well.
    pub(crate) async fn findings(&self) -> Vec<String> {
        kiban_journeys::verify_deployment(&self.dir, &[]).await.unwrap().findings
    }
}

/// The country's parameters.
pub(crate) fn params() -> Params {
    static FHIR: LazyLock<PathBuf> = LazyLock::new(|| {
        let dir = lasting("fhir");
        small_fhir(&dir);
        dir
    });
    Params {
        seed: 3,
        persons: RESIDENTS,
        notice_versions: ["2025-1".to_owned(), "2025-1".to_owned()],
        fixtures: Fixtures { ssmix2: None, fhir: Some(FHIR.clone()) },
        ..Params::default()
    }
}

/// The FHIR fixture with its first patients only.
fn small_fhir(dir: &Path) {
    fixtures::unpack_fhir(dir).unwrap();
    let patients = fs::read_to_string(dir.join("Patient.ndjson")).unwrap();
    let id =
        |line: &str| line.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let kept: BTreeSet<String> = patients.lines().take(FHIR_PATIENTS).map(id).collect();
    for path in files::walk(dir) {
        let text = fs::read_to_string(&path).unwrap();
        let of_patients = path.ends_with("Patient.ndjson");
        let keep = |line: &&str| {
            let whose = line.split("\"Patient/").nth(1).map(|rest| rest.split('"').next().unwrap());
            if of_patients {
                kept.contains(&id(line))
            } else {
                whose.is_none_or(|w| kept.contains(w))
            }
        };
        let lines: Vec<&str> = text.lines().filter(keep).collect();
        fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
}

/// Prepared once: the work is done by the first who asks, the others wait.
fn once(
    slot: &Mutex<Option<Arc<Template>>>,
    make: impl FnOnce(PathBuf) -> Template + Send,
) -> Arc<Template> {
    let mut slot = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    slot.get_or_insert_with(|| Arc::new(make(lasting("site")))).clone()
}

/// Parties registered, the country written, the holders' lists in place; nothing sent.
pub(crate) fn registered() -> Arc<Template> {
    static SLOT: Mutex<Option<Arc<Template>>> = Mutex::new(None);
    once(&SLOT, |dir| {
        run(|| async {
            let site = Site::create(&dir).await;
            let country = Country::generate(&params()).unwrap();
            country.write(&dir.join("country"), &mut NoProgress).unwrap();
            for holder in HOLDERS {
                site.lists(holder);
            }
            let day = site.calendar.notice_date;
            site.close().await;
            Template { dir, day }
        })
    })
}

/// All have sent and were received, the stops asked for since are applied, persons are linked.
pub(crate) fn linked() -> Arc<Template> {
    static SLOT: Mutex<Option<Arc<Template>>> = Mutex::new(None);
    let before = registered();
    once(&SLOT, |dir| {
        files::copy(&before.dir, &dir);
        run(|| async {
            let site = Site::open(&dir, before.day, Arc::new(NoSteps)).await;
            let day = site.calendar.delivery_date;
            let mut sealed = Vec::new();
            for holder in HOLDERS {
                sealed.push((holder, site.seal(holder, day, Gate::On).unwrap()));
            }
            site.clock.set_date(day_after(day, 1));
            // The hospitals' stops come before their sealed records are opened, the municipality's after.
            for holder in ["hospital_a", "hospital_b"] {
                site.apply(&site.stops(holder, "stops_after_sending.csv")).await;
            }
            for (holder, report) in &sealed {
                site.receive(holder, &report.path).await;
            }
            site.apply(&site.stops("municipality", "stops_after_sending.csv")).await;
            let day = site.calendar.product_date;
            site.clock.set_date(day);
            kiban_journeys::link_persons(&site.on, &site.actor("processor")).await.unwrap();
            site.close().await;
            Template { dir, day }
        })
    })
}

/// Three datasets were delivered; what they are stands in [`acts::delivered`].
pub(crate) fn delivered() -> Arc<Template> {
    static SLOT: Mutex<Option<Arc<Template>>> = Mutex::new(None);
    let before = linked();
    once(&SLOT, |dir| {
        files::copy(&before.dir, &dir);
        run(|| async {
            let site = Site::open(&dir, before.day, Arc::new(NoSteps)).await;
            acts::deliver_three(&site).await;
            let day = before.day;
            site.close().await;
            Template { dir, day }
        })
    })
}
