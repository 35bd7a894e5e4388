//! Pure decisions of the Act: who may do what, who is certified, what may be collected, whether the
//! committee can advise, to whom which product may go.
//!
//! Enters: facts that others looked up, and the dated [`Rules`](kiban_kernel::Rules). Leaves: a decision,
//! or a typed proof of it ([`Permit`], [`committee::Session`], [`certification::PseudoUser`],
//! [`two_person::Approvers`]) that cannot be made elsewhere. Refuses: everything not expressly allowed;
//! each refusal names what is missing in English (`Display`), in Japanese (`ja`) and by law key (`law`).
//! No I/O, no clock, no values of records.
//!
//! # Guarantee
//! - `govern.table`: an act is permitted only by the one table; trustee staff never approve a release
//!   nor open identified data.
//! - `govern.wait`: nothing passes the gate on or before the last day of the wait, for any notice date.
//! - `govern.regimes`: the decision under one regime does not depend on facts of the other.
//! - `govern.committee`: no session without categories ①②③ present, a majority, and plural ④.
//! - `govern.two_persons`: a release is approved by distinct natural persons of the producer's own staff.
//! - `govern.blind_checks`: an output leaves on two equal votes of distinct persons alone, of whom none asked for it.
//! - `govern.entitled`: staff of the producer and its trustees sign in only while they are on the list of notified
//!   handlers, with training in date, to the day.
//! - `govern.matrix`: pseudonymized data go to an effective certified user only; a type II user's data
//!   stay in the producer's environment.
//!
//! ```
//! use kiban_govern::{Act, Actor, Employer, Role, permit};
//! use kiban_kernel::Id;
//! let actor = Actor::new(Id::from_bytes([1; 16]), Id::from_bytes([2; 16]), Employer::Trustee, [Role::ReleaseApprover]);
//! let refused = permit(&actor, Act::ApproveRelease).unwrap_err();
//! assert!(refused.ja().contains("受託事業者"));
//! ```

pub mod certification;
pub mod committee;
pub mod delivery;
pub mod entitlement;
pub mod gate;
pub mod output_check;
pub mod slot;
pub mod track;
pub mod two_person;

mod act;
mod permit;
mod role;

pub use act::Act;
pub use permit::{Permit, Refusal, RefusalReason, permission_table, permit};
pub use role::{Actor, Employer, HandlerNo, Role};

use kiban_kernel::LawKey;

/// The law key of a constant name; `None` only if `docs/law.toml` lost it, which a test refuses.
pub(crate) fn law_key(name: &'static str) -> Option<LawKey> {
    LawKey::new(name).ok()
}
