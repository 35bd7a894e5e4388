//! `intake.twice-is-once`, the receipt, the report.

use kiban_audit::{Event, note::SigningKey};
use kiban_govern::Actor;
use kiban_intake::{
    Checked, ReceiveError, SegmentIds, holder,
    receipt::{self, ReceiptText},
    report::{DeliveryReport, ReportBuilder},
    rows::{Kept, RowContext, RowTotals, TableBuilders},
    store::{self, StoreError},
};
use kiban_kernel::{Bases, Clock as _, Id, LawKey, OsEntropy, ScriptedClock, kinds};
use kiban_lake::id_table::IdTable;
use kiban_testkit::{actor, each_database};

use crate::home::{day, small};

pub(crate) fn read(checked: &Checked) -> (DeliveryReport, RowTotals) {
    let mut builder = ReportBuilder::new(checked);
    let mut tables = TableBuilders::new(day("2025-06-01")).unwrap();
    let ids = SegmentIds::new(&[3; 32]);
    let mut persons: IdTable<kinds::PersonSource, ()> = IdTable::default();
    checked
        .segments::<ReceiveError>(|s| {
            if !builder.segment(&s) {
                return Ok(());
            }
            let mut key = [0; 16];
            let id = s.person.unwrap_or_default().as_bytes();
            let n = id.len().min(16);
            key[..n].copy_from_slice(&id[..n]);
            let person_source = Id::from_bytes(key);
            let context = RowContext {
                person_source,
                person: persons.insert(person_source),
                holder: checked.manifest().holder,
                delivery: checked.manifest().delivery,
                segment: ids.id(person_source, s.header, s.bytes),
                source_file: &s.file.path,
                file_number: s.file_number,
                line: s.line,
                parser: s.parser(),
            };
            builder.counts.accepted_segments += 1;
            let records = &s.parsed.records;
            let kept = Kept { context, records, bases: |_| Some(Bases::BOTH) };
            tables.push(&[kept], &mut builder.quality);
            Ok(())
        })
        .unwrap();
    let mut totals = RowTotals::default();
    tables.take_large(1).iter().for_each(|rows| totals.add(rows));
    let at = ScriptedClock::starting(day("2025-06-01")).now();
    (builder.finish(checked, at, &tables, &totals), totals)
}

fn received<'a>(actor: &'a Actor, checked: &Checked, report: &DeliveryReport) -> Event<'a> {
    Event {
        kind: "delivery.received",
        actor,
        subject: checked.manifest().delivery.to_string(),
        law: LawKey::new("receipt_record").ok(),
        body: store::event_body(checked, &report.counts),
    }
}

#[tokio::test]
async fn the_same_sealed_file_twice_changes_nothing() {
    let (home, path) = small();
    let checked = home.open(&path).unwrap();
    let (report, _) = read(&checked);
    assert!(report.counts.balances());
    let actor = actor(1);
    for db in each_database().await {
        let log = db.log().await;
        assert!(
            store::find_by_digest(db.db().pool(), checked.sealed_digest()).await.unwrap().is_none()
        );
        let mut tx = log.begin().await.unwrap();
        store::insert(&mut tx, &checked, &report).await.unwrap();
        let committed = tx.commit(received(&actor, &checked, &report)).await.unwrap();

        let mut tx = log.begin().await.unwrap();
        let again = store::insert(&mut tx, &checked, &report).await;
        assert!(
            matches!(again, Err(StoreError::AlreadyReceived(id)) if id == checked.manifest().delivery)
        );
        drop(tx);
        assert_eq!(store::list(db.db().pool(), None).await.unwrap().len(), 1);
        assert_eq!(log.events(0, 10).await.unwrap().len(), 1);

        // A restart between the commit and the receipt finds what is still owed.
        assert_eq!(store::without_receipt(db.db().pool()).await.unwrap().len(), 1);
        let key = SigningKey::generate(&OsEntropy, "producer.test").unwrap();
        let text = ReceiptText::new(
            &checked,
            report.received_at,
            report.counts.clone(),
            committed.index,
            committed.checkpoint,
        );
        let note = text.sign(&key).unwrap();
        let mut tx = log.begin().await.unwrap();
        store::record_receipt(&mut tx, checked.manifest().delivery, &note).await.unwrap();
        let event = Event { kind: "receipt.issued", ..received(&actor, &checked, &report) };
        tx.commit(event).await.unwrap();
        let row = store::find(db.db().pool(), checked.manifest().delivery).await.unwrap().unwrap();
        assert_eq!(row.receipt.as_deref(), Some(note.as_str()));
        assert_eq!(store::report(db.db().pool(), row.id).await.unwrap().unwrap(), report);
        assert!(store::without_receipt(db.db().pool()).await.unwrap().is_empty());
        let mut tx = log.begin().await.unwrap();
        assert!(matches!(
            store::record_receipt(&mut tx, row.id, &note).await,
            Err(StoreError::NotReceived)
        ));
    }
}

#[test]
fn the_receipt_lists_the_senders_digests_and_the_holder_checks_it() {
    let (home, path) = small();
    let checked = home.open(&path).unwrap();
    let (report, _) = read(&checked);
    let key = SigningKey::generate(&OsEntropy, "producer.test").unwrap();
    let text = ReceiptText::new(
        &checked,
        report.received_at,
        report.counts.clone(),
        4,
        "checkpoint\n".into(),
    );
    let sent: Vec<_> = checked.files().iter().map(|f| f.sha256).collect();
    assert_eq!(text.files, sent);
    let note = text.sign(&key).unwrap();
    assert_eq!(receipt::verify(&note, key.verify_key()).unwrap(), text);
    assert_eq!(holder::accept_receipt(home.path(), &note, key.verify_key()).unwrap(), text);
    let status = holder::status(home.path()).unwrap();
    assert_eq!(status.deliveries[0].1, holder::SentState::Receipted);

    let false_text = ReceiptText { files: vec![kiban_kernel::Digest::of(b"x")], ..text.clone() };
    let false_note = false_text.sign(&key).unwrap();
    assert!(holder::accept_receipt(home.path(), &false_note, key.verify_key()).is_err());
    let other = SigningKey::generate(&OsEntropy, "producer.test").unwrap();
    assert!(receipt::verify(&note, other.verify_key()).is_err());
    assert!(
        receipt::verify(&note.replace("\"segments\":1", "\"segments\":2"), key.verify_key())
            .is_err()
    );
}

#[test]
fn the_report_is_readable_and_holds_no_value() {
    let mut home = crate::home::Home::new();
    home.notify("p1", &kiban_kernel::Regime::ALL, "2024-05-01");
    let lines = crate::home::patient("p1", "SECRET-NAME")
        + &crate::home::condition("p1", "SECRET-TEXT").replace("2024-05-06", "2999-01-01");
    home.file("p.ndjson", lines);
    let sealed = home.seal("2025-06-01").unwrap();
    let (report, totals) = read(&home.open(&sealed.path).unwrap());
    assert_eq!((totals.of("person"), totals.of("condition")), (1, 1));
    assert_eq!(report.rules["plausible.future"].count, 1);
    let csv = report.to_csv(&[]);
    let json = serde_json::to_string(&report).unwrap();
    for text in [&csv, &json] {
        assert!(!text.contains("SECRET") && !text.contains("2999"), "{text}");
    }
    let future =
        "妥当性,condition.plausible.future,受領日より後の日付です。,1,1,100.0000,閾値なし,,,,\r\n";
    assert!(csv.contains(future), "{csv}");
    // One table: as many cells in every line, each cell of the grid once.
    let lines: Vec<&str> = csv.trim_start_matches('\u{feff}').lines().collect();
    assert!(lines.iter().all(|l| l.split(',').count() == 11), "{csv}");
    assert_eq!(csv.matches("condition.plausible.future").count(), 1);
    assert_eq!(serde_json::from_str::<DeliveryReport>(&json).unwrap(), report);
}
