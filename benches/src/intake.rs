//! A sealed delivery from the file to the commit.

use std::{
    io::{BufWriter, Write as _},
    path::Path,
    process::Command,
};

use age::secrecy::ExposeSecret as _;
use anyhow::Context as _;
use clap::ValueEnum as _;
use kiban_intake::{Incoming, KnownHolder, holder::SealReport, open_seal};
use kiban_testkit::id;

use crate::{
    Workload,
    deployment::Deployment,
    fixtures,
    generated::{Checkups, Kind},
    holder::Home,
    measure::{Meter, say},
};

/// Where the holder's process says what it sealed.
const SEALED: &str = "sealed.json";

/// The path of a delivery from the holder's files: the holder's part in a process of its own, whose memory is not the
/// producer's. `keep`: the folder stays.
pub(crate) async fn run(
    workload: Workload,
    size: Option<u64>,
    seed: u64,
    keep: bool,
) -> anyhow::Result<()> {
    let mut folder = tempfile::tempdir()?;
    if keep {
        folder.disable_cleanup(true);
        say(&format!("kept: {}", folder.path().display()));
    }
    let name = workload.to_possible_value().context("a workload without a name")?;
    let mut holder = Command::new(std::env::current_exe()?);
    holder.arg(name.get_name()).arg("--seed").arg(seed.to_string());
    if let Some(size) = size {
        holder.arg("--size").arg(size.to_string());
    }
    let done = holder.arg("--seal-in").arg(folder.path()).status()?;
    anyhow::ensure!(done.success(), "nothing was sealed");
    deliver(name.get_name(), folder.path()).await
}

/// The holder's part: files and notices into a folder, sealed there.
pub(crate) fn seal(
    workload: Workload,
    size: Option<u64>,
    seed: u64,
    folder: &Path,
) -> anyhow::Result<()> {
    let mut home = Home::new(&folder.join("holder"), seed)?;
    match workload {
        Workload::Ssmix2Intake => ssmix2(&mut home, size.unwrap_or(20_000))?,
        Workload::FhirIntake => fhir(&mut home, size.unwrap_or(200))?,
        Workload::CheckupIntake => checkups(&mut home, size.unwrap_or(200))?,
        Workload::EfIntake => generated(&mut home, Kind::Ef, size.unwrap_or(200), seed)?,
        Workload::DIntake => generated(&mut home, Kind::D, size.unwrap_or(200), seed)?,
        _ => generated(&mut home, Kind::Uke, size.unwrap_or(200), seed)?,
    }
    let meter = Meter::start()?;
    let report: SealReport = home.seal(seed)?;
    let amounts = [(report.kept_segments as f64, "segments"), (report.bytes as f64 / 1e6, "MB")];
    meter.report("seal at the holder", &amounts)?;
    let sealed = serde_json::json!({
        "path": report.path,
        "identity": home.identity.to_string().expose_secret(),
        "key": home.known.key.to_string(),
        "segments": report.kept_segments,
        "bytes": report.bytes,
    });
    Ok(std::fs::write(folder.join(SEALED), serde_json::to_vec(&sealed)?)?)
}

fn ssmix2(home: &mut Home, messages: u64) -> anyhow::Result<()> {
    let storage = fixtures::storage()?;
    let copies = messages.div_ceil(storage.len() as u64);
    for copy in 0..copies {
        for message in &storage {
            let message = message.of(&fixtures::other_id(&message.patient, copy));
            home.notify(&message.patient);
            home.file(&message.path, &message.bytes)?;
        }
    }
    Ok(())
}

fn fhir(home: &mut Home, megabytes: u64) -> anyhow::Result<()> {
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
    Ok(())
}

fn generated(home: &mut Home, kind: Kind, megabytes: u64, seed: u64) -> anyhow::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, home.create(kind.file())?);
    for person in kind.write(megabytes * 1_000_000, seed, &mut file)? {
        home.notify(&person);
    }
    Ok(file.flush()?)
}

fn checkups(home: &mut Home, megabytes: u64) -> anyhow::Result<()> {
    let checkups = Checkups::new()?;
    let files = (megabytes * 1_000_000).div_ceil(checkups.file(0).len() as u64);
    for number in 0..files {
        let file = checkups.file(number);
        let arena = kiban_formats::Arena::new();
        let parsed = kiban_formats::checkup::parse_file(file.as_bytes(), &arena);
        home.notify(parsed.person.context("a check-up of nobody")?);
        let folder = format!("1310000001_00990001_202407010_{}", 1 + number / 1000);
        home.file(&format!("{folder}/DATA/h1310000001202407010{number:06}.xml"), file.as_bytes())?;
    }
    Ok(())
}

async fn deliver(what: &str, folder: &Path) -> anyhow::Result<()> {
    let sealed: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join(SEALED))?)?;
    let text = |name: &str| sealed[name].as_str().context("half a delivery");
    let number = |name: &str| sealed[name].as_f64().context("half a delivery");
    let amounts = [(number("segments")?, "segments"), (number("bytes")? / 1e6, "MB")];
    let path = Path::new(text("path")?);
    let identity: age::x25519::Identity = text("identity")?.parse().map_err(anyhow::Error::msg)?;
    let known = KnownHolder { id: id(1), key: text("key")?.parse()? };

    let at = folder.join("producer");
    std::fs::create_dir(&at)?;
    let holder = known.id;
    let deployment = Deployment::new(&at, holder).await?;
    let whole = Meter::start()?;
    let part = Meter::within()?;
    let opened = open_seal(path, &identity, std::slice::from_ref(&known))?;
    part.report(&format!("{what}: open"), &amounts)?;
    let part = Meter::within()?;
    let gate = deployment.gate(holder).await?;
    let ids = deployment.ids.clone();
    let incoming = Incoming::Opened(opened);
    let (checked, prepared) =
        kiban_vault::prepare(&deployment.vault, gate, ids, incoming, Vec::new()).await?;
    part.report(&format!("{what}: check and prepare"), &amounts)?;
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
fn on_disk(folder: &Path) -> std::io::Result<(u64, u64)> {
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
