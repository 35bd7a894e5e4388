use kiban_kernel::kinds;
use kiban_linkage::{RawIdentity, Sex};
use proptest::prelude::*;

use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn keys() -> RegisterKeys {
    RegisterKeys::from_secrets([&[1; 32], &[2; 32], &[3; 32]])
}

fn asked_to_stop(bases: Bases, on: &str) -> Stopped {
    Stopped { bases, on: day(on), withdrawn: [None; 2] }
}

/// A holder with filings in effect under both regimes; notice v1 lists all kinds but notes.
fn gate(on: &str) -> Gate {
    let filing = FilingFact { effective_from: day("2025-01-01"), ended: None, wait_days: None };
    let listed: Vec<String> = schema::tables()
        .iter()
        .filter(|t| t.data_class == DataClass::Identified && t.name != "note")
        .map(|t| t.name.clone())
        .collect();
    Gate {
        untold: BTreeSet::new(),
        returned: HashMap::new(),
        holder: Id::<kinds::Organization>::from_bytes([7; 16]),
        on: day(on),
        rules: Rules::built_in().unwrap(),
        filings: Regime::ALL.into_iter().map(|r| (r, filing)).collect(),
        versions: Regime::ALL.into_iter().map(|r| ((r, "v1".to_owned()), listed.clone())).collect(),
        stops: HashMap::new(),
        any_identity: false,
        watermark: 0,
        lawful: true,
        keys: keys(),
    }
}

fn notice(regime: Regime, on: &str) -> PersonNotice {
    PersonNotice {
        regime,
        version: "v1".into(),
        notified_on: day(on),
        channel: "counter".into(),
        guardian: false,
    }
}

fn facts(notices: &[PersonNotice]) -> PersonFacts<'_> {
    PersonFacts { local_id: "0001", notices, ..PersonFacts::default() }
}

// register.gate
#[test]
fn held_on_day_30_and_passing_on_day_31() {
    let notices = [notice(Regime::Anon52, "2026-04-01")];
    let held = gate("2026-05-01").decide(&facts(&notices), "condition");
    assert_eq!(held.reason(Regime::Anon52), Some(Reason::Waiting { until: day("2026-05-01") }));
    assert!(held.bases.is_empty());
    let passing = gate("2026-05-02").decide(&facts(&notices), "condition");
    assert!(passing.bases.contains(Regime::Anon52));
    assert_eq!(passing.reason(Regime::Pseudo57), Some(Reason::NotNotified));
}

// register.gate
#[test]
fn persons_alike_are_judged_as_each_by_itself() {
    let mut gate = gate("2026-06-01");
    gate.stops.insert(
        gate.keys.suppressed_at(gate.holder, "stopped"),
        asked_to_stop(Bases::BOTH, "2026-05-20"),
    );
    let told = [
        vec![],
        vec![notice(Regime::Anon52, "2026-04-01")],
        vec![notice(Regime::Anon52, "2026-05-20"), notice(Regime::Pseudo57, "2026-04-01")],
        vec![PersonNotice { guardian: true, ..notice(Regime::Pseudo57, "2026-04-01") }],
    ];
    let (dates, mut judged) = ([None, Some("2012-04-01"), Some("1950-01-01")], Judged::default());
    for twice in 0..2 {
        for (local_id, notices) in
            ["a", "b", "stopped"].into_iter().flat_map(|id| told.iter().map(move |n| (id, n)))
        {
            for (birth, death) in
                dates.into_iter().flat_map(|b| [(b, None), (b, Some("2026-03-01"))])
            {
                let partial = |text: Option<&str>| text.map(|t| day(t).into());
                let facts = PersonFacts {
                    local_id,
                    notices,
                    birth_on: partial(birth),
                    died_on: partial(death),
                    identities: &[],
                };
                let alone = gate.person(&facts);
                assert_eq!(*gate.person_among(&facts, &mut judged), alone, "{local_id} {twice}");
            }
        }
    }
    // A letter of one of them came back: that one is judged by itself.
    let [_, told, ..] = &told;
    let key = ReturnKey {
        person: gate.keys.person_source(gate.holder, "b"),
        regime: Regime::Anon52,
        version: "v1".into(),
        notified_on: day("2026-04-01"),
    };
    gate.returned.insert(key, day("2026-04-10"));
    for local_id in ["a", "b"] {
        let facts = PersonFacts { local_id, ..facts(told) };
        assert_eq!(*gate.person_among(&facts, &mut judged), gate.person(&facts));
        assert_eq!(gate.person(&facts).bases().is_empty(), local_id == "b");
    }
}

// register.gate, register.regimes
#[test]
fn every_combination_of_facts_under_each_regime() {
    let regimes = Regime::ALL;
    // filing: none, not yet, in effect, ended; notice: none, wait, passed, unknown version; stop; death
    for case in 0..4_u32.pow(2) * 2 * 3 * 2 {
        for regime in regimes {
            let (filing, rest) = (case % 4, case / 4);
            let (told, rest) = (rest % 4, rest / 4);
            let (stopped, rest) = (rest % 2 == 1, rest / 2);
            let (death, lawful) = (rest % 3, rest / 3 == 0);
            let mut gate = gate("2026-06-01");
            gate.lawful = lawful;
            match filing {
                0 => drop(gate.filings.remove(&regime)),
                1 => gate.filings.get_mut(&regime).unwrap().effective_from = day("2026-06-02"),
                3 => gate.filings.get_mut(&regime).unwrap().ended = Some(day("2026-06-01")),
                _ => {}
            }
            let notices: Vec<PersonNotice> = match told {
                0 => vec![],
                1 => vec![notice(regime, "2026-05-02")],
                2 => vec![notice(regime, "2026-05-01")],
                _ => vec![PersonNotice { version: "v9".into(), ..notice(regime, "2026-05-01") }],
            };
            if stopped {
                let hash = gate.keys.suppressed_at(gate.holder, "0001");
                gate.stops.insert(hash, asked_to_stop(Bases::NONE.with(regime), "2026-05-20"));
            }
            let person = PersonFacts {
                died_on: [None, Some(day("2026-04-01")), Some(day("2026-05-30"))][death as usize]
                    .map(Into::into),
                ..facts(&notices)
            };
            let expected = filing == 2 && told == 2 && !stopped && death != 1 && lawful;
            let got = gate.decide(&person, "measurement");
            assert_eq!(got.bases.contains(regime), expected, "case {case} {regime}");
            assert_eq!(got.reason(regime).is_none(), expected);
            let other = regimes.into_iter().find(|r| *r != regime).unwrap();
            assert!(!got.bases.contains(other), "never by the other regime's facts");
            assert_eq!(got.reason(other), Some(Reason::NotNotified));
        }
    }
}

#[test]
fn an_item_the_notice_does_not_list_is_refused_and_the_person_is_not() {
    let notices = [notice(Regime::Anon52, "2026-04-01"), notice(Regime::Pseudo57, "2026-04-01")];
    let person = gate("2026-06-01").person(&facts(&notices));
    assert_eq!(person.bases(), Bases::BOTH);
    assert_eq!(person.decide("note").reason(Regime::Anon52), Some(Reason::ItemNotListed));
    assert_eq!(person.bases_of("person"), Bases::BOTH, "identity accompanies what is listed");
    assert_eq!(person.decide("wallet").reason(Regime::Anon52), Some(Reason::NotMedicalInformation));
    assert_eq!(person.reason(Regime::Anon52), None);
    let nobody = gate("2026-06-01").person(&facts(&[]));
    assert_eq!(nobody.reason(Regime::Pseudo57), Some(Reason::NotNotified));
}

#[test]
fn a_later_notice_does_not_take_back_what_an_earlier_one_allows() {
    let later = PersonNotice { version: "v2".into(), ..notice(Regime::Anon52, "2026-05-20") };
    let notices = [notice(Regime::Anon52, "2026-04-01"), later];
    let mut gate = gate("2026-06-01");
    gate.versions.insert((Regime::Anon52, "v2".into()), vec!["condition".into(), "note".into()]);
    let person = gate.person(&facts(&notices));
    assert!(person.bases_of("condition").contains(Regime::Anon52));
    assert_eq!(
        person.decide("note").reason(Regime::Anon52),
        Some(Reason::Waiting { until: day("2026-06-19") })
    );
}

#[test]
fn a_child_needs_a_guardians_notice() {
    let young = |guardian| {
        let notices = [PersonNotice { guardian, ..notice(Regime::Anon52, "2026-04-01") }];
        let person = PersonFacts { birth_on: Some(day("2015-05-05").into()), ..facts(&notices) };
        gate("2026-06-01").decide(&person, "condition").reason(Regime::Anon52)
    };
    assert_eq!(young(false), Some(Reason::GuardianMissing));
    assert_eq!(young(true), None);
}

#[test]
fn a_stop_at_all_holders_refuses_the_same_identity_elsewhere() {
    let notices = [notice(Regime::Anon52, "2026-04-01")];
    let identity = Identity::normalise(&RawIdentity {
        name_kana: Some("ヤマダ　ハナコ"),
        birth_on: Some(day("1980-01-02")),
        sex: Some(Sex::Female),
        ..RawIdentity::default()
    });
    let mut gate = gate("2026-06-01");
    for hash in gate.keys.suppressed_anywhere(&identity) {
        gate.stops.insert(hash, asked_to_stop(Bases::BOTH, "2026-05-01"));
    }
    gate.any_identity = true;
    let spelt_otherwise = Identity::normalise(&RawIdentity {
        name_kana: Some("ﾔﾏﾀﾞﾊﾅｺ"),
        birth_on: Some(day("1980-01-02")),
        sex: Some(Sex::Female),
        ..RawIdentity::default()
    });
    let person =
        PersonFacts { identities: std::slice::from_ref(&spelt_otherwise), ..facts(&notices) };
    assert_eq!(gate.decide(&person, "condition").reason(Regime::Anon52), Some(Reason::Stopped));
    assert_eq!(gate.decide(&facts(&notices), "condition").reason(Regime::Anon52), None);
}

proptest! {
    // register.gate: no notice date less than 31 days back passes
    #[test]
    fn nothing_passes_within_the_wait(days_back in 0_i64..90) {
        let on = day("2026-06-01");
        let told = on.checked_sub(std::time::Duration::from_secs(days_back as u64 * 86_400)).unwrap();
        let notices = [PersonNotice { notified_on: told, ..notice(Regime::Pseudo57, "2026-01-01") }];
        let got = gate("2026-06-01").decide(&facts(&notices), "encounter");
        prop_assert_eq!(got.bases.contains(Regime::Pseudo57), days_back > 30);
        prop_assert!(!got.bases.contains(Regime::Anon52));
    }
}
