//! A further step of a certification on the register: renewed, changed, abolished, revoked. What follows from it follows at
//! once: packages are refused, sessions end, and erasure is due (see `end_of_use`).

use kiban_audit::Event;
use kiban_govern::{
    Act, Actor,
    certification::{Certification, Step},
    permit,
};
use kiban_kernel::{Id, LawKey, kinds};
use kiban_register::certification;
use serde_json::json;

use crate::{Deployment, Error};

/// The certifications on the register with their ids.
///
/// # Errors
/// The database failed.
pub async fn certifications_by_id(
    on: &Deployment,
) -> Result<Vec<(Id<kinds::Certification>, Certification)>, Error> {
    Ok(certification::by_id(&mut *on.reader().await?).await?.into_iter().collect())
}

/// Take a further step of a certification.
///
/// # Errors
/// The actor may not, there is no such certification, the step is not allowed after the one before, or the log failed.
/// # Law
/// `certification.change`
pub async fn step_certification(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Certification>,
    step: Step,
) -> Result<(), Error> {
    let permit = permit(actor, Act::RegisterCertification)?;
    if !certification::by_id(&mut *on.reader().await?).await?.contains_key(&id) {
        return Err(Error::Unknown { what: "認定" });
    }
    let (day, state) = (step.on.to_string(), step.state.as_str());
    let mut tx = on.log.begin().await?;
    let after = certification::step(tx.conn(), id, step).await?;
    let event = Event {
        kind: "certification.step",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("certification.change").ok(),
        body: json!({
            "organization": after.organization().to_string(),
            "kind": after.kind().as_str(),
            "on": day,
            "state": state,
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}
