//! How much memory the tables of persons, segments and versions take; of the latter two by hand, with
//! `cargo test -p kiban-vault --lib -- --ignored --exact --nocapture tests::measure::memory_by_record`.

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use kiban_intake::notices::Notices;
use kiban_kernel::{Digest, Id, Kind, NoSteps};
use kiban_lake::Snapshot;
use kiban_testkit::Child;

use super::{
    BOTH,
    compact::{add, state},
    plain::{Plain, Said},
    world::{HOSPITAL, World, holder, patient, told},
};
use crate::{
    known::KnownSegment,
    people::People,
    segments, version_rows,
    versions::{Occasion, Persons, Versions},
};

/// Resources of 5 GiB of FHIR lines.
const MANY: u64 = 2_500_000;
/// Records that lie in the lake, in so many deliveries.
const STORED: (u32, u32) = (50_000, 8);

const FOLDER: &str = "KIBAN_VAULT_FOLDER";
const WHAT: &str = "KIBAN_VAULT_MEASURE";
const WHATS: [&str; 6] = [
    "compact tables",
    "compact tables, versions told",
    "plain maps",
    "plain maps, versions told",
    "loading compact tables",
    "loading plain maps",
];

fn hashed<K: Kind>(n: u64) -> Id<K> {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Digest::of(&n.to_le_bytes()).as_bytes()[..16]);
    Id::from_bytes(bytes)
}

/// Bytes of this process now, and at most so far.
fn resident() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// Records of persons with 100 each, in one delivery.
fn many(versioned: bool, mut take: impl FnMut(Occasion, &Said<'_>, usize)) {
    let on = Occasion { holder: holder(HOSPITAL), delivery: hashed(0), stated_at: 1 };
    for n in 0..MANY {
        let version =
            if versioned { format!("{:017}", 20_240_501_000_000_000 + n) } else { String::new() };
        let said = Said {
            record: hashed(3 * n),
            person: hashed(3 * (n / 100) + 1),
            segment: hashed(3 * n + 2),
            version: &version,
            taken_back: false,
            file: Digest::of(b""),
        };
        take(on, &said, n as usize % 20);
    }
}

fn compact(versioned: bool) -> u64 {
    let mut versions = Versions::default();
    many(versioned, |on, said, table| {
        state(&mut versions, on, said, table);
        // They wait for the lake, and are counted elsewhere.
        versions.rows.clear();
    });
    let after = resident().0;
    assert!(versions.knows(hashed(0)));
    after
}

fn plain(versioned: bool) -> u64 {
    let mut plain = Plain::of(Vec::new());
    many(versioned, |on, said, table| {
        plain.state(on, said);
        add(plain.known.entry(said.segment).or_default(), table);
        plain.rows.clear();
    });
    let after = resident().0;
    assert!(plain.knows(hashed(0)));
    after
}

/// Fills a lake with named records.
async fn fill(world: &World) {
    let (each, deliveries) = STORED;
    for n in 0..deliveries {
        let persons = 1 + n * each / 100..=(n + 1) * each / 100;
        let notices: Vec<_> = persons.clone().flat_map(|p| told(&format!("p{p}"), &BOTH)).collect();
        let conditions = |p: u32| {
            (1..100).map(move |c| {
                format!(
                    r#"{{"resourceType":"Condition","id":"c{p}-{c}","subject":{{"reference":"Patient/p{p}"}},"code":{{"coding":[{{"system":"urn:icd10","code":"I10"}}]}}}}"#
                )
            })
        };
        let lines: Vec<String> =
            persons.flat_map(|p| std::iter::once(patient(p)).chain(conditions(p))).collect();
        world.deliver(HOSPITAL, &format!("2026-06-{:02}", n + 1), &notices, &lines).await;
    }
}

/// All rows at once, then the maps.
async fn loaded(world: &World, head: Snapshot) -> Plain {
    let lake = world.vault.lake();
    let mut known: HashMap<_, KnownSegment> = HashMap::new();
    for batch in lake.scan(segments::TABLE, head).await.unwrap() {
        let columns = segments::Columns(&batch);
        for row in 0..batch.num_rows() {
            let kept = known.entry(columns.id("segment", row).unwrap()).or_default();
            kept.tables.merge(columns.tables(row).unwrap());
            kept.bytes |= columns.place(row).unwrap().is_some();
        }
    }
    let batches = lake.scan(version_rows::TABLE, head).await.unwrap();
    let mut plain = Plain::of(version_rows::rows(&batches, |_, _| true).unwrap());
    plain.known = known;
    plain
}

#[tokio::test]
#[ignore = "run as a child by the test below"]
async fn child() {
    let (Some(dir), Some(what)) = (Child::argument(FOLDER), Child::argument(WHAT)) else { return };
    let dir = Path::new(&dir);
    let which = WHATS.iter().position(|w| *w == what).unwrap();
    let world = World::in_folder(&dir.join("world"), Arc::new(NoSteps)).await;
    let head = world.head().await;
    let before = resident().0;
    let (after, records) = match which {
        0 | 1 => (compact(which == 1), MANY),
        2 | 3 => (plain(which == 3), MANY),
        4 => {
            let lake = world.vault.lake();
            let versions =
                Versions::load(lake, head, holder(HOSPITAL), Persons::default()).await.unwrap();
            let after = resident().0;
            assert_eq!(versions.in_use_of(world.person(HOSPITAL, "p1")).len(), 100);
            (after, u64::from(STORED.0 * STORED.1))
        }
        _ => {
            let plain = loaded(&world, head).await;
            let after = resident().0;
            assert_eq!(plain.in_use_of(world.person(HOSPITAL, "p1")).len(), 100);
            (after, u64::from(STORED.0 * STORED.1))
        }
    };
    let each = |bytes: u64| (bytes - before) as f64 / records as f64;
    let told = format!(
        "{what}: {:.1} bytes a record, {:.1} at most meanwhile; {records} records, {} MB at most",
        each(after),
        each(resident().1),
        (resident().1 - before) / 1_000_000
    );
    fs::write(dir.join("told"), told).unwrap();
}

#[tokio::test]
#[ignore = "prints memory, by hand"]
#[expect(clippy::print_stderr, reason = "this measures memory and prints it")]
async fn memory_by_record() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("world");
    fs::create_dir(&folder).unwrap();
    let world = World::in_folder(&folder, Arc::new(NoSteps)).await;
    world.register().await;
    fill(&world).await;
    drop(world);
    for what in WHATS {
        // A process of its own for each: what one freed the next would use.
        let child = Child::running("tests::measure::child").with(FOLDER, dir.path());
        assert!(child.with(WHAT, what).finishes());
        eprintln!("{}", fs::read_to_string(dir.path().join("told")).unwrap());
    }
}

/// Persons of the measure, and bytes that each may take while the delivery is judged: the list of notices 20, the facts and the table 36,
/// keys of source bytes 16 to 37, and room for what the allocator keeps.
const PERSONS: u64 = 300_000;
const EACH: u64 = 160;

#[tokio::test]
#[ignore = "run as a child by the test below"]
async fn child_of_persons() {
    let Some(dir) = Child::argument(FOLDER) else { return };
    let dir = Path::new(&dir);
    let world = World::in_folder(&dir.join("world"), Arc::new(NoSteps)).await;
    world.register().await;
    let gate = world.gate(HOSPITAL, "2026-06-01").await;
    let mut container = world.vault.lake().container().unwrap();
    let name = |n: u64| format!("{n:010}");
    let before = resident().0;
    let notices = Notices::of((0..PERSONS).flat_map(|n| told(&name(n), &BOTH)));
    let mut persons = Persons::default();
    let mut people = People::new(&notices, gate.into(), &mut persons);
    for n in 0..PERSONS {
        let person = people.person(&mut persons, &name(n));
        people.keep(person);
        container.put(hashed(n), person.id, (b"", b"a claim")).unwrap();
    }
    let staged = container.finish().await.unwrap();
    let after = resident().0;
    assert_eq!(
        (notices.len() as u64, people.count().0, staged.segments()),
        (2 * PERSONS, PERSONS, PERSONS)
    );
    let each = after.saturating_sub(before) / PERSONS;
    fs::write(dir.join("told"), each.to_string()).unwrap();
}

#[test]
fn a_delivery_may_name_millions_of_persons() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("world")).unwrap();
    let child = Child::running("tests::measure::child_of_persons");
    assert!(child.with(FOLDER, dir.path()).finishes());
    let each: u64 = fs::read_to_string(dir.path().join("told")).unwrap().parse().unwrap();
    assert!(each <= EACH, "{each} bytes a person");
}
