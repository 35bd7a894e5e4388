//! Verify a deployment's folder offline: events, table files, containers, packages, manifests.

use std::{fs, path::Path};

use kiban_audit::{Db, verify as events};

use crate::Error;

/// What verification found.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// Events recomputed.
    pub events: u64,
    /// Checkpoints found in receipts and elsewhere that agree.
    pub checkpoints: usize,
    /// Table files and containers read.
    pub files: u64,
    /// Snapshots held against their events.
    pub snapshots: u64,
    /// Packages and manifests read.
    pub packages: u64,
    /// The newest checkpoint.
    pub checkpoint: Option<String>,
    /// What is wrong, as Japanese sentences, the first bad event first; empty when all is well.
    pub findings: Vec<String>,
}

/// Verify the deployment in `dir`. Needs no key and writes nothing. `against` are checkpoints from
/// elsewhere, each with a name for the findings; those in the holders' receipts are used too.
///
/// # Errors
/// There is no deployment, or it cannot be read at all. What is merely wrong is a finding.
pub async fn verify_deployment(
    dir: &Path,
    against: &[(String, String)],
) -> Result<Verified, Error> {
    let mut out = Verified::default();
    let database = dir.join("governance.sqlite");
    let audit = dir.join("audit");
    if !database.exists() {
        if !audit.exists() {
            return Err(Error::NoDeployment);
        }
        out.findings
            .push("データベース（governance.sqlite）がありません。控えから戻してください。".into());
        return Ok(out);
    }
    let db = Db::open_file_read_only(&database).await?;
    let mut request = events::Request::new().database(&db).copy(&audit);
    for (from, checkpoint) in against.iter().cloned().chain(receipts(dir)) {
        request = request.against(from, checkpoint);
    }
    match events::events(&request).await {
        Ok(verified) => {
            out.events = verified.events;
            out.checkpoints = verified.held;
            out.checkpoint = verified.checkpoint;
        }
        Err(finding) => out.findings.push(finding.ja()),
    }
    match kiban_lake::verify_files(&db, &dir.join("lake")).await {
        Ok(files) => {
            out.files = files.files;
            out.snapshots = files.snapshots;
            out.findings.extend(files.findings.iter().map(kiban_lake::Finding::ja));
        }
        // Damaged events make the catalog unverifiable; they are named already.
        Err(e) if !out.findings.is_empty() => out.findings.push(e.ja()),
        Err(e) => return Err(e.into()),
    }
    match kiban_deliver::verify_packages(&db, dir).await {
        Ok(packages) => {
            out.packages = packages.packages;
            out.findings.extend(packages.findings.iter().map(kiban_deliver::Finding::ja));
        }
        Err(e) if !out.findings.is_empty() => out.findings.push(e.ja()),
        Err(e) => return Err(e.into()),
    }
    db.close().await;
    Ok(out)
}

/// When the last event of the deployment in `dir` was, without opening it.
///
/// # Errors
/// There is no deployment, or its log cannot be read.
pub async fn last_event_at(dir: &Path) -> Result<Option<kiban_kernel::Timestamp>, Error> {
    let database = dir.join("governance.sqlite");
    if !database.exists() {
        return Err(Error::NoDeployment);
    }
    let db = Db::open_file_read_only(&database).await?;
    let mut last = None;
    kiban_audit::each_event(&db, |event| last = Some(event.at)).await?;
    db.close().await;
    Ok(last)
}

/// Checkpoints in the receipts that lie in the holders' folders.
fn receipts(dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Ok(holders) = fs::read_dir(dir.join("holders")) else { return found };
    for holder in holders.flatten() {
        let Ok(notes) = fs::read_dir(holder.path().join("receipts")) else { continue };
        for note in notes.flatten() {
            let path = note.path();
            let Ok(text) = fs::read_to_string(&path) else { continue };
            if let Some(checkpoint) = checkpoint_of_receipt(&text) {
                let name = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
                found.push((name, checkpoint));
            }
        }
    }
    found.sort();
    found
}

/// The checkpoint inside a receipt; it carries its own signature.
pub fn checkpoint_of_receipt(receipt: &str) -> Option<String> {
    let body = receipt.split("\n\n").next()?;
    let parsed: serde_json::Value = serde_json::from_str(body).ok()?;
    parsed.get("checkpoint")?.as_str().map(str::to_owned)
}
