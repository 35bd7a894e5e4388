//! Verification finds and names whatever was changed, deleted, swapped, cut, added or rolled back (acceptance 2).

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use kiban_audit::{
    Db,
    sqlx::{self, Row as _},
};

use crate::support::{
    Scratch, files, run,
    site::{self, Template},
};

async fn findings(dir: &Path) -> Vec<String> {
    kiban_journeys::verify_deployment(dir, &[]).await.unwrap().findings
}

/// One of the findings names this.
async fn assert_named(dir: &Path, what: &str, names: &[&str]) {
    let findings = findings(dir).await;
    assert!(
        findings.iter().any(|f| names.iter().all(|n| f.contains(n))),
        "{what}: nothing names {names:?} in {findings:?}"
    );
}

/// A folder that is tampered with and put right again.
struct Folder {
    scratch: Scratch,
    original: PathBuf,
}

impl Folder {
    fn of(template: &Template) -> Self {
        Self { scratch: Scratch::copy_of(&template.dir), original: template.dir.clone() }
    }
    fn path(&self) -> &Path {
        self.scratch.path()
    }
    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
    fn restore(&self, name: &str) {
        fs::copy(self.original.join(name), self.file(name)).unwrap();
    }
    fn restore_database(&self) {
        for beside in ["governance.sqlite-wal", "governance.sqlite-shm"] {
            let _ = fs::remove_file(self.file(beside));
        }
        self.restore("governance.sqlite");
    }
    async fn execute(&self, statements: &[String]) {
        let db = Db::open_file(&self.file("governance.sqlite")).await.unwrap();
        let mut conn = db.pool().acquire().await.unwrap();
        for statement in statements {
            sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(&mut *conn).await.unwrap();
        }
        drop(conn);
        db.close().await;
    }
    async fn ask(&self, query: &str) -> Vec<String> {
        let db = Db::open_file_read_only(&self.file("governance.sqlite")).await.unwrap();
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(query.to_owned())).fetch_all(db.pool()).await.unwrap();
        db.close().await;
        rows.iter().map(|row| row.try_get::<String, _>(0).unwrap()).collect()
    }
    /// Paths of files below a folder, from the deployment.
    fn below(&self, folder: &str) -> Vec<String> {
        files::walk(&self.file(folder))
            .iter()
            .map(|p| p.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned())
            .filter(|p| !p.contains("/."))
            .collect()
    }
}

/// Flips a bit in the middle of a file.
fn change(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
}

#[test]
fn an_untouched_deployment_verifies_and_says_how_much_it_read() {
    let delivered = site::delivered();
    run(|| async {
        let verified = kiban_journeys::verify_deployment(&delivered.dir, &[]).await.unwrap();
        assert_eq!(verified.findings, Vec::<String>::new());
        assert!(
            verified.events > 40 && verified.files > 50 && verified.snapshots >= 4,
            "{verified:?}"
        );
        assert_eq!(verified.packages, 3);
        assert!(verified.checkpoints >= 3, "the holders' receipts are heeded");
    });
}

#[test]
fn a_bad_event_is_named_by_its_number() {
    let delivered = site::delivered();
    run(|| async {
        let folder = Folder::of(&delivered);
        let count: u64 =
            folder.ask("SELECT CAST(COUNT(*) AS TEXT) FROM audit_event").await[0].parse().unwrap();
        let last = count - 1;
        // A sample: kiban-audit's own tests tamper with every event in turn.
        for index in (0..count).step_by(83).chain([last]) {
            let number = format!("記録 {index}");
            let swapped = if index == last { 0 } else { index + 1 };
            let (low, high) = (index.min(swapped), index.max(swapped));
            let kinds: [(&str, Vec<String>, String); 4] = [
                (
                    "changed",
                    vec![format!(
                        "UPDATE audit_event SET event = REPLACE(event, '\"at\":\"20', '\"at\":\"21') WHERE event_index = {index}"
                    )],
                    number.clone(),
                ),
                (
                    "deleted",
                    vec![format!("DELETE FROM audit_event WHERE event_index = {index}")],
                    number.clone(),
                ),
                (
                    "swapped",
                    vec![
                        format!(
                            "UPDATE audit_event SET event_index = -1 WHERE event_index = {low}"
                        ),
                        format!(
                            "UPDATE audit_event SET event_index = {low} WHERE event_index = {high}"
                        ),
                        format!(
                            "UPDATE audit_event SET event_index = {high} WHERE event_index = -1"
                        ),
                    ],
                    format!("記録 {low}"),
                ),
                (
                    "cut",
                    vec![format!("DELETE FROM audit_event WHERE event_index >= {index}")],
                    number.clone(),
                ),
            ];
            for (what, statements, name) in kinds {
                folder.execute(&statements).await;
                assert_named(
                    folder.path(),
                    &format!("event {index} {what}"),
                    &["データベース", &name],
                )
                .await;
                folder.restore_database();
            }
        }
        assert_eq!(findings(folder.path()).await, Vec::<String>::new());
    });
}

#[test]
fn a_bad_published_copy_is_named() {
    let delivered = site::delivered();
    run(|| async {
        let folder = Folder::of(&delivered);
        let copies = folder.below("audit");
        assert!(copies.len() >= 4);
        for name in &copies {
            for (what, tamper) in [("changed", change as fn(&Path)), ("cut", cut)] {
                tamper(&folder.file(name));
                let found = findings(folder.path()).await;
                assert!(!found.is_empty(), "{name} {what}");
                assert!(
                    found.iter().any(|f| f.contains("audit フォルダ")
                        || f.contains("チェックポイント")
                        || f.contains("公開鍵")),
                    "{name} {what}: {found:?}"
                );
                folder.restore(name);
            }
            fs::remove_file(folder.file(name)).unwrap();
            assert!(!findings(folder.path()).await.is_empty(), "{name} deleted");
            folder.restore(name);
        }
        // The whole copy gone, the whole database gone.
        fs::rename(folder.file("audit"), folder.file("country/audit")).unwrap();
        assert!(!findings(folder.path()).await.is_empty());
        fs::rename(folder.file("country/audit"), folder.file("audit")).unwrap();
        fs::remove_file(folder.file("governance.sqlite")).unwrap();
        assert_named(folder.path(), "no database", &["governance.sqlite"]).await;
        folder.restore_database();
        assert_eq!(findings(folder.path()).await, Vec::<String>::new());
    });
}

#[test]
fn a_bad_table_file_or_container_is_named() {
    let delivered = site::delivered();
    run(|| async {
        let folder = Folder::of(&delivered);
        let all = folder.below("lake");
        let containers: Vec<&String> =
            all.iter().filter(|p| p.starts_with("lake/source/")).collect();
        let tables: Vec<&String> = all.iter().filter(|p| !p.starts_with("lake/source/")).collect();
        assert!(containers.len() >= 3 && tables.len() > 30);
        let chosen: Vec<&String> = tables.iter().step_by(9).chain(&containers).copied().collect();
        for (i, name) in chosen.iter().enumerate() {
            let inside = name.strip_prefix("lake/").unwrap();
            let path = folder.file(name);
            change(&path);
            assert_named(folder.path(), "changed", &[inside, "書き換え"]).await;
            folder.restore(name);
            cut(&path);
            assert_named(folder.path(), "cut", &[inside, "長さ"]).await;
            fs::remove_file(&path).unwrap();
            assert_named(folder.path(), "deleted", &[inside, "ありません"]).await;
            folder.restore(name);
            let other = chosen[(i + 1) % chosen.len()];
            fs::copy(folder.file(other), &path).unwrap();
            assert_named(folder.path(), "swapped", &[inside, other.strip_prefix("lake/").unwrap()])
                .await;
            folder.restore(name);
        }
        let beside = Path::new(chosen[0]).parent().unwrap().join("foreign.kbs");
        fs::write(folder.path().join(&beside), b"x").unwrap();
        assert_named(folder.path(), "foreign", &["foreign.kbs"]).await;
        fs::remove_file(folder.path().join(&beside)).unwrap();
        // Its digest in the catalog made to fit the changed file.
        let row = "SELECT path FROM lake_file WHERE erased_at IS NULL ORDER BY path LIMIT 1";
        let path = folder.ask(row).await.remove(0);
        change(&folder.file("lake").join(&path));
        let digest = kiban_kernel::Digest::of(&fs::read(folder.file("lake").join(&path)).unwrap());
        folder
            .execute(&[format!("UPDATE lake_file SET digest = '{digest}' WHERE path = '{path}'")])
            .await;
        let table = folder
            .ask(&format!("SELECT table_name FROM lake_file WHERE path = '{path}'"))
            .await
            .remove(0);
        assert_named(folder.path(), "catalog", &["目録", &table]).await;
        folder.restore(&format!("lake/{path}"));
        folder.restore_database();
        // A key of source bytes stolen away.
        let key =
            "DELETE FROM lake_person_key WHERE person = (SELECT MIN(person) FROM lake_person_key)";
        folder.execute(&[key.to_owned()]).await;
        assert_named(folder.path(), "key", &["原本の鍵"]).await;
        folder.restore_database();
        assert_eq!(findings(folder.path()).await, Vec::<String>::new());
    });
}

#[test]
fn a_bad_package_or_manifest_is_named() {
    let delivered = site::delivered();
    run(|| async {
        let folder = Folder::of(&delivered);
        let all = folder.below("packages");
        assert_eq!(all.len(), 6);
        for name in &all {
            let path = folder.file(name);
            change(&path);
            assert_named(folder.path(), "changed", &[name, "書き換え"]).await;
            folder.restore(name);
            cut(&path);
            assert_named(folder.path(), "cut", &[name]).await;
            fs::remove_file(&path).unwrap();
            assert_named(folder.path(), "deleted", &[name, "ありません"]).await;
            folder.restore(name);
            let kind = name.rsplit('/').next().unwrap();
            let other = all.iter().find(|o| *o != name && o.ends_with(kind)).unwrap();
            fs::copy(folder.file(other), &path).unwrap();
            assert_named(folder.path(), "swapped", &[name, other]).await;
            folder.restore(name);
        }
        fs::write(folder.file("packages/foreign"), b"x").unwrap();
        assert_named(folder.path(), "foreign", &["foreign"]).await;
        fs::remove_file(folder.file("packages/foreign")).unwrap();
        let dataset = all[0].split('/').nth(1).unwrap().to_owned();
        // The delivery record: to somebody else, of another time, gone, no record at all.
        let of = format!("WHERE dataset = '{dataset}'");
        let other =
            "(SELECT MIN(id) FROM register_organization WHERE id <> deliver_delivery.recipient)";
        for statement in [
            format!("UPDATE deliver_delivery SET recipient = {other} {of}"),
            format!("UPDATE deliver_delivery SET package_bytes = package_bytes + 1 {of}"),
            format!("DELETE FROM deliver_delivery {of}"),
        ] {
            folder.execute(&["PRAGMA foreign_keys = OFF".to_owned(), statement]).await;
            assert_named(folder.path(), "record", &["提供記録", &dataset]).await;
            folder.restore_database();
        }
        folder.execute(&[format!("UPDATE deliver_delivery SET recipient = 'x' {of}")]).await;
        let error =
            kiban_journeys::verify_deployment(folder.path(), &[]).await.expect_err("unreadable");
        assert!(error.ja().contains("deliver_delivery"), "{}", error.ja());
        folder.restore_database();
        assert_eq!(findings(folder.path()).await, Vec::<String>::new());
    });
}

#[test]
fn a_folder_rolled_back_is_found_with_a_later_checkpoint() {
    let (linked, delivered) = (site::linked(), site::delivered());
    run(|| async {
        let later = fs::read_to_string(delivered.dir.join("audit/checkpoint")).unwrap();
        let held = [("手元".to_owned(), later)];
        let verified = kiban_journeys::verify_deployment(&linked.dir, &held).await.unwrap();
        let said = verified.findings.join("\n");
        assert!(said.contains("手元") && said.contains("過去の状態に戻されています"), "{said}");
        assert!(
            said.contains(&format!("記録 {}", lenient(&linked).await)),
            "the first lost event: {said}"
        );
        // Without it the old folder is whole in itself; and every checkpoint of a receipt shows an older state.
        assert_eq!(findings(&linked.dir).await, Vec::<String>::new());
        let registered = Scratch::copy_of(&site::registered().dir);
        files::copy(&linked.dir.join("holders"), &registered.path().join("holders"));
        let said = findings(registered.path()).await.join("\n");
        assert!(said.contains("receipts") && said.contains("過去の状態に戻されています"), "{said}");
    });
}

/// How many events a deployment has.
async fn lenient(template: &Template) -> u64 {
    kiban_journeys::verify_deployment(&template.dir, &[]).await.unwrap().events
}

fn kiban(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kiban")).args(arguments).output().unwrap()
}

#[test]
fn the_command_says_it_with_its_exit_code() {
    let (linked, delivered) = (site::linked(), site::delivered());
    let folder = Folder::of(&delivered);
    let dir = folder.path().to_str().unwrap();
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();

    let good = kiban(&["audit", "verify", dir]);
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    assert!(said(&good).contains("すべて一致"), "{}", said(&good));
    let checkpoint = folder.file("audit/checkpoint");
    let checkpoint = checkpoint.to_str().unwrap();
    assert!(kiban(&["audit", "verify", dir, "--against", checkpoint]).status.success());
    let receipt = files::find(&folder.file("holders"), |p| p.contains("receipts/"));
    assert!(
        kiban(&["audit", "verify", dir, "--against", receipt.to_str().unwrap()]).status.success()
    );

    let old = kiban(&["audit", "verify", linked.dir.to_str().unwrap(), "--against", checkpoint]);
    assert_eq!(old.status.code(), Some(1));
    assert!(said(&old).contains("過去の状態に戻されています"), "{}", said(&old));

    let package = folder.below("packages").remove(0);
    change(&folder.file(&package));
    let bad = kiban(&["audit", "verify", dir]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(said(&bad).contains(&package), "{}", said(&bad));
    let nowhere = kiban(&["audit", "verify", "/nonexistent"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("エラー"));
}
