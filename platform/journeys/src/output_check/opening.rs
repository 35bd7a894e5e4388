//! The file of an output: who may have it, and when.

use kiban_govern::{
    Act, Actor,
    output_check::{self, State},
    permit,
};
use serde_json::json;

use super::{OutputId, OutputRefused, event, output};
use crate::{Deployment, Error, FetchRefused, attachments::FOLDER, directory};

/// The file of a version: for checkers who did not ask for it, to look at; for its organization once it is released. Each
/// time is on record.
///
/// # Errors
/// There is no such output or version for the actor, it is not released, what is stored is damaged, or the log failed.
/// # Law
/// `security`
pub async fn open_output(
    on: &Deployment,
    actor: &Actor,
    id: OutputId,
    no: u64,
) -> Result<(String, Vec<u8>), Error> {
    let own = output(on, actor, id).await?;
    let version =
        own.versions.iter().find(|v| v.no == no).ok_or(Error::Unknown { what: "出力" })?;
    let newest = own.versions.last().is_some_and(|v| v.no == no);
    let kind = if actor.organization == own.organization
        && permit(actor, Act::AskOutput).is_ok()
        && permit(actor, Act::CheckOutput).is_err()
    {
        if own.state != State::Released || !newest {
            return Err(OutputRefused::NotReleased.into());
        }
        if crate::recall::is_recalled(on, own.dataset).await? {
            return Err(FetchRefused::Recalled.into());
        }
        "output.taken"
    } else {
        permit(actor, Act::CheckOutput)?;
        let mut authors = Vec::new();
        let mut conn = on.reader().await?;
        for version in &own.versions {
            authors.push(directory::person_of(&mut conn, version.account).await?);
        }
        drop(conn);
        output_check::admit(&authors, &[], actor).map_err(OutputRefused::from)?;
        "output.viewed"
    };
    let bytes = FOLDER.read(on, &version.file, version.digest)?;
    let bytes = bytes.ok_or(crate::AttachmentRefused::Damaged)?;
    let body = json!({ "version": no, "digest": version.digest.to_string() });
    let _ = on.log.begin().await?.commit(event(kind, actor, id, body)).await?;
    Ok((version.name.clone(), bytes))
}
