//! Records become rows: first each record's values are laid out by column, then column after column is taken in. A column's
//! values are alike, and what they are compared with stays at hand.

use kiban_formats::Record;
use kiban_kernel::Date;

use super::{
    DAY, RowContext,
    table::{Part, ReadValue, Slot, TableBuilder, Typed},
};
use crate::{
    moments::days_since_epoch,
    place::FileRef,
    quality::{END_BEFORE_START, FUTURE, Quality},
    validation::class_of,
};

/// No moment.
const NONE: i64 = i64::MIN;

/// A segment whose records are to become rows.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'p, B> {
    /// What every row carries.
    pub context: RowContext<'p>,
    /// What the segment says.
    pub records: &'p [Record<'p>],
    /// Regimes of the table at a place of [`Record::TABLES`]; none, and its records are passed over.
    pub bases: B,
}

/// Values of a column, each with the place of its row.
pub(super) type Cells<'p> = Vec<(u32, &'p str)>;

/// The same lists with nothing in them, for values that live for another time: their memory is used again.
pub(super) fn emptied<'b>(cells: Vec<Cells<'_>>) -> Vec<Cells<'b>> {
    let empty = |mut cells: Cells<'_>| {
        cells.clear();
        // Of no value: the list only gets another type, in place.
        cells.into_iter().map(|(row, _)| (row, "")).collect()
    };
    cells.into_iter().map(empty).collect()
}

/// Segments whose records are being taken in.
pub(super) struct Pushed<'p, B> {
    pub(super) segments: &'p [Kept<'p, B>],
    pub(super) quality: &'p mut Quality,
    pub(super) received_on: Date,
    /// Defects, in the order in which they were found.
    pub(super) noted: Vec<Noted>,
}

/// Which record of which segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    pub(super) segment: u32,
    pub(super) record: u32,
}

/// A defect of a record.
pub(super) struct Noted {
    origin: Origin,
    /// Its column's place; behind the last for what is no column's.
    column: usize,
    name: Option<&'static str>,
    rule: &'static str,
}

impl<'p, B> Pushed<'p, B> {
    fn segment(&self, origin: Origin) -> &'p Kept<'p, B> {
        &self.segments[origin.segment as usize]
    }
    fn record(&self, origin: Origin) -> Record<'p> {
        self.segment(origin).records[origin.record as usize]
    }

    /// Counts the defects in the order of the records.
    pub(super) fn count_defects(mut self) {
        self.noted.sort_by_key(|noted| (noted.origin, noted.column));
        for Noted { origin, name, rule, .. } in std::mem::take(&mut self.noted) {
            let (record, context) = (self.record(origin), &self.segment(origin).context);
            self.quality.add(rule, 1, || {
                let (at, table) = (record.position(), record.table());
                let position = match name {
                    Some(column) => format!("{at} {table}.{column}"),
                    None => format!("{at} {table}"),
                };
                (FileRef::new(context.file_number, context.source_file), position)
            });
        }
    }

    fn note_visit(&mut self, part: Part, micros: i64, origin: Origin) {
        let dated = matches!(part, Part::Birth | Part::Visit);
        let Some(day) = dated.then(|| day_of(micros)).flatten() else { return };
        let RowContext { person, file_number, line, .. } = self.segment(origin).context;
        match part {
            Part::Birth => self.quality.birth(person, day),
            _ => self.quality.visit(person, day, file_number, line),
        }
    }

    /// The class of the person that a record tells of.
    fn note_class(&mut self, origin: Origin) {
        let Record::Person(person) = self.record(origin) else { return };
        let birth = person.birth_on.and_then(|t| kiban_kernel::parse_date(t).ok());
        let class = class_of(person.sex, birth, self.received_on);
        self.quality.class(self.segment(origin).context.person, class);
    }
}

impl TableBuilder {
    /// Takes the values of the rows in that were begun for these segments.
    pub(super) fn fill<B>(&mut self, cells: &[Cells<'_>], pushed: &mut Pushed<'_, B>) {
        let begun = std::mem::take(&mut self.begun);
        let first = self.rows - begun.len();
        // Only a table that tells of a beginning and of an end has periods.
        let mut periods = vec![(NONE, NONE); if self.periods { begun.len() } else { 0 }];
        let received = i64::from(days_since_epoch(pushed.received_on));
        for (column, (slot, cells)) in self.slots.iter_mut().zip(cells).enumerate() {
            slot.push(cells);
            if slot.defective > 0 {
                for (row, rule) in slot.defects(cells) {
                    slot.unreadable += u64::from(rule.ends_with("unreadable"));
                    let (origin, name) = (begun[row - first], Some(slot.column));
                    pushed.noted.push(Noted { origin, column, name, rule });
                }
            }
            if !matches!(slot.typed, Typed::Date | Typed::Stamp) {
                continue;
            }
            let (mut moments, mut ahead) = (0, 0);
            for (row, micros) in slot.moments(cells) {
                let origin = begun[row - first];
                moments += 1;
                if !slot.part.may_lie_ahead() && micros.div_euclid(DAY) > received {
                    ahead += 1;
                    let (name, rule) = (Some(slot.column), FUTURE);
                    pushed.noted.push(Noted { origin, column, name, rule });
                }
                if let Some((start, end)) = periods.get_mut(row - first) {
                    if slot.part.begins() {
                        *start = micros;
                    } else if slot.part.ends() {
                        *end = micros;
                    }
                }
                pushed.note_visit(slot.part, micros, origin);
            }
            if !slot.part.may_lie_ahead() {
                pushed.quality.tally(&mut self.future, moments, ahead);
            }
        }
        self.judge_periods(&periods, &begun, pushed);
        if self.name == kiban_formats::record::PersonRecord::TABLE {
            for origin in &begun {
                pushed.note_class(*origin);
            }
        }
        self.begun = begun;
        self.begun.clear();
    }

    /// A day without a time is its midnight: days are compared, unless both carry a time.
    fn judge_periods<B>(
        &mut self,
        periods: &[(i64, i64)],
        begun: &[Origin],
        pushed: &mut Pushed<'_, B>,
    ) {
        let (mut whole, mut backward) = (0, 0);
        for ((start, end), origin) in periods.iter().zip(begun) {
            if *start == NONE || *end == NONE {
                continue;
            }
            whole += 1;
            if end.div_euclid(DAY) < start.div_euclid(DAY) {
                backward += 1;
                let (column, rule) = (usize::MAX, END_BEFORE_START);
                pushed.noted.push(Noted { origin: *origin, column, name: None, rule });
            }
        }
        pushed.quality.tally(&mut self.backward, whole, backward);
    }
}

fn day_of(micros: i64) -> Option<Date> {
    jiff::Timestamp::from_microsecond(micros)
        .ok()
        .map(|t| jiff::tz::Offset::UTC.to_datetime(t).date())
}

impl Slot {
    fn push(&mut self, cells: &[(u32, &str)]) {
        self.text.push_all(cells);
        self.filled += cells.len() as u64;
        if self.typed != Typed::None {
            for place in self.read.len()..self.text.values() {
                let read = self.typed.read(self.text.text(place));
                self.defective += usize::from(read.defect.is_some());
                self.read.push(read);
            }
        }
    }

    /// What the values of these rows were read as.
    fn readings(&self, cells: &[(u32, &str)]) -> impl Iterator<Item = (usize, &ReadValue)> {
        let keys = self.text.keys();
        cells.iter().map(move |(row, _)| (*row as usize, &self.read[keys[*row as usize] as usize]))
    }
    fn moments(&self, cells: &[(u32, &str)]) -> impl Iterator<Item = (usize, i64)> {
        self.readings(cells).filter_map(|(row, read)| Some((row, read.micros?)))
    }
    fn defects(&self, cells: &[(u32, &str)]) -> Vec<(usize, &'static str)> {
        self.readings(cells).filter_map(|(row, read)| Some((row, read.defect?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emptied_lists_keep_their_memory() {
        let text = "value".to_owned();
        let kept: Vec<Cells<'static>> = emptied(vec![vec![(1, text.as_str()); 1000], Vec::new()]);
        assert!(kept[0].is_empty() && kept[0].capacity() >= 1000);
        assert_eq!(kept.len(), 2);
    }
}
