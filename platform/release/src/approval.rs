//! [`Approved`]: the only thing that may leave. Minted here alone, from the signed manifest and everything on
//! record, judged again at the instant of minting.

use std::marker::PhantomData;

use kiban_audit::note::VerifyKey;
use kiban_govern::{
    Act, Actor,
    certification::{Certification, CertificationKind, PseudoUser, require},
    committee::Member,
    delivery::{AnonDataUser, Passage, RecipientKind, Route, To, route},
    two_person::{self, Approvers},
};
use kiban_kernel::{Digest, Id, Product, Rules, Timestamp, jst_date, kinds};

use crate::{
    Manifest,
    application::{Application, State},
    contract::Contract,
    finding::{Decision, FindingRow},
    session::Minutes,
};

mod error;

pub use error::ApprovalError;

mod sealed {
    pub trait Sealed {}
}

/// A class of data that may be released, and the kind of recipient the Act gives it.
pub trait Releasable: sealed::Sealed {
    /// The product.
    const PRODUCT: Product;
    /// Who may receive it.
    type Recipient: Clone;
    /// The recipient of a passage of this product.
    #[doc(hidden)]
    fn recipient(to: &To) -> Option<Self::Recipient>;
}

/// Anonymized data: to anybody named.
#[derive(Debug, Clone, Copy)]
pub enum Anonymized {}
/// Pseudonymized data: to a certified user.
#[derive(Debug, Clone, Copy)]
pub enum Pseudonymized {}

impl sealed::Sealed for Anonymized {}
impl sealed::Sealed for Pseudonymized {}
impl Releasable for Anonymized {
    const PRODUCT: Product = Product::Anonymized;
    type Recipient = AnonDataUser;
    fn recipient(to: &To) -> Option<AnonDataUser> {
        match to {
            To::Anonymized(user) => Some(user.clone()),
            To::Pseudonymized(_) => None,
        }
    }
}
impl Releasable for Pseudonymized {
    const PRODUCT: Product = Product::Pseudonymized;
    type Recipient = PseudoUser;
    fn recipient(to: &To) -> Option<PseudoUser> {
        match to {
            To::Pseudonymized(user) => Some(user.clone()),
            To::Anonymized(_) => None,
        }
    }
}

/// A dataset that may be handed over. It holds the manifest (snapshot, plan, digests), not rows; after a
/// restart it is minted again from what is stored.
///
/// ```compile_fail,E0451
/// use kiban_release::{Approved, Anonymized, Manifest};
/// fn forge(manifest: Manifest) -> Approved<Anonymized> {
///     Approved { manifest, ..todo!() }
/// }
/// ```
/// A pseudonymized dataset has no other recipient than a certified user:
/// ```compile_fail,E0308
/// use kiban_govern::delivery::AnonDataUser;
/// use kiban_release::{Approved, Pseudonymized};
/// fn to(approved: &Approved<Pseudonymized>) -> &AnonDataUser { approved.to() }
/// ```
#[derive(Debug, Clone)]
pub struct Approved<D: Releasable> {
    manifest: Manifest,
    note: String,
    to: D::Recipient,
    passage: Passage,
    approvers: Approvers,
    contract: Id<kinds::Contract>,
    at: Timestamp,
    class: PhantomData<D>,
}

impl<D: Releasable> Approved<D> {
    /// The dataset's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
    /// The manifest as signed.
    pub fn note(&self) -> &str {
        &self.note
    }
    /// To whom.
    pub fn to(&self) -> &D::Recipient {
        &self.to
    }
    /// The recipient's organization and the route.
    pub fn passage(&self) -> &Passage {
        &self.passage
    }
    /// Who approved.
    pub fn approvers(&self) -> &Approvers {
        &self.approvers
    }
    /// Under which contract.
    pub fn contract(&self) -> Id<kinds::Contract> {
        self.contract
    }
    /// When everything was judged.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// What others know at the instant of approval or hand-over.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Keys whose manifests count: the producer's.
    pub keys: &'a [VerifyKey],
    /// Rules.
    pub rules: &'a Rules,
    /// Certifications on the register, of producer and recipient at least.
    pub certifications: &'a [Certification],
    /// What the recipient is.
    pub recipient: RecipientKind,
    /// How it shall go.
    pub route: Route,
    /// Stops since the manifest's watermark that touch persons of the dataset.
    pub stops_since: u64,
}

/// Everything on record about one dataset.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) note: String,
    pub(crate) stored_digest: Digest,
    pub(crate) application: Application,
    pub(crate) session: Option<(Id<kinds::Session>, Minutes, Vec<Member>)>,
    pub(crate) contracts: Vec<Contract>,
    pub(crate) findings: Vec<FindingRow>,
    pub(crate) approvals: Vec<(Actor, Digest)>,
}

/// What everything but the approvals gives.
pub(crate) struct Examined {
    pub(crate) manifest: Manifest,
    passage: Passage,
    contract: Id<kinds::Contract>,
}

/// Judge everything but the approvals.
pub(crate) fn examine(
    e: &Evidence,
    c: &Context<'_>,
    product: Product,
    at: Timestamp,
) -> Result<Examined, ApprovalError> {
    let on = jst_date(at);
    let manifest = Manifest::open(&e.note, c.keys)?;
    if manifest.digest() != e.stored_digest {
        return Err(ApprovalError::OtherManifest);
    }
    if manifest.product != product {
        return Err(ApprovalError::OtherProduct { has: manifest.product, asked: product });
    }
    let a = &e.application;
    for (field, same) in [
        ("application", manifest.application == a.id),
        ("project", manifest.project == a.project),
        ("recipient", manifest.recipient == a.applicant),
        ("product", manifest.product == a.product),
    ] {
        if !same {
            return Err(ApprovalError::OtherApplication { field });
        }
    }
    let State::Accepted { session, content, .. } = &a.state else {
        return Err(ApprovalError::NotAccepted { state: a.state.as_str() });
    };
    committee(e, *session, *content, manifest.producer, c.rules)?;
    let contract = e
        .contracts
        .iter()
        .find(|k| {
            k.in_force(on)
                && k.terms.application == a.id
                && k.terms.recipient == a.applicant
                && k.terms.specification == manifest.specification
        })
        .ok_or(ApprovalError::NoContract)?
        .id;
    findings(e, &manifest)?;
    require(manifest.producer, CertificationKind::for_product(product), c.certifications, on)
        .map_err(ApprovalError::Producer)?;
    let passage = route(a.applicant, c.recipient, product, c.route, c.certifications, on)?;
    if c.stops_since > 0 {
        return Err(ApprovalError::StopsSince { count: c.stops_since });
    }
    Ok(Examined { manifest, passage, contract })
}

fn committee(
    e: &Evidence,
    session: Id<kinds::Session>,
    content: Digest,
    producer: Id<kinds::Organization>,
    rules: &Rules,
) -> Result<(), ApprovalError> {
    let (id, minutes, members) = e.session.as_ref().ok_or(ApprovalError::NoSession)?;
    if *id != session {
        return Err(ApprovalError::NoSession);
    }
    // ④ is judged against the producer that made the dataset, and the applicant is always interested.
    if minutes.content != content
        || minutes.producer != producer
        || !minutes.interested.contains(&e.application.applicant)
    {
        return Err(ApprovalError::OtherContent);
    }
    let (_, opinion) = minutes.judge(members, rules).map_err(ApprovalError::Session)?;
    if opinion.outcome().is_favourable() { Ok(()) } else { Err(ApprovalError::Unfavourable) }
}

fn findings(e: &Evidence, manifest: &Manifest) -> Result<(), ApprovalError> {
    let of_dataset: Vec<_> = e.findings.iter().filter(|f| f.dataset == manifest.dataset).collect();
    let undecided = of_dataset.iter().filter(|f| f.decided.is_none()).count();
    if undecided > 0 {
        return Err(ApprovalError::Undecided { count: undecided });
    }
    let same = of_dataset.len() == manifest.findings.len()
        && of_dataset.iter().all(|f| manifest.findings.iter().any(|m| m.id == f.finding.id));
    if !same {
        return Err(ApprovalError::OtherFindings);
    }
    let not_applied = of_dataset
        .iter()
        .filter(|f| {
            let wanted = f.decided.as_ref().map(|d| d.decision).filter(|d| *d != Decision::Keep);
            let fact = manifest.findings.iter().find(|m| m.id == f.finding.id);
            wanted.is_some() && fact.and_then(|m| m.applied) != wanted
        })
        .count();
    if not_applied > 0 {
        return Err(ApprovalError::NotApplied { count: not_applied });
    }
    Ok(())
}

/// Mint an approved dataset.
pub(crate) fn mint<D: Releasable>(
    e: &Evidence,
    c: &Context<'_>,
    at: Timestamp,
) -> Result<Approved<D>, ApprovalError> {
    let Examined { manifest, passage, contract } = examine(e, c, D::PRODUCT, at)?;
    let digest = manifest.digest();
    if let Some(i) = e.approvals.iter().position(|(_, of)| *of != digest) {
        return Err(ApprovalError::ApprovedOther { position: i + 1 });
    }
    let actors: Vec<Actor> = e.approvals.iter().map(|(actor, _)| actor.clone()).collect();
    let approvers = two_person::check(Act::ApproveRelease, &actors, c.rules, jst_date(at))?;
    let to = D::recipient(passage.to())
        .ok_or(ApprovalError::OtherProduct { has: passage.product(), asked: D::PRODUCT })?;
    let note = e.note.clone();
    Ok(Approved { manifest, note, to, passage, approvers, contract, at, class: PhantomData })
}
