//! Neutral records: what every reader of this crate hands on, whatever the source's format.
//!
//! Enters: values as the readers found them. Leaves: one [`Record`] per fact about a person, with the
//! source's own text in every field (dates and numbers too) and the place it was read from. Refuses:
//! nothing; a field the source does not fill stays `None`, nothing is ever completed or invented.
//!
//! Texts and records stand in the source's bytes or in the [`Arena`](crate::Arena) that the reader was given: nothing of
//! them is dropped, and a [`Record`] is as large as two words. `Debug` of these types names tables, positions and filled columns, never a value.

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

/// Text of a record's field: of the source itself where that is possible, else of the arena.
pub type Text<'a> = Option<&'a str>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arena;

    #[test]
    fn records_are_small_and_nothing_of_them_is_dropped() {
        assert!(size_of::<Record<'_>>() <= 16 && !std::mem::needs_drop::<Record<'_>>());
        assert!(size_of::<ClaimItemRecord<'_>>() <= 28 * 16);
        assert!(!std::mem::needs_drop::<ClaimItemRecord<'_>>());
    }

    #[test]
    fn a_record_is_made_by_the_names_of_its_columns() {
        let (from, to) = (Arena::new(), Arena::new());
        let made = |table: &str, column: &str| {
            Record::of_table(table, "line 1".into(), [(column, from.filled("C34"))], &from)
        };
        let Some(Record::Condition(condition)) = made("condition", "icd10") else { panic!() };
        assert_eq!(condition.icd10, Some("C34"));
        assert_eq!((made("condition", "teeth"), made("tooth", "icd10")), (None, None));
        let copy = Record::from(condition).copy_in(&to);
        drop(from);
        assert_eq!(format!("{copy:?}"), "condition@line 1[\"icd10\"]");
    }

    #[test]
    fn columns_and_values_agree_and_debug_shows_no_value() {
        let person = PersonRecord {
            position: "line 1".into(),
            name_kanji: Some("見本 花子"),
            ..PersonRecord::default()
        };
        let record = Record::from(&person);
        let mut seen = Vec::new();
        record.for_each(|c, v| seen.extend(v.map(|v| (c, v.to_owned()))));
        assert_eq!(seen, [("name_kanji", "見本 花子".to_owned())]);
        assert_eq!(format!("{record:?}"), "person@line 1[\"name_kanji\"]");
        assert!(Record::TABLES.len() < 32, "all tables together stay under 32");
        assert_eq!(record.columns().len(), 14);
    }
}
