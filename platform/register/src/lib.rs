//! Who may give what, who was told, who said no, and who is who.
//!
//! Enters: organizations, certifications, filings, notice versions, accounts, stop requests with the
//! holder's receipt; facts of persons from a delivery. Leaves: a [`Decision`] per person and table kind,
//! person ids, [`Cleared`] records of one regime, signed proof of a stop. Refuses: entrustment without
//! permission, a notice that lacks a statutory item, records while a stop waits for the vault.
//!
//! # Guarantee
//! - `register.gate`: no record without notice under the regime, wait and filing passes; held on day 30,
//!   passing on day 31.
//! - `register.regimes`: what is decided under one regime does not depend on the other's facts.
//! - `register.returned`: a notice whose letter came back counts for nothing; one whose version changes what must be told
//!   beforehand counts only from the day after persons and ministers were told.
//! - `register.stopped`: after all stores acknowledged, a stopped person's rows are in none of them, and
//!   the same person sent again is refused.
//! - `register.open`: a store that does not answer keeps the stop open; nothing is cleared before the
//!   vault answered.
//! - `register.withdrawn`: after a withdrawn stop only what arose since a new notice passes, after its wait.
//! - `register.proof`: a proof sheet holds from its text and the public key alone, and no changed one does.
//! - `register.replayed`: the log of persons, replayed, gives the links.
//! - `register.link-keys`: two provisions share no key and no row id.
//! - `register.same-person`: a person keeps the oldest member's id through merges.
//! - `register.no-values`: the register's tables hold no name and no number of a person in the clear.

pub mod account;
pub mod certification;
pub mod cleared;
pub mod correction;
pub mod entrustment;
pub mod filing;
pub mod gate;
pub mod handler;
pub mod keys;
pub mod link;
pub mod link_key;
pub mod notice;
pub mod notice_change;
pub mod notice_return;
pub mod organization;
pub mod person_notice;
pub mod slot;
pub mod stop;
mod store;

pub use account::Account;
pub use cleared::{Anon52, Basis, ClearError, Cleared, Pseudo57};
pub use entrustment::{EntrustError, Entrustment};
pub use filing::{AcquisitionCheck, Filing};
pub use gate::{Decision, Gate, Judged, PersonFacts, PersonGate};
pub use keys::RegisterKeys;
pub use notice::{ChangeClass, NoticeVersion, StatutoryItems};
pub use organization::{Organization, OrganizationKind};
pub use person_notice::PersonNotice;
pub use stop::{Ack, EraseError, Erases, ErasureOrder, Stop, StopError, StopRequest};
pub use store::StoreError;
