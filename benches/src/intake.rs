//! A sealed delivery from the file to the commit.

use std::io::{BufWriter, Write as _};

use anyhow::Context as _;
use kiban_intake::{holder::SealReport, verify_seal};

use crate::{
    deployment::Deployment,
    fixtures,
    generated::{Checkups, Kind},
    holder::Home,
    measure::{Meter, say},
};

pub(crate) async fn ssmix2(messages: u64, seed: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut home = Home::new(&folder.path().join("holder"), seed)?;
    let storage = fixtures::storage()?;
    let copies = messages.div_ceil(storage.len() as u64);
    for copy in 0..copies {
        for message in &storage {
            let message = message.of(&fixtures::other_id(&message.patient, copy));
            home.notify(&message.patient);
            home.file(&message.path, &message.bytes)?;
        }
    }
    deliver("ssmix2-intake", folder.path(), &home, seed).await
}

pub(crate) async fn fhir(megabytes: u64, seed: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut home = Home::new(&folder.path().join("holder"), seed)?;
    let files = fixtures::fhir()?;
    let one: u64 = files.iter().map(|(_, text)| text.len() as u64).sum();
    for copy in 0..(megabytes * 1_000_000).div_ceil(one) {
        for (name, text) in &files {
            let text = fixtures::fhir_copy(text, copy);
            if name == "Patient.ndjson" {
                for line in std::str::from_utf8(&text)?.lines() {
                    let patient: serde_json::Value = serde_json::from_str(line)?;
                    home.notify(patient["id"].as_str().unwrap_or_default());
                }
            }
            home.file(&format!("{copy:03}/{name}"), &text)?;
        }
    }
    deliver("fhir-intake", folder.path(), &home, seed).await
}

pub(crate) async fn generated(kind: Kind, megabytes: u64, seed: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut home = Home::new(&folder.path().join("holder"), seed)?;
    let name = match kind {
        Kind::Checkup => {
            checkups(&mut home, megabytes)?;
            "checkup-intake"
        }
        _ => {
            let mut file = BufWriter::with_capacity(1 << 20, home.create(kind.file())?);
            for person in kind.write(megabytes * 1_000_000, seed, &mut file)? {
                home.notify(&person);
            }
            file.flush()?;
            match kind {
                Kind::Uke => "uke-intake",
                Kind::Ef => "ef-intake",
                _ => "d-intake",
            }
        }
    };
    deliver(name, folder.path(), &home, seed).await
}

fn checkups(home: &mut Home, megabytes: u64) -> anyhow::Result<()> {
    let checkups = Checkups::new()?;
    let files = (megabytes * 1_000_000).div_ceil(checkups.file(0).len() as u64);
    for number in 0..files {
        let file = checkups.file(number);
        let parsed = kiban_formats::checkup::parse_file(file.as_bytes());
        home.notify(parsed.person.as_deref().context("a check-up of nobody")?);
        let folder = format!("1310000001_00990001_202407010_{}", 1 + number / 1000);
        home.file(&format!("{folder}/DATA/h1310000001202407010{number:06}.xml"), file.as_bytes())?;
    }
    Ok(())
}

async fn deliver(
    what: &str,
    folder: &std::path::Path,
    home: &Home,
    seed: u64,
) -> anyhow::Result<()> {
    let meter = Meter::start()?;
    let sealed: SealReport = home.seal(seed)?;
    let amounts = [(sealed.kept_segments as f64, "segments"), (sealed.bytes as f64 / 1e6, "MB")];
    meter.report(&format!("{what}: seal at the holder"), &amounts)?;

    let at = folder.join("producer");
    std::fs::create_dir(&at)?;
    let holder = home.known.id;
    let deployment = Deployment::new(&at, holder).await?;
    let whole = Meter::start()?;
    let part = Meter::within()?;
    let checked = verify_seal(&sealed.path, &home.identity, std::slice::from_ref(&home.known))?;
    part.report(&format!("{what}: verify"), &amounts)?;
    let part = Meter::within()?;
    let gate = deployment.gate(holder).await?;
    let ids = deployment.ids.clone();
    let (checked, prepared) =
        kiban_vault::prepare(&deployment.vault, gate, ids, checked, Vec::new()).await?;
    part.report(&format!("{what}: prepare"), &amounts)?;
    let part = Meter::within()?;
    let mut tx = deployment.log.begin().await?;
    let stored = prepared.store(&mut tx, &checked).await?;
    tx.commit(deployment.event("bench.received")).await?;
    part.report(&format!("{what}: commit"), &amounts)?;
    whole.report(&format!("{what}: whole"), &amounts)?;
    let counts = &stored.report.counts;
    let rows: Vec<String> = counts.rows.iter().map(|(table, n)| format!("{table} {n}")).collect();
    say(&format!("  rows: {}", rows.join(", ")));
    let (files, bytes) = on_disk(deployment.vault.lake().root())?;
    say(&format!("  stored: {files} files, {:.1} MB", bytes as f64 / 1e6));
    say(&format!(
        "  {} segments kept of {} persons, {} segments in quarantine, {} refused",
        counts.accepted_segments,
        counts.accepted_persons,
        counts.quarantined_segments.values().sum::<u64>(),
        counts.refused_segments.values().sum::<u64>(),
    ));
    Ok(())
}

/// Files below a folder, and their bytes.
fn on_disk(folder: &std::path::Path) -> std::io::Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let below = on_disk(&entry.path())?;
            (files, bytes) = (files + below.0, bytes + below.1);
        } else {
            (files, bytes) = (files + 1, bytes + entry.metadata()?.len());
        }
    }
    Ok((files, bytes))
}
