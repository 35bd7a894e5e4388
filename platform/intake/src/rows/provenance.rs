//! The columns that every row begins with. All but the position are the same for all rows of a segment: they are said once
//! for the group of its rows.

use kiban_formats::Position;
use kiban_kernel::{Bases, Id, kinds};
use kiban_lake::{Repeated, Values};

use super::{COMMON, Ids, RowContext, text_of};

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
    /// Of what the last is, under which bases.
    of: Option<(Context, u8)>,
}

/// What tells a group from the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Context {
    person: Id<kinds::PersonSource>,
    delivery: Id<kinds::Delivery>,
    segment: Id<kinds::Segment>,
    file: u64,
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
    /// A row of the group that was begun.
    pub(super) fn push(&mut self, at: &Position<'_>) {
        self.position.push(at);
    }

    /// The rows to come are of this segment.
    pub(super) fn begin(&mut self, context: &RowContext<'_>, bases: Bases, ids: &mut Ids) {
        let bases = bases.bits();
        let RowContext { person_source, delivery, segment, file_number, .. } = *context;
        let of = Context { person: person_source, delivery, segment, file: file_number };
        let before = self.of.replace((of, bases));
        if before == self.of {
            // The group goes on.
            self.ends.pop();
            return;
        }
        self.bases.push(bases);
        self.segment.push(text_of(&mut ids.segment, segment));
        let before = before.map(|(of, _)| of);
        match before {
            Some(before) if before.person == person_source => self.person_source.push_again(),
            _ => _ = self.person_source.push(text_of(&mut ids.person, person_source)),
        }
        match before {
            // A delivery is one holder's, a file has one path and one reader.
            Some(before) if (before.delivery, before.file) == (delivery, file_number) => {
                for column in
                    [&mut self.holder, &mut self.delivery, &mut self.source_file, &mut self.parser]
                {
                    column.push_again();
                }
            }
            _ => {
                self.holder.push(text_of(&mut ids.holder, context.holder));
                self.delivery.push(text_of(&mut ids.delivery, delivery));
                self.source_file.push(context.source_file);
                self.parser.push(context.parser);
            }
        }
    }

    /// The group that was begun ends behind so many rows of the table.
    pub(super) fn end(&mut self, rows: usize) {
        // A lot holds fewer rows than that: each takes more than a byte of memory.
        self.ends.push(rows as u32);
    }

    /// An empty one in the memory of what [`Self::finish`] gave away: the columns, in its order.
    pub(super) fn emptied(mut ends: Vec<u32>, columns: impl IntoIterator<Item = Values>) -> Self {
        ends.clear();
        let mut columns = columns.into_iter();
        let mut next = Self { ends, ..Self::default() };
        let text = |into: &mut Repeated, from: Option<Values>| {
            if let Some(Values::GroupText(text)) = from {
                *into = text.emptied();
            }
        };
        text(&mut next.person_source, columns.next());
        if let Some(Values::GroupNumber(mut bases)) = columns.next() {
            bases.clear();
            next.bases = bases;
        }
        text(&mut next.holder, columns.next());
        text(&mut next.delivery, columns.next());
        text(&mut next.segment, columns.next());
        text(&mut next.source_file, columns.next());
        if let Some(Values::Numbered(_, mut numbers)) = columns.next() {
            numbers.clear();
            next.position.numbers = numbers;
        }
        text(&mut next.parser, columns.next());
        next
    }

    /// Where each group ends, and the columns.
    pub(super) fn finish(self) -> (Vec<u32>, [(&'static str, Values); COMMON.len()]) {
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

    fn texts(values: &Values) -> Vec<&str> {
        let Values::GroupText(texts) = values else { panic!("not of groups") };
        texts.keys().iter().map(|key| texts.text(*key as usize)).collect()
    }

    /// Person, delivery, file, segment, rows of each; what each group says afterwards.
    #[test]
    fn what_is_said_again_is_said_of_each_group() {
        let said =
            [(1, 1, 0, 1, 2), (1, 1, 0, 2, 1), (2, 1, 0, 3, 3), (2, 1, 1, 4, 1), (2, 1, 1, 4, 1)];
        let (mut provenance, mut ids, mut rows) = (Provenance::default(), Ids::default(), 0);
        for (person, delivery, file, segment, of) in said {
            let context = RowContext {
                person_source: Id::from_bytes([person; 16]),
                person: kiban_lake::id_table::Place::NONE,
                holder: Id::from_bytes([9; 16]),
                delivery: Id::from_bytes([delivery; 16]),
                segment: Id::from_bytes([segment; 16]),
                source_file: if file == 0 { "a" } else { "b" },
                file_number: file,
                line: 1,
                parser: "p",
            };
            provenance.begin(&context, Bases::BOTH, &mut ids);
            (0..of).for_each(|_| provenance.push(&Position::Line(1)));
            rows += of;
            provenance.end(rows);
        }
        let (ends, columns) = provenance.finish();
        assert_eq!(ends, [2, 3, 6, 8]);
        let column = |name: &str| &columns.iter().find(|(of, _)| *of == name).unwrap().1;
        let name = |byte: u8| Id::<kinds::PersonSource>::from_bytes([byte; 16]).to_string();
        assert_eq!(texts(column("person_source")), [1, 1, 2, 2].map(name));
        assert_eq!(texts(column("source_file")), ["a", "a", "a", "b"]);
        assert_eq!(texts(column("parser")), ["p"; 4]);
        let segment = |byte: u8| Id::<kinds::Segment>::from_bytes([byte; 16]).to_string();
        assert_eq!(texts(column("segment")), [1, 2, 3, 4].map(segment));
        assert!(matches!(column("bases"), Values::GroupNumber(all) if all.len() == 4));
    }

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
