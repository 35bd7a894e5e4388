//! Link person records over holders and make the links visible.

use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_register::{
    RegisterKeys, correction,
    link::{self, LinkReport},
};
use serde_json::json;

use crate::{Deployment, Error};

/// Link the newest snapshot; links that did not change make no new one.
///
/// # Errors
/// The actor may not, or the lake or log failed.
pub async fn link_persons(on: &Deployment, actor: &Actor) -> Result<LinkReport, Error> {
    let permit = permit(actor, Act::LinkPersons)?;
    let keys = on.register_keys().await?;
    loop {
        let constraints = correction::constraints(&mut *on.reader().await?).await?;
        let prepared = link::prepare(&on.lake, &keys, &constraints).await?;
        on.world.steps.step("journeys.links_prepared");
        let report = prepared.report.clone();
        if !prepared.changed() {
            return Ok(report);
        }
        let mut tx = on.log.begin().await?;
        match prepared.commit(&on.lake, &mut tx).await {
            Ok(_) => {}
            // Somebody delivered in between: once more over the new snapshot.
            Err(link::LinkError::Stale) => continue,
            Err(e) => return Err(e.into()),
        }
        let event = Event {
            kind: "person.linked",
            actor: permit.actor(),
            subject: permit.actor().organization.to_string(),
            law: None,
            body: json!({}),
        };
        let _ = tx.commit(event).await?;
        return Ok(report);
    }
}

impl Deployment {
    /// The register's keys; made in a transaction of their own on first use.
    pub(crate) async fn register_keys(&self) -> Result<RegisterKeys, Error> {
        let mut conn = self.reader().await?;
        Ok(RegisterKeys::load(&mut conn, self.lake.ring()).await?)
    }
}
