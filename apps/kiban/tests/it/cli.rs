//! The commands for outsiders.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::support::{Scratch, files, site};

fn kiban(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kiban")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn spec(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The ministry's own worked example, byte for byte (F).
#[test]
fn the_ministrys_example_comes_out_as_it_printed_it() {
    let scratch = Scratch::new("example");
    let folder = spec("ministry_example");
    for (mode, row) in [
        ("anonymized", "B002,女,2003/7,2020/7/29,50~55,201以上,4.8,20.9,その他"),
        ("pseudonymized", "B002,女,2003/7/26,2020/8/3,53.4,211,4.8,20.9,膵島細胞症(希少疾患)"),
    ] {
        let (out, report) =
            (scratch.join(&format!("{mode}.csv")), scratch.join(&format!("{mode}.json")));
        let output = kiban(&[
            "tool",
            "deid",
            "--spec",
            text(&folder.join("spec.toml")),
            "--mode",
            mode,
            "--in",
            text(&folder.join("input.csv")),
            "--out",
            text(&out),
            "--report",
            text(&report),
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let given = fs::read(&out).unwrap();
        let expected = "ID,性別,生年月日,受診日,体重,収縮期血圧,HbA1c,インスリン濃度,病名\n"
            .to_owned()
            + row
            + "\n";
        assert_eq!(String::from_utf8(given.clone()).unwrap(), expected);
        assert_eq!(
            given,
            fs::read(folder.join(format!("{mode}.csv"))).unwrap(),
            "the file in the repository"
        );
        let report: serde_json::Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
        assert!(report.is_object());
    }
}

/// In real operation nothing is fixed, and the two products have different ids, anew each time.
#[test]
fn without_the_fixed_values_the_products_have_ids_of_their_own() {
    let scratch = Scratch::new("real");
    let folder = spec("ministry_example");
    let full = fs::read_to_string(folder.join("spec.toml")).unwrap();
    let open: String = full
        .lines()
        .filter(|l| {
            !l.starts_with("[fixed]") && !l.starts_with("id = ") && !l.starts_with("date_offset")
        })
        .map(|l| l.to_owned() + "\n")
        .collect();
    fs::write(scratch.join("spec.toml"), open).unwrap();
    let mut ids = Vec::new();
    for (i, mode) in ["anonymized", "pseudonymized", "anonymized"].iter().enumerate() {
        let out = scratch.join(&format!("{i}.csv"));
        let output = kiban(&[
            "tool",
            "deid",
            "--spec",
            text(&scratch.join("spec.toml")),
            "--mode",
            mode,
            "--in",
            text(&folder.join("input.csv")),
            "--out",
            text(&out),
        ]);
        assert!(output.status.success(), "{}", said(&output));
        ids.push(files::csv_rows(&out)[0]["ID"].clone());
    }
    assert!(
        ids[0] != ids[1] && ids[0] != ids[2] && ids.iter().all(|id| id != "B002" && !id.is_empty()),
        "{ids:?}"
    );
}

#[test]
fn the_tool_refuses_what_it_cannot_read_and_writes_nothing() {
    let scratch = Scratch::new("tool");
    let folder = spec("ministry_example");
    let out = scratch.join("out.csv");
    fs::write(scratch.join("broken.csv"), b"\xff\xfe,\x00").unwrap();
    fs::write(scratch.join("broken.toml"), "[tables").unwrap();
    for (spec, input) in [
        (folder.join("spec.toml"), scratch.join("broken.csv")),
        (folder.join("spec.toml"), scratch.join("absent.csv")),
        (scratch.join("broken.toml"), folder.join("input.csv")),
        (scratch.join("absent.toml"), folder.join("input.csv")),
    ] {
        let output = kiban(&[
            "tool",
            "deid",
            "--spec",
            text(&spec),
            "--mode",
            "anonymized",
            "--in",
            text(&input),
            "--out",
            text(&out),
        ]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("エラー："), "{}", said(&output));
        assert!(!out.exists());
    }
}

#[test]
fn specifications_are_checked_and_their_schema_is_json() {
    let good = kiban(&["spec", "check", text(&spec("demo/spec.toml"))]);
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    assert!(
        said(&good).contains("匿名加工") && said(&good).contains("仮名加工"),
        "{}",
        said(&good)
    );
    let example = kiban(&["spec", "check", text(&spec("ministry_example/spec.toml"))]);
    assert_eq!(example.status.code(), Some(0), "{}", said(&example));
    for (name, column) in
        [("name_kept", "name_kanji"), ("singular_kept", "icd10"), ("weaker_class", "name_kana")]
    {
        let output = kiban(&["spec", "check", text(&spec(&format!("broken/{name}.toml")))]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(said(&output).contains(column), "{name}: {}", said(&output));
    }
    let schema = kiban(&["spec", "schema"]);
    assert!(schema.status.success());
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert!(schema["$schema"].is_string() && schema["properties"]["tables"].is_object());
}

#[test]
fn a_package_opens_with_its_own_key_alone() {
    let delivered = site::delivered();
    let place = Scratch::copy_of(&delivered.dir);
    let note = files::csv_rows(&place.join("country/delivered.csv"));
    let package = place.join("packages").join(&note[0]["dataset"]).join("package.age");
    let key = |user: &str| {
        let id = kiban_journeys::Parties::organization_id(user).to_string();
        place.join("recipients").join(id).join("recipient.key")
    };
    let out = place.join("out");
    let open = |package: &Path, key: &Path| {
        kiban(&["package", "open", text(package), "--key", text(key), "--out", text(&out)])
    };
    for (what, file, key) in [
        ("another's key", package.clone(), key("pharma_1")),
        ("no key", package.clone(), place.join("nowhere.key")),
        ("no package", place.join("nowhere.age"), key("university")),
        ("not a package", key("university"), key("university")),
    ] {
        let output = open(&file, &key);
        assert_eq!(output.status.code(), Some(1), "{what}");
        assert!(said(&output).contains("エラー："), "{what}: {}", said(&output));
        assert!(!out.exists(), "{what} left files");
    }
    let cut = place.join("cut.age");
    let bytes = fs::read(&package).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 20]).unwrap();
    assert_eq!(open(&cut, &key("university")).status.code(), Some(1));
    assert!(!out.exists());

    let output = open(&package, &key("university"));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for name in ["data/person.csv", "data/person.parquet", "licence.txt", "manifest.note"] {
        assert!(out.join(name).exists(), "{name}: {:?}", files::walk(&out));
    }
    // Not over what is there.
    assert_eq!(open(&package, &key("university")).status.code(), Some(1));
}

#[test]
fn a_dataset_is_rebuilt_by_the_command() {
    let delivered = site::delivered();
    let place = Scratch::copy_of(&delivered.dir);
    let note = files::csv_rows(&place.join("country/delivered.csv"));
    let out = place.join("again");
    let output =
        kiban(&["rebuild", "--dir", text(place.path()), &note[1]["dataset"], "--out", text(&out)]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("同じ内容"), "{}", said(&output));
    assert!(out.join("data/person.csv").exists());
    for (dataset, words) in [("dst_x", "番号"), ("nonsense", "番号")] {
        let output = kiban(&[
            "rebuild",
            "--dir",
            text(place.path()),
            dataset,
            "--out",
            text(&place.join("other")),
        ]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
}

/// `kiban tool link`: a list without truth, as the command reads and writes it; the model it wrote gives the same again.
#[test]
fn a_person_list_is_linked_by_the_command() {
    use kiban_country::persons::{ListParams, ListSize, PersonList};
    let scratch = Scratch::new("link");
    let folder = scratch.join("list");
    let size = ListSize::Records(6_000);
    PersonList::new(ListParams { size, ..ListParams::default() }).unwrap().write(&folder).unwrap();
    let file = |name: &str| scratch.join(name);
    let run = |out: &Path, report: &Path| {
        kiban(&[
            "tool",
            "link",
            "--data",
            text(&folder.join("persons.csv")),
            "--out",
            text(out),
            "--model",
            text(&file("model.json")),
            "--pairs",
            text(&file("pairs.csv")),
            "--report",
            text(report),
        ])
    };
    let (first, second) = (file("clusters.csv"), file("again.csv"));
    let output = run(&first, &file("report.json"));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let of = |path: &Path, column: &str| -> Vec<(String, String)> {
        let rows = files::csv_rows(path);
        let mut of: Vec<_> =
            rows.iter().map(|r| (r["record_id"].clone(), r[column].clone())).collect();
        of.sort();
        of
    };
    let (found, truth) = (of(&first, "cluster_id"), of(&folder.join("truth.csv"), "person_id"));
    assert!(found.iter().map(|f| &f.0).eq(truth.iter().map(|t| &t.0)), "every record, once");
    let mut pairs = [0_u32; 3];
    for a in 0..truth.len() {
        for b in a + 1..truth.len() {
            let (same, together) = (truth[a].1 == truth[b].1, found[a].1 == found[b].1);
            pairs[0] += u32::from(same && together);
            pairs[1] += u32::from(!same && together);
            pairs[2] += u32::from(same && !together);
        }
    }
    let [right, wrong, missed] = pairs.map(f64::from);
    let f1 = 2.0 * right / (2.0 * right + wrong + missed);
    assert!(f1 > 0.97, "F1 {f1}, right, wrong, missed pairs: {pairs:?}");
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(file("report.json")).unwrap()).unwrap();
    assert_eq!(report["records"].as_u64(), Some(truth.len() as u64));
    assert!(report["peak_rss_bytes"].as_u64() > Some(0) && report["seconds"].as_f64() > Some(0.0));
    assert!(fs::read_to_string(file("pairs.csv")).unwrap().lines().count() > truth.len() / 2);

    let output = run(&second, &file("report2.json"));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(fs::read(&first).unwrap() == fs::read(&second).unwrap(), "the written model");

    // A part of the list first, the rest added to it: the persons of the whole. What is erased leaves no trace.
    let list = fs::read_to_string(folder.join("persons.csv")).unwrap();
    let (header, rows) = list.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let (old, new) = rows.split_at(rows.len() - 200);
    for (name, rows) in [("old.csv", old), ("new.csv", new)] {
        fs::write(file(name), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    }
    let link = |arguments: &[(&str, &Path)]| {
        let mut all = vec!["tool", "link"];
        all.extend(arguments.iter().flat_map(|(name, path)| [*name, text(path)]));
        let output = kiban(&all);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    };
    let (state, model, small) = (file("state"), file("model.json"), file("small.csv"));
    link(&[
        ("--data", &file("old.csv")),
        ("--model", &model),
        ("--out", &small),
        ("--state-out", &state),
    ]);
    let (whole, next) = (file("whole.csv"), file("state2"));
    let (new, report) = (file("new.csv"), file("report4.json"));
    link(&[
        ("--state", &state),
        ("--add", &new),
        ("--out", &whole),
        ("--state-out", &next),
        ("--report", &report),
    ]);
    let change: serde_json::Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    assert_eq!(change["change"]["added"].as_u64(), Some(200));
    let groups = |path: &Path| -> std::collections::BTreeSet<Vec<String>> {
        let mut by = std::collections::BTreeMap::<String, Vec<String>>::new();
        for (record, cluster) in of(path, "cluster_id") {
            by.entry(cluster).or_default().push(record);
        }
        by.into_values().collect()
    };
    let (all, added) = (groups(&first), groups(&whole));
    assert_eq!(added.iter().map(Vec::len).sum::<usize>(), rows.len());
    // Frequencies are those of the first part: nearly every person is the same.
    assert!(all.intersection(&added).count() * 100 >= all.len() * 97, "added differs from whole");
    let gone = of(&first, "cluster_id")[0].0.clone();
    fs::write(file("gone.txt"), format!("{gone}\n")).unwrap();
    let (rest, last) = (file("rest.csv"), file("state3"));
    link(&[
        ("--state", &next),
        ("--erase", &file("gone.txt")),
        ("--out", &rest),
        ("--state-out", &last),
    ]);
    assert!(!fs::read_to_string(&rest).unwrap().contains(&gone));
    let bytes = fs::read(&last).unwrap();
    assert!(!bytes.windows(gone.len()).any(|w| w == gone.as_bytes()));

    fs::write(file("model.json"), "{}").unwrap();
    let third = file("third.csv");
    let output = run(&third, &file("report3.json"));
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("モデルの版に対応していません") && !third.exists());
}
