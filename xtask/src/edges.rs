//! Who may name whom: the manifests against the table of the architecture.

use std::{fs, path::Path};

use anyhow::Context as _;

use crate::Remark;

/// Crate (without prefix) and the crates of ours that it may name. Dev-dependencies may add `testkit`
/// and, below `journeys`, nothing else that the table does not allow.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("formats", &[]),
    ("linkage", &[]),
    ("anonymity", &[]),
    ("disclosure", &[]),
    ("textmask", &[]),
    ("imaging", &[]),
    ("codes", &[]),
    ("passkey", &[]),
    ("paper", &[]),
    ("country", &["formats"]),
    ("kernel", &[]),
    ("govern", &["kernel"]),
    ("audit", &["kernel", "govern"]),
    ("lake", &["kernel", "audit", "codes"]),
    ("intake", &["kernel", "govern", "audit", "lake", "formats", "codes"]),
    ("register", &["kernel", "govern", "audit", "lake", "formats", "intake", "linkage"]),
    ("vault", &["kernel", "govern", "audit", "lake", "formats", "intake", "linkage", "register"]),
    ("cohort", &["vault", "register", "lake", "disclosure", "kernel", "govern", "audit"]),
    (
        "deid",
        &[
            "cohort",
            "vault",
            "lake",
            "anonymity",
            "textmask",
            "imaging",
            "kernel",
            "govern",
            "audit",
        ],
    ),
    ("release", &["deid", "kernel", "govern", "audit"]),
    ("deliver", &["release", "lake", "kernel", "govern", "audit"]),
    (
        "journeys",
        &[
            "kernel", "govern", "audit", "lake", "intake", "register", "vault", "cohort", "deid",
            "release", "deliver", "passkey", "codes",
        ],
    ),
    ("web", &["journeys", "govern", "kernel", "paper"]),
    ("cluster", &["lake"]),
    // dev-only
    ("testkit", &["kernel", "govern", "audit"]),
];

/// What the tests of a crate may name beyond the table. The distributed engine shows that a whole specification gives
/// the same on it: it needs a specification (deid), cleared records (vault) and a deployment (audit, kernel). The linker is
/// scored on made-up people, of whom the truth is known (ADR 0010).
const TESTS_MAY_NAME: &[(&str, &[&str])] =
    &[("cluster", &["deid", "vault", "audit", "kernel"]), ("linkage", &["country"])];

/// The binary names what it wires: journeys (which hands on the kernel's types), web, the toolkit.
const KIBAN_MAY_NAME: &[&str] = &[
    "journeys",
    "web",
    "formats",
    "linkage",
    "anonymity",
    "disclosure",
    "textmask",
    "imaging",
    "codes",
    "country",
];

/// Libraries that stay behind one door.
const DOORS: &[(&str, &[&str])] = &[
    ("datafusion", &["lake"]),
    ("datafusion-proto", &["lake"]),
    ("object_store", &["lake"]),
    ("pdf-writer", &["paper"]),
    ("subsetter", &["paper"]),
    ("ballista", &["cluster"]),
    ("ballista-core", &["cluster"]),
    ("ballista-scheduler", &["cluster"]),
    ("ballista-executor", &["cluster"]),
    ("tlog_tiles", &["audit"]),
    ("signed_note", &["audit"]),
];

pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Remark>> {
    let mut remarks = Vec::new();
    for room in ["toolkit", "platform", "apps", "."] {
        for entry in fs::read_dir(root.join(room))? {
            let path = entry?.path().join("Cargo.toml");
            if path.exists() && path.parent() != Some(root) {
                manifest(&path, &mut remarks)?;
            }
        }
    }
    Ok(remarks)
}

fn manifest(path: &Path, remarks: &mut Vec<Remark>) -> anyhow::Result<()> {
    let text = fs::read_to_string(path)?;
    let table: toml::Table = text.parse().with_context(|| path.display().to_string())?;
    let package = table.get("package").and_then(|p| p.get("name")).and_then(|n| n.as_str());
    let Some(package) = package else { return Ok(()) };
    let name = package.strip_prefix("kiban-").unwrap_or(package);
    let allowed: &[&str] = match name {
        "kiban" => KIBAN_MAY_NAME,
        "xtask" | "benches" | "zz-hack" => return Ok(()),
        _ => match MAY_NAME.iter().find(|(n, _)| *n == name) {
            Some((_, allowed)) => allowed,
            None => {
                remarks.push(Remark::fail(
                    path,
                    1,
                    format!("crate {name} has no row in the table of edges"),
                ));
                return Ok(());
            }
        },
    };
    for (section, dev) in
        [("dependencies", false), ("dev-dependencies", true), ("build-dependencies", false)]
    {
        let Some(dependencies) = table.get(section).and_then(|d| d.as_table()) else { continue };
        for dependency in dependencies.keys() {
            let line =
                text.lines().position(|l| l.starts_with(dependency.as_str())).map_or(1, |l| l + 1);
            if let Some(ours) = dependency.strip_prefix("kiban-") {
                let tests =
                    TESTS_MAY_NAME.iter().find(|(n, _)| *n == name).map_or(&[][..], |t| t.1);
                let ok = allowed.contains(&ours)
                    || dev && (ours == "testkit" || name == "kiban" || tests.contains(&ours));
                if !ok {
                    remarks.push(Remark::fail(
                        path,
                        line,
                        format!("{name} may not name {ours}: a new edge needs an ADR"),
                    ));
                }
            }
            let door = DOORS.iter().find(|(lib, _)| lib == dependency);
            if door.is_some_and(|(_, doors)| !doors.contains(&name)) {
                remarks.push(Remark::fail(
                    path,
                    line,
                    format!("{dependency} stays behind one door"),
                ));
            }
        }
    }
    Ok(())
}
