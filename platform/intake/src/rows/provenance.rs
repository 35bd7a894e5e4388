//! The columns that every row begins with. All but the position are the same for all rows of a segment: they are said once
//! for the group of its rows.

use kiban_formats::Position;
use kiban_kernel::{Bases, Id, kinds};
use kiban_lake::{Repeated, Values};

use super::{Ids, RowContext, text_of};

/// Word that stands before the number of a line.
const LINE: &str = "line ";

/// Rows so far, by what they begin with.
pub(super) struct Provenance {
    person_source: Repeated,
    bases: Vec<u8>,
    holder: Repeated,
    delivery: Repeated,
    segment: Repeated,
    source_file: Repeated,
    position: Positions,
    parser: Repeated,
    /// Where each group ends.
    ends: Vec<u32>,
    /// Of which segment, of which file, under which bases the last is.
    of: Option<(Id<kinds::Segment>, u64, u8)>,
}

impl Default for Provenance {
    fn default() -> Self {
        Self {
            person_source: Repeated::default(),
            bases: Vec::new(),
            holder: Repeated::default(),
            delivery: Repeated::default(),
            segment: Repeated::unlike(),
            source_file: Repeated::default(),
            position: Positions::default(),
            parser: Repeated::default(),
            ends: Vec::new(),
            of: None,
        }
    }
}

impl Provenance {
    /// The row behind so many others.
    pub(super) fn push(
        &mut self,
        context: &RowContext<'_>,
        bases: Bases,
        ids: &mut Ids,
        at: &Position<'_>,
        rows: usize,
    ) {
        self.position.push(at);
        // A lot holds fewer rows than that: each takes more than a byte of memory.
        let end = rows as u32 + 1;
        let bases = bases.bits();
        let of = Some((context.segment, context.file_number, bases));
        if self.of == of
            && let Some(last) = self.ends.last_mut()
        {
            *last = end;
            return;
        }
        self.of = of;
        self.ends.push(end);
        self.bases.push(bases);
        self.person_source.push(text_of(&mut ids.person, context.person_source));
        self.holder.push(text_of(&mut ids.holder, context.holder));
        self.delivery.push(text_of(&mut ids.delivery, context.delivery));
        self.segment.push(text_of(&mut ids.segment, context.segment));
        self.source_file.push(context.source_file);
        self.parser.push(context.parser);
    }

    /// An empty one with room for as much.
    pub(super) fn like(&self) -> Self {
        let mut next = Self {
            person_source: self.person_source.like(),
            segment: self.segment.like(),
            ..Self::default()
        };
        next.position.numbers.reserve_exact(self.position.numbers.len() * 9 / 8);
        next
    }

    /// Where each group ends, and the columns.
    pub(super) fn finish(self) -> (Vec<u32>, [(&'static str, Values); 8]) {
        let columns = [
            ("person_source", Values::GroupText(self.person_source)),
            ("bases", Values::GroupNumber(self.bases)),
            ("holder", Values::GroupText(self.holder)),
            ("delivery", Values::GroupText(self.delivery)),
            ("segment", Values::GroupText(self.segment)),
            ("source_file", Values::GroupText(self.source_file)),
            ("position", self.position.finish()),
            ("parser", Values::GroupText(self.parser)),
        ];
        (self.ends, columns)
    }
}

/// Positions of rows: numbers of lines, as long as all are lines.
#[derive(Default)]
struct Positions {
    numbers: Vec<u64>,
    words: Option<Repeated>,
}

impl Positions {
    fn push(&mut self, at: &Position<'_>) {
        match (&mut self.words, at) {
            (None, Position::Line(number)) => self.numbers.push(*number),
            (words, at) => {
                let words = words.get_or_insert_with(Repeated::unlike);
                for number in self.numbers.drain(..) {
                    Position::Line(number).with_text(|text| words.push(text));
                }
                at.with_text(|text| words.push(text));
            }
        }
    }
    fn finish(self) -> Values {
        self.words.map_or(Values::Numbered(LINE, self.numbers), Values::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_numbers_until_something_else_comes() {
        let lines = || [Position::Line(7), Position::Line(12)];
        let mut positions = Positions::default();
        for at in &lines() {
            positions.push(at);
        }
        assert!(matches!(positions.finish(), Values::Numbered("line ", of) if of == [7, 12]));
        let mut positions = Positions::default();
        for at in &lines() {
            positions.push(at);
        }
        positions.push(&Position::from("OBX[3]"));
        positions.push(&Position::Line(1));
        assert!(matches!(positions.finish(), Values::Text(_)));
        assert_eq!(Position::Line(7).text(), format!("{LINE}7"));
    }
}
