//! Promises of the units: what is read, exact factors, there and back.

use kiban_codes::unit::{
    Analyte, Base, Confidence, KeptReason, Line, Unit, convert, factor_between,
};
use kiban_codes::{Decimal, Rational};
use proptest::prelude::*;

fn unit(text: &str) -> Unit {
    Unit::parse(text).unwrap_or_else(|| panic!("{text} is not read"))
}

fn shown(value: &str, from: &str, to: &str, key: &str) -> String {
    let analyte = Analyte::of_key(key);
    convert(value, from, to, analyte, analyte).unwrap().value.to_string()
}

/// Each line: ways to write one unit. All have one size and one dimension.
const SAME: &[&[&str]] = &[
    &["mg/dL", "mg/dl", "MG/DL", "ｍｇ／ｄｌ", "㎎/㎗", "mg / dL", "(mg/dL)", "10*-2.g/L"],
    &[
        "10*4/uL",
        "×10^4/μl",
        "x10⁴/µL",
        "万/μL",
        "万/uL",
        "10^4/mm3",
        "10E4/uL",
        "×10*4/μL",
        "×104/μL",
        "１０＾４／μＬ",
        "万個/μL",
        "10 4/uL",
        "×10の4乗/μL",
        "×10^4/㎕",
        "10*4/mm³",
    ],
    &["/uL", "/μl", "個/μL", "/mm3", "/cmm", "{cells}/uL", "10*6/L", "cells/uL"],
    &["U/L", "IU/L", "IU/l", "u/l", "U/l", "[iU]/L", "mU/mL", "単位/L", "IU/ℓ"],
    &["uIU/mL", "μIU/mL", "μU/ml", "mIU/L", "µIU/ml", "mU/L"],
    &["%", "％", "10*-2"],
    &["mEq/L", "meq/l", "MEQ/L", "ｍＥｑ／Ｌ"],
    &["fL", "fl", "ｆＬ", "um3", "10*-15L"],
    &["pg", "PG", "ｐｇ"],
    &["mm[Hg]", "mmHg", "MMHG", "ｍｍＨｇ"],
    &["s", "秒", "sec", "SEC"],
    &["mL/min/{1.73_m2}", "mL/min/1.73m2", "ml/分/1.73㎡", "mL/min/1.73m²", "mL/分/1.73m^2"],
    &["mg/g{creat}", "mg/g・Cr", "mg/gCr", "mg/g･CRE", "mg/g.Cr", "mg/gクレアチニン"],
    &["{beats}/min", "拍／分", "回/分", "/min", "bpm", "{h`b}/min", "毎分"],
    &["mOsm/kg", "mOsm/kgH2O", "mOsm/kg・H2O", "MOSM/KG"],
    &["kg/m2", "kg/m²", "㎏/㎡", "kg/m^2"],
    &["Cel", "℃", "°C"],
    &["ug/dL", "μg/dL", "mcg/dL_", "㎍/㎗"],
    &["ng/mL/h", "ng/ml/hr", "ng/mL/時間"],
    &["g/d", "g/日", "g/day", "g/24h", "g/24時間"],
    &["mm/h", "mm/1h", "mm/hr", "mm/時間", "mm/１時間"],
    &["/(100.{WBC})", "/100WBC", "個/100WBC"],
    &["U/{gHb}", "IU/g・Hb", "U/gHb"],
    &["{INR}", "INR", "(INR)"],
    &["{COI}", "COI", "C.O.I", "C.O.I."],
    &["/{HPF}", "/HPF", "個/HPF", "/視野"],
];

#[test]
fn the_ways_to_write_a_unit_are_one_unit() {
    for ways in SAME {
        let first = unit(ways[0]);
        for way in ways.iter().filter(|w| !w.ends_with('_')) {
            let other = unit(way);
            assert!(
                first.same(&other),
                "{} and {way}: {} and {}",
                ways[0],
                first.code(),
                other.code()
            );
        }
    }
}

#[test]
fn what_was_read_generously_is_reported() {
    assert!(unit("MG/DL").reading().case_folded);
    assert!(!unit("mg/dL").reading().case_folded);
    assert!(unit("×104/μL").reading().lost_superscript);
    assert!(!unit("×10^4/μL").reading().lost_superscript);
    assert_eq!(
        unit("100/uL").factor(),
        unit("1/uL").factor().times(Rational::new(100, 1).unwrap()).unwrap()
    );
    assert!(!unit("100/uL").reading().lost_superscript);
}

#[test]
fn codes_read_back_as_the_same_unit() {
    for ways in SAME {
        let first = unit(ways[0]);
        assert!(unit(first.code()).same(&first), "{}", first.code());
    }
}

#[test]
fn unknown_units_are_left_alone_and_named() {
    for text in
        ["", "？", "mg/", "//", "mg/dL/", "単位不明", "10", "mg)", "((mg))/", "log", "mgg", "0/uL"]
    {
        if text == "10" {
            assert!(unit(text).dimension().is_number());
            continue;
        }
        assert!(Unit::parse(text).is_none(), "{text}");
    }
    let kept = convert("5.0", "まるまる/dL", "mg/dL", None, None).unwrap_err();
    assert_eq!(kept, KeptReason::UnknownUnit { unit: "まるまる/dL".to_owned() });
    assert!(!kept.to_string().contains("まる"), "messages do not quote");
}

#[test]
fn what_does_not_meet_is_not_converted() {
    for (from, to) in [
        ("{INR}", "%"),
        ("s", "%"),
        ("mg/g{creat}", "mg/g"),
        ("mL/min", "mL/min/{1.73_m2}"),
        ("U/mL", "{AU}/mL"),
        ("mmol/mol", "%"),
        ("log copies/mL", "copies/mL"),
        ("mg/dL", "mmol/L"),
        ("kat/L", "U/L"),
        ("Cel", "m"),
        ("mOsm/kg", "mmol/kg"),
    ] {
        assert_eq!(convert("1", from, to, None, None), Err(KeptReason::NoRule), "{from} {to}");
    }
    // HbA1c in mmol/mol is not ten times the percentage.
    let key = Analyte::of_key("sodium");
    assert_eq!(convert("1", "g/dL", "%", key, key), Err(KeptReason::NoRule));
}

#[test]
fn clinical_conversions_by_hand() {
    assert_eq!(shown("100", "mg/dL", "mmol/L", "glucose"), "5.55");
    assert_eq!(shown("5.55", "mmol/L", "mg/dL", "glucose"), "100.0");
    assert_eq!(shown("200", "mg/dL", "mmol/L", "cholesterol"), "5.17");
    assert_eq!(shown("1.00", "mg/dL", "umol/L", "creatinine"), "88.4");
    assert_eq!(shown("14.0", "mg/dL", "mmol/L", "urea-nitrogen"), "5.00");
    assert_eq!(shown("7.0", "mg/dL", "umol/L", "uric-acid"), "416");
    assert_eq!(shown("1.0", "mg/dL", "umol/L", "bilirubin"), "17");
    assert_eq!(shown("9.2", "mg/dL", "mEq/L", "calcium"), "4.59");
    assert_eq!(shown("9.2", "mg/dL", "mmol/L", "calcium"), "2.30");
    assert_eq!(shown("140", "mEq/L", "mmol/L", "sodium"), "140");
    assert_eq!(shown("14.5", "g/dL", "mmol/L", "hemoglobin"), "9.00");
    assert_eq!(shown("48", "mmol/mol", "%", "hba1c"), "6.54");
    assert_eq!(shown("6.5", "%", "mmol/mol", "hba1c"), "48");
    assert_eq!(shown("36.5", "Cel", "[degF]", "glucose"), "97.7");
    assert_eq!(shown("1.0", "ukat/L", "U/L", "ast"), "60");
    assert_eq!(shown("5.2", "×10^3/μL", "/uL", ""), "5200");
    assert_eq!(shown("23.5", "万/μL", "10*3/uL", ""), "235");
    assert_eq!(shown("100", "mmHg", "kPa", ""), "13.3");
    assert_eq!(shown("0.50", "mg/dL", "mg/L", ""), "5.0");
    assert_eq!(shown("１２．５", "IU/L", "U/L", ""), "12.5");
}

#[test]
fn analytes_of_one_molecule_convert_into_each_other() {
    let (urea, nitrogen) = (Analyte::of_key("urea"), Analyte::of_key("urea-nitrogen"));
    let converted = convert("30.0", "mg/dL", "mg/dL", urea, nitrogen).unwrap();
    assert_eq!(converted.value.to_string(), "13.99");
    let (jds, ngsp) = (Analyte::of_key("hba1c-jds"), Analyte::of_key("hba1c"));
    assert_eq!(convert("6.1", "%", "%", jds, ngsp).unwrap().value.to_string(), "6.5");
    assert_eq!(
        convert("1", "mg/dL", "mg/dL", urea, Analyte::of_key("glucose")),
        Err(KeptReason::NoRule)
    );
}

#[test]
fn the_original_and_the_rule_are_kept() {
    let analyte = Analyte::of_key("triglyceride");
    let converted = convert(" <50 ", "ＭＧ／ＤＬ", "mmol/L", analyte, analyte).unwrap();
    assert_eq!(converted.original_value, " <50 ");
    assert_eq!(converted.original_unit, "ＭＧ／ＤＬ");
    assert_eq!(converted.comparator, Some("<"));
    assert_eq!(converted.rule.id(), "unit.chemistry:triglyceride");
    assert_eq!(converted.rule.confidence(), Confidence::Medium);
    assert_eq!(convert("2+", "mg/dL", "g/L", None, None), Err(KeptReason::NotANumber));
    assert_eq!(convert("1", "mg/dL", "mg/dL", None, None).unwrap().rule.id(), "unit.same");
}

#[test]
fn the_tables_hold_together() {
    for analyte in Analyte::all() {
        assert!(!analyte.source().is_empty());
        let same = Analyte::all().iter().filter(|a| a.key() == analyte.key()).count();
        assert_eq!(same, 1, "{}", analyte.key());
    }
    assert_eq!(Line::all().len(), 4);
    assert_eq!(Analyte::of_jlac10("3D010000002327101").unwrap().key(), "glucose");
    assert!(Analyte::of_jlac10("3D").is_none());
}

/// Every unit of the ministry's check-up table is read, and its display spelling is its UCUM code.
#[test]
fn the_units_of_the_check_up_table() {
    let Some(samples) = crate::samples() else { return };
    let table = std::fs::read_to_string(samples.join("kenshin_xsd/XMLhc24tab.csv")).unwrap();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(table.as_bytes());
    let (mut compared, mut unknown) = (0, std::collections::BTreeSet::new());
    for row in reader.records().map(Result::unwrap).skip(2) {
        let (display, ucum) = (&row[19], &row[20]);
        if display.is_empty() || ucum.is_empty() {
            continue;
        }
        match (Unit::parse(display), Unit::parse(ucum)) {
            (Some(a), Some(b)) => {
                assert!(a.dimension() == b.dimension(), "{display} {ucum}");
                compared += usize::from(a.same(&b));
            }
            _ => {
                unknown.insert((display.to_owned(), ucum.to_owned()));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(compared > 90, "{compared}");
}

/// A power of what is itself a power: its code says the product, and is read back.
#[test]
fn powers_of_powers_have_codes_that_read_back() {
    for (text, code) in [
        ("万万²", "(10*4.10*8)"),
        ("万2", ""),
        ("百億", "(10*2.10*8)"),
        ("百億^3", "(10*2.10*24)"),
        ("百億^4", ""),
        ("cmm2", "mm6"),
        ("立方ミリ-3", "mm-9"),
        ("立方ミリ4", ""),
        ("10万個", ""),
        ("10万/uL", "(10.10*4)/uL"),
    ] {
        let read = Unit::parse(text);
        assert_eq!(read.as_ref().map_or("", Unit::code), code, "{text}");
        assert!(read.is_none_or(|read| unit(read.code()).same(&read)), "{text}");
    }
}

const CONVERTIBLE: &[(&str, &str, &str)] = &[
    ("mg/dL", "mmol/L", "glucose"),
    ("mg/dL", "umol/L", "creatinine"),
    ("mg/dL", "mEq/L", "calcium"),
    ("%", "mmol/mol", "hba1c"),
    ("Cel", "[degF]", ""),
    ("10*4/uL", "/uL", ""),
    ("g/dL", "mg/L", ""),
    ("ukat/L", "U/L", "alt"),
    ("mmHg", "kPa", ""),
    ("ng/dL", "nmol/L", "testosterone"),
];

proptest! {
    /// `codes.unit-back`: there and back, rounded to the original's place, is the original number.
    #[test]
    fn there_and_back(mantissa in -9_999_999_i64..9_999_999, places in 0_usize..5, which in 0..CONVERTIBLE.len(), turn: bool) {
        let (a, b, key) = CONVERTIBLE[which];
        let (a, b) = if turn { (b, a) } else { (a, b) };
        let analyte = Analyte::of_key(key);
        let text = if places == 0 {
            mantissa.to_string()
        } else {
            let sign = if mantissa < 0 { "-" } else { "" };
            let digits = format!("{:0>width$}", mantissa.abs(), width = places + 1);
            let (whole, part) = digits.split_at(digits.len() - places);
            format!("{sign}{whole}.{part}")
        };
        let there = convert(&text, a, b, analyte, analyte).unwrap();
        let back = convert(&there.value.to_string(), b, a, analyte, analyte).unwrap();
        let original = Decimal::parse(&text).unwrap();
        let again = back.exact.rounded(original.place()).unwrap();
        prop_assert_eq!(again.exact(), original.exact());
        // And nearly what naive doubles say.
        let naive = factor_between(&unit(a), &unit(b), analyte);
        if let Some((factor, _)) = naive {
            let value: f64 = text.parse().unwrap();
            let error = (value * factor.to_f64() - there.exact.to_f64()).abs();
            prop_assert!(error <= 1e-12 * there.exact.to_f64().abs().max(1e-9));
        }
    }

    /// A product of atoms has the sum of their dimensions and the product of their sizes.
    #[test]
    fn products_add_dimensions(parts in prop::collection::vec((0_usize..8, 1_i8..4, any::<bool>()), 1..5)) {
        const ATOMS: [(&str, Base); 4] = [("mg", Base::Mass), ("cm", Base::Length), ("s", Base::Time), ("U", Base::Activity)];
        let mut text = String::new();
        let mut exponents = [0_i8; 4];
        let mut size = 1.0_f64;
        for (at, (which, power, under)) in parts.iter().enumerate() {
            let which = which % 4;
            text.push_str(match (at, under) { (0, false) => "", (_, false) => ".", _ => "/" });
            text.push_str(ATOMS[which].0);
            if *power > 1 {
                text.push_str(&power.to_string());
            }
            let signed = if *under { -*power } else { *power };
            exponents[which] += signed;
            size *= [1e-3_f64, 1e-2, 1.0, 1.0][which].powi(i32::from(signed));
        }
        let read = unit(&text);
        for (exponent, (_, base)) in exponents.iter().zip(ATOMS) {
            prop_assert_eq!(read.dimension().exponent(base), *exponent);
        }
        prop_assert!((read.factor().to_f64() / size - 1.0).abs() < 1e-9);
        prop_assert!(unit(read.code()).same(&read));
    }

    /// No text panics, and what is read reads back from its code.
    #[test]
    fn any_text_is_read_or_refused(text in "[-a-zA-Zμ×万百億個/.・^*0-9(){}\\[\\]％ ⁴²]{0,14}|[万百億個cm2²⁻^/.(]{0,8}|\\PC{0,20}") {
        if let Some(read) = Unit::parse(&text) {
            let again = Unit::parse(read.code());
            prop_assert!(again.is_some_and(|a| a.same(&read)) || read.code().len() > 64, "{}", read.code());
        }
        let _ = Decimal::parse(&text);
        let _ = convert(&text, &text, &text, None, None);
    }
}
