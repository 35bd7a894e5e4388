//! The ministry's worked example, byte for byte.

use std::{fs, path::PathBuf};

use kiban_deid::{
    ProduceError,
    tool::{self, Request, ToolError},
};
use kiban_kernel::{Date, OsEntropy, Product, Rules};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/ministry_example"))
}

fn request(product: Product, out: &std::path::Path) -> Request {
    Request {
        spec: folder().join("spec.toml"),
        product,
        input: folder().join("input.csv"),
        output: out.to_owned(),
        report: None,
        key_file: None,
        fixed_id: None,
        fixed_offset: None,
        on: Date::constant(2026, 4, 1),
    }
}

const ROWS: [(Product, &str, &str); 2] = [
    (
        Product::Anonymized,
        "anonymized.csv",
        "B002,女,2003/7,2020/7/29,50~55,201以上,4.8,20.9,その他\n",
    ),
    (
        Product::Pseudonymized,
        "pseudonymized.csv",
        "B002,女,2003/7/26,2020/8/3,53.4,211,4.8,20.9,膵島細胞症(希少疾患)\n",
    ),
];

#[tokio::test]
async fn the_ministrys_row_gives_both_rows_byte_for_byte() {
    let rules = Rules::built_in().unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (product, file, row) in ROWS {
        let out = dir.path().join(file);
        let mut request = request(product, &out);
        request.report = Some(dir.path().join("report.json"));
        let made = tool::deid(&request, &rules, &OsEntropy).await.unwrap();
        let got = fs::read_to_string(&out).unwrap();
        assert_eq!(got, fs::read_to_string(folder().join(file)).unwrap());
        assert_eq!(got.split_once('\n').unwrap().1, row);
        assert!(made.changes().fixed, "a fixed example says so");
        let report: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(dir.path().join("report.json")).unwrap())
                .unwrap();
        assert_eq!(report["changes"]["tables"][0]["rows_out"], 1);
        assert!(!report.to_string().contains("厚労"));
    }
}

#[tokio::test]
async fn id_and_offset_may_come_from_the_command_line() {
    let rules = Rules::built_in().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(folder().join("spec.toml")).unwrap();
    let spec = dir.path().join("spec.toml");
    fs::write(&spec, text.replace("[fixed]\nid = \"B002\"\ndate_offset_days = -5\n", "")).unwrap();
    for (product, file, _) in ROWS {
        let out = dir.path().join(file);
        let mut request = request(product, &out);
        request.spec.clone_from(&spec);
        request.fixed_id = Some("B002".to_owned());
        request.fixed_offset = Some(-5);
        tool::deid(&request, &rules, &OsEntropy).await.unwrap();
        assert_eq!(fs::read(&out).unwrap(), fs::read(folder().join(file)).unwrap());
    }
    // Without them the two products' ids differ, from each other and from run to run.
    let mut ids = std::collections::BTreeSet::new();
    for (product, file, _) in [ROWS[0], ROWS[1], ROWS[0]] {
        let out = dir.path().join(file);
        let mut request = request(product, &out);
        request.spec.clone_from(&spec);
        let made = tool::deid(&request, &rules, &OsEntropy).await.unwrap();
        assert!(!made.changes().fixed);
        let text = fs::read_to_string(&out).unwrap();
        let id = text.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
        assert_eq!(id.len(), 16);
        ids.insert(id);
    }
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_fixed_id_is_refused_for_several_persons_and_nothing_is_left() {
    let rules = Rules::built_in().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("two.csv");
    let text = fs::read_to_string(folder().join("input.csv")).unwrap();
    fs::write(&input, text + "労働太郎,男,1980/1/2,2020/9/1,70,120,5,10,高血圧症\n").unwrap();
    let out = dir.path().join("out.csv");
    let mut request = request(Product::Anonymized, &out);
    request.input = input;
    let refused = tool::deid(&request, &rules, &OsEntropy).await;
    assert!(matches!(
        refused,
        Err(ToolError::Produce(ProduceError::FixedIdForMany { persons: 2 }))
    ));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn parquet_in_and_out_gives_the_same_cells() {
    let rules = Rules::built_in().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    fs::write(&key, [7; 32]).unwrap();
    let first = dir.path().join("first.parquet");
    let mut to_parquet = request(Product::Pseudonymized, &first);
    to_parquet.key_file = Some(key.clone());
    tool::deid(&to_parquet, &rules, &OsEntropy).await.unwrap();
    // The pseudonymized table has no name any more: its id is the key of the second run.
    let text = fs::read_to_string(folder().join("spec.toml")).unwrap();
    let text = text.replace("氏名", "ID").replace("id_column = \"ID\"", "id_column = \"番号\"");
    let spec = dir.path().join("spec.toml");
    fs::write(&spec, text).unwrap();
    let second = dir.path().join("second.csv");
    let mut to_csv = request(Product::Anonymized, &second);
    to_csv.spec = spec;
    to_csv.input = first;
    tool::deid(&to_csv, &rules, &OsEntropy).await.unwrap();
    assert!(fs::read_to_string(&second).unwrap().ends_with(ROWS[0].2));
}

#[tokio::test]
async fn bad_files_are_refused_by_position() {
    let rules = Rules::built_in().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.csv");
    let head = "氏名,性別,生年月日,受診日,体重,収縮期血圧,HbA1c,インスリン濃度,病名\n";
    let cases: [(&str, Vec<u8>, &str); 4] = [
        ("sjis.csv", [head.as_bytes(), &[0x8c, 0xfa]].concat(), "2行目"),
        ("short.csv", [head.as_bytes(), "秘密の名,女\n".as_bytes()].concat(), "同じ列数"),
        ("missing.csv", "性別\n女\n".as_bytes().to_vec(), "列"),
        ("not.parquet", b"PAR0".to_vec(), "Parquet"),
    ];
    for (name, bytes, word) in cases {
        let mut request = request(Product::Anonymized, &out);
        request.input = dir.path().join(name);
        fs::write(&request.input, bytes).unwrap();
        let error = tool::deid(&request, &rules, &OsEntropy).await.map(|_| ()).unwrap_err();
        assert!(error.ja().contains(word), "{name}: {}", error.ja());
        assert!(!format!("{error:?} {error}").contains("秘密"), "{name}");
        assert!(!out.exists());
    }
}
