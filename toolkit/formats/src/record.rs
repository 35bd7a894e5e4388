//! Neutral records: what every reader of this crate hands on, whatever the source's format.
//!
//! Enters: values as the readers found them. Leaves: one [`Record`] per fact about a person, with the
//! source's own text in every field (dates and numbers too) and the place it was read from. Refuses:
//! nothing; a field the source does not fill stays `None`, nothing is ever completed or invented.
//!
//! `Debug` of these types names tables, positions and filled columns, never a value.

use std::borrow::Cow;

mod billing;
mod clinical;
mod define;
mod public;
mod tables;

pub use billing::*;
pub use clinical::*;
pub use public::*;
pub use tables::*;

pub use crate::parsed::{Issue, Parsed};

/// Text of a record's field: borrowed from the source where that is possible.
pub type Text<'a> = Option<Cow<'a, str>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_values_agree_and_debug_shows_no_value() {
        let record = Record::from(PersonRecord {
            position: "line 1".into(),
            name_kanji: Some("見本 花子".into()),
            ..PersonRecord::default()
        });
        let mut seen = Vec::new();
        record.for_each(|c, v| seen.extend(v.map(|v| (c, v.to_owned()))));
        assert_eq!(seen, [("name_kanji", "見本 花子".to_owned())]);
        assert_eq!(format!("{record:?}"), "person@line 1[\"name_kanji\"]");
        assert!(Record::TABLES.len() < 32, "all tables together stay under 32");
        assert_eq!(record.columns().len(), 14);
    }
}
