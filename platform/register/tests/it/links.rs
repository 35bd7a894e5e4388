//! The linker over the person rows: what it links, proposes, explains and forgets; the log of persons; the history.

use std::{collections::BTreeSet, sync::Arc};

use arrow::{
    array::{ArrayRef, Date32Array, RecordBatch, StringArray, UInt8Array, new_null_array},
    datatypes::{DataType, Schema},
};
use kiban_audit::Event;
use kiban_kernel::{Date, Id, NoSteps, OsEntropy, kinds};
use kiban_lake::{KeyRing, Lake, schema};
use kiban_register::{
    correction,
    link::{self, Constraint, FEWEST, LinkChange, Memory, events},
};
use kiban_testkit::{TestDb, actor, id};

use crate::tables::keys;

type Source = Id<kinds::PersonSource>;

/// One row of the person table.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) holder: u64,
    pub(crate) local: String,
    pub(crate) kanji: String,
    pub(crate) kana: String,
    sex: &'static str,
    pub(crate) born: String,
    postal: String,
    address: String,
    phone: String,
    pub(crate) insurer: &'static str,
    pub(crate) number: String,
}

impl Person {
    /// Without address and telephone.
    pub(crate) fn forget_contact(&mut self) {
        self.postal.clear();
        self.address.clear();
        self.phone.clear();
    }
}

const FAMILY: [(&str, &str); 20] = [
    ("佐藤", "サトウ"),
    ("鈴木", "スズキ"),
    ("高橋", "タカハシ"),
    ("田中", "タナカ"),
    ("伊藤", "イトウ"),
    ("渡辺", "ワタナベ"),
    ("山本", "ヤマモト"),
    ("中村", "ナカムラ"),
    ("小林", "コバヤシ"),
    ("加藤", "カトウ"),
    ("吉田", "ヨシダ"),
    ("山田", "ヤマダ"),
    ("佐々木", "ササキ"),
    ("山口", "ヤマグチ"),
    ("松本", "マツモト"),
    ("井上", "イノウエ"),
    ("木村", "キムラ"),
    ("林", "ハヤシ"),
    ("斎藤", "サイトウ"),
    ("清水", "シミズ"),
];
const GIVEN: [(&str, &str, &str); 20] = [
    ("翔", "ショウ", "M"),
    ("蓮", "レン", "M"),
    ("健一", "ケンイチ", "M"),
    ("大輔", "ダイスケ", "M"),
    ("誠", "マコト", "M"),
    ("浩", "ヒロシ", "M"),
    ("隆", "タカシ", "M"),
    ("学", "マナブ", "M"),
    ("聡", "サトシ", "M"),
    ("豊", "ユタカ", "M"),
    ("花子", "ハナコ", "F"),
    ("陽子", "ヨウコ", "F"),
    ("結衣", "ユイ", "F"),
    ("葵", "アオイ", "F"),
    ("美咲", "ミサキ", "F"),
    ("恵", "メグミ", "F"),
    ("幸子", "サチコ", "F"),
    ("和子", "カズコ", "F"),
    ("明美", "アケミ", "F"),
    ("由美", "ユミ", "F"),
];

/// A made-up person at a holder.
pub(crate) fn person(n: u32, holder: u64) -> Person {
    let (family, family_kana) = FAMILY[(n * 7 % 20) as usize];
    let (given, given_kana, sex) = GIVEN[(n * 13 / 20 % 20) as usize];
    Person {
        holder,
        local: format!("{n:05}"),
        kanji: format!("{family}　{given}"),
        kana: format!("{family_kana}　{given_kana}"),
        sex,
        born: format!("{:04}-{:02}-{:02}", 1930 + n * 37 % 80, 1 + n * 5 % 12, 1 + n * 11 % 28),
        postal: format!("{:03}-{:04}", 100 + n % 90, n * 17 % 10_000),
        address: format!("架空県架空市{}町{}-{}", n % 40, 1 + n % 9, 1 + n % 30),
        phone: format!("03-{:04}-{:04}", n * 3 % 10_000, n * 29 % 10_000),
        insurer: "",
        number: String::new(),
    }
}

/// `n` people at hospital 1; every third at hospital 2 as well, with another spelling of the kana and no telephone.
fn people(n: u32) -> Vec<Person> {
    let mut all: Vec<Person> = (0..n).map(|i| person(i, 1)).collect();
    for i in (0..n).step_by(3) {
        let mut other = person(i, 2);
        other.local = format!("B{i}");
        // Another day of the birth date: no exact key joins the two.
        if i % 2 == 0 {
            other.born = other.born.replace("-01-", "-10-");
        }
        other.kana = other.kana.replace('　', " ");
        if i % 6 == 0 {
            other.kana = other.kana.replacen('ウ', "", 1);
        }
        all.push(other);
    }
    all
}

fn days(text: &str) -> i32 {
    let date: Date = text.parse().unwrap();
    date.since(Date::constant(1970, 1, 1)).unwrap().get_days()
}

fn batch(people: &[Person]) -> RecordBatch {
    let table = schema::table("person").unwrap();
    let schema: Arc<Schema> = table.arrow();
    let keys = keys();
    let text = |f: &dyn Fn(&Person) -> String| -> ArrayRef {
        Arc::new(
            people.iter().map(|p| Some(f(p)).filter(|t| !t.is_empty())).collect::<StringArray>(),
        )
    };
    let columns = schema
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match field.name().as_str() {
                "person_source" => {
                    text(&|p| keys.person_source(id(p.holder), &p.local).to_string())
                }
                "holder" => text(&|p| id::<kinds::Organization>(p.holder).to_string()),
                "bases" => Arc::new(people.iter().map(|_| Some(3)).collect::<UInt8Array>()),
                "name_kanji" => text(&|p| p.kanji.clone()),
                "name_kana" => text(&|p| p.kana.clone()),
                "sex" => text(&|p| p.sex.to_owned()),
                "birth_on" => {
                    Arc::new(people.iter().map(|p| Some(days(&p.born))).collect::<Date32Array>())
                }
                "postal_code" => text(&|p| p.postal.clone()),
                "address" => text(&|p| p.address.clone()),
                "phone" => text(&|p| p.phone.clone()),
                "insurer_no" => text(&|p| p.insurer.to_owned()),
                "insured_number" => text(&|p| p.number.clone()),
                "insured_branch" => {
                    text(&|p| if p.number.is_empty() { String::new() } else { "01".into() })
                }
                _ if field.is_nullable() => new_null_array(field.data_type(), people.len()),
                _ => match field.data_type() {
                    DataType::Utf8 => text(&|_| "x".to_owned()),
                    other => panic!("{} {other}", field.name()),
                },
            }
        })
        .collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

pub(crate) struct World {
    db: TestDb,
    log: kiban_audit::Log,
    pub(crate) lake: Lake,
}

impl World {
    pub(crate) async fn new() -> Self {
        let db = TestDb::sqlite().await;
        let log = db.log().await;
        let ring = Arc::new(KeyRing::create(&db.path().join("keys"), &OsEntropy).unwrap());
        let steps = Arc::new(NoSteps);
        let lake = Lake::open(db.path().join("lake"), ring, db.db().clone(), steps).await.unwrap();
        Self { db, log, lake }
    }

    async fn commit(&self, tx: kiban_audit::Tx) {
        let actor = actor(1);
        let body = serde_json::Value::Null;
        let event =
            Event { kind: "test.done", actor: &actor, subject: "test".into(), law: None, body };
        let _ = tx.commit(event).await.unwrap();
    }

    pub(crate) async fn take(&self, people: &[Person]) {
        let staged = self.lake.stage("person", vec![batch(people)]).await.unwrap();
        let mut tx = self.log.begin().await.unwrap();
        self.lake.append(&mut tx, vec![staged]).await.unwrap();
        self.commit(tx).await;
    }

    /// Links, commits, keeps the log of persons.
    pub(crate) async fn link(
        &self,
        constraints: &[Constraint],
        memory: Memory,
    ) -> (link::PreparedLinks, Memory) {
        let (prepared, memory) =
            link::prepare_with(&self.lake, &keys(), constraints, memory).await.unwrap();
        let (again, _) =
            link::prepare_with(&self.lake, &keys(), constraints, Memory::default()).await.unwrap();
        let mut tx = self.log.begin().await.unwrap();
        let now = tx.now();
        if !prepared.events.is_empty() {
            events::record(tx.conn(), now, &prepared.events).await.unwrap();
        }
        prepared.commit(&self.lake, &mut tx).await.unwrap();
        self.commit(tx).await;
        (again, memory)
    }

    pub(crate) async fn persons(&self) -> std::collections::BTreeMap<Source, Id<kinds::Person>> {
        link::at(&self.lake, self.lake.head().await.unwrap()).await.unwrap()
    }
}

fn source(holder: u64, local: &str) -> Source {
    keys().person_source(id(holder), local)
}

#[tokio::test]
async fn the_linker_joins_what_no_exact_key_does_and_the_log_replays() {
    let world = World::new().await;
    let all = people(600);
    world.take(&all).await;
    let exact = link::prepare(&world.lake, &keys(), &[]).await.unwrap();
    assert_eq!(exact.report.pairs.get("model"), None);
    drop(exact);
    let (_, memory) = world.link(&[], Memory::default()).await;
    let links = world.persons().await;
    // Truth: B{n} is the person n. Nobody else is joined; most are found.
    let (mut found, mut wanted, mut wrong) = (0, 0, 0);
    let mut members: std::collections::BTreeMap<_, Vec<String>> = std::collections::BTreeMap::new();
    for p in &all {
        members.entry(links[&source(p.holder, &p.local)]).or_default().push(p.local.clone());
    }
    for n in (0..600).step_by(3) {
        wanted += 1;
        found += usize::from(
            links[&source(1, &format!("{n:05}"))] == links[&source(2, &format!("B{n}"))],
        );
    }
    for of in members.values() {
        let numbers: BTreeSet<u32> =
            of.iter().map(|l| l.trim_start_matches('B').parse().unwrap()).collect();
        wrong += usize::from(numbers.len() > 1);
    }
    assert_eq!(wrong, 0, "nobody is joined with somebody else");
    assert!(found * 100 >= wanted * 95, "{found} of {wanted}");
    let rule = memory.why(source(1, "00006"), source(2, "B6")).unwrap();
    let sum: f64 = rule.bars.iter().map(|(_, bits)| bits).sum();
    assert!((sum - rule.score).abs() < 1e-9 && rule.bars.len() > 3, "{rule:?}");

    // The memory survives its bytes, and what is erased is in it no more.
    let bytes = memory.to_bytes().unwrap().unwrap();
    let memory = Memory::from_bytes(&bytes).unwrap();
    assert!(memory.knows(&[source(1, "00006")]));
    let (memory, gone) = memory.without(&[source(1, "00006")]).unwrap();
    assert_eq!(gone, 1);
    assert!(!memory.knows(&[source(1, "00006")]) && memory.knows(&[source(2, "B6")]));

    // A batch more: only what is new is taken in, and the result is that of a run over everything with the memory.
    let more: Vec<Person> = (600..640).map(|n| person(n, 1)).collect();
    world.take(&more).await;
    let (whole, memory) = world.link(&[], memory).await;
    assert_eq!(memory.records(), all.len() + more.len());
    assert_eq!(
        whole.report.persons,
        world.persons().await.values().collect::<BTreeSet<_>>().len() as u64
    );

    let mut conn = world.db.db().pool().acquire().await.unwrap();
    let log = events::since(&mut conn, 0).await.unwrap();
    assert_eq!(events::replay(&log), world.persons().await);
    assert!(log.iter().all(|e| matches!(
        e.event.change,
        LinkChange::Created | LinkChange::Joined | LinkChange::Merged
    )));

    // Two readers say that a joined pair is two persons: it is split, the older keeps the id.
    let (a, b) = (source(1, "00006"), source(2, "B6"));
    let before = world.persons().await;
    assert_eq!(before[&a], before[&b]);
    let apart = Constraint::read(b, a, false);
    drop(world.link(&[apart], memory).await);
    let after = world.persons().await;
    assert_ne!(after[&a], after[&b]);
    let log = events::since(&mut conn, 0).await.unwrap();
    assert_eq!(log.last().unwrap().event.change, LinkChange::Split);
    assert_eq!(events::replay(&log), after);
    assert!(events::forget(&mut conn, &[a]).await.unwrap() > 0);
    let log = events::since(&mut conn, 0).await.unwrap();
    assert!(log.iter().all(|e| !e.event.sources.contains(&a)));
}

#[tokio::test]
async fn a_short_list_links_nothing_by_the_model_but_proposes() {
    let world = World::new().await;
    let all = people(60);
    assert!(all.len() < FEWEST);
    world.take(&all).await;
    let (prepared, _) =
        link::prepare_with(&world.lake, &keys(), &[], Memory::default()).await.unwrap();
    assert_eq!(prepared.report.pairs.get("model"), None);
}

// C3
#[tokio::test]
async fn the_insured_number_history_links_with_its_reason() {
    let world = World::new().await;
    let mut old = person(1, 1);
    (old.insurer, old.number) = ("06139984", "1111".into());
    // After a change of job and name, at another hospital, nothing else agrees but the day of birth.
    let mut new = person(2, 2);
    (new.insurer, new.number) = ("06270015", "2222".into());
    new.born = old.born.clone();
    let mut stranger = person(3, 2);
    (stranger.insurer, stranger.number) = ("06270015", "2222".into());
    stranger.born = "1999-12-31".into();
    world.take(&[old.clone(), new.clone(), stranger.clone()]).await;
    let (a, b, c) = (source(1, &old.local), source(2, &new.local), source(2, &stranger.local));
    let request = link::request_of(&world.lake, &keys(), &BTreeSet::from([a])).await.unwrap();
    let line = request.lines().nth(2).unwrap();
    assert!(line.contains("6139984") && line.contains("1111"), "{line}");
    assert!(!request.contains(&old.kanji) && !request.contains(&a.to_string()));
    let query = line.split(',').next().unwrap();
    let answer = format!(
        "# kiban.insured-history/1\nquery,insurer_no,symbol,number,branch\n{query},06270015,,2222,01\nffff,06270015,,2222,01\nbroken\n"
    );
    let found = link::answers_of(&world.lake, &keys(), &answer).await.unwrap();
    assert_eq!((found.queries, found.unknown, found.unread), (1, 1, 1));
    assert_eq!(
        found.pairs,
        [(a.min(b), a.max(b))],
        "the same number of another birth date is another"
    );
    let mut tx = world.log.begin().await.unwrap();
    let day = "2026-06-01".parse().unwrap();
    assert_eq!(link::record_answers(tx.conn(), &found, day).await.unwrap(), 1);
    assert_eq!(link::record_answers(tx.conn(), &found, day).await.unwrap(), 0);
    world.commit(tx).await;
    let mut conn = world.db.db().pool().acquire().await.unwrap();
    let told = link::history_constraints(&mut conn).await.unwrap();
    let (prepared, _) =
        link::prepare_with(&world.lake, &keys(), &told, Memory::default()).await.unwrap();
    assert_eq!(prepared.report.pairs["insured_history"], 1);
    drop(world.link(&told, Memory::default()).await);
    let links = world.persons().await;
    assert_eq!(links[&a], links[&b]);
    assert_ne!(links[&a], links[&c]);
    assert!(correction::all(&mut conn).await.unwrap().is_empty());
}
