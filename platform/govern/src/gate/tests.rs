use kiban_kernel::{Date, PartialDate, Regime, Rules};
use proptest::prelude::*;

use super::*;

fn d(y: i16, m: i8, day: i8) -> Date {
    Date::constant(y, m, day)
}
fn rules() -> Rules {
    Rules::built_in().unwrap()
}
fn plus(date: Date, days: u64) -> Date {
    date.saturating_add(Duration::from_secs(days * 86_400))
}
fn facts(items: &[String]) -> GateFacts<'_> {
    GateFacts {
        filing: Some(FilingFact { effective_from: d(2024, 4, 1), ended: None, wait_days: None }),
        notice: Some(NoticeFact {
            version: "v1",
            notified_on: d(2026, 4, 1),
            items: Some(items),
            guardian: false,
            person_age_ok: true,
            bar: None,
        }),
        stop: None,
        died_on: None,
        kind: "condition",
        acquisition_lawful: true,
    }
}
fn listed() -> Vec<String> {
    vec!["condition".into(), "measurement".into()]
}

#[test]
fn held_on_day_30_and_passing_on_day_31() {
    let (items, rules) = (listed(), rules());
    let f = facts(&items);
    for regime in Regime::ALL {
        // 1 April + 30 = 1 May
        let held = decide(&f, regime, d(2026, 5, 1), &rules);
        assert_eq!(held, Err(Reason::Waiting { until: d(2026, 5, 1) }));
        assert_eq!(decide(&f, regime, d(2026, 5, 2), &rules), Ok(()));
    }
}

#[test]
fn the_day_of_coming_of_age_is_the_first_on_which_one_is_of_age() {
    let rules = rules();
    for (born, day) in [
        (d(2010, 4, 1), d(2026, 4, 1)),
        (d(2008, 2, 29), d(2024, 2, 29)),
        (d(2010, 12, 31), d(2026, 12, 31)),
    ] {
        assert_eq!(of_age_on(born.into(), day, &rules), Ok(day));
        assert_eq!(of_age(born.into(), day, &rules), Ok(true));
        assert_eq!(of_age(born.into(), day.yesterday().unwrap(), &rules), Ok(false));
    }
    let month = PartialDate::new(2010, Some(4), None).unwrap();
    assert_eq!(of_age_on(month, d(2026, 5, 1), &rules), Ok(d(2026, 4, 30)));
}

#[test]
fn a_holder_may_wait_longer_never_shorter() {
    let (items, rules) = (listed(), rules());
    let mut f = facts(&items);
    for (days, last) in [(10, 30), (45, 45)] {
        f.filing = f.filing.map(|x| FilingFact { wait_days: Some(days), ..x });
        let until = plus(d(2026, 4, 1), last);
        assert_eq!(decide(&f, Regime::Anon52, until, &rules), Err(Reason::Waiting { until }));
        assert_eq!(decide(&f, Regime::Anon52, plus(until, 1), &rules), Ok(()));
    }
}

#[test]
fn each_condition_alone_stops_the_item_and_says_so() {
    let (items, rules) = (listed(), rules());
    let on = d(2026, 6, 1);
    let ok = facts(&items);
    let notice = ok.notice.unwrap();
    let partial = |y, m| PartialDate::new(y, m, None).unwrap();
    let cases: Vec<(&str, GateFacts<'_>)> = vec![
        ("stopped", GateFacts { stop: Some(StopFact { requested_on: on }), ..ok }),
        ("no_filing", GateFacts { filing: None, ..ok }),
        (
            "filing_not_yet",
            GateFacts {
                filing: Some(FilingFact {
                    effective_from: d(2026, 6, 2),
                    ended: None,
                    wait_days: None,
                }),
                ..ok
            },
        ),
        (
            "filing_ended",
            GateFacts {
                filing: Some(FilingFact {
                    effective_from: d(2024, 4, 1),
                    ended: Some(on),
                    wait_days: None,
                }),
                ..ok
            },
        ),
        ("not_notified", GateFacts { notice: None, ..ok }),
        (
            "notice_version_unknown",
            GateFacts { notice: Some(NoticeFact { items: None, ..notice }), ..ok },
        ),
        (
            "notice_returned",
            GateFacts {
                notice: Some(NoticeFact {
                    bar: Some(NoticeBar::Returned { on: d(2026, 4, 9) }),
                    ..notice
                }),
                ..ok
            },
        ),
        (
            "change_untold",
            GateFacts {
                notice: Some(NoticeFact { bar: Some(NoticeBar::ChangeUntold), ..notice }),
                ..ok
            },
        ),
        ("died_before_notice", GateFacts { died_on: Some(d(2026, 3, 31).into()), ..ok }),
        ("died_before_notice", GateFacts { died_on: Some(partial(2026, Some(3))), ..ok }),
        ("death_order_unclear", GateFacts { died_on: Some(partial(2026, None)), ..ok }),
        (
            "guardian_missing",
            GateFacts { notice: Some(NoticeFact { person_age_ok: false, ..notice }), ..ok },
        ),
        ("not_medical_information", GateFacts { kind: "loyalty_card", ..ok }),
        ("item_not_listed", GateFacts { kind: "note", ..ok }),
        ("acquisition_unlawful", GateFacts { acquisition_lawful: false, ..ok }),
    ];
    for (code, f) in cases {
        for regime in Regime::ALL {
            let reason = decide(&f, regime, on, &rules).unwrap_err();
            assert_eq!(reason.code(), code);
            assert!(!reason.ja().is_empty() && reason.law(regime).is_some(), "{code}");
            assert!(Reason::ja_of_code(code).is_some_and(|s| reason.ja().starts_with(s)));
        }
    }
    assert_eq!(decide(&ok, Regime::Pseudo57, on, &rules), Ok(()));
}

#[test]
fn death_on_or_after_the_day_of_notice_does_not_stand_against_it() {
    let (items, rules) = (listed(), rules());
    for died in [d(2026, 4, 1), d(2026, 5, 20)] {
        let f = GateFacts { died_on: Some(died.into()), ..facts(&items) };
        assert_eq!(decide(&f, Regime::Anon52, d(2026, 6, 1), &rules), Ok(()));
    }
}

#[test]
fn a_person_row_goes_with_listed_items_and_never_alone() {
    let (items, rules, on) = (listed(), rules(), d(2026, 6, 1));
    let person = GateFacts { kind: "person", ..facts(&items) };
    assert_eq!(decide(&person, Regime::Anon52, on, &rules), Ok(()));
    let none = Vec::new();
    let person = GateFacts { kind: "person", ..facts(&none) };
    assert_eq!(decide(&person, Regime::Anon52, on, &rules), Err(Reason::ItemNotListed));
}

#[test]
fn pseudonymized_collection_begins_with_the_amendment() {
    let (items, rules) = (listed(), rules());
    let mut f = facts(&items);
    f.filing = Some(FilingFact { effective_from: d(2019, 1, 1), ended: None, wait_days: None });
    f.notice = f.notice.map(|n| NoticeFact { notified_on: d(2024, 1, 1), ..n });
    let eve = d(2024, 3, 31);
    assert_eq!(decide(&f, Regime::Anon52, eve, &rules), Ok(()));
    assert_eq!(decide(&f, Regime::Pseudo57, eve, &rules), Err(Reason::RegimeNotInForce));
    assert_eq!(decide(&f, Regime::Pseudo57, d(2024, 4, 1), &rules), Ok(()));
}

#[test]
fn sixteen_on_the_birthday() {
    let rules = rules();
    let birth = d(2010, 4, 2).into();
    assert_eq!(of_age(birth, d(2026, 4, 1), &rules), Ok(false));
    assert_eq!(of_age(birth, d(2026, 4, 2), &rules), Ok(true));
    let only_year = PartialDate::new(2010, None, None).unwrap();
    assert_eq!(of_age(only_year, d(2026, 12, 30), &rules), Ok(false));
}

proptest! {
    /// govern.wait
    #[test]
    fn nothing_passes_before_the_wait_is_over(start in 0_u64..4000, later in 0_u64..80) {
        let (items, rules) = (listed(), rules());
        let notified_on = plus(d(2024, 4, 1), start);
        let on = plus(notified_on, later);
        let mut f = facts(&items);
        f.notice = f.notice.map(|n| NoticeFact { notified_on, ..n });
        for regime in Regime::ALL {
            prop_assert_eq!(decide(&f, regime, on, &rules).is_ok(), later >= 31);
        }
    }

    /// govern.regimes: dropping any one fact never turns a refusal into a pass, and each regime is judged
    /// by the facts handed in for it alone (the function takes no others).
    #[test]
    fn fewer_facts_never_open_the_gate(mask in 0_u8..64, later in 0_u64..80) {
        let (items, rules) = (listed(), rules());
        let mut f = facts(&items);
        if mask & 1 != 0 { f.filing = None; }
        if mask & 2 != 0 { f.notice = None; }
        if mask & 4 != 0 { f.stop = Some(StopFact { requested_on: d(2026, 4, 1) }); }
        if mask & 8 != 0 { f.acquisition_lawful = false; }
        if mask & 16 != 0 { f.kind = "note"; }
        if mask & 32 != 0 { f.died_on = Some(d(2020, 1, 1).into()); }
        let on = plus(d(2026, 4, 1), later);
        for regime in Regime::ALL {
            prop_assert_eq!(decide(&f, regime, on, &rules).is_ok(), mask == 0 && later >= 31);
        }
    }
}
