//! Runs of fields: the 31 days of a month, pairs of code and text.

use crate::{
    record::Text,
    row_view::{RowView, Span},
    words::number,
};

/// The days of a run of day fields as `day:count`, and as a mask with their counts.
pub(super) struct Days<'a> {
    /// `5:1 12:2`.
    pub(super) text: Text<'a>,
    /// Bit n: day n.
    pub(super) mask: u32,
}

/// `01:1` to `31:1`: one event on one day, the commonest of all.
static ONCE: [&str; 31] = [
    "1:1", "2:1", "3:1", "4:1", "5:1", "6:1", "7:1", "8:1", "9:1", "10:1", "11:1", "12:1", "13:1",
    "14:1", "15:1", "16:1", "17:1", "18:1", "19:1", "20:1", "21:1", "22:1", "23:1", "24:1", "25:1",
    "26:1", "27:1", "28:1", "29:1", "30:1", "31:1",
];

/// Reads the 31 day fields of a role; blank and zero are no event. Texts are made in a list that is used again.
pub(super) fn days<'a>(row: &RowView<'a, '_>, cells: &[Span], list: &mut String) -> Days<'a> {
    let mut mask = 0u32;
    let mut last = "";
    let mut filled = filled(row, cells);
    while filled != 0 {
        let index = filled.trailing_zeros();
        filled &= filled - 1;
        let cell = row.cell(cells[index as usize]);
        if cell == "1" || cell.bytes().any(|b| !matches!(b, b'0' | b' ')) && cell.is_ascii() {
            mask |= 2 << index;
            last = cell;
        }
    }
    if mask == 0 {
        return Days { text: None, mask };
    }
    if mask.is_power_of_two() && last == "1" {
        let day = mask.trailing_zeros() as usize;
        return Days { text: Some(ONCE[day - 1]), mask };
    }
    list.clear();
    let mut left = mask;
    while left != 0 {
        let day = left.trailing_zeros();
        left &= left - 1;
        if !list.is_empty() {
            list.push(' ');
        }
        list.push_str(number(day.into(), row.arena()));
        list.push(':');
        list.push_str(row.cell(cells[day as usize - 1]).trim_ascii());
    }
    Days { text: row.made(list), mask }
}

/// Which of the first 31 fields are not empty. Most are: what stands there is mainly the delimiters between them.
fn filled(row: &RowView<'_, '_>, cells: &[Span]) -> u32 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = ONES * 0x7F;
    let (Some(first), Some(last)) = (cells.first(), cells.get(30).or(cells.last())) else {
        return 0;
    };
    let text = row.cell((first.0, last.1)).as_bytes();
    let (mut filled, mut seen) = (0, 0);
    let mut note = |at: usize| {
        // So many delimiters stand before it, and one bit stands for all characters of a field.
        filled |= 1_u32 << ((at - seen) & 31);
        seen += 1;
    };
    let (words, rest) = text.as_chunks::<8>();
    for (word, from) in words.iter().zip((0..).step_by(8)) {
        let bytes = u64::from_le_bytes(*word) ^ (ONES * u64::from(b','));
        // The high bit of each byte that is no delimiter.
        let mut other = (((bytes & LOW) + LOW) | bytes) & (ONES << 7);
        while other != 0 {
            note(from + (other.trailing_zeros() >> 3) as usize);
            other &= other - 1;
        }
    }
    for (byte, at) in rest.iter().zip(words.len() * 8..) {
        if *byte != b',' {
            note(at);
        }
    }
    filled
}

/// Appends pairs of code and text, as `code:text;code:text`.
pub(super) fn push_pairs(row: &RowView<'_, '_>, cells: &[Span], list: &mut String) {
    for pair in cells.chunks(2) {
        let mut filled = pair.iter().map(|c| row.text(*c));
        let (code, words) = (filled.next().flatten(), filled.next().flatten());
        if code.is_none() && words.is_none() {
            continue;
        }
        if !list.is_empty() {
            list.push(';');
        }
        row.push_value(list, code.unwrap_or(""));
        if let Some(words) = words {
            list.push(':');
            row.push_value(list, words);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        arena,
        delimited::Charset,
        row_view::{Cells, Decoded, cut},
        uke::Form,
    };

    proptest! {
        /// Days of any width, and fewer or more of them than a month has.
        #[test]
        fn the_days_that_are_filled_are_found(days in proptest::collection::vec("[ 0-9]{0,3}", 0..40)) {
            let line = format!("SI,{}", days.join(","));
            let layouts = Form::Medical.layouts();
            let decoded = Decoded::of(line.as_bytes(), Charset::Cp932, arena::lasting()).unwrap();
            let mut cells = Cells::default();
            cut(line.as_bytes(), b',', &mut cells);
            let row = decoded.row(1, decoded.text, &cells, layouts.of("SI").unwrap());
            let want = (0..).zip(&days).take(31).filter(|(_, day)| !day.is_empty());
            let want = want.fold(0, |mask, (at, _)| mask | 1_u32 << at);
            prop_assert_eq!(filled(&row, &cells[1..]), want);
        }
    }
}
