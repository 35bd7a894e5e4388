//! Health-data formats of Japan, from bytes to neutral records.
//!
//! Enters: bytes of one segment (a file of an SS-MIX2 tree, a check-up or MML file, a line of FHIR NDJSON, a
//! row of a municipal or care CSV, the rows of one claim or one stay, a whole notebook); [`cut()`] makes them
//! of a file. Leaves: [`Parsed`]: the holder's key of the person, [`Record`]s whose fields are the source's
//! own text, [`Issue`]s (defects, never a value), and the names of what was not read. Refuses: nothing
//! silently; a segment that cannot be trusted is `rejected` with its reasons, and then has neither person
//! nor records. No clock, no guessing: a field the source does not fill stays empty.
//!
//! ```
//! let line = br#"{"resourceType":"Procedure","subject":{"reference":"Patient/p1"},"code":{"text":"x"}}"#;
//! let arena = kiban_formats::Arena::new();
//! let parsed = kiban_formats::fhir::parse_line(line, 1, &arena);
//! assert_eq!(parsed.person, Some("p1"));
//! assert_eq!(parsed.records[0].table(), "procedure");
//! ```
//!
//! # Guarantee
//! - `formats.total`: any bytes give records, issues or names of what is unread; nothing panics.
//! - `formats.truth`: an SS-MIX2 tree of a third party gives exactly the diagnoses, results and drugs that
//!   went into it.
//! - `formats.lossless`: a message, a claims or survey file, a JAHIS text that is read and written back has
//!   the same bytes.
//! - `formats.kept`: a filled field of a claim, a survey row or a JAHIS record stands in a record, or its
//!   record or field is named as unread.
//! - `formats.counted`: files that an independent writer built from the field tables give the records it counted.
//! - `formats.silent`: neither issues nor `Debug` show a value of the source.

mod arena;
pub mod care;
pub mod checkup;
mod cut;
mod decimal;
pub mod delimited;
mod detect;
pub mod dpc;
pub mod fhir;
pub mod inspect;
pub mod jahis;
mod layout;
mod lines;
pub mod mapped;
pub mod mml;
pub mod municipal;
pub mod ordered;
pub mod out;
mod parsed;
pub mod phr;
mod position;
pub mod record;
mod row_view;
mod rule;
pub mod segment;
pub mod source;
pub mod ssmix2;
mod text;
pub mod uke;
mod words;
pub mod xml;

pub use arena::Arena;
pub use cut::{
    CutError, Piece, RawPiece, RawUnit, SegmentCount, SegmentParser, Unit, Want, cut, cut_keyed,
    cut_raw, encoding,
};
pub use detect::{Format, detect};
pub use layout::{Field, RecordLayout};
pub use lines::{Line, LineError, LineReader, MAX_LINE_BYTES};
pub use position::Position;
pub use record::{Issue, Parsed, Record};
pub use rule::{RULES, rule_ja};
pub use text::{Quantity, holds_my_number, quantity};
