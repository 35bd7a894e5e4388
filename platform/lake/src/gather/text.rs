//! Text of some rows: which of a column's values they have, in the order in which they come up.

use std::ops::Range;

use parquet::{data_type::ByteArray, file::statistics::Statistics};

use super::{Gathered, NONE, Places, Scratch, count, joined, ranges, rows_of};
use crate::{Repeated, bucket::Run};

/// The values of text as they come up.
struct Dictionary<'t> {
    text: &'t Repeated,
    /// By key, one behind it: the place. First what a row without a value has, which is no place either.
    places: &'t mut [u32],
    keys: &'t mut Vec<u32>,
    plain: &'t mut Vec<u8>,
    starts: &'t mut Vec<u32>,
}

impl<'t> Dictionary<'t> {
    fn new(text: &'t Repeated, scratch: &'t mut Scratch) -> Self {
        let Scratch { places, keys, plain, starts } = scratch;
        if places.len() <= text.values() {
            places.resize(text.values() + 1, NONE);
        }
        places[0] = 0;
        keys.clear();
        plain.clear();
        starts.clear();
        starts.push(0);
        Self { text, places, keys, plain, starts }
    }
    /// The place of a key's value. Of a row without one (its key is -1) it says nothing.
    #[inline]
    fn place(&mut self, key: i32) -> u32 {
        let place = self.places[(key + 1) as usize];
        if place == NONE { self.add(key as usize) } else { place }
    }
    #[inline(never)]
    fn add(&mut self, key: usize) -> u32 {
        let text = self.text.value(key);
        let place = self.keys.len() as u32;
        self.places[key + 1] = place;
        self.keys.push(key as u32);
        self.plain.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.plain.extend_from_slice(text);
        self.starts.push(self.plain.len() as u32);
        place
    }
    fn finish(self, bounds: bool) -> Gathered {
        let Self { text, places, keys, plain, starts } = self;
        let mut statistics = None;
        if bounds {
            let texts = || keys.iter().map(|key| text.value(*key as usize));
            let bound = |text: Option<&[u8]>| text.map(|text| ByteArray::from(text.to_vec()));
            let (least, most) = (bound(texts().min()), bound(texts().max()));
            statistics = Some(Statistics::byte_array(least, most, None, None, false));
        }
        for key in &*keys {
            places[*key as usize + 1] = NONE;
        }
        Gathered {
            keys: keys.clone(),
            plain: plain.clone(),
            starts: starts.clone(),
            statistics,
            unlike: text.is_unlike(),
            ..Gathered::default()
        }
    }
}

/// The keys of the rows of a run; those behind the last row that has a value have none.
fn within<'k>(keys: &'k [i32], rows: &Range<usize>) -> &'k [i32] {
    &keys[rows.start.min(keys.len())..rows.end.min(keys.len())]
}

/// Text of each row its own.
pub(super) fn rows(text: &Repeated, runs: &[Run], bounds: bool, scratch: &mut Scratch) -> Gathered {
    let rows = rows_of(runs);
    if text.says_nothing() {
        return Gathered { rows, ..Gathered::default() };
    }
    let keys = text.keys();
    let full =
        ranges(runs).all(|of| of.end <= keys.len() && !within(keys, &of).iter().any(|k| *k < 0));
    let mut dictionary = Dictionary::new(text, scratch);
    let (present, places) = match (full, text.values()) {
        // The commonest of all columns: one value, in each row or not.
        (_, 1) => {
            let present = if full { Vec::new() } else { present_of(keys, runs) };
            let filled = if full { rows } else { count(&present) };
            if filled == 0 {
                return Gathered { rows, ..dictionary.finish(false) };
            }
            (present, Places::Stretches(vec![(dictionary.place(0), filled as u32)]))
        }
        (true, _) => {
            let mut places = Vec::with_capacity(rows);
            for of in ranges(runs) {
                places.extend(keys[of].iter().map(|key| dictionary.place(*key)));
            }
            (Vec::new(), Places::Each(places))
        }
        (false, _) => {
            let (present, places) = some(keys, runs, &mut dictionary);
            (present, Places::Each(places))
        }
    };
    Gathered { rows, present, places, ..dictionary.finish(bounds) }
}

/// Text that the rows of a group have in common.
pub(super) fn groups(
    text: &Repeated,
    runs: &[Run],
    bounds: bool,
    scratch: &mut Scratch,
) -> Gathered {
    let mut dictionary = Dictionary::new(text, scratch);
    let stretches = runs
        .iter()
        .map(|run| (dictionary.place(text.keys()[run.group as usize]), run.rows.len() as u32));
    let places = joined(stretches);
    Gathered { rows: rows_of(runs), places, ..dictionary.finish(bounds) }
}

/// Which rows have a value, and the places of those.
fn some(keys: &[i32], runs: &[Run], dictionary: &mut Dictionary<'_>) -> (Vec<u8>, Vec<u32>) {
    let rows = rows_of(runs);
    let (mut present, mut places) = (vec![0; rows], vec![0; rows]);
    let (mut from, mut filled) = (0, 0);
    for of in ranges(runs) {
        let until = from + of.len();
        for (key, present) in within(keys, &of).iter().zip(&mut present[from..until]) {
            // Whether a row has a value cannot be foretold: its place is written in any case, and written over if it has none.
            let is = *key >= 0;
            *present = u8::from(is);
            places[filled] = dictionary.place(*key);
            filled += usize::from(is);
        }
        from = until;
    }
    places.truncate(filled);
    (present, places)
}

/// Which rows have a value.
fn present_of(keys: &[i32], runs: &[Run]) -> Vec<u8> {
    let mut present = Vec::with_capacity(rows_of(runs));
    for of in ranges(runs) {
        let end = present.len() + of.len();
        present.extend(within(keys, &of).iter().map(|key| u8::from(*key >= 0)));
        present.resize(end, 0);
    }
    present
}
