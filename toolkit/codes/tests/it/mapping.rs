//! Promises of the mapping set: the state machine, preview, files.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date, civil::date};
use kiban_codes::mapping::{
    Act, ActError, By, Count, Key, MappingId, MappingSet, Meaning, Persons, Standing, UnitRule,
    changes, preview, read_csv, read_json, write_csv, write_json,
};
use proptest::prelude::*;

fn by(person: &str, second: i64) -> By {
    By { person: person.to_owned(), at: Timestamp::from_second(1_775_000_000 + second).unwrap() }
}

fn key(local: &str) -> Key {
    Key { system: "jlac10".to_owned(), holder: "H1".to_owned(), local: local.to_owned() }
}

fn means(code: &str) -> Meaning {
    Meaning { code: code.to_owned(), unit: None }
}

fn propose(local: &str, code: &str, person: &str, second: i64) -> Act {
    Act::Propose {
        by: by(person, second),
        key: key(local),
        meaning: means(code),
        from: date(2020, 4, 1),
        until: None,
        replaces: None,
    }
}

fn sign(id: u64, person: &str, second: i64) -> Act {
    Act::Sign { by: by(person, second), id: MappingId(id) }
}

const DAY: Date = date(2026, 4, 1);

/// A9: one hospital's GOT is mapped to the AST code; unsigned it has no effect; the preview says n rows and n persons.
#[test]
fn got_to_ast_with_two_persons_and_a_preview() {
    let mut set = MappingSet::new();
    set.apply(propose("GOT", "3B035000002327201", "a", 0)).unwrap();
    assert!(set.in_effect(&key("GOT"), DAY).is_none(), "unsigned has no effect");
    assert_eq!(set.apply(sign(1, "a", 1)), Err(ActError::SamePerson));
    let before = set.clone();
    set.apply(sign(1, "b", 2)).unwrap();
    assert_eq!(set.in_effect(&key("GOT"), DAY).unwrap().meaning.code, "3B035000002327201");
    assert!(set.in_effect(&key("GOT"), date(2020, 3, 31)).is_none());
    let counts = [
        Count { key: key("GOT"), days: None, rows: 1234, persons: Persons::Number(321) },
        Count { key: key("GPT"), days: None, rows: 99, persons: Persons::Number(9) },
    ];
    let seen = preview(&before, &set, &counts);
    assert_eq!((seen.rows, seen.persons_least, seen.persons_most), (1234, 321, 321));
    assert_eq!((seen.mapped, seen.recoded, seen.changes.len()), (1234, 0, 1));
    assert!(seen.uncounted.is_empty());
    assert_eq!(set.apply(sign(1, "c", 3)), Err(ActError::NotProposed));
    set.apply(Act::Withdraw { by: by("c", 4), id: MappingId(1), reason: "誤り".to_owned() })
        .unwrap();
    assert!(set.in_effect(&key("GOT"), DAY).is_none());
    assert_eq!(
        (set.version(), set.at(2).unwrap().in_effect(&key("GOT"), DAY).is_some()),
        (3, true)
    );
}

#[test]
fn one_meaning_a_day_and_replacement_on_signature() {
    let mut set = MappingSet::new();
    set.apply(propose("X", "A", "a", 0)).unwrap();
    set.apply(propose("X", "B", "a", 0)).unwrap();
    set.apply(sign(1, "b", 1)).unwrap();
    assert_eq!(set.apply(sign(2, "b", 1)), Err(ActError::Overlap));
    let Act::Propose { by: who, key, meaning, from, .. } = propose("X", "C", "b", 2) else {
        panic!()
    };
    let next = Act::Propose {
        by: who,
        key: key.clone(),
        meaning,
        from,
        until: None,
        replaces: Some(MappingId(1)),
    };
    set.apply(next).unwrap();
    assert_eq!(set.in_effect(&key, DAY).unwrap().meaning.code, "A", "not before it is signed");
    set.apply(sign(3, "a", 3)).unwrap();
    assert_eq!(set.in_effect(&key, DAY).unwrap().meaning.code, "C");
    assert!(matches!(
        set.find(MappingId(1)).unwrap().standing,
        Standing::Replaced { by: MappingId(3), .. }
    ));
    let seen = preview(&set.at(3).unwrap(), &set, &[]);
    assert_eq!((seen.changes.len(), seen.uncounted.len()), (1, 1));
}

#[test]
fn what_is_refused() {
    let mut set = MappingSet::new();
    assert_eq!(set.apply(propose("X", "A", " a", 0)), Err(ActError::NoPerson));
    assert_eq!(set.apply(propose("X", "", "a", 0)), Err(ActError::EmptyCode));
    set.apply(propose("X", "A", "a", 10)).unwrap();
    assert_eq!(set.apply(sign(1, "b", 9)), Err(ActError::Backwards));
    assert_eq!(set.apply(sign(2, "b", 11)), Err(ActError::Unknown));
    assert_eq!(set.apply(sign(0, "b", 11)), Err(ActError::Unknown));
    let refuse =
        |reason: &str| Act::Refuse { by: by("b", 12), id: MappingId(1), reason: reason.to_owned() };
    assert_eq!(set.apply(refuse(" ")), Err(ActError::NoReason));
    set.apply(refuse("別の検査")).unwrap();
    assert_eq!(
        set.apply(Act::Withdraw { by: by("b", 13), id: MappingId(1), reason: "x".into() }),
        Err(ActError::Ended)
    );
    let with = |unit, from, until| Act::Propose {
        by: by("a", 20),
        key: key("Y"),
        meaning: Meaning { code: "A".into(), unit },
        from,
        until,
        replaces: None,
    };
    let rule = |analyte: Option<&str>| UnitRule {
        from: "mmol/L".into(),
        to: "mg/dL".into(),
        analyte: analyte.map(str::to_owned),
        target_analyte: None,
    };
    let from = date(2026, 1, 1);
    assert_eq!(set.apply(with(Some(rule(None)), from, None)), Err(ActError::Unit));
    assert_eq!(set.apply(with(Some(rule(Some("glucos"))), from, None)), Err(ActError::Unit));
    assert_eq!(set.apply(with(None, from, Some(date(2025, 1, 1)))), Err(ActError::Period));
    set.apply(with(Some(rule(Some("glucose"))), from, None)).unwrap();
    set.apply(sign(2, "b", 21)).unwrap();
    // A10: mmol/L of one holder beside mg/dL of another, the original kept.
    let unit = set.in_effect(&key("Y"), DAY).unwrap().meaning.unit.clone().unwrap();
    let converted = unit.convert("5.55").unwrap();
    assert_eq!(
        (converted.value.to_string().as_str(), converted.original_value.as_str()),
        ("100.0", "5.55")
    );
}

#[test]
fn previews_count_days_and_unite_persons() {
    let mut set = MappingSet::new();
    for (n, local) in ["X", "Y"].into_iter().enumerate() {
        set.apply(propose(local, "A", "a", n as i64 * 2)).unwrap();
        set.apply(sign(n as u64 + 1, "b", n as i64 * 2 + 1)).unwrap();
    }
    let month = |local, first: Date, rows, persons: &[u64]| Count {
        key: key(local),
        days: Some((first, first.last_of_month())),
        rows,
        persons: Persons::Set(persons.iter().copied().collect::<BTreeSet<u64>>()),
    };
    let counts = [
        month("X", date(2020, 3, 1), 1000, &[9]),
        month("X", date(2020, 4, 1), 10, &[1, 2, 3]),
        month("Y", date(2020, 5, 1), 5, &[3, 4]),
    ];
    let seen = preview(&MappingSet::new(), &set, &counts);
    assert_eq!((seen.rows, seen.persons_least, seen.persons_most), (15, 4, 4));
    let numbers: Vec<Count> =
        counts.iter().cloned().map(|c| Count { persons: Persons::Number(3), ..c }).collect();
    let seen = preview(&MappingSet::new(), &set, &numbers);
    assert_eq!(
        (seen.persons_least, seen.persons_most),
        (3, 6),
        "bounds where the counts do not tell who"
    );
}

#[test]
fn files_are_refused_at_their_line() {
    let mut set = MappingSet::new();
    set.apply(propose("X,\"\n改行", "A", "a", 0)).unwrap();
    set.apply(sign(1, "b", 1)).unwrap();
    let csv = write_csv(&set);
    let json = write_json(&set);
    assert_eq!(read_csv(csv.as_bytes()).unwrap(), set);
    assert_eq!(read_json(json.as_bytes()).unwrap(), set);
    let spread = json.replace("\",\"", "\",\n\"");
    assert_eq!(read_json(spread.as_bytes()).unwrap(), set);
    let at = |file: &str| {
        let error = read_csv(file.as_bytes()).unwrap_err();
        (error.line, error.column, error.rule)
    };
    assert_eq!(at(""), (1, None, "file.heading"));
    assert_eq!(at("a,b\n"), (1, None, "file.heading"));
    // The local code holds a line break: the signature stands on line 4.
    assert_eq!(at(&csv.replace(",b,", ",a,")), (4, None, "mapping.same-person"));
    assert_eq!(at(&csv.replace("sign", "sing")), (4, Some("act"), "file.act"));
    assert_eq!(at(&csv.replace("2020-04-01", "2020-04-31")), (2, Some("from"), "file.date"));
    assert_eq!(at(&(csv.clone() + "sign,1\n")), (5, None, "file.columns"));
    assert_eq!(at(&csv.replace("sign,1,,", "sign,1,x,")), (4, Some("system"), "file.surplus"));
    let error = read_csv(csv.replace(",b,", ",a,").as_bytes()).unwrap_err();
    assert_eq!(
        error.japanese(),
        "4行目: 提案した本人は承認できません。別の担当者が承認してください。"
    );
    let at = |file: &str| {
        let error = read_json(file.as_bytes()).unwrap_err();
        (error.line, error.rule)
    };
    assert_eq!(at(&json.replace("\"b\"", "\"a\"")), (3, "mapping.same-person"));
    assert_eq!(
        at(&json.replace("\"act\":\"sign\"", "\"act\":\"sign\",\"nam\":\"x\"")),
        (3, "file.syntax")
    );
    assert_eq!(at("[\n{}\n"), (3, "file.syntax"));
}

/// A random act: few keys, persons and codes, so that they meet.
fn acts() -> impl Strategy<Value = Vec<(u8, u8, u64, u8, i16, i16)>> {
    prop::collection::vec((0_u8..9, 0_u8..3, 0_u64..12, 0_u8..3, 0_i16..6, -1_i16..6), 0..40)
}

fn made((what, person, id, local, from, length): (u8, u8, u64, u8, i16, i16), second: i64) -> Act {
    let by = by(["a", "b", "c"][usize::from(person)], second);
    let day = |n: i16| date(2020 + n, 1, 1);
    let key = Key {
        system: "s".into(),
        holder: format!("h{}", local % 2),
        local: format!("l{}", local / 2),
    };
    match what {
        0..=2 => Act::Propose {
            by,
            key,
            meaning: means(["A", "B", "C"][usize::from(person)]),
            from: day(from),
            until: (length < 5).then(|| day((from + length).max(0))),
            replaces: (what == 2).then_some(MappingId(id)),
        },
        3..=6 => Act::Sign { by, id: MappingId(id) },
        7 => Act::Refuse { by, id: MappingId(id), reason: "r".into() },
        _ => Act::Withdraw { by, id: MappingId(id), reason: "r".into() },
    }
}

proptest! {
    /// `codes.mapping-*`: the guarantees hold after every act, and a refused act changes nothing.
    #[test]
    fn the_state_machine_keeps_its_promises(list in acts()) {
        let mut set = MappingSet::new();
        for (at, raw) in list.into_iter().enumerate() {
            let before = set.clone();
            if set.apply(made(raw, at as i64)).is_err() {
                prop_assert_eq!(&set, &before);
                continue;
            }
            prop_assert_eq!(set.version(), before.version() + 1);
            for mapping in set.mappings() {
                if let Standing::Signed { proposed, signed } | Standing::Replaced { proposed, signed, .. } = &mapping.standing {
                    prop_assert_ne!(&proposed.person, &signed.person);
                }
            }
            for year in 2019..2032 {
                let day = date(year, 1, 1);
                for mapping in set.mappings() {
                    let standing: Vec<_> = set.of(&mapping.key).filter(|m| m.is_signed() && m.covers(day)).collect();
                    prop_assert!(standing.len() <= 1);
                    prop_assert_eq!(set.in_effect(&mapping.key, day), standing.first().copied());
                }
            }
        }
        for version in 0..=set.version() {
            let then = set.at(version).unwrap();
            prop_assert_eq!(then.acts(), &set.acts()[..version]);
        }
        prop_assert_eq!(&read_csv(write_csv(&set).as_bytes()).unwrap(), &set);
        prop_assert_eq!(&read_json(write_json(&set).as_bytes()).unwrap(), &set);
    }

    /// The difference of two versions, applied day by day, is what the two versions say.
    #[test]
    fn changes_are_what_the_versions_say(list in acts(), cut in 0_usize..40) {
        let mut set = MappingSet::new();
        for (at, raw) in list.into_iter().enumerate() {
            let _ = set.apply(made(raw, at as i64));
        }
        let old = set.at(cut.min(set.version())).unwrap();
        let found = changes(&old, &set);
        prop_assert!(changes(&set, &set).is_empty());
        for mapping in set.mappings() {
            for year in 2019..2032 {
                let day = date(year, 1, 1);
                let said = |s: &MappingSet| s.in_effect(&mapping.key, day).map(|m| m.meaning.clone());
                let (was, is) = (said(&old), said(&set));
                let change = found.iter().find(|c| c.key == mapping.key && c.from <= day && c.until.is_none_or(|u| day <= u));
                prop_assert_eq!(change.map(|c| (c.before.clone(), c.after.clone())), (was != is).then_some((was, is)));
            }
        }
        for pair in found.windows(2) {
            prop_assert!(pair[0].key != pair[1].key || pair[0].until.is_some_and(|u| u < pair[1].from));
        }
    }

    /// Any bytes are a set or an error with a line; no error quotes a value.
    #[test]
    fn any_file(bytes in prop::collection::vec(any::<u8>(), 0..120), cells in "[a-z,\"\n0-9ＺＱ-]{0,120}") {
        let heading = write_csv(&MappingSet::new());
        let mut known = heading.clone().into_bytes();
        known.extend(&bytes);
        for file in [bytes.clone(), known, format!("{heading}{cells}").into_bytes(), format!("[{cells}]").into_bytes()] {
            for read in [read_csv(&file), read_json(&file)] {
                if let Err(error) = read {
                    prop_assert!(error.line >= 1);
                    let message = format!("{error} {error:?} {}", error.japanese());
                    prop_assert!(!message.contains('Ｚ') && !message.contains('Ｑ'));
                }
            }
        }
    }
}
