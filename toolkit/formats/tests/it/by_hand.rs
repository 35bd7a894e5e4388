//! Files of the independent writer, checked by hand: stays that add up, regimens, split notebooks.

use kiban_formats::{Parsed, Record, jahis};

use crate::{
    conformance::{fixture, read},
    get, lasting,
};

fn of<'r>(parsed: &'r Parsed<'_>, table: &str) -> Vec<&'r Record<'static>>
where
    Parsed<'static>: 'r,
{
    // The records outlive their segment.
    let parsed: &Parsed<'_> = parsed;
    let records: Vec<Record<'static>> = parsed
        .records
        .iter()
        .filter(|r| r.table() == table)
        .map(|r| r.copy_in(lasting()))
        .collect();
    Vec::leak(records).iter().collect()
}

/// Sum of points times count.
fn money(items: &[&Record<'_>], keep: impl Fn(&Record<'_>) -> bool) -> i64 {
    let number = |r: &Record<'_>, c: &str| get(r, c).map(|t| t.parse::<i64>().unwrap());
    items
        .iter()
        .filter(|r| keep(r))
        .filter_map(|r| Some(number(r, "points")? * number(r, "count").unwrap_or(1)))
        .sum()
}

#[test]
fn the_hand_checked_dpc_stay_adds_up() {
    let (segments, issues) = read("x", &fixture("uke", "dpc_stay.UKE"));
    assert!(issues.is_empty());
    let parsed = &segments[1].1;
    let items = of(parsed, "claim_item");
    let section = |r: &Record<'_>| get(r, "section").unwrap_or("").to_owned();
    let outside = money(&items, |r| get(r, "bundling") == Some("outside") && section(r) != "97");
    let periods = money(&items, |r| get(r, "source_record") == Some("HH"));
    assert_eq!((outside, periods), (8_460, 11_300));
    let [stay] = of(parsed, "dpc_stay")[..] else { panic!() };
    assert_eq!(get(stay, "bundled_points"), Some("13560"));
    assert_eq!(get(stay, "dpc_code"), Some("060020xx02x00x"));
    assert_eq!(get(stay, "coefficient"), Some("1.2000"));
    let [claim] = of(parsed, "claim")[..] else { panic!() };
    assert_eq!((get(claim, "form"), get(claim, "points")), (Some("dpc"), Some("22020")));
    let bundled: Vec<_> = items.iter().filter_map(|r| get(r, "bundling")).collect();
    assert_eq!(bundled.iter().filter(|b| **b == "bundled").count(), 2);
    assert_eq!(bundled.iter().filter(|b| **b == "duplicate").count(), 1);
    // The bundled drip once, three times 2.5; the drugs of the operation on its day.
    let drugs = of(parsed, "medication");
    let drug =
        |code: &str| drugs.iter().filter(|r| get(r, "code") == Some(code)).collect::<Vec<_>>();
    let [drip] = drug("620002470")[..] else { panic!() };
    assert_eq!((get(drip, "quantity"), get(drip, "status")), (Some("7.5"), Some("bundled")));
    let [given] = drug("620007736")[..] else { panic!() };
    assert_eq!((get(given, "started_at"), get(given, "quantity")), (Some("20240404"), Some("2")));
    let roles: Vec<_> =
        of(parsed, "condition").iter().map(|r| get(r, "role").unwrap().to_owned()).collect();
    assert_eq!(roles, ["21", "31"]);
    let [visit] = of(parsed, "encounter")[..] else { panic!() };
    assert_eq!(
        (get(visit, "start_at"), get(visit, "end_at")),
        (Some("20240403"), Some("20240407"))
    );
    // The same stay with one point too many in the total.
    let wrong = fixture("uke", "dpc_stay.UKE");
    let at = wrong.windows(7).position(|w| w == b",22020,").unwrap();
    let wrong = [&wrong[..at], b",22021,", &wrong[at + 7..]].concat();
    let (segments, issues) = read("x", &wrong);
    let rules: Vec<_> = segments[1].1.issues.iter().map(|i| i.rule).collect();
    assert_eq!(rules, ["uke.coding-duplicate", "uke.total-differs"]);
    assert_eq!(issues.iter().map(|i| i.rule).collect::<Vec<_>>(), ["uke.points-differ"]);
}

#[test]
fn the_same_stay_in_the_cost_file_adds_up_by_acts_and_by_items() {
    let mut shapes = Vec::new();
    for name in ["131234567", "noheader", "comma", "shuffled", "fixed"] {
        let name = format!("EFn_{name}_2404.txt");
        let (segments, _) = read(&name, &fixture("dpc", &name));
        let parsed = &segments.last().unwrap().1;
        let items = of(parsed, "claim_item");
        let sum = |source: &str, bundling: &str| {
            money(&items, |r| {
                get(r, "source_record") == Some(source) && get(r, "bundling") == Some(bundling)
            })
        };
        assert_eq!((sum("E", "outside"), sum("F", "outside")), (8_120, 8_120), "{name}");
        assert_eq!(
            (sum("E", "bundled"), sum("F", "bundled")),
            (95 * 3 + 21, 95 * 3 + 21),
            "{name}"
        );
        assert_eq!(
            (of(parsed, "procedure").len(), of(parsed, "medication").len()),
            (3, 2),
            "{name}"
        );
        shapes.push(parsed.records.clone());
    }
    let facts = |records: &[Record<'_>]| {
        let mut all: Vec<String> = Vec::new();
        for r in records {
            let mut text = r.table().to_owned();
            r.for_each(|c, v| text.extend(v.map(|v| format!("|{c}={v}"))));
            all.push(text);
        }
        all
    };
    for shape in &shapes[1..] {
        assert_eq!(facts(shape).len(), facts(&shapes[0]).len());
        for (a, b) in facts(shape).iter().zip(facts(&shapes[0])) {
            assert_eq!(*a, b);
        }
    }
    // Apart: the same sums, E in the one, F in the other.
    let apart = |name: &str| {
        let (segments, _) = read(name, &fixture("dpc", name));
        let items: Vec<_> = of(&segments.last().unwrap().1, "claim_item");
        money(&items, |_| true)
    };
    assert_eq!(apart("En_131234567_2404.txt"), 8_120 + 95 * 3 + 21);
    assert_eq!(apart("Fn_131234567_2404.txt"), 8_000 + 120 + 49 + 46 + 21, "F rows carry no times");
}

#[test]
fn both_shapes_of_form_1_tell_the_same_stay() {
    for name in ["FF1_131234567_2404.txt", "FF1_noheader_2404.txt", "FF1_wide_2404.txt"] {
        let (segments, _) = read(name, &fixture("dpc", name));
        let parsed = &segments.last().unwrap().1;
        assert_eq!(parsed.person, Some("0000054321"), "{name}");
        let [person] = of(parsed, "person")[..] else { panic!("{name}") };
        assert_eq!((get(person, "birth_on"), get(person, "sex")), (Some("19500101"), Some("M")));
        let [stay] = of(parsed, "dpc_stay")[..] else { panic!("{name}") };
        assert_eq!(get(stay, "stay_key"), Some("131234567-0000054321-20240403"));
        assert_eq!(
            (get(stay, "discharged_on"), get(stay, "department")),
            (Some("20240407"), Some("010"))
        );
        assert_eq!((get(stay, "route"), get(stay, "urgency")), (Some("1"), Some("200")), "{name}");
        let icd: Vec<_> =
            of(parsed, "condition").iter().map(|r| get(r, "icd10").unwrap().to_owned()).collect();
        let wide = name.contains("wide");
        let expected: &[&str] =
            if wide { &["C169", "E14", "I10"] } else { &["C169", "C169", "E14", "I10"] };
        assert_eq!(icd, expected, "{name}");
        let [operation] = of(parsed, "procedure")[..] else { panic!("{name}") };
        assert_eq!(
            (get(operation, "code"), get(operation, "started_at")),
            (Some("K6552"), Some("20240404"))
        );
        assert_eq!(of(parsed, "death").len(), usize::from(wide), "outcome 7 in the wide file only");
        if !wide {
            let suspected = of(parsed, "condition")
                .iter()
                .filter(|r| get(r, "certainty") == Some("suspected"))
                .count();
            assert_eq!(suspected, 1);
            assert_eq!(of(parsed, "survey").len(), 15);
            assert_eq!(of(parsed, "measurement").len(), 2);
        }
    }
}

#[test]
fn a_regimen_of_a_pharmacy_is_every_drug_at_every_dispensing() {
    let (segments, _) = read("x", &fixture("uke", "pharmacy_SH.UKE"));
    let given: Vec<_> = of(&segments[1].1, "medication")
        .iter()
        .map(|r| {
            let text = |c: &str| get(r, c).unwrap_or("").to_owned();
            [
                text("code"),
                text("ordered_at"),
                text("started_at"),
                text("days"),
                text("quantity"),
                text("practitioner"),
            ]
            .join(" ")
        })
        .collect();
    assert_eq!(
        given,
        [
            "620098801 20231228 20240104 14 21 医師　二郎",
            "620098801 20240115 20240115 7 10.5 医師　一郎",
            "620003855 20231228 20240104 14 42 医師　二郎",
            "620003855 20240115 20240115 7 21 医師　一郎",
        ]
    );
}

#[test]
fn a_notebook_in_parts_is_the_notebook() {
    let part = |n: u32| fixture("jahis", &format!("split_{n}.txt"));
    let (one, two, three) = (part(1), part(2), part(3));
    let whole = jahis::join(&[&three, &one, &two]).unwrap();
    assert!(whole == fixture("jahis", "notebook_201.txt"));
    assert_eq!(
        jahis::join(&[&one, &three]),
        Err(jahis::JoinError::Missing { found: 2, declared: 3 })
    );
    assert_eq!(jahis::join(&[&one, &whole]), Err(jahis::JoinError::NoControl { part: 2 }));
}

#[test]
fn drugs_of_a_notebook_and_of_a_prescription_have_their_amounts() {
    let drugs = |name: &str| {
        let (segments, _) = read(name, &fixture("jahis", name));
        of(&segments[0].1, "medication")
            .iter()
            .map(|r| {
                let text = |c: &str| get(r, c).unwrap_or("-").to_owned();
                [text("kind"), text("code_system"), text("dose"), text("days"), text("quantity")]
                    .join(" ")
            })
            .collect::<Vec<_>>()
    };
    let notebook = [
        "dispense receipt-drug - 14 42",
        "dispense YJ 1 - 5",
        "dispense HOT - - 25",
        "self-reported - - 7 14",
    ];
    assert_eq!(drugs("notebook_201.txt"), notebook);
    assert_eq!(drugs("notebook_201_utf8.txt"), notebook);
    assert!(drugs("notebook_by_patient.txt").iter().all(|d| d.starts_with("self-reported")));
    assert_eq!(
        drugs("prescription.txt"),
        ["order generic-name 1 14 42", "order receipt-drug 1 - 5", "order YJ - - 100"]
    );
}
