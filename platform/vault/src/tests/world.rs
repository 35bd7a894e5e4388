//! A small deployment with two holders, and deliveries to it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{array::AsArray as _, datatypes::UInt8Type};
use kiban_audit::{Db, Event, Log, LogSigner};
use kiban_formats::{Arena, Format, fhir, municipal};
use kiban_govern::Actor;
use kiban_intake::{
    Segment, SegmentIds,
    manifest::FileEntry,
    notices::{NoticeRow, Notices},
    report::{Counts, ReportBuilder},
};
use kiban_kernel::{
    Bases, Date, Digest, Id, NoSteps, OsEntropy, Regime, Rules, ScriptedClock, Steps, kinds,
};
use kiban_lake::{DataClass, KeyRing, Lake, Snapshot, schema};
use kiban_register::{
    AcquisitionCheck, Erases, Filing, Gate, NoticeVersion, Organization, OrganizationKind,
    RegisterKeys, StatutoryItems, StopRequest, filing, notice, organization,
    stop::{self, Applied, Requester, Scope},
};
use kiban_testkit::{SeededEntropy, TestDb, actor, id};

use crate::{Prepared, Revisions, STORES, Vault, VaultError, people::People, writer::VaultWriter};

pub(super) const HOSPITAL: u64 = 1;
pub(super) const TOWN: u64 = 2;

pub(super) struct World {
    pub(super) db: Db,
    pub(super) path: PathBuf,
    pub(super) signer: LogSigner,
    pub(super) log: Log,
    pub(super) vault: Vault,
    pub(super) keys: RegisterKeys,
    pub(super) ids: SegmentIds,
    pub(super) rules: Rules,
    pub(super) actor: Actor,
    /// The folder goes when this is dropped.
    kept: Option<TestDb>,
}

pub(super) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn holder(n: u64) -> Id<kinds::Organization> {
    id(n)
}

/// Notices given on 2026-04-01.
pub(super) fn told(local_id: &str, regimes: &[Regime]) -> Vec<NoticeRow> {
    regimes
        .iter()
        .map(|regime| NoticeRow {
            local_id: local_id.into(),
            regime: *regime,
            notice_version: "v1".into(),
            notified_on: day("2026-04-01"),
            channel: "counter".into(),
            guardian: false,
            returned_on: None,
            died_on: None,
        })
        .collect()
}

pub(super) fn patient(n: u32) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"p{n}","identifier":[{{"type":{{"coding":[{{"code":"MR"}}]}},"value":"CHART{n:05}"}}],"name":[{{"text":"試験姓{n} 花子","extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation","valueCode":"IDE"}}]}},{{"text":"シケンセイ ハナコ","extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation","valueCode":"SYL"}}]}}],"gender":"female","birthDate":"19{}-01-02","telecom":[{{"system":"phone","value":"090-5555-{n:04}"}}]}}"#,
        50 + n % 40
    )
}

pub(super) fn condition(n: u32, code: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/p{n}"}},"code":{{"coding":[{{"system":"urn:icd10","code":"{code}"}}],"text":"病名{code}"}}}}"#
    )
}

pub(super) const RESIDENTS: &str = "宛名番号,氏名漢字,氏名カナ,生年月日,性別(1男2女),郵便番号,住所,電話番号,職業,異動年月日,死亡年月日,備考\n";

pub(super) fn resident(n: u32) -> String {
    format!(
        "R{n},試験姓{n}　花子,ｼｹﾝｾｲ ﾊﾅｺ,19{}0102,2,100-0001,架空市一丁目{n}番,,,,,\n",
        50 + n % 40
    )
}

impl World {
    pub(super) async fn new() -> Self {
        Self::over(TestDb::sqlite().await).await
    }

    pub(super) async fn over(db: TestDb) -> Self {
        let (inner, path) = (db.db().clone(), db.path().to_owned());
        let mut world = Self::open(inner, path, Arc::new(NoSteps)).await;
        world.register().await;
        world.kept = Some(db);
        world
    }

    /// The deployment in a folder, made there if need be; nothing is registered.
    pub(super) async fn in_folder(path: &Path, steps: Arc<dyn Steps>) -> Self {
        let db = Db::open_file(&path.join("governance.sqlite")).await.unwrap();
        db.migrate().await.unwrap();
        Self::open(db, path.to_owned(), steps).await
    }

    async fn open(db: Db, path: PathBuf, steps: Arc<dyn Steps>) -> Self {
        let signer =
            LogSigner::generate(&SeededEntropy::new(1), "test.kiban.invalid/audit").unwrap();
        let clock = Arc::new(ScriptedClock::starting(day("2026-03-01")));
        let log = Log::open(db.clone(), path.join("audit"), signer.clone(), clock, steps.clone())
            .await
            .unwrap();
        let keys_dir = path.join("keys");
        let ring = if keys_dir.exists() {
            KeyRing::open(&keys_dir)
        } else {
            KeyRing::create(&keys_dir, &OsEntropy)
        };
        let ring = Arc::new(ring.unwrap());
        let lake = Lake::open(path.join("lake"), ring, db.clone(), steps).await.unwrap();
        let vault = Vault::new(lake);
        let mut conn = db.pool().acquire().await.unwrap();
        let keys = RegisterKeys::load(&mut conn, vault.lake().ring()).await.unwrap();
        let ids = vault.segment_ids(&mut conn).await.unwrap();
        drop(conn);
        let (rules, actor) = (Rules::built_in().unwrap(), actor(9));
        Self { db, path, signer, log, vault, keys, ids, rules, actor, kept: None }
    }

    /// Two holders with filings and a notice under both regimes.
    pub(super) async fn register(&self) {
        let mut tx = self.log.begin().await.unwrap();
        let now = tx.now();
        let kinds: Vec<String> = schema::tables()
            .iter()
            .filter(|t| t.data_class == DataClass::Identified && t.name != "note")
            .map(|t| t.name.clone())
            .collect();
        for n in [HOSPITAL, TOWN] {
            let holder = Organization {
                id: id(n),
                kind: OrganizationKind::Holder,
                name: "架空の提供元".into(),
                address: "架空市1-1".into(),
                representative: "架空 代表".into(),
            };
            organization::add(tx.conn(), &holder, now).await.unwrap();
            for (i, regime) in Regime::ALL.into_iter().enumerate() {
                let filing = Filing {
                    id: id(n * 10 + i as u64),
                    holder: holder.id,
                    regime,
                    number: "届-1".into(),
                    filed_on: day("2025-01-01"),
                    effective_from: day("2025-01-01"),
                    ended_on: None,
                    wait_days: None,
                    publication: None,
                };
                filing::add(tx.conn(), &filing).await.unwrap();
                let items = StatutoryItems {
                    holder_name: "架空".into(),
                    holder_address: "架空市".into(),
                    holder_representative: "架空".into(),
                    purpose: "研究開発".into(),
                    data_items: "病名等".into(),
                    acquisition: "診療".into(),
                    method: "電磁的".into(),
                    stop_on_request: "停止".into(),
                    request_desk: "窓口".into(),
                    producer: "架空作成事業者".into(),
                    planned_start: None,
                };
                let version = NoticeVersion {
                    id: id(n * 10 + i as u64),
                    holder: holder.id,
                    regime,
                    version: "v1".into(),
                    effective_from: day("2025-01-01"),
                    items,
                    kinds: kinds.clone(),
                };
                notice::add(tx.conn(), &version).await.unwrap();
            }
            let check = AcquisitionCheck {
                holder: holder.id,
                checked_on: day("2025-01-01"),
                method: "診療".into(),
                evidence: "確認書".into(),
                lawful: true,
            };
            filing::add_acquisition(tx.conn(), &check).await.unwrap();
        }
        let _ = tx.commit(event("test.registered", &self.actor)).await.unwrap();
    }

    pub(super) fn person(&self, holder_no: u64, local_id: &str) -> Id<kinds::PersonSource> {
        self.keys.person_source(holder(holder_no), local_id)
    }

    pub(super) async fn gate(&self, holder_no: u64, on: &str) -> Gate {
        let mut conn = self.db.pool().acquire().await.unwrap();
        Gate::load(&mut conn, &self.keys, holder(holder_no), day(on), &self.rules).await.unwrap()
    }

    /// One file: FHIR lines, or residents when its first line is their header.
    pub(super) async fn prepare(
        &self,
        holder_no: u64,
        on: &str,
        notices: &[NoticeRow],
        lines: &[String],
    ) -> Prepared {
        self.prepare_with(holder_no, on, notices, lines, Revisions::default()).await
    }

    /// As [`Self::prepare`], with the holder's lists; sealed at the midnight that begins the day.
    pub(super) async fn prepare_with(
        &self,
        holder_no: u64,
        on: &str,
        notices: &[NoticeRow],
        lines: &[String],
        revisions: Revisions<'_>,
    ) -> Prepared {
        let sealed = kiban_kernel::jst_midnight(day(on)).unwrap();
        let gate = self.gate(holder_no, on).await;
        let csv = lines.first().is_some_and(|l| l == RESIDENTS);
        let (format, header) =
            if csv { (Format::MunicipalCsv, RESIDENTS) } else { (Format::FhirNdjson, "") };
        let file = FileEntry {
            path: "data/all".into(),
            sha256: Digest::of(b""),
            size: 0,
            segments: lines.len() as u64,
            format: kiban_intake::format_name(format).into(),
            insured: false,
        };
        let mut reader =
            csv.then(|| municipal::Reader::new(RESIDENTS.trim_end().as_bytes()).unwrap());
        let arena = Arena::new();
        let mut parsed = Vec::new();
        for (i, line) in lines.iter().enumerate().skip(usize::from(csv)) {
            let number = i as u64 + 1;
            let bytes = line.trim_end().as_bytes();
            parsed.push((
                number,
                line,
                match &mut reader {
                    Some(reader) => reader.parse_row(bytes, number, &arena),
                    None => fhir::parse_line(bytes, number, &arena),
                },
            ));
        }
        let segments: Vec<Segment<'_>> = parsed
            .iter()
            .map(|(number, line, parsed)| Segment {
                file: &file,
                file_number: 1,
                format,
                line: *number,
                person: parsed.person,
                bytes: line.as_bytes(),
                header: header.as_bytes(),
                parsed,
            })
            .collect();
        let gate = Arc::new(gate);
        let mut persons = crate::versions::Persons::default();
        let notices = Notices::of(notices.iter().cloned());
        let mut people = People::new(&notices, gate.clone(), &mut persons);
        for segment in &segments {
            people.see(&mut persons, segment);
        }
        let delivery = Id::new(&OsEntropy).unwrap();
        let (people, report) = ((people, persons), ReportBuilder::default());
        let write = async {
            let ids = self.ids.clone();
            let mut writer =
                VaultWriter::new(&self.vault, gate, ids, delivery, sealed, people, report)
                    .await
                    .unwrap();
            writer.judge.revise(revisions).await.unwrap();
            for segment in &segments {
                if let Some(kept) = writer.judge.accept(segment).unwrap() {
                    writer.rows.push(&[(*segment, kept)]);
                }
            }
            Box::pin(writer.finish()).await.unwrap()
        };
        Box::pin(write).await
    }

    pub(super) async fn commit(
        &self,
        prepared: Prepared,
    ) -> Result<(Snapshot, Counts), VaultError> {
        let mut tx = self.log.begin().await.unwrap();
        let (snapshot, report, _, _) = prepared.commit(&mut tx).await?;
        let _ = tx.commit(event("delivery.received", &self.actor)).await.unwrap();
        assert!(report.counts.balances(), "{:?}", report.counts);
        Ok((snapshot, report.counts))
    }

    pub(super) async fn deliver(
        &self,
        holder_no: u64,
        on: &str,
        notices: &[NoticeRow],
        lines: &[String],
    ) -> Counts {
        let prepared = self.prepare(holder_no, on, notices, lines).await;
        self.commit(prepared).await.unwrap().1
    }

    pub(super) async fn receive_stop(&self, request: &StopRequest, stores: &[&str]) -> stop::Stop {
        let mut tx = self.log.begin().await.unwrap();
        let lake = self.vault.lake();
        let got =
            stop::receive(&mut tx, lake, &self.keys, request, stores, &self.rules, &OsEntropy)
                .await
                .unwrap();
        let _ = tx.commit(event("stop.received", &self.actor)).await.unwrap();
        got.stop
    }

    pub(super) async fn stop(&self, holder_no: u64, local_id: &str, regimes: Bases) -> Applied {
        let stop = self.receive_stop(&request(holder_no, local_id, regimes), &STORES).await;
        self.apply(&stop).await
    }

    pub(super) async fn apply(&self, stop: &stop::Stop) -> Applied {
        let stores = self.vault.stores();
        let ports: Vec<&dyn Erases> = stores.iter().map(|s| s as &dyn Erases).collect();
        stop::apply(&self.log, &self.actor, stop.id, &ports, self.signer.key()).await.unwrap()
    }

    /// Rows by table at a snapshot with their persons and bases: `table person bases`.
    pub(super) async fn rows(&self, at: Snapshot) -> Vec<(String, String, u8)> {
        let mut out = Vec::new();
        for table in schema::tables().iter().filter(|t| t.data_class == DataClass::Identified) {
            for batch in self.vault.lake().scan(&table.name, at).await.unwrap() {
                let persons = batch.column_by_name("person_source").unwrap().as_string::<i32>();
                let bases = batch.column_by_name("bases").unwrap().as_primitive::<UInt8Type>();
                for row in 0..batch.num_rows() {
                    out.push((table.name.clone(), persons.value(row).to_owned(), bases.value(row)));
                }
            }
        }
        out.sort();
        out
    }

    pub(super) async fn head(&self) -> Snapshot {
        self.vault.lake().head().await.unwrap()
    }

    /// Every file of the deployment.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let (mut files, mut folders) = (Vec::new(), vec![self.path.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    files.push(entry.path());
                }
            }
        }
        files
    }
}

pub(super) fn request(holder_no: u64, local_id: &str, regimes: Bases) -> StopRequest {
    StopRequest {
        holder: holder(holder_no),
        local_id: local_id.into(),
        regimes,
        requested_on: day("2026-06-01"),
        receipt_number: format!("受-{holder_no}-{local_id}-{}", regimes.bits()),
        requester: Requester::Person,
        evidence: "本人確認書類 1".into(),
        scope: Scope::Holder,
        identities: vec![],
    }
}

pub(super) fn event<'a>(kind: &'static str, actor: &'a Actor) -> Event<'a> {
    Event { kind, actor, subject: "test".into(), law: None, body: serde_json::Value::Null }
}
