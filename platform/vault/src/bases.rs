//! Which tables a segment's rows went to, and under which regimes: one small value per segment.

use std::fmt;

use kiban_formats::Record;
use kiban_kernel::Bases;

/// Two bits per canonical table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct TableBases(u64);

/// The first of the two bits of every table.
const FIRST: u64 = 0x5555_5555_5555_5555;

fn shift(table: &str) -> Option<u32> {
    Record::TABLES.iter().position(|t| *t == table).map(|i| 2 * i as u32)
}

impl TableBases {
    pub(crate) fn get(self, table: &str) -> Bases {
        shift(table).map_or(Bases::NONE, |s| Bases::from_bits((self.0 >> s) as u8))
    }

    pub(crate) fn add(&mut self, table: &str, bases: Bases) {
        if let Some(s) = shift(table) {
            self.0 |= u64::from(bases.bits()) << s;
        }
    }

    /// As [`Self::add`], to the table at a place in [`Record::TABLES`].
    pub(crate) fn add_at(&mut self, place: usize, bases: Bases) {
        self.0 |= u64::from(bases.bits()) << (2 * place);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Of the table at a place in [`Record::TABLES`].
    pub(crate) fn at(self, place: usize) -> Bases {
        Bases::from_bits((self.0 >> (2 * place)) as u8)
    }

    /// Of every table.
    pub(crate) fn all(self) -> Bases {
        let first = u8::from(self.0 & FIRST != 0);
        let second = u8::from(self.0 & (FIRST << 1) != 0);
        Bases::from_bits(first | second << 1)
    }

    /// Without the regimes of `bases`.
    pub(crate) fn without(self, bases: Bases) -> Self {
        Self(self.0 & !(FIRST * u64::from(bases.bits())))
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut out = Self::default();
        for part in text.split_whitespace() {
            let (table, bits) = part.split_once(':')?;
            shift(table)?;
            out.add(table, Bases::from_bits(bits.parse().ok()?));
        }
        Some(out)
    }
}

/// `condition:1 measurement:3`
impl fmt::Display for TableBases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (place, table) in Record::TABLES.iter().enumerate() {
            let bases = self.at(place);
            if !bases.is_empty() {
                write!(f, "{between}{table}:{}", bases.bits())?;
                between = " ";
            }
        }
        Ok(())
    }
}

/// The regimes of `a` that are not in `b`.
pub(crate) fn minus(a: Bases, b: Bases) -> Bases {
    Bases::from_bits(a.bits() & !b.bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_regimes_stay_apart() {
        assert!(Record::TABLES.len() <= 32, "two bits each");
        let mut bases = TableBases::default();
        bases.add("condition", Bases::from_bits(1));
        bases.add("measurement", Bases::BOTH);
        assert_eq!(bases.to_string(), "condition:1 measurement:3");
        assert_eq!(TableBases::from_text(&bases.to_string()), Some(bases));
        assert_eq!(bases.all(), Bases::BOTH);
        let left = bases.without(Bases::from_bits(1));
        assert_eq!(left.to_string(), "measurement:2");
        assert_eq!(TableBases::from_text("wallet:1"), None);
        assert_eq!(bases.get("wallet"), Bases::NONE);
        for (place, table) in Record::TABLES.iter().enumerate() {
            assert_eq!(bases.at(place), bases.get(table));
        }
    }
}
