//! A holder's folder and the producer's keys for tests.

use std::{
    fmt::Write as _,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use kiban_intake::{
    Checked, Incoming, KnownHolder, Limits, Opened, ReceiveError, Segment,
    holder::{self, Gate, Init, NoticeVersion, ProfileFiling, SealError, SealReport, SealRequest},
    manifest::Provider,
    open_seal, open_seal_within,
};
use kiban_kernel::{Date, Entropy, FixedClock, NoSteps, Regime, Rules, Steps, Timestamp};
use kiban_testkit::SeededEntropy;
use tempfile::TempDir;

pub(crate) fn medical() -> Vec<&'static str> {
    kiban_formats::Record::TABLES.iter().copied().filter(|t| *t != "person").collect()
}

pub(crate) struct Home {
    pub dir: TempDir,
    pub identity: age::x25519::Identity,
    pub known: KnownHolder,
    notices: String,
    stops: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::listing(&medical())
    }

    /// A holder whose notice lists these items.
    pub(crate) fn listing(items: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let identity = age::x25519::Identity::generate();
        let entropy = SeededEntropy::new(1);
        let init = Init {
            holder: kiban_testkit::id(7),
            provider: Provider {
                name: "見本病院".into(),
                address: "見本県見本市".into(),
                representative: "見本 太郎".into(),
                acquisition: "診療の過程で取得".into(),
            },
            producer_name: "見本認定事業者".into(),
            producer_address: "見本都".into(),
            producer_recipient: identity.to_public().to_string(),
            input_format: None,
            notices: "notices.csv".into(),
            stops: "stops.csv".into(),
            filing: Regime::ALL
                .map(|regime| ProfileFiling {
                    regime,
                    effective_from: day("2024-04-01"),
                    ended: None,
                    wait_days: None,
                })
                .to_vec(),
            notice: Regime::ALL
                .map(|regime| NoticeVersion {
                    version: "v1".into(),
                    regime,
                    effective_from: Some(day("2024-04-01")),
                    items: items.iter().map(|i| (*i).to_owned()).collect(),
                    text: None,
                })
                .to_vec(),
        };
        let setup = holder::init(dir.path(), init, &entropy).unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        let known = KnownHolder { id: setup.profile.holder, key: setup.verify_key };
        Self {
            dir,
            identity,
            known,
            notices: "local_id,regime,notice_version,notified_on,channel,guardian,died_on\n".into(),
            stops: "local_id,regimes,requested_on,receipt_no\n".into(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join("in").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn notify(&mut self, id: &str, regimes: &[Regime], on: &str) {
        for regime in regimes {
            writeln!(self.notices, "{id},{regime},v1,{on},counter,0,").unwrap();
        }
    }

    pub(crate) fn stop(&mut self, id: &str, regimes: &str) {
        writeln!(self.stops, "{id},{regimes},2025-01-01,R1").unwrap();
    }

    pub(crate) fn request(&self, on: &str) -> SealRequest {
        fs::write(self.path().join("notices.csv"), &self.notices).unwrap();
        fs::write(self.path().join("stops.csv"), &self.stops).unwrap();
        SealRequest::from_home(self.path().to_owned(), vec![self.path().join("in")], day(on))
            .unwrap()
    }

    pub(crate) fn seal(&self, on: &str) -> Result<SealReport, SealError> {
        run(&self.request(on), &SeededEntropy::new(2), &NoSteps)
    }

    pub(crate) fn seal_ungated(&self, on: &str) -> SealReport {
        let request = SealRequest { gate: Gate::Off, ..self.request(on) };
        run(&request, &SeededEntropy::new(2), &NoSteps).unwrap()
    }

    pub(crate) fn open(&self, path: &Path) -> Result<Checked, ReceiveError> {
        self.look(path)?.check()
    }

    pub(crate) fn look(&self, path: &Path) -> Result<Opened, ReceiveError> {
        open_seal(path, &self.identity, std::slice::from_ref(&self.known))
    }

    /// As the producer takes it in: who sealed it is known, its content is checked while it is read.
    pub(crate) fn take_in(&self, path: &Path) -> Result<Checked, ReceiveError> {
        let opened = self.look(path)?;
        opened.person_segments(|_| Ok::<_, ReceiveError>(()))?;
        let judge = |_: &Segment<'_>| Ok(Some(()));
        let incoming = Incoming::Opened(opened);
        let walked = incoming.segments_in_turns(judge, |_| Ok::<_, ReceiveError>(()))?;
        incoming.checked(walked)
    }

    pub(crate) fn open_within(
        &self,
        path: &Path,
        limits: &Limits,
    ) -> Result<Checked, ReceiveError> {
        let known = std::slice::from_ref(&self.known);
        open_seal_within(path, &self.identity, known, limits)?.check()
    }

    /// Everything that is inside, decrypted.
    pub(crate) fn plain(&self, path: &Path) -> Vec<u8> {
        let decryptor = age::Decryptor::new(fs::File::open(path).unwrap()).unwrap();
        let mut reader =
            decryptor.decrypt(std::iter::once(&self.identity as &dyn age::Identity)).unwrap();
        let mut out = Vec::new();
        reader.read_to_end(&mut out).unwrap();
        out
    }
}

pub(crate) fn run(
    request: &SealRequest,
    entropy: &dyn Entropy,
    steps: &dyn Steps,
) -> Result<SealReport, SealError> {
    let clock = FixedClock("2025-06-01T00:00:00Z".parse::<Timestamp>().unwrap());
    holder::seal(request, &Rules::built_in().unwrap(), &clock, entropy, steps, &mut |_| {})
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|w| w == needle.as_bytes())
}

pub(crate) fn patient(id: &str, marker: &str) -> String {
    format!(
        "{{\"resourceType\":\"Patient\",\"id\":\"{id}\",\"name\":[{{\"text\":\"{marker}\"}}],\"birthDate\":\"1980-01-02\"}}\n"
    )
}

pub(crate) fn condition(id: &str, marker: &str) -> String {
    format!(
        "{{\"resourceType\":\"Condition\",\"subject\":{{\"reference\":\"Patient/{id}\"}},\"code\":{{\"text\":\"{marker}\"}},\"recordedDate\":\"2024-05-06\"}}\n"
    )
}

/// Two persons, one of whom may be sent, in a small sealed file.
pub(crate) fn small() -> (Home, PathBuf) {
    let mut home = Home::new();
    home.notify("p1", &Regime::ALL, "2024-05-01");
    home.file("Patient.ndjson", patient("p1", "MARK-1") + &patient("p2", "MARK-2"));
    let report = home.seal("2025-06-01").unwrap();
    (home, report.path)
}
