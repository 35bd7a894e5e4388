//! Fields without a role, row after row: rows that follow each other mostly say the same in them.

use super::RowView;
use crate::{parsed::Parsed, record::Text};

/// What the row before said in the fields that are kept by their number.
#[derive(Default)]
pub(crate) struct Again<'a> {
    /// How many fields the row has.
    cells: usize,
    /// Its fields without a role as they stand, those side by side together.
    runs: Vec<&'a [u8]>,
    /// What was made of them.
    list: String,
    /// The last whole list that was made.
    made: Text<'a>,
}

impl<'a> RowView<'a, '_> {
    /// As [`RowView::keep`] without a prefix, for the rows of one segment and one layout.
    pub(crate) fn keep_again(
        &self,
        before: &mut Again<'a>,
        into: &mut String,
        out: &mut Parsed<'a>,
    ) {
        let runs = self.layout.kept_runs();
        if self.cells.len() > self.layout.beyond() || runs.iter().any(|run| !self.in_order(run)) {
            return self.keep("", into, out);
        }
        let runs = runs.iter().map(|run| self.run_of(run));
        if self.cells.len() != before.cells || !runs.clone().eq(before.runs.iter().copied()) {
            before.cells = self.cells.len();
            before.runs.clear();
            before.runs.extend(runs);
            before.list.clear();
            self.keep("", &mut before.list, out);
        }
        if !into.is_empty() && !before.list.is_empty() {
            into.push(';');
        }
        into.push_str(&before.list);
    }

    /// As [`RowView::made`]; a list that says what the one before says is the same text.
    pub(crate) fn made_again(&self, before: &mut Again<'a>, list: &str) -> Text<'a> {
        if before.made.is_none_or(|made| made != list) {
            before.made = self.made(list);
        }
        before.made
    }

    /// Do the fields stand in the line in their order? A header may name them in any.
    fn in_order(&self, (first, last): &(usize, usize)) -> bool {
        let fields = self.cells.get(*first..=(*last).min(self.cells.len().saturating_sub(1)));
        fields.unwrap_or_default().is_sorted_by(|a, b| a.1 <= b.0)
    }

    /// Fields that stand side by side, with what stands between them; nothing of a row that ends before.
    fn run_of(&self, (first, last): &(usize, usize)) -> &'a [u8] {
        let last = (*last).min(self.cells.len().saturating_sub(1));
        let ends = self.cells.get(*first).zip(self.cells.get(last));
        let run = ends.and_then(|((from, _), (_, to))| {
            self.text.as_bytes().get(*from as usize..*to as usize)
        });
        run.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        arena::Arena,
        delimited::Charset,
        layout::Layouts,
        row_view::{Cells, Decoded, cut},
    };

    proptest! {
        /// Whatever rows follow each other: each is put together as it is alone; a list that comes again is the same text.
        #[test]
        fn rows_are_put_together_as_each_alone(
            rows in prop::collection::vec((prop::collection::vec("[ab; ]{0,2}", 1..9), 1_usize..4), 0..8),
            turned: bool,
        ) {
            let layouts = Layouts::load(
                "f,row,1,1,key\nf,row,2,2,\nf,row,3,3,\nf,row,4,4,code\nf,row,5,5,\nf,row,6,6,count\nf,row,7,7,\n",
            );
            let layout = layouts.find("f", "row").unwrap();
            let lines: Vec<String> = rows
                .iter()
                .flat_map(|(cells, times)| std::iter::repeat_n(cells.join(","), *times))
                .collect();
            let (arena, text) = (Arena::default(), lines.join("\n"));
            let decoded = Decoded::of(text.as_bytes(), Charset::Utf8, &arena).unwrap();
            let (mut cells, mut again) = (Cells::default(), Again::default());
            let (mut quick, mut plain) = (Parsed::default(), Parsed::default());
            for (line, text) in decoded.lines(1) {
                cut(text.as_bytes(), b',', &mut cells);
                if turned {
                    let spans: Vec<_> = cells.iter().rev().copied().collect();
                    cells.clear();
                    for span in spans {
                        cells.push(span);
                    }
                }
                let row = decoded.row(line, text, &cells, layout);
                for before in ["", "x=1"] {
                    let (mut one, mut other) = (before.to_owned(), before.to_owned());
                    row.keep_again(&mut again, &mut one, &mut quick);
                    row.keep("", &mut other, &mut plain);
                    prop_assert_eq!(&one, &other);
                    let text = row.made_again(&mut again, &one);
                    prop_assert_eq!(text.unwrap_or_default(), one);
                    // A list that comes again at once is not made again.
                    let again = row.made_again(&mut again, text.unwrap_or_default());
                    prop_assert_eq!(text.map(str::as_ptr), again.map(str::as_ptr));
                }
            }
            prop_assert_eq!(quick.unread, plain.unread);
        }
    }
}
