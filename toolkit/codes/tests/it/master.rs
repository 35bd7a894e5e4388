//! Promises of the master readers. Codes and names are invented, or read from the samples in place.

use kiban_codes::master::{
    Encoding, Hot, Icd10, Import, ImportError, Jlac10, Jlac11, JlacTables, Layout, LayoutError,
    Part, Yj, gtin, read,
};
use kiban_codes::{Effect, RULES};
use proptest::prelude::*;

fn import(layout: &str, text: &str) -> Import {
    read(text.as_bytes(), &Layout::shipped(layout).unwrap(), "test", None).unwrap()
}

fn rules(import: &Import) -> Vec<(&'static str, u64, Option<usize>)> {
    import.defects.iter().map(|d| (d.rule, d.line, d.column)).collect()
}

#[test]
fn codes_are_taken_apart() {
    let code = Jlac10::parse("9z999-0000-023-271-01").unwrap();
    assert_eq!((code.analyte.as_str(), code.material.as_str()), ("9Z999", "023"));
    assert_eq!(code.compact(), "9Z999000002327101");
    assert_eq!(code.to_string(), "9Z999-0000-023-271-01");
    assert_eq!(Jlac10::parse("9Z9990000023271").unwrap().result, None);
    for bad in [
        "",
        "9Z99900000232710",
        "ZZ999000002327101",
        "9Z999-000-0023-271-01",
        "9Z99900000２327101",
        "9Z999-0000-023-271-01-1",
    ] {
        assert_eq!(Jlac10::parse(bad), None, "{bad}");
    }
    assert!(Jlac10::parse(&"9".repeat(17)).unwrap().is_unstandardised());
    let code = Jlac11::parse("Z9999-0000-100-001-02").unwrap();
    assert_eq!((code.measurand.as_str(), code.unit.as_str()), ("Z9999", "02"));
    assert_eq!(Jlac11::parse("9Z999000002327101"), None, "JLAC10 is no JLAC11");
    let yj = Yj::parse("9999001f1012").unwrap();
    assert_eq!((yj.class(), yj.ingredient(), yj.form()), ("9999", "9999001", "9999001F1"));
    assert!(Yj::parse("9999001F1ZZZ").unwrap().is_generic());
    assert_eq!(Yj::parse("9999001F101"), None);
    let hot = Hot::parse("9999999010203").unwrap();
    assert_eq!(
        [hot.prefix(7), hot.prefix(9), hot.prefix(8)],
        [Some("9999999"), Some("999999901"), None]
    );
    assert_eq!(Hot::parse("99999999"), None);
    let icd = Icd10::parse("e11.9").unwrap();
    assert_eq!((icd.category(), icd.compact(), icd.to_string().as_str()), ("E11", "E119", "E11.9"));
    assert_eq!(Icd10::parse("G01*").unwrap().compact(), "G01");
    for bad in ["E1", "119", "E11.", "E.119", "ＥＥ1"] {
        assert_eq!(Icd10::parse(bad), None, "{bad}");
    }
    assert_eq!(gtin("4912345678904"), Some(true));
    assert_eq!(gtin("4912345678905"), Some(false));
    assert_eq!(gtin("49123456789"), None);
}

const HOT: &str = "基準番号（ＨＯＴコード）,処方用番号（ＨＯＴ７）,会社識別用番号,調剤用番号,物流用番号,ＪＡＮコード,薬価基準収載医薬品コード,個別医薬品コード,レセプト電算処理システムコード（１）,レセプト電算処理システムコード（２）,告示名称,販売名,レセプト電算処理システム医薬品名,規格単位,包装形態,販売包装単位コード\n\
9999999010101,9999999,01,01,01,4912345678904,9999001F1012,9999001F1012,699999901,,アリエナイン錠５ｍｇ,アリエナイン錠5mg「架空」,アリエナイン錠５ｍｇ,5mg1錠,ＰＴＰ,14912345678901\n\
9999999010102,9999999,01,01,02,4912345678905,9999001F1012,9999001F101,699999901,,アリエナイン錠５ｍｇ,アリエナイン錠5mg「架空」,,5mg1錠,バラ,\n\
999999901010,9999999,,,,,,,,,,長さ違い,,,,\n\
9999999010101,9999999,,,,,,,,,,二度目,,,,\n\
9999998010101,9999998,,,,,,,,,,,,,,\n";

#[test]
fn hot_with_its_links_and_defects() {
    let import = import("hot", HOT);
    assert_eq!((import.rows, import.dropped, import.master.entries().len()), (5, 3, 2));
    let entry = import.master.find("9999999010101").unwrap();
    assert_eq!(entry.names[0], "アリエナイン錠5mg「架空」");
    assert_eq!(entry.link("yj"), Some("9999001F1012"));
    assert_eq!(entry.link("receipt-drug"), Some("699999901"));
    let packages: Vec<_> = entry.links.iter().filter(|(k, _)| k == "gs1").collect();
    assert_eq!(packages.len(), 2);
    assert_eq!(
        rules(&import),
        [
            ("master.check-digit", 3, Some(6)),
            ("master.link-shape", 3, Some(8)),
            ("master.code-shape", 4, Some(1)),
            ("master.code-twice", 5, None),
            ("master.name-missing", 6, None),
        ]
    );
    assert_eq!(import.unread, ["会社識別用番号", "調剤用番号", "物流用番号", "包装形態"]);
    assert_eq!(import.master.linked("yj", "9999001F1", true).count(), 1);
    let messages: String = import.defects.iter().map(|d| d.japanese()).collect();
    assert!(messages.contains("3行目6列目") && !messages.contains("アリエナイン"));
}

#[test]
fn cp932_and_utf8_are_one() {
    let layout = Layout::shipped("hot").unwrap();
    let (cp932, ..) = encoding_rs::SHIFT_JIS.encode(HOT);
    let a = read(&cp932, &layout, "e", None).unwrap();
    let b = read(HOT.as_bytes(), &layout, "e", None).unwrap();
    assert_eq!((a.encoding, b.encoding), (Encoding::Cp932, Encoding::Utf8));
    assert_eq!(a.master.entries(), b.master.entries());
    let tabs = HOT.replace(',', "\t");
    assert_eq!(
        read(tabs.as_bytes(), &layout, "e", None).unwrap().master.entries(),
        b.master.entries()
    );
    // A row that cannot be decoded is dropped by name, the others stay.
    let mut broken = cp932.into_owned();
    let at = broken.iter().rposition(|b| *b == b',').unwrap();
    broken.splice(at..at, [0x81, 0xff]);
    let c = read(&broken, &layout, "e", Some(Encoding::Cp932)).unwrap();
    assert_eq!(c.defects.iter().filter(|d| d.rule == "master.not-decodable").count(), 1);
    assert_eq!(c.master.entries(), b.master.entries());
    assert_eq!(read(b"\xff\xfea\0", &layout, "e", None).unwrap_err(), ImportError::NotText);
    assert_eq!(read(b"", &layout, "e", None).unwrap_err(), ImportError::Empty);
}

#[test]
fn receipt_masters_of_the_samples() {
    let Some(samples) = crate::samples() else { return };
    let file = |name: &str| std::fs::read(samples.join("masters/2022").join(name)).unwrap();
    let drugs =
        read(&file("y_ALL00000000.csv"), &Layout::shipped("receipt-drug").unwrap(), "2022", None)
            .unwrap();
    assert_eq!((drugs.rows, drugs.dropped, drugs.encoding), (4, 0, Encoding::Cp932));
    assert!(drugs.defects.is_empty(), "{:?}", drugs.defects);
    let linked = drugs.master.entries().iter().filter(|e| e.link("price").is_some()).count();
    assert_eq!(linked, 3);
    assert!(drugs.master.entries().iter().all(|e| e.until.is_none() && e.from.is_some()));
    let diseases =
        read(&file("b_ALL00000000.csv"), &Layout::shipped("disease").unwrap(), "2022", None)
            .unwrap();
    assert_eq!((diseases.rows, diseases.dropped), (5, 0));
    assert!(diseases.defects.is_empty(), "{:?}", diseases.defects);
    let moyamoya = diseases
        .master
        .entries()
        .iter()
        .find(|e| e.kana.as_deref() == Some("モヤモヤビョウ"))
        .unwrap();
    assert_eq!([moyamoya.link("icd10"), moyamoya.link("exchange")], [Some("I675"), Some("CET2")]);
}

/// The ministry's check-up item table as a JLAC10 master: three heading rows, places found by name.
#[test]
fn the_check_up_table_as_a_master() {
    let Some(samples) = crate::samples() else { return };
    let bytes = std::fs::read(samples.join("kenshin_xsd/XMLhc24tab.csv")).unwrap();
    let import = read(&bytes, &Layout::shipped("jlac10").unwrap(), "FY2024", None).unwrap();
    let ast = import.master.entries().iter().filter(|e| e.code.starts_with("3B035")).count();
    assert!(ast >= 2, "{ast}");
    assert_eq!(import.rows, import.dropped + import.master.entries().len());
    assert!(import.master.entries().len() > 250, "{:?}", import.master.entries().len());
    assert!(import.defects.iter().all(|d| d.rule != "master.unknown-unit"), "{:?}", import.defects);
}

#[test]
fn element_tables_name_the_parts() {
    let table = |layout, text| import(layout, text).master;
    let tables = JlacTables::new()
        .with(
            Part::Analyte,
            &table("jlac10-analyte", "分析物コード,分析物名,略称\n9Z991,架空酵素,KKS\n"),
        )
        .with(Part::Material, &table("jlac10-material", "023,血清\n001,尿\n"))
        .with(Part::Method, &table("jlac10-method", "271,可視吸光光度法\n"));
    let code = Jlac10::parse("9Z991-0000-023-271-01").unwrap();
    assert!(tables.check10(&code).is_empty());
    let other = Jlac10::parse("9Z992-0000-099-271-01").unwrap();
    let unknown: Vec<Part> = tables.check10(&other).iter().map(|u| u.0).collect();
    assert_eq!(unknown, [Part::Analyte, Part::Material]);
    let items = tables.items("jlac10", "e", ["9Z991000002327101", "9Z992000002327101", "x"]);
    assert_eq!(items.entries().len(), 1);
    let item = &items.entries()[0];
    assert_eq!(item.names, ["架空酵素", "KKS"]);
    assert_eq!(
        (item.specimen.as_deref(), item.method.as_deref()),
        (Some("血清"), Some("可視吸光光度法"))
    );
    let bare = table(
        "jlac10",
        "JLAC10コード,項目名,単位\n9Z991000000127101,架空酵素,IU/L\n99999999999999999,未,\n",
    );
    let full = tables.complete(&bare);
    assert_eq!(full.entries()[0].specimen.as_deref(), Some("尿"));
}

#[test]
fn a_layout_of_ones_own() {
    let layout = Layout::from_toml("system = \"house\"\ncode_shape = \"yj\"\n[columns]\ncode = \"品 番\"\nname = [\"品名\", \"略称\"]\nunit = 4\nuntil = \"廃止\"\n[links]\nhot = { column = \"HOT\", shape = \"hot\" }\n").unwrap();
    let import = read("品番,品名,略称,,HOT,廃止\n9999001F1012,架空錠,カクウ,錠,9999999,2026/3/31\n9999001F101X,x,,,,\n9999002F1012,第二,,,12,20269999\n".as_bytes(), &layout, "e", None).unwrap();
    assert_eq!(import.master.system(), "house");
    let entry = import.master.find("9999001F1012").unwrap();
    assert_eq!(
        (entry.names.len(), entry.link("hot"), entry.unit.as_deref()),
        (2, Some("9999999"), Some("錠"))
    );
    assert!(
        entry.in_force(jiff::civil::date(2026, 3, 31))
            && !entry.in_force(jiff::civil::date(2026, 4, 1))
    );
    assert_eq!(
        rules(&import),
        [
            ("master.code-shape", 3, Some(1)),
            ("master.date", 4, Some(6)),
            ("master.link-shape", 4, Some(5))
        ]
    );
    let json = Layout::from_json(r#"{"system":"h","heading":false,"columns":{"code":1,"name":2}}"#)
        .unwrap();
    assert_eq!(read(b"a,b\nc,d\n", &json, "e", None).unwrap().rows, 2);
    assert_eq!(
        Layout::from_toml("system = 'x'\n[columns]\ncode = 1\nnam = 2").unwrap_err(),
        LayoutError::Incomplete
    );
    assert_eq!(
        Layout::from_toml("system = 'x'\n[columns\n").unwrap_err(),
        LayoutError::Syntax { line: Some(2) }
    );
    assert_eq!(
        read(b"x,y\n", &layout, "e", None).unwrap_err(),
        ImportError::NoColumn { field: "code", layout: "house".into() }
    );
}

#[test]
fn every_rule_has_a_sentence_and_every_layout_an_example() {
    for (id, _, sentence) in RULES {
        assert!(sentence.ends_with('。'), "{id}");
        assert_eq!(RULES.iter().filter(|(other, ..)| other == id).count(), 1);
    }
    assert!(Layout::names().count() >= 18);
    for name in Layout::names() {
        // One empty row by place: it reads, and says what is wrong.
        let row = vec!["x"; 40].join(",");
        match read(row.as_bytes(), &Layout::shipped(name).unwrap(), "e", None) {
            Ok(import) => assert_eq!(import.rows, import.dropped + import.master.entries().len()),
            Err(error) => assert!(matches!(error, ImportError::NoColumn { .. }), "{name} {error}"),
        }
    }
}

proptest! {
    /// Any bytes are read or refused; rows add up; nothing quotes a value.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), which in 0_usize..20) {
        let name = Layout::names().nth(which % Layout::names().count()).unwrap();
        let layout = Layout::shipped(name).unwrap();
        if let Ok(import) = read(&bytes, &layout, "e", None) {
            prop_assert_eq!(import.rows, import.dropped + import.master.entries().len());
            let dropped = import.defects.iter().filter(|d| d.effect() == Effect::RowDropped).count();
            prop_assert_eq!(dropped, import.dropped);
        }
    }

    /// Cells in the shape of a master: the same promises, and no defect holds a cell.
    #[test]
    fn any_cells(rows in prop::collection::vec(prop::collection::vec("[0-9A-Z]{0,13}|ＺＱＸ[ぁ-ん]{1,4}", 1..36), 1..8), which in 0_usize..20) {
        let name = Layout::names().nth(which % Layout::names().count()).unwrap();
        let layout = Layout::shipped(name).unwrap();
        let text: String = rows.iter().map(|r| r.join(",") + "\n").collect();
        match read(text.as_bytes(), &layout, "e", None) {
            Ok(import) => {
                prop_assert_eq!(import.rows, import.dropped + import.master.entries().len());
                for defect in &import.defects {
                    let message = format!("{} {:?}", defect.japanese(), defect);
                    prop_assert!(!message.contains("ＺＱＸ"));
                }
            }
            Err(error) => {
                let message = format!("{error} {error:?} {}", error.japanese());
                prop_assert!(!message.contains("ＺＱＸ"));
            }
        }
    }
}
