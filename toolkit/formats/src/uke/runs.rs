//! Runs of fields: the 31 days of a month, pairs of code and text.

use std::borrow::Cow;

use crate::{
    delimited::Charset,
    record::Text,
    row_view::{owned, push_escaped, text},
    words::number,
};

/// The days of a run of day fields as `day:count`, and as a mask with their counts.
pub(super) struct Days {
    /// `5:1 12:2`.
    pub(super) text: Text<'static>,
    /// Bit n: day n.
    pub(super) mask: u32,
}

/// `01:1` to `31:1`: one event on one day, the commonest of all.
static ONCE: [&str; 31] = [
    "1:1", "2:1", "3:1", "4:1", "5:1", "6:1", "7:1", "8:1", "9:1", "10:1", "11:1", "12:1", "13:1",
    "14:1", "15:1", "16:1", "17:1", "18:1", "19:1", "20:1", "21:1", "22:1", "23:1", "24:1", "25:1",
    "26:1", "27:1", "28:1", "29:1", "30:1", "31:1",
];

/// Reads 31 day fields; blank and zero are no event.
pub(super) fn days(cells: &[&[u8]]) -> Days {
    let mut mask = 0u32;
    let mut last = 0;
    for (index, cell) in cells.iter().enumerate().take(31) {
        if !cell.is_empty() && cell.iter().any(|b| !matches!(b, b'0' | b' ')) && cell.is_ascii() {
            mask |= 2 << index;
            last = index;
        }
    }
    if mask == 0 {
        return Days { text: None, mask };
    }
    if mask.is_power_of_two() && cells[last] == b"1" {
        return Days { text: Some(Cow::Borrowed(ONCE[last])), mask };
    }
    let mut text = String::with_capacity(mask.count_ones() as usize * 5);
    for day in (1..=31).filter(|d| mask >> d & 1 == 1) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&number(day));
        text.push(':');
        text.push_str(
            std::str::from_utf8(cells[day as usize - 1].trim_ascii()).unwrap_or_default(),
        );
    }
    Days { text: owned(text), mask }
}

/// Pairs of code and text, as `code:text;code:text`.
pub(super) fn pairs(charset: Charset, cells: &[&[u8]]) -> String {
    let mut out = String::new();
    for pair in cells.chunks(2) {
        let mut filled = pair.iter().map(|c| text(charset, c));
        let (code, words) = (filled.next().flatten(), filled.next().flatten());
        if code.is_none() && words.is_none() {
            continue;
        }
        if !out.is_empty() {
            out.push(';');
        }
        push_escaped(&mut out, code.as_deref().unwrap_or(""));
        if let Some(words) = words {
            out.push(':');
            push_escaped(&mut out, &words);
        }
    }
    out
}
