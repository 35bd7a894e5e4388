//! From an application to leave to hand over: application, committee, decision, contract, findings,
//! approvals.
//!
//! Enters: what people submit, advise, decide, sign and approve, each with a [`Permit`](kiban_govern::Permit),
//! and the signed [`Manifest`] of a produced dataset. Leaves: an [`Approved`] dataset, the only thing
//! `deliver` accepts. Refuses: every step whose predecessor is missing; a refusal names from, to, who, why and
//! the law key.
//!
//! The committee advises, the producer decides: two steps, two tables, two permits. States are enums that carry
//! their facts; they are the fold of the steps stored.
//!
//! # Guarantee
//! - `release.committee`: nothing is approved without a session that was valid under the rules of its day, on
//!   the very content applied for; the minutes are judged again at approval.
//! - `release.decision`: nothing is approved without the producer's own acceptance.
//! - `release.contract`: nothing is approved without a contract in force, bound to the digest of the
//!   specification that made the dataset.
//! - `release.approvers`: nothing is approved without distinct natural persons of the producer's own staff, each
//!   of whom approved this very manifest.
//! - `release.findings`: nothing is approved while a finding is undecided or its decision was not applied.
//! - `release.certified`: nothing is approved unless producer and recipient are certified at that instant.
//!
//! ```
//! use kiban_govern::{Actor, Employer};
//! use kiban_kernel::{Id, Timestamp};
//! use kiban_release::application::{State, Step};
//! let who = Actor::new(Id::from_bytes([1; 16]), Id::from_bytes([2; 16]), Employer::Producer, []);
//! let draft = State::after(None, &Step::Draft { version: 1 }, &who, Timestamp::UNIX_EPOCH)?;
//! let accept = Step::Accept { reason: "理由".into(), conditions: vec![] };
//! let refused = State::after(Some(&draft), &accept, &who, Timestamp::UNIX_EPOCH).unwrap_err();
//! assert_eq!(refused.ja(), "「下書き」から「提供決定」へ進めません：この状態からは進めません。");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Law
//! `committee`, `contract`, `security`, `pseudonymized.provision`

pub mod application;
pub mod approval;
pub mod contract;
pub mod finding;
pub mod manifest;
pub mod session;

mod act;
mod error;
mod store;

pub use act::{
    accept_contract, advise, amend, apply, approve, approved, decide, decide_finding,
    draw_contract, end_contract, keep_roster, record_dataset, record_findings, screen, send_back,
    sign_contract, submit, withdraw,
};
pub use approval::{Anonymized, ApprovalError, Approved, Context, Pseudonymized, Releasable};
pub use error::{ActError, StepRefused, Why};
pub use manifest::Manifest;
pub use store::{
    Taken, application, application_of, applications, approvals, approved_datasets, content,
    contents, contract, contracts, datasets, findings, manifest_note, minutes, roster, taken,
};
