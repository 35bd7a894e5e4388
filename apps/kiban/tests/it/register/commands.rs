//! The commands of this theme, run as a person would.

use std::{fs, process::Command};

use crate::support::{
    Scratch, run,
    site::{self, HOLDERS},
};

#[test]
fn the_commands_say_and_write_what_they_promise() {
    let delivered = site::delivered();
    let (scratch, dir) = run(|| async {
        let site = delivered.copy().await;
        let dir = site.dir.clone();
        (site.close().await, dir)
    });
    let out = Scratch::new("register-commands");
    let place = |name: &str| out.join(name).to_str().unwrap().to_owned();
    let folder = dir.to_str().unwrap();
    let said = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--dir", folder]);
        let output = Command::new(env!("CARGO_BIN_EXE_kiban")).args(&all).output().unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        (output.status.success(), text)
    };
    let ok = |arguments: &[&str]| {
        let (success, text) = said(arguments);
        assert!(success, "{arguments:?}: {text}");
        text
    };
    assert!(ok(&["register", "retention"]).contains("受領の記録"));
    assert!(ok(&["register", "provided"]).contains("架空総合病院"));
    assert!(ok(&["notice", "due"]).contains("架空総合病院：通知した人"));
    assert!(ok(&["notice", "changes"]).contains("変更はありません"));
    let nobody = ["register", "person", "--holder", HOLDERS[0], "--local-id", "x", "--for", "call"];
    assert!(!said(&nobody).0, "without a reference nobody is looked up");
    let nobody = [&nobody[..], &["--ref", "C-1"]].concat();
    assert!(ok(&nobody).contains("登録されていません"));

    let (json, html) = (place("bias.json"), place("bias.html"));
    assert!(ok(&["link", "bias", "--json", &json, "--html", &html]).contains("再現率"));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    assert!(report["groups"].as_array().unwrap().len() > 4);
    assert!(fs::read_to_string(&html).unwrap().contains("集団ごとの再現率"));
    let id = crate::support::files::csv_rows(
        &dir.join("country/holders").join(HOLDERS[0]).join("notices.csv"),
    );
    let persons = dir.join("country/truth/regimes.csv");
    let sent = crate::support::files::csv_rows(&persons)
        .into_iter()
        .find(|r| r["holder"] == HOLDERS[0] && r["reaches_anon"] == "yes")
        .unwrap();
    assert!(id.iter().any(|r| r["local_id"] == sent["local_id"]));
    let svg = place("person.svg");
    let of = ["--holder", HOLDERS[0], "--local-id", &sent["local_id"]];
    let drawn = [&["link", "graph"], &of[..], &["--out", &svg]].concat();
    assert!(ok(&drawn).contains("点 "));
    assert!(fs::read_to_string(&svg).unwrap().contains("架空総合病院"));

    // The versions and the letters.
    let version = out.join("v.toml");
    fs::write(
        &version,
        "version = \"2026-9\"\neffective_from = \"2026-01-01\"\nkinds = [\"condition\"]\n[items]\nholder_name = \"架空総合病院\"\n\
         holder_address = \"別の住所\"\nholder_representative = \"院長\"\npurpose = \"別の目的\"\ndata_items = \"病名\"\nacquisition = \"診療\"\n\
         method = \"送付\"\nstop_on_request = \"停止\"\nrequest_desk = \"窓口\"\nproducer = \"機構\"\n",
    )
    .unwrap();
    let add = ["notice", "add", "--holder", HOLDERS[0], "--regime", "anon52"];
    let add = [&add[..], &[version.to_str().unwrap()]].concat();
    assert!(ok(&add).contains("新たな通知が必要"));
    assert!(ok(&["notice", "changes"]).contains("新たな通知"));

    let import = out.join("persons.csv");
    fs::write(
        &import,
        "holder,local_id,regimes,notice_version,notified_on,channel,guardian,birth_on,died_on\n\
         hospital_a,Q1,anon52,2025-1,2025-06-01,post,0,,\nhospital_a,Q2,anon52,v,2025-06-01,post,0,,\n",
    )
    .unwrap();
    let page = place("import.html");
    let files = ["register", "import", import.to_str().unwrap(), "--html", &page];
    assert!(ok(&files).contains("引継ぎ 1 行、登録済み 0 行、不受理 1 行"));
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.contains("一致") && page.contains("import.version"));
    let stops = out.join("stops.csv");
    fs::write(
        &stops,
        "holder,local_id,regimes,requested_on,receipt_no,requester,evidence,withdrawn_on,withdrawal_receipt_no\n\
         hospital_a,Q1,,2025-07-01,R-1,person,E,,\nnobody,Q3,,2025-07-01,R-2,person,E,,\n",
    )
    .unwrap();
    let (success, text) = said(&["register", "import", stops.to_str().unwrap()]);
    assert!(!success && text.contains("引き継げない停止の求めが 1 行"), "{text}");
    assert!(text.contains("未反映 0 件"), "the other is in effect everywhere: {text}");
    drop(scratch);
}
