//! A dataset again from its manifest.

use std::{fs, path::Path};

use kiban_audit::Event;
use kiban_deliver::Payload;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Digest, Id, kinds};
use kiban_register::stop::TouchingStop;
use kiban_release::Manifest;
use serde_json::json;
use sqlx::Row as _;

use crate::{
    Deployment, Error,
    produce_dataset::{Basis, basis, payload},
    run_dataset::{Stand, run},
};

/// A dataset built again.
#[derive(Debug, Clone)]
pub struct Rebuilt {
    /// Is the payload the recorded one, byte for byte?
    pub identical: bool,
    /// Stops that came since.
    pub stops: u64,
    /// Persons the recorded dataset has.
    pub persons_before: u64,
    /// Persons the rebuilt one has.
    pub persons: u64,
    /// Digest of the rebuilt payload.
    pub payload: Digest,
}

/// Build a dataset again from its manifest.
///
/// # Errors
/// The actor may not; there is no such dataset; [`Error::StoppedSince`] if stops came since that change the
/// payload and `without_stopped` is false; [`Error::PayloadDiffers`] if it differs for no such reason.
pub async fn rebuild_dataset(
    on: &Deployment,
    actor: &Actor,
    dataset: Id<kinds::Dataset>,
    out: &Path,
    without_stopped: bool,
) -> Result<Rebuilt, Error> {
    let permit = permit(actor, Act::RebuildDataset)?;
    let (manifest, payload, persons, since) = again(on, dataset).await?;
    let identical = payload.is_of(&manifest).is_ok();
    let stops = since.len() as u64;
    if !identical && stops == 0 {
        return Err(Error::PayloadDiffers);
    }
    if !identical && !without_stopped {
        let lost = manifest.persons.saturating_sub(persons);
        return Err(Error::StoppedSince { stops, persons: lost });
    }
    write(&payload, out)?;
    let rebuilt = Rebuilt {
        identical,
        stops,
        persons_before: manifest.persons,
        persons,
        payload: payload.digest(),
    };
    let event = Event {
        kind: "dataset.rebuilt",
        actor: permit.actor(),
        subject: dataset.to_string(),
        law: None,
        body: json!({ "identical": identical, "stops": stops, "payload": rebuilt.payload.to_string() }),
    };
    let _ = on.log.begin().await?.commit(event).await?;
    Ok(rebuilt)
}

/// The manifest of a dataset, and what its run needs.
pub(crate) async fn recorded(
    on: &Deployment,
    dataset: Id<kinds::Dataset>,
) -> Result<(Manifest, Basis), Error> {
    let mut conn = on.reader().await?;
    let note = kiban_release::manifest_note(&mut conn, dataset).await?;
    let manifest = Manifest::open(&note, &[on.signer.verify_key().clone()])?;
    let specification: String =
        sqlx::query("SELECT specification FROM journeys_specification WHERE digest = $1")
            .bind(manifest.specification.to_string())
            .fetch_optional(&mut *conn)
            .await?
            .ok_or(Error::Unknown { what: "specification" })?
            .try_get(0)?;
    let contract = kiban_release::contracts(&mut conn, manifest.application)
        .await?
        .into_iter()
        .find(|c| c.terms.specification == manifest.specification)
        .ok_or(Error::Unknown { what: "contract" })?;
    let basis = basis(&mut conn, dataset, manifest.application, contract, &specification).await?;
    Ok((manifest, basis))
}

/// Run what a manifest records over its own snapshot.
pub(crate) async fn again(
    on: &Deployment,
    dataset: Id<kinds::Dataset>,
) -> Result<(Manifest, Payload, u64, Vec<TouchingStop>), Error> {
    let (manifest, basis) = recorded(on, dataset).await?;
    let stand = Stand::recorded(&manifest);
    let (content, since) = run(on, &basis, &stand).await?;
    let payload = payload(&basis, &content)?;
    Ok((manifest, payload, content.produced().risk().persons_out, since))
}

fn write(payload: &Payload, out: &Path) -> Result<(), Error> {
    let failed = || Error::io("write the rebuilt files");
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::NotEmpty);
    }
    for file in payload.files() {
        let path = out.join(&file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed())?;
        }
        fs::write(path, &file.bytes).map_err(failed())?;
    }
    Ok(())
}
