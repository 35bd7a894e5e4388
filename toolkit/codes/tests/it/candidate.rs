//! Promises of the candidates.

use std::fmt::Write as _;

use kiban_codes::candidate::{
    Bench, Candidate, Distribution, Domain, Known, LocalItem, Verdict, Veto, compare,
};
use kiban_codes::master::{Layout, Master, read};
use kiban_codes::unit::{Analyte, Unit};
use proptest::prelude::*;

use crate::synthetic::{self, Chance, ERRORS, Error};

fn item(name: &str, unit: &str) -> LocalItem {
    LocalItem {
        code: "L".to_owned(),
        names: vec![name.to_owned()],
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        ..LocalItem::default()
    }
}

fn small() -> Master {
    let text = "JLAC10コード,項目名,単位,材料,測定法\n\
        3B035000002327201,アスパラギン酸アミノトランスフェラーゼ,U/L,血清,紫外吸光光度法\n\
        3B045000002327201,アラニンアミノトランスフェラーゼ,U/L,血清,紫外吸光光度法\n\
        3B090000002327101,γ-グルタミルトランスフェラーゼ,U/L,血清,可視吸光光度法\n\
        3C015000002327101,クレアチニン,mg/dL,血清,可視吸光光度法\n\
        3C015000000127101,クレアチニン,mg/dL,尿,可視吸光光度法\n\
        3C025000002327201,尿素窒素,mg/dL,血清,紫外吸光光度法\n\
        3C020000002327101,尿酸,mg/dL,血清,可視吸光光度法\n\
        3D010000002327101,グルコース,mg/dL,血清,可視吸光光度法\n\
        3D010000000127101,グルコース,mg/dL,尿,可視吸光光度法\n\
        3H030000002399901,カルシウム,mg/dL,血清,\n\
        3H040000002399901,無機リン,mg/dL,血清,\n\
        2A990000001930101,リンパ球,%,全血,\n\
        3F999000002327101,リン脂質,mg/dL,血清,\n\
        2A030000001930101,ヘモグロビン,g/dL,全血,\n\
        3D046000001906202,ヘモグロビンA1c,%,全血,\n\
        1A010000000190101,蛋白定性,,尿,試験紙法\n\
        3A010000002327101,総蛋白,g/dL,血清,\n";
    read(text.as_bytes(), &Layout::shipped("jlac10").unwrap(), "t", None).unwrap().master
}

fn first(bench: &Bench<'_>, name: &str, unit: &str) -> Candidate {
    bench.rank(&item(name, unit), 3).into_iter().next().unwrap()
}

#[test]
fn the_ways_of_laboratories_find_their_item() {
    let master = small();
    let bench = Bench::new(&master, Domain::Laboratory, &[], None);
    for (name, unit, code) in [
        ("GOT", "IU/L", "3B035000002327201"),
        ("ＧＯＴ（ＡＳＴ）", "U/l", "3B035000002327201"),
        ("S-GPT", "", "3B045000002327201"),
        ("ｶﾞﾝﾏ-GTP", "IU/L", "3B090000002327101"),
        ("r-GTP", "", "3B090000002327101"),
        ("BUN", "mg/dl", "3C025000002327201"),
        ("Cr", "mg/dl", "3C015000002327101"),
        ("U-Cr", "mg/dl", "3C015000000127101"),
        ("尿中クレアチニン", "g/L", "3C015000000127101"),
        ("血糖", "mmol/L", "3D010000002327101"),
        ("Ca", "mEq/L", "3H030000002399901"),
        ("IP", "", "3H040000002399901"),
        ("ﾘﾝﾊﾟ球", "%", "2A990000001930101"),
        ("リン脂質", "", "3F999000002327101"),
        ("Hb", "g/L", "2A030000001930101"),
        ("HbA1C(NGSP)", "%", "3D046000001906202"),
        ("ｸﾚｱﾁﾆﾝ", "", "3C015000002327101"),
        ("UA", "", "3C020000002327101"),
    ] {
        let found = first(&bench, name, unit);
        assert_eq!(found.code, code, "{name}: {found:?}");
    }
}

#[test]
fn features_add_up_and_say_the_conversion() {
    let master = small();
    let bench = Bench::new(&master, Domain::Laboratory, &[], None);
    let found = bench.rank(&item("血糖", "mmol/L"), 10);
    for candidate in &found {
        assert_eq!(candidate.score, candidate.features.iter().map(|f| f.points).sum::<i32>());
        assert!(candidate.features.iter().all(|f| !f.note.is_empty()));
    }
    assert_eq!(found[0].unit_rule.as_deref(), Some("unit.chemistry:glucose"));
    assert!(found.windows(2).all(|w| w[0].score >= w[1].score));
    assert!(bench.rank(&LocalItem::default(), 5).is_empty(), "no name, no candidate");
}

#[test]
fn entries_out_of_force_are_no_candidates() {
    let text =
        "コード,名称,廃止日\n3B035000002327201,架空酵素,20200331\n3B035000002399901,架空酵素,\n";
    let layout = Layout::shipped("jlac10").unwrap();
    let master = read(text.as_bytes(), &layout, "t", None).unwrap().master;
    let on = jiff::civil::date(2026, 4, 1);
    let codes = |on| {
        let bench = Bench::new(&master, Domain::Laboratory, &[], on);
        bench.rank(&item("架空酵素", ""), 5).len()
    };
    assert_eq!((codes(None), codes(Some(on))), (2, 1));
}

#[test]
fn drugs_by_strength_form_and_brand() {
    let text = "個別医薬品コード,販売名,成分名,規格\n\
        9999001F1011,アリエナイン錠2.5mg「架空」,アリエナイン塩酸塩,2.5mg1錠\n\
        9999001F2018,アリエナイン錠5mg「架空」,アリエナイン塩酸塩,5mg1錠\n\
        9999001F2026,アリエナイン錠5mg「ソウゾウ」,アリエナイン塩酸塩,5mg1錠\n\
        9999001F3014,アリエナインOD錠5mg「架空」,アリエナイン塩酸塩,5mg1錠\n\
        9999001C1010,アリエナイン散1%「架空」,アリエナイン塩酸塩,1%1g\n";
    let master = read(text.as_bytes(), &Layout::shipped("yj").unwrap(), "t", None).unwrap().master;
    let bench = Bench::new(&master, Domain::Drug, &[], None);
    for (name, code) in [
        ("ｱﾘｴﾅｲﾝ錠5㎎｢ソウゾウ｣", "9999001F2026"),
        ("アリエナイン２．５ｍｇ錠（架空）", "9999001F1011"),
        ("アリエナイン錠0.005g「架空」", "9999001F2018"),
        ("アリエナインＯＤ５ｍｇ", "9999001F3014"),
        ("アリエナイン散１％", "9999001C1010"),
    ] {
        assert_eq!(first(&bench, name, "錠").code, code, "{name}");
    }
}

#[test]
fn diseases_by_their_ways() {
    let text = "病名管理番号,病名表記,病名表記カナ,ICD10\n\
        90000001,２型糖尿病,２ガタトウニョウビョウ,E11\n\
        90000002,１型糖尿病,１ガタトウニョウビョウ,E10\n\
        90000003,糖尿病,トウニョウビョウ,E14\n\
        90000004,胃癌,イガン,C169\n\
        90000005,胃潰瘍,イカイヨウ,K259\n\
        90000006,Ｃ型慢性肝炎,Ｃガタマンセイカンエン,B182\n\
        90000007,急性心筋梗塞,キュウセイシンキンコウソク,I219\n\
        90000008,頸椎症,ケイツイショウ,M4782\n";
    let layout = Layout::shipped("medis-disease").unwrap();
    let master = read(text.as_bytes(), &layout, "t", None).unwrap().master;
    let bench = Bench::new(&master, Domain::of_system(master.system()), &[], None);
    for (name, icd10) in [
        ("糖尿病（Ⅱ型）", "E11"),
        ("T2DM", "E11"),
        ("Ⅰ型糖尿病", "E10"),
        ("ＤＭ", "E14"),
        ("胃がん", "C169"),
        ("胃かいよう", "K259"),
        ("慢性Ｃ型肝炎の疑い", "B182"),
        ("AMI", "I219"),
        ("頚椎症", "M4782"),
        ("ｹｲﾂｲｼｮｳ", "M4782"),
    ] {
        let found = first(&bench, name, "");
        assert_eq!(
            master.find(&found.code).unwrap().link("icd10"),
            Some(icd10),
            "{name} {found:?}"
        );
    }
}

/// A standard normal number (sum of twelve).
fn normal(chance: &mut Chance) -> f64 {
    (0..12).map(|_| (chance.next() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0
}

fn spread(chance: &mut Chance, centre: f64, width: f64, n: usize) -> Distribution {
    let values: Vec<f64> = (0..n).map(|_| centre * (width * normal(chance)).exp()).collect();
    Distribution::of_values(n as u64, 0, &values).unwrap()
}

/// A9/A10: the distribution of values shows a wrong unit and says which factor explains it.
#[test]
fn a_wrong_unit_is_named_by_its_factor() {
    let master = small();
    let chance = &mut Chance(7);
    let known = |code: &str, unit: &str, values: Distribution| Known {
        code: code.to_owned(),
        item: LocalItem {
            unit: Some(unit.to_owned()),
            values: Some(values),
            ..LocalItem::default()
        },
    };
    let peers = [
        known("3D010000002327101", "mg/dL", spread(chance, 105.0, 0.25, 4000)),
        known("2A030000001930101", "g/dL", spread(chance, 13.5, 0.12, 4000)),
        known("3B035000002327201", "U/L", spread(chance, 24.0, 0.5, 4000)),
    ];
    let bench = Bench::new(&master, Domain::Laboratory, &peers, None);
    let rank = |name: &str, unit: &str, values| {
        let local = LocalItem { values: Some(values), ..item(name, unit) };
        bench.rank(&local, 1).remove(0)
    };
    // Says mg/dL, is mmol/L.
    let wrong = rank("血糖", "mg/dL", spread(chance, 105.0 / 18.0, 0.25, 900));
    let Some(Veto::WrongUnit(shift)) = &wrong.veto else { panic!("{wrong:?}") };
    assert_eq!(shift.rule, "glucose");
    assert!((shift.factor - 18.0156).abs() < 1e-9);
    assert_eq!(wrong.code, "3D010000002327101");
    // Says mmol/L, and is: converted, near.
    let right = rank("血糖", "mmol/L", spread(chance, 105.0 / 18.0, 0.25, 900));
    assert_eq!(right.veto, None, "{right:?}");
    assert!(right.score > wrong.score);
    // Says g/dL, is g/L.
    let wrong = rank("Hb", "g/dL", spread(chance, 135.0, 0.12, 900));
    let Some(Veto::WrongUnit(shift)) = &wrong.veto else { panic!("{wrong:?}") };
    assert_eq!((shift.rule.as_str(), shift.factor), ("power-of-ten", 0.1));
    // Another quantity altogether.
    let apart = rank("AST", "U/L", spread(chance, 420.0, 0.05, 900));
    assert!(matches!(apart.veto, Some(Veto::Apart { .. })), "{apart:?}");
    // Few values say nothing.
    assert_eq!(rank("AST", "U/L", spread(chance, 420.0, 0.05, 12)).veto, None);
    // Another house, somewhat sicker: no veto.
    assert_eq!(rank("AST", "U/L", spread(chance, 30.0, 0.6, 900)).veto, None);
}

#[test]
fn a_histogram_and_values_give_one_sketch() {
    let chance = &mut Chance(3);
    let values: Vec<f64> = (0..5000).map(|_| 100.0 + 10.0 * normal(chance)).collect();
    let edges: Vec<f64> = (0..=40).map(|e| 60.0 + 2.0 * f64::from(e)).collect();
    let counts: Vec<u64> = edges
        .windows(2)
        .map(|w| values.iter().filter(|v| **v >= w[0] && **v < w[1]).count() as u64)
        .collect();
    let a = Distribution::of_values(5000, 0, &values).unwrap();
    let b = Distribution::of_histogram(5000, 0, &edges, &counts).unwrap();
    assert!((a.median() - b.median()).abs() < 1.0);
    assert!(
        matches!(compare(&a, None, &b, None, None), Verdict::Near { distance } if distance == 0.0)
    );
    assert_eq!(Distribution::of_histogram(1, 0, &[0.0, 1.0], &[0]), None);
    assert_eq!(Distribution::of_quantiles(9, 9, 0, &[(0.5, 1.0), (0.4, 2.0)]), None);
    assert_eq!(Distribution::of_quantiles(9, 9, 0, &[(0.1, 1.0), (0.4, f64::NAN)]), None);
}

/// Names that others wrote (two sample generators) against the ministry's check-up table.
#[test]
fn names_of_the_samples_find_their_analyte() {
    let Some(samples) = crate::samples() else { return };
    let bytes = std::fs::read(samples.join("kenshin_xsd/XMLhc24tab.csv")).unwrap();
    let master = read(&bytes, &Layout::shipped("jlac10").unwrap(), "FY2024", None).unwrap().master;
    let bench = Bench::new(&master, Domain::Laboratory, &[], None);
    // Name, unit and analyte as the samples have them (clinosim, ssmixtwins).
    for (name, unit, analyte) in [
        ("アスパラギン酸アミノトランスフェラーゼ(AST)", "U/L", "3B035"),
        ("アラニンアミノトランスフェラーゼ(ALT)", "U/L", "3B045"),
        ("アルカリフォスファターゼ", "U/L", "3B070"),
        ("LD", "U/L", "3B050"),
        ("クレアチニン", "mg/dL", "3C015"),
        ("推算GFRcreat", "mL/min/{1.73_m2}", "8A065"),
        ("グルコース", "mg/dL", "3D010"),
        ("グリコヘモグロビンA1c", "%", "3D046"),
        ("総蛋白", "g/dL", "3A010"),
        ("アルブミン", "g/dL", "3A015"),
        ("コレステロール", "mg/dL", "3F050"),
        ("HDL-コレステロール", "mg/dL", "3F070"),
        ("LDL-コレステロール", "mg/dL", "3F077"),
        ("トリグリセリド", "mg/dL", "3F015"),
        ("C反応性蛋白(CRP)", "mg/L", "5C070"),
        ("白血球数", "/uL", "2A010"),
        ("ヘモグロビン", "g/dL", "2A030"),
        ("血小板数", "10*3/uL", "2A050"),
        ("身長", "cm", "9N001"),
        ("体重", "kg", "9N006"),
        ("BMI", "kg/m2", "9N011"),
    ] {
        let found = first(&bench, name, unit);
        assert_eq!(&found.code[..5], analyte, "{name}: {found:?}");
    }
}

/// Recall on the synthetic benchmark by class of error; the floors are a little under what README states.
#[test]
fn recall_by_class_of_error() {
    let (master, analytes) = synthetic::laboratory(1500, 1);
    let bench = Bench::new(&master, Domain::Laboratory, &[], None);
    let mut report = String::new();
    for (class, error) in ERRORS.into_iter().enumerate() {
        let mut chance = Chance(100 + class as u64);
        let common = error == Error::Abbreviation;
        let (items, truths): (Vec<_>, Vec<_>) = (0..400)
            .map(|n| {
                let at =
                    if common { n % synthetic::COMMON.len() } else { chance.below(analytes.len()) };
                synthetic::item(at, &analytes[at], error, &master, &mut chance)
            })
            .unzip();
        let ranked = bench.rank_all(&items, 5);
        let within = |most: usize| {
            let hits = ranked
                .iter()
                .zip(&truths)
                .filter(|(found, truth)| found.iter().take(most).any(|c| truth.contains(&c.code)));
            hits.count() as f64 / items.len() as f64
        };
        let (at1, at5) = (within(1), within(5));
        writeln!(report, "{error:?} @1 {at1:.3} @5 {at5:.3}").unwrap();
        let floor = match error {
            Error::None | Error::Width => 0.97,
            Error::Kana | Error::Noise | Error::Abbreviation => 0.93,
            _ => 0.8,
        };
        assert!(at1 >= floor, "\n{report}");
    }
    if let Some(place) = option_env!("KIBAN_RECALL") {
        std::fs::write(place, report).unwrap();
    }
}

/// The same for drugs: half of the local names leave the maker out, then any maker of the ingredient, form and strength is right.
#[test]
fn recall_of_drugs() {
    let master = synthetic::drugs(4000, 11);
    let bench = Bench::new(&master, Domain::Drug, &[], None);
    let mut report = String::new();
    for (class, error) in
        [Error::None, Error::Width, Error::Kana, Error::Noise, Error::Typo, Error::Mixed]
            .into_iter()
            .enumerate()
    {
        let mut chance = Chance(500 + class as u64);
        let (mut at1, mut at5) = (0, 0);
        for _ in 0..300 {
            let entry = chance.of(master.entries());
            let brand = chance.once_in(2);
            let (bare, _) = entry.names[0].split_once('「').unwrap();
            let name = if brand { entry.names[0].as_str() } else { bare };
            let local = item(&synthetic::spoil(name, error, &[], &mut chance), "");
            let right = |code: &str| {
                let found = &master.find(code).unwrap().names[0];
                if brand {
                    *found == entry.names[0]
                } else {
                    found.split_once('「').unwrap().0 == bare
                }
            };
            let found = bench.rank(&local, 5);
            at1 += usize::from(found.first().is_some_and(|c| right(&c.code)));
            at5 += usize::from(found.iter().any(|c| right(&c.code)));
        }
        let share = |n: usize| n as f64 / 300.0;
        writeln!(report, "{error:?} @1 {:.3} @5 {:.3}", share(at1), share(at5)).unwrap();
        assert!(share(at5) >= 0.85, "\n{report}");
    }
    if let Some(place) = option_env!("KIBAN_RECALL") {
        std::fs::write(format!("{place}.drugs"), report).unwrap();
    }
}

/// The same candidates for one thread and for many.
#[test]
fn threads_change_nothing() {
    let (master, analytes) = synthetic::laboratory(300, 5);
    let bench = Bench::new(&master, Domain::Laboratory, &[], None);
    let mut chance = Chance(9);
    let items: Vec<LocalItem> = (0..120)
        .map(|n| synthetic::item(n, &analytes[n], Error::Mixed, &master, &mut chance).0)
        .collect();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bench.rank_all(&items, 5))
    };
    let one = run(1);
    assert_eq!(one, run(4));
    let each: Vec<_> = items.iter().map(|item| bench.rank(item, 5)).collect();
    assert_eq!(one, each);
}

proptest! {
    /// A sketch is near itself, and compared both ways it says the same.
    #[test]
    fn sketches_compare_evenly(seed: u64, centre in 0.1_f64..1000.0, width in 0.05_f64..0.8, shift in 0.5_f64..2.0) {
        let chance = &mut Chance(seed);
        let a = spread(chance, centre, width, 400);
        let b = spread(chance, centre * shift, width, 300);
        let itself = compare(&a, None, &a, None, None);
        prop_assert_eq!(itself, Verdict::Near { distance: 0.0 });
        let kind = |v: &Verdict| std::mem::discriminant(v);
        prop_assert_eq!(kind(&compare(&a, None, &b, None, None)), kind(&compare(&b, None, &a, None, None)));
    }

    /// A change of unit that is stated leaves the verdict as it was.
    #[test]
    fn stated_units_do_not_matter(seed: u64) {
        let chance = &mut Chance(seed);
        let (a, b) = (spread(chance, 100.0, 0.2, 200), spread(chance, 110.0, 0.2, 200));
        let scaled: Vec<(f64, f64)> = [0.05, 0.25, 0.5, 0.75, 0.95].iter().map(|l| (*l, 5.0 + l)).collect();
        let c = Distribution::of_quantiles(200, 200, 0, &scaled).unwrap();
        let glucose = Analyte::of_key("glucose");
        let (mass, amount) = (Unit::parse("mg/dL"), Unit::parse("mmol/L"));
        prop_assert_eq!(compare(&a, mass.as_ref(), &b, mass.as_ref(), glucose), compare(&a, None, &b, None, glucose));
        prop_assert!(!matches!(compare(&c, amount.as_ref(), &a, mass.as_ref(), glucose), Verdict::WrongUnit(_)));
        prop_assert_eq!(compare(&c, amount.as_ref(), &a, mass.as_ref(), None), Verdict::Silent);
    }

    /// Any names are ranked without a panic, and the points add up.
    #[test]
    fn any_item(names in prop::collection::vec("\\PC{0,12}|[ｱ-ﾝァ-ヶー0-9a-zU(-]{0,10}", 0..4), unit in "\\PC{0,8}", range in "[-0-9~≦.以上 ]{0,8}") {
        let master = small();
        let bench = Bench::new(&master, Domain::Laboratory, &[], None);
        let local = LocalItem { names, unit: Some(unit), range: Some(range), ..LocalItem::default() };
        for candidate in bench.rank(&local, 4) {
            prop_assert_eq!(candidate.score, candidate.features.iter().map(|f| f.points).sum::<i32>());
        }
    }
}
