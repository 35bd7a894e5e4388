//! A data holder's folder with files, notices and a sealed delivery.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use kiban_intake::{
    KnownHolder,
    holder::{self, Init, NoticeVersion, ProfileFiling, SealReport, SealRequest},
    manifest::Provider,
};
use kiban_kernel::{Date, FixedClock, NoSteps, Regime, Rules, Timestamp};
use kiban_testkit::{SeededEntropy, id};

/// Tables the notice lists.
pub(crate) fn items() -> Vec<&'static str> {
    kiban_formats::Record::TABLES.iter().copied().filter(|t| *t != "person").collect()
}
/// Day of sealing and of receipt.
pub(crate) const TODAY: &str = "2026-06-01";

pub(crate) struct Home {
    path: PathBuf,
    pub(crate) identity: age::x25519::Identity,
    pub(crate) known: KnownHolder,
    persons: BTreeSet<String>,
}

impl Home {
    pub(crate) fn new(path: &Path, seed: u64) -> anyhow::Result<Self> {
        let identity = age::x25519::Identity::generate();
        let items: Vec<String> = items().iter().map(|i| (*i).to_owned()).collect();
        let init = Init {
            holder: id(1),
            provider: Provider {
                name: "計測用の病院".into(),
                address: "架空市1-1".into(),
                representative: "架空 代表".into(),
                acquisition: "診療の過程で取得".into(),
            },
            producer_name: "計測用の作成事業者".into(),
            producer_address: "架空市2-2".into(),
            producer_recipient: identity.to_public().to_string(),
            input_format: None,
            notices: "notices.csv".into(),
            stops: "stops.csv".into(),
            filing: Regime::ALL
                .map(|regime| ProfileFiling {
                    regime,
                    effective_from: Date::constant(2025, 1, 1),
                    ended: None,
                    wait_days: None,
                })
                .to_vec(),
            notice: Regime::ALL
                .map(|regime| NoticeVersion {
                    version: "v1".into(),
                    regime,
                    effective_from: Some(Date::constant(2025, 1, 1)),
                    items: items.clone(),
                    text: None,
                })
                .to_vec(),
        };
        let setup = holder::init(path, init, &SeededEntropy::new(seed))?;
        fs::create_dir(path.join("in"))?;
        let known = KnownHolder { id: setup.profile.holder, key: setup.verify_key };
        Ok(Self { path: path.to_owned(), identity, known, persons: BTreeSet::new() })
    }

    pub(crate) fn file(&self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.path.join("in").join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, bytes)?)
    }

    /// A file to be written.
    pub(crate) fn create(&self, path: &str) -> anyhow::Result<fs::File> {
        Ok(fs::File::create(self.path.join("in").join(path))?)
    }

    /// This person was told, under both regimes, also by a guardian.
    pub(crate) fn notify(&mut self, local_id: &str) {
        self.persons.insert(local_id.to_owned());
    }

    pub(crate) fn seal(&self, seed: u64) -> anyhow::Result<SealReport> {
        let mut notices =
            String::from("local_id,regime,notice_version,notified_on,channel,guardian,died_on\n");
        for person in &self.persons {
            for regime in Regime::ALL {
                writeln!(notices, "{person},{regime},v1,2026-04-01,counter,1,")?;
            }
        }
        fs::write(self.path.join("notices.csv"), notices)?;
        fs::write(self.path.join("stops.csv"), "local_id,regimes,requested_on,receipt_no\n")?;
        let request =
            SealRequest::from_home(self.path.clone(), vec![self.path.join("in")], TODAY.parse()?)?;
        let clock = FixedClock("2026-06-01T00:00:00Z".parse::<Timestamp>()?);
        let entropy = SeededEntropy::new(seed + 1);
        let rules = Rules::built_in()?;
        Ok(holder::seal(&request, &rules, &clock, &entropy, &NoSteps, &mut |_| {})?)
    }
}
