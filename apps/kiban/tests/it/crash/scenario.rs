//! The acts during which the process ends, each done again from where it was.

use super::*;

pub(super) const HOLDER: &str = "hospital_a";
/// Patients of the SS-MIX2 fixture with few files.
pub(super) const PATIENTS: [&str; 3] = ["0255870083", "4635674629", "0250070083"];
pub(super) const WISH: Wish =
    Wish { user: "university", product: Product::Anonymized, route: Route::SealedTransfer };
pub(super) const SPECIFICATION: &str = r#"
[specification]
name = "small"

[k]
target = 1

[tables.person.columns.sex]
class = "quasi_identifier"
anonymized = { category = { values = ["M", "F"] } }
pseudonymized = "keep"

[tables.condition.columns.recorded_at]
class = "date"
anonymized = { shift_date = { max_days = 60 } }
pseudonymized = "keep"
"#;

/// What is done when the process ends, in the order of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Seal,
    Receive,
    Link,
    Produce,
    Deliver,
    Stop,
}

pub(super) const ACTS: [Act; 6] =
    [Act::Seal, Act::Receive, Act::Link, Act::Produce, Act::Deliver, Act::Stop];

impl FromStr for Act {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        ACTS.into_iter().find(|a| format!("{a:?}") == text).ok_or(())
    }
}

pub(super) fn day() -> Date {
    "2025-05-12".parse().unwrap()
}

pub(super) fn home(dir: &Path) -> PathBuf {
    dir.join("holders").join(HOLDER)
}

impl Act {
    /// Does it, or what is left of it to do.
    pub(super) fn perform(self, dir: &Path, steps: Arc<dyn Steps>) {
        if self == Self::Seal {
            return seal(dir, &*steps);
        }
        run(|| async {
            let site = Site::open(dir, day(), steps).await;
            match self {
                Self::Seal => {}
                Self::Receive => {
                    let sealed = files::sealed(&home(dir).join("outbox"));
                    let _ = site.receive(HOLDER, &sealed).await;
                }
                Self::Link => {
                    kiban_journeys::link_persons(&site.on, &site.actor("processor")).await.unwrap();
                }
                Self::Produce => produce(&site).await,
                Self::Deliver => deliver(&site).await,
                Self::Stop => stop(&site).await,
            }
            site.close().await;
        });
    }
}

pub(super) fn seal(dir: &Path, steps: &dyn Steps) {
    if !holder::status(&home(dir)).unwrap().deliveries.is_empty() {
        return;
    }
    let clock = ScriptedClock::starting(day());
    let source = dir.join("country/source");
    let request = SealRequest::from_home(home(dir), vec![source], day()).unwrap();
    let rules = Rules::built_in().unwrap();
    holder::seal(&request, &rules, &clock, &OsEntropy, steps, &mut |_| {}).unwrap();
}

pub(super) async fn column(site: &Site, query: &str) -> Vec<String> {
    ask(site.on.log().db(), query).await
}

pub(super) async fn ask(db: &Db, query: &str) -> Vec<String> {
    let rows =
        sqlx::query(sqlx::AssertSqlSafe(query.to_owned())).fetch_all(db.pool()).await.unwrap();
    rows.iter().map(|row| row.try_get::<String, _>(0).unwrap()).collect()
}

pub(super) async fn produce(site: &Site) {
    if !column(site, "SELECT dataset FROM release_dataset").await.is_empty() {
        return;
    }
    let application = fs::read_to_string(site.dir.join("country/application")).unwrap();
    let request = ProduceRequest {
        application: application.parse().unwrap(),
        specification: SPECIFICATION.to_owned(),
        dataset: None,
    };
    let processor = site.actor("processor");
    let produced = kiban_journeys::produce_dataset(&site.on, &processor, &request).await.unwrap();
    assert!(produced.manifest.is_some());
}

pub(super) async fn deliver(site: &Site) {
    let dataset = column(site, "SELECT dataset FROM release_dataset").await[0].parse().unwrap();
    let approved = column(site, "SELECT actor FROM release_approval").await;
    for approver in ["approver_1", "approver_2"] {
        let approver = site.actor(approver);
        let account = approver.account.to_string();
        if !approved.iter().any(|by| by.contains(&account)) {
            kiban_journeys::approve_release(&site.on, &approver, dataset, WISH.route)
                .await
                .unwrap();
        }
    }
    if column(site, "SELECT dataset FROM deliver_delivery").await.is_empty() {
        let delivery = site.actor("delivery");
        kiban_journeys::deliver_dataset(&site.on, &delivery, dataset, WISH.route).await.unwrap();
    }
}

pub(super) async fn stop(site: &Site) {
    let request = StopRequest {
        holder: Parties::organization_id(HOLDER),
        local_id: PATIENTS[1].to_owned(),
        regimes: Regime::ALL.into_iter().collect::<Bases>(),
        requested_on: day(),
        receipt_number: "受付-1".to_owned(),
        requester: Requester::Person,
        evidence: "本人確認記録".to_owned(),
        scope: Scope::Holder,
        identities: Vec::new(),
    };
    let intake = site.actor("intake");
    let received = kiban_journeys::record_stop(&site.on, &intake, &request).await.unwrap();
    let applied = kiban_journeys::apply_stop(&site.on, &intake, received.stop.id).await.unwrap();
    assert!(applied.open.is_empty() && applied.proof().is_some());
}
