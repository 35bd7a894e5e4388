//! Packing, sealing, handing over, opening, erasing datasets.
//!
//! Enters: an [`Approved`](kiban_release::Approved) dataset and its payload. Leaves: a package sealed to one
//! key, a signed manifest beside it, a delivery record, a notice for the recipient. Refuses: a payload that
//! is not the one approved, a route the Act does not allow, a second delivery of the same dataset, a recipient
//! without a registered key.
//!
//! `packages/<dataset>/package.age` is a tar (manifest first, then the files in order of their paths), sealed
//! with age; `packages/<dataset>/manifest.note` names its digest. Both are written under a temporary name, made
//! durable and renamed before the one transaction that records them; what no committed row names is collected.
//! A type II user's data are sealed to the producer's environment key and stay there: the user gets a notice.
//!
//! # Guarantee
//! - `deliver.approved`: only an approved dataset is packed, judged again inside the recording transaction, and
//!   only with the very payload that was approved.
//! - `deliver.certified`: pseudonymized data are sealed for certified users only, a type II user's to the
//!   environment key of the producer.
//! - `deliver.payload`: the same files give the same payload digest and the same tar; seals differ.
//! - `deliver.whole`: a process ended at any step leaves a delivery that is wholly there or not at all.
//! - `deliver.open`: what is opened is exactly what was packed; anything changed, cut, added or pointing outside
//!   the folder is refused and leaves nothing behind.
//! - `deliver.verify`: a changed, missing, swapped or foreign package or manifest is named.
//!
//! ```no_run
//! use std::path::Path;
//! // what a recipient does
//! let opened = kiban_deliver::open(
//!     Path::new("package.age"), Path::new("recipient.key"), Path::new("opened"), None,
//! )?;
//! assert!(opened.out.join("dictionary.csv").exists());
//! # Ok::<(), kiban_deliver::OpenError>(())
//! ```
//!
//! # Law
//! `pseudonymized.provision`, `books`, `erasure`

mod archive;
mod durable;
mod error;
mod hand_over;
mod open;
mod package;
mod payload;
pub mod recipient;
mod store;
mod verify;

pub use error::{DeliverError, KeyError, OpenError, PayloadError};
pub use hand_over::{Collected, Delivered, Delivery, Packages, seal_copy};
pub use open::{Opened, open};
pub use package::{PackageFact, PackageManifest};
pub use payload::{Licence, Payload, PayloadFile};
pub use store::{DeliveryRow, deliveries, delivery, public_key};
pub use verify::{Finding, PackagesVerified, VerifyError, verify_packages};
