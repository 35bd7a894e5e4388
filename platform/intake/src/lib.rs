//! Sealed deliveries: made at the data holder, opened and checked at the producer, turned into typed rows.
//!
//! **Enters**: at the holder, its files and its lists of notices and stop requests ([`holder`]); at the
//! producer, a sealed file ([`open_seal`]). **Leaves**: segments with the bytes as sent and what they say
//! ([`Incoming`], [`Checked::segments`]), rows in the lake's schemas ([`rows`]), a report ([`report`]), a signed receipt
//! ([`receipt`]). **Refuses**: to seal anybody the gate does not clear; to open anything that was cut,
//! altered, signed by another, or built to harm ([`ReceiveError`]). Who may be kept at the producer is
//! decided in `register`; nothing is stored here but the record of the delivery ([`store`]).
//!
//! # Guarantee
//! - `intake.same-bytes`: the bytes accepted are the bytes the holder sealed, file by file, segment by segment.
//! - `intake.any-change-refused`: a sealed file with any byte changed, cut at any place or lengthened is refused.
//! - `intake.withheld-never-leave`: of a person the gate does not clear no byte is in the sealed file.
//! - `intake.twice-is-once`: the same sealed file received again changes nothing.
//! - `intake.crash`: sealing that ends at any step leaves nothing, or a whole delivery with its record.
//! - `intake.bounded`: a long line, an expanding archive, a hostile path or entry is refused with its own
//!   error while memory stays bounded; nothing decrypted touches the disk.
//! - `intake.no-values`: errors, reports and receipts name positions, counts and rules, never values.
//!
//! # Law
//! `notice.wait`, `stop`, `provision_record`, `receipt_record`, `my_number`

mod bundle;
mod error;
pub mod holder;
mod limits;
pub mod manifest;
pub mod mapping;
mod moments;
pub mod notices;
mod place;
pub mod plain;
pub mod quality;
pub mod receipt;
pub mod report;
pub mod revisions;
pub mod rows;
mod seal;
mod segment;
mod segment_id;
pub mod store;
mod text_check;
pub mod thresholds;
pub mod validation;

pub use error::ReceiveError;
pub use holder::SealError;
pub use kiban_formats::{Format, source};
pub use limits::Limits;
pub use place::FileRef;
pub use quality::rule_ja;
pub use receipt::ReceiptError;
pub use rows::RowsError;
pub use seal::{
    Checked, Incoming, KnownHolder, Opened, Segment, SegmentPosition, Walked, open_seal,
    open_seal_within,
};
pub use segment::{format_name, format_of};
pub use segment_id::SegmentIds;
pub use store::StoreError;
