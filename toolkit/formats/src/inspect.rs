//! What files hold, counted: segments, records by table, persons, days, defects, names of what is unread.
//!
//! Enters: files as streams. Leaves: [`Inspection`]. Refuses: a file that cannot be cut ([`CutError`]); what
//! was counted before stays. Memory: one segment, and sixteen bytes a person; independent of the size of a file.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    io::BufRead,
};

use crate::{CutError, Format, Parsed, Piece, Record, Want, cut, encoding};

/// Most names that are kept apart; the rest is counted together.
const NAMES: usize = 2_000;
/// Positions that are kept of a rule.
const POSITIONS: usize = 5;
/// Columns of days that say when something is to happen, or when somebody was born.
const NOT_EVENTS: [&str; 5] = ["birth_on", "to_on", "planned_at", "valid_from", "valid_to"];

/// How often a rule was broken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Broken {
    /// In all.
    pub count: u64,
    /// Segments in which it was.
    pub segments: u64,
    /// The first places: number of the file (from 1) and position in it.
    pub places: Vec<(u64, String)>,
}

/// What was counted.
#[derive(Clone, Default)]
pub struct Inspection {
    /// Files read.
    pub files: u64,
    /// Their bytes, expanded.
    pub bytes: u64,
    /// Segments.
    pub segments: u64,
    /// Segments that are to be put into quarantine.
    pub rejected: u64,
    /// Segments that say nothing of anybody.
    pub nobody: u64,
    /// Records by table; tables without records are left out.
    pub records: BTreeMap<&'static str, u64>,
    /// Rows, messages or resources by their names in the source's own format ([`crate::SegmentParser::kinds`]).
    pub kinds: BTreeMap<String, u64>,
    /// Files by encoding.
    pub encodings: BTreeMap<&'static str, u64>,
    /// Names of what is not read, with how many segments hold it.
    pub unread: BTreeMap<String, u64>,
    /// Defects by rule; [`crate::rule_ja`] has their sentences.
    pub issues: BTreeMap<&'static str, Broken>,
    persons: HashSet<u128>,
    days: Option<(u32, u32)>,
}

impl std::fmt::Debug for Inspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Inspection({} files, {} segments)", self.files, self.segments)
    }
}

impl Inspection {
    /// Different keys of persons.
    pub fn persons(&self) -> u64 {
        self.persons.len() as u64
    }
    /// First and last day of an event, as `YYYYMMDD`; days that are only partly known are left out.
    pub fn days(&self) -> Option<(u32, u32)> {
        self.days
    }

    /// Reads a file. `path` is its path in its tree; `number` is what places of defects name; `progress` hears the
    /// bytes of each piece.
    ///
    /// # Errors
    /// The file cannot be cut; what was read before stays counted.
    pub fn read(
        &mut self,
        format: Format,
        path: &str,
        number: u64,
        mut input: impl BufRead,
        max_bytes: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), CutError> {
        let first = input.fill_buf().map_err(CutError::Io)?;
        *self.encodings.entry(encoding(format, first)).or_default() += 1;
        self.files += 1;
        cut(format, path, input, max_bytes, Want::All, |piece| {
            match piece {
                Piece::Header(bytes) => self.bytes += bytes.len() as u64,
                Piece::Remark(parsed) => self.note(&parsed, number),
                Piece::Segment(unit) => {
                    let bytes = unit.bytes.len() as u64;
                    self.bytes += bytes;
                    progress(bytes);
                    self.segment(&unit.parsed, number);
                    if let Some(parser) = unit.parser {
                        parser.kinds(unit.bytes, |kind| self.kind(kind));
                    }
                }
            }
            Ok(())
        })
    }

    fn segment(&mut self, parsed: &Parsed<'_>, number: u64) {
        self.segments += 1;
        self.note(parsed, number);
        if parsed.rejected {
            self.rejected += 1;
            return;
        }
        match parsed.person {
            Some(person) => {
                self.persons.insert(key(person));
            }
            None => self.nobody += 1,
        }
        for record in &parsed.records {
            *self.records.entry(record.table()).or_default() += 1;
            self.days_of(record);
        }
    }

    fn kind(&mut self, kind: &str) {
        let known = self.kinds.len() < NAMES || self.kinds.contains_key(kind);
        let kind = if known { kind } else { "(other)" };
        match self.kinds.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.kinds.insert(kind.to_owned(), 1);
            }
        }
    }

    fn days_of(&mut self, record: &Record<'_>) {
        record.for_each(|column, value| {
            if !(column.ends_with("_on") || column.ends_with("_at")) || NOT_EVENTS.contains(&column)
            {
                return;
            }
            if let Some(day) = value.and_then(day) {
                let (from, to) = self.days.unwrap_or((day, day));
                self.days = Some((from.min(day), to.max(day)));
            }
        });
    }

    fn note(&mut self, parsed: &Parsed<'_>, number: u64) {
        let mut before = "";
        for issue in &parsed.issues {
            let broken = self.issues.entry(issue.rule).or_default();
            broken.count += u64::from(issue.count);
            broken.segments += u64::from(before != issue.rule);
            before = issue.rule;
            if broken.places.len() < POSITIONS {
                broken.places.push((number, issue.position.to_string()));
            }
        }
        for name in &parsed.unread {
            let known = self.unread.len() < NAMES || self.unread.contains_key(name.as_ref());
            let name = if known { name.as_ref() } else { "(other)" };
            match self.unread.get_mut(name) {
                Some(count) => *count += 1,
                None => {
                    self.unread.insert(name.to_owned(), 1);
                }
            }
        }
    }
}

fn key(person: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, person).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// `YYYYMMDD…`, `YYYY-MM-DD…`, `YYYY/MM/DD…` or `GYYMMDD` as a number; `None` for anything else.
fn day(text: &str) -> Option<u32> {
    let bytes = text.trim().as_bytes();
    let number = |from: usize, len: usize| -> Option<u32> {
        bytes
            .get(from..from + len)?
            .iter()
            .try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
    };
    let separated = bytes.len() >= 10 && matches!(bytes[4], b'-' | b'/') && bytes[4] == bytes[7];
    let (year, month, date) = if separated {
        (number(0, 4)?, number(5, 2)?, number(8, 2)?)
    } else if bytes.len() == 7 {
        let base = match bytes[0] {
            b'1' => 1867,
            b'2' => 1911,
            b'3' => 1925,
            b'4' => 1988,
            b'5' => 2018,
            _ => return None,
        };
        (base + number(1, 2)?, number(3, 2)?, number(5, 2)?)
    } else {
        (number(0, 4)?, number(4, 2)?, number(6, 2)?)
    };
    let real =
        (1800..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&date);
    real.then_some(year * 10_000 + month * 100 + date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_every_shape_and_nothing_else() {
        assert_eq!(day("20240410"), Some(20_240_410));
        assert_eq!(day("202404101230"), Some(20_240_410));
        assert_eq!(day("2024-04-10T01:00:00+09:00"), Some(20_240_410));
        assert_eq!(day("2024/04/10"), Some(20_240_410));
        assert_eq!(day("5060410"), Some(20_240_410));
        for text in ["", "2024", "202404", "00000000", "99999999", "2024-04", "9060410", "令和6年"]
        {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn a_line_is_counted_once_with_its_defects_and_its_person() {
        let mut found = Inspection::default();
        let lines = "宛名番号,死亡年月日,死因コード\n1,20240101,C34\n1,20240301,C34\n,1,1\n";
        let mut told = 0;
        found
            .read(Format::MunicipalCsv, "d.csv", 1, lines.as_bytes(), 1 << 20, &mut |n| told += n)
            .unwrap();
        assert_eq!((found.segments, found.rejected, found.persons()), (3, 1, 1));
        assert_eq!(found.records["death"], 2);
        assert_eq!(found.kinds, BTreeMap::from([("死亡".to_owned(), 3)]));
        assert_eq!(found.days(), Some((20_240_101, 20_240_301)));
        assert_eq!(found.encodings["UTF-8"], 1);
        assert_eq!((found.bytes, told < found.bytes), (lines.len() as u64, true));
        assert_eq!(found.issues.values().map(|b| b.segments).sum::<u64>(), 1);
    }
}
