//! Findings decided, two approvals, hand-over, opening.

use std::path::Path;

use kiban_deliver::{Delivered, Delivery, OpenError, Opened, Packages, Payload};
use kiban_govern::{
    Act, Actor, Permit,
    certification::Certification,
    delivery::{RecipientKind, Route},
    permit,
};
use kiban_kernel::{Id, Product, kinds};
use kiban_register::{OrganizationKind, organization};
use kiban_release::{Anonymized, Context, Manifest, Pseudonymized, Releasable, finding::Decision};

use crate::{Deployment, Error, joins, produce_dataset, rebuild_dataset};

/// A named person decides a finding, with a reason.
///
/// # Errors
/// The actor may not, there is no reason, it is decided already, or the log failed.
/// # Law
/// `pseudonymized.identifiers`
pub async fn decide_finding(
    on: &Deployment,
    actor: &Actor,
    dataset: Id<kinds::Dataset>,
    finding: Id<kinds::Finding>,
    decision: Decision,
    reason: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::DecideFinding)?;
    let _ =
        kiban_release::decide_finding(&on.log, &permit, dataset, finding, decision, reason).await?;
    Ok(())
}

/// What others know now, to be judged by.
struct Knowledge {
    certifications: Vec<Certification>,
    recipient: RecipientKind,
    stops_since: u64,
}

impl Deployment {
    async fn knowledge(&self, manifest: &Manifest) -> Result<Knowledge, Error> {
        let mut conn = self.reader().await?;
        let recipient = match organization::find(&mut conn, manifest.recipient).await?.kind {
            OrganizationKind::User => RecipientKind::User,
            OrganizationKind::Holder => RecipientKind::Holder,
            OrganizationKind::Trustee => RecipientKind::Trustee,
            OrganizationKind::Producer => RecipientKind::Producer,
            OrganizationKind::Other => RecipientKind::Regulator,
        };
        let since = kiban_register::stop::since(&mut conn, manifest.stop_watermark).await?;
        Ok(Knowledge {
            certifications: self.certifications().await?,
            recipient,
            stops_since: since.len() as u64,
        })
    }

    async fn manifest(&self, dataset: Id<kinds::Dataset>) -> Result<Manifest, Error> {
        let mut conn = self.reader().await?;
        if let Some(reasons) = produce_dataset::over_risk(&mut conn, dataset).await? {
            return Err(Error::OverRisk { reasons });
        }
        let undecided = kiban_release::findings(&mut conn, dataset)
            .await?
            .iter()
            .filter(|row| row.decided.is_none())
            .count() as u64;
        if undecided > 0 {
            return Err(Error::Undecided { findings: undecided });
        }
        let note = kiban_release::manifest_note(&mut conn, dataset).await?;
        Ok(Manifest::open(&note, &[self.signer.verify_key().clone()])?)
    }

    pub(crate) fn packages(&self) -> Result<Packages, Error> {
        Packages::open(self.dir(), self.world.steps.clone()).map_err(Error::io("open the packages"))
    }

    pub(crate) async fn collect_packages(&self) -> Result<(), Error> {
        self.packages()?.collect(&self.log).await?;
        Ok(())
    }
}

/// One person approves the release of a dataset on a route.
///
/// # Errors
/// [`Error::Undecided`] while findings wait; the actor may not, approved already, or anything else stands against
/// the release.
/// # Law
/// `security`, `pseudonymized.provision`
pub async fn approve_release(
    on: &Deployment,
    actor: &Actor,
    dataset: Id<kinds::Dataset>,
    route: Route,
) -> Result<(), Error> {
    let permit = permit(actor, Act::ApproveRelease)?;
    on.manifest(dataset).await?;
    Box::pin(joins::complete(on, &permit, dataset)).await?;
    let manifest = on.manifest(dataset).await?;
    let known = on.knowledge(&manifest).await?;
    let keys = [on.signer.verify_key().clone()];
    let context = context(on, &known, &keys, route);
    let _ = kiban_release::approve(&on.log, &permit, dataset, &context).await?;
    Ok(())
}

fn context<'a>(
    on: &'a Deployment,
    known: &'a Knowledge,
    keys: &'a [kiban_audit::note::VerifyKey],
    route: Route,
) -> Context<'a> {
    Context {
        keys,
        rules: &on.rules,
        certifications: &known.certifications,
        recipient: known.recipient,
        route,
        stops_since: known.stops_since,
    }
}

/// Run an approved dataset again, pack, seal and hand it over.
///
/// # Errors
/// The actor may not; not approved by two, or something stands against it now; the payload differs from the
/// approved one; disk or log failed.
/// # Law
/// `pseudonymized.provision`, `books`
pub async fn deliver_dataset(
    on: &Deployment,
    actor: &Actor,
    dataset: Id<kinds::Dataset>,
    route: Route,
) -> Result<Delivered, Error> {
    let permit = permit(actor, Act::DeliverDataset)?;
    let (manifest, payload, _, _) = rebuild_dataset::again(on, dataset).await?;
    on.world.steps.step("journeys.produced_again");
    match manifest.product {
        Product::Anonymized => {
            hand_over::<Anonymized>(on, &permit, &manifest, &payload, route).await
        }
        Product::Pseudonymized => {
            hand_over::<Pseudonymized>(on, &permit, &manifest, &payload, route).await
        }
    }
}

async fn hand_over<D: Releasable>(
    on: &Deployment,
    permit: &Permit,
    manifest: &Manifest,
    payload: &Payload,
    route: Route,
) -> Result<Delivered, Error> {
    let known = on.knowledge(manifest).await?;
    let keys = [on.signer.verify_key().clone()];
    let context = context(on, &known, &keys, route);
    let mut conn = on.reader().await?;
    let approved =
        kiban_release::approved::<D>(&mut conn, manifest.dataset, &context, on.world.clock.now())
            .await?;
    drop(conn);
    let what = Delivery { approved: &approved, context: &context, payload, key: on.signer.key() };
    Ok(on.packages()?.deliver(&on.log, permit, &what).await?)
}

/// Register the age recipient of a user, or of the producer's own environment.
///
/// # Errors
/// The actor may not, or it is no age recipient.
pub async fn register_recipient(
    on: &Deployment,
    actor: &Actor,
    organization: Id<kinds::Organization>,
    public: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::RegisterOrganization)?;
    let _ = on.packages()?.register_key(&on.log, &permit, organization, public).await?;
    Ok(())
}

/// Open a package with a recipient's key into a folder that is empty or missing.
///
/// # Errors
/// What does not hold; the folder is left as it was.
pub fn open_package(file: &Path, key: &Path, out: &Path) -> Result<Opened, OpenError> {
    kiban_deliver::open(file, key, out, None)
}
