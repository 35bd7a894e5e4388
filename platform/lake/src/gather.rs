//! Values of some rows of a column as Parquet's dictionaries have them: each once, and which of them each row has.

mod arrays;
mod text;

use std::ops::Range;

use parquet::file::statistics::Statistics;

use crate::{
    bucket::Run,
    columns::{Columns, Reading, Values},
};

/// No place yet.
const NONE: u32 = u32::MAX;

/// What some rows of a column say.
#[derive(Default)]
pub(crate) struct Gathered {
    /// Number of rows.
    pub(crate) rows: usize,
    /// Has the row a value (1) or not (0)? Nothing stands here if all have.
    pub(crate) present: Vec<u8>,
    /// Which value each row has.
    pub(crate) places: Places,
    /// The dictionary: values in the order in which they came up, in Parquet's plain encoding, one behind the other.
    pub(crate) plain: Vec<u8>,
    /// Where each begins; and the end of the last.
    pub(crate) starts: Vec<u32>,
    /// Text of which nearly every row has another: ids.
    pub(crate) unlike: bool,
    /// Of text: the key of each value among those of the column.
    keys: Vec<u32>,
    /// Least and greatest value, of days and numbers.
    pub(crate) statistics: Option<Statistics>,
}

/// Of each row that has a value: the value's place in the dictionary.
pub(crate) enum Places {
    /// One by one.
    Each(Vec<u32>),
    /// A place, and how many rows that follow each other have it.
    Stretches(Vec<(u32, u32)>),
    /// As the rows of another column of the list, which are present where these are.
    As(usize),
    /// Yes (1) and no (0) themselves: there is no dictionary.
    Bits(Vec<u32>),
    /// There is no dictionary: a word and each row's number.
    Numbered(&'static str, Vec<u64>),
}

impl Default for Places {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

impl Gathered {
    /// Values of the dictionary.
    pub(crate) fn distinct(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
    /// A value in plain encoding.
    pub(crate) fn value(&self, place: u32) -> &[u8] {
        let place = place as usize;
        &self.plain[self.starts[place] as usize..self.starts[place + 1] as usize]
    }
    /// Has no row a value?
    pub(crate) fn says_nothing(&self) -> bool {
        match &self.places {
            Places::Each(places) | Places::Bits(places) => places.is_empty(),
            Places::Stretches(stretches) => stretches.is_empty(),
            Places::Numbered(_, numbers) => numbers.is_empty(),
            Places::As(_) => false,
        }
    }
    fn of(places: Places) -> Self {
        Self { places, starts: vec![0], ..Self::default() }
    }
}

/// Lists that are used again from column to column.
#[derive(Default)]
pub(crate) struct Scratch {
    /// By key of a column's values: the place. All [`NONE`] between two columns.
    places: Vec<u32>,
    /// A dictionary on its way: keys, values and where they begin. It grows here, and is copied once.
    keys: Vec<u32>,
    plain: Vec<u8>,
    starts: Vec<u32>,
}

/// What the rows of these runs say, by value of the list; `person` (its place there): the least and greatest of its text is
/// wanted too.
pub(crate) fn gather_all(
    columns: &Columns,
    runs: &[Run],
    person: usize,
    scratch: &mut Scratch,
) -> Vec<Gathered> {
    let mut out: Vec<Gathered> = columns
        .values
        .iter()
        .enumerate()
        .map(|(at, values)| match values {
            Values::Text(text) => text::rows(text, runs, at == person, scratch),
            Values::GroupText(text) => text::groups(text, runs, at == person, scratch),
            Values::GroupNumber(numbers) => group_numbers(numbers, runs),
            Values::Numbered(word, numbers) => numbered(word, numbers, runs),
            Values::Array(array) => arrays::gather(array, runs),
            Values::Read(..) => Gathered::default(),
        })
        .collect();
    for (at, values) in columns.values.iter().enumerate() {
        if let Values::Read(of, reading) = values {
            out[at] = read_of(*of, &out[*of], reading);
        }
    }
    out
}

fn rows_of(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.rows.len()).sum()
}

fn ranges(runs: &[Run]) -> impl Iterator<Item = Range<usize>> {
    runs.iter().map(|run| run.rows.start as usize..run.rows.end as usize)
}

fn group_numbers(numbers: &[u8], runs: &[Run]) -> Gathered {
    let mut out = Gathered::of(Places::default());
    let mut known = [NONE; 256];
    let (mut least, mut most) = (u8::MAX, 0);
    out.places = joined(runs.iter().map(|run| {
        let number = numbers[run.group as usize];
        let place = &mut known[usize::from(number)];
        if *place == NONE {
            *place = out.starts.len() as u32 - 1;
            (least, most) = (least.min(number), most.max(number));
            out.plain.extend_from_slice(&i32::from(number).to_le_bytes());
            out.starts.push(out.plain.len() as u32);
        }
        (*place, run.rows.len() as u32)
    }));
    let bounds = (least <= most).then_some((i32::from(least), i32::from(most))).unzip();
    out.statistics = Some(Statistics::int32(bounds.0, bounds.1, None, None, false));
    out.rows = rows_of(runs);
    out
}

/// Stretches of the same place put together; one by one if they are short.
fn joined(stretches: impl Iterator<Item = (u32, u32)>) -> Places {
    let mut out: Vec<(u32, u32)> = Vec::new();
    let mut rows = 0_usize;
    for (place, length) in stretches {
        rows += length as usize;
        match out.last_mut() {
            Some((last, so_far)) if *last == place => *so_far += length,
            _ => out.push((place, length)),
        }
    }
    if out.len() * 4 <= rows { Places::Stretches(out) } else { Places::Each(each(&out)) }
}

/// One by one.
pub(crate) fn each(stretches: &[(u32, u32)]) -> Vec<u32> {
    stretches.iter().flat_map(|(place, rows)| std::iter::repeat_n(*place, *rows as usize)).collect()
}

fn numbered(word: &'static str, numbers: &[u64], runs: &[Run]) -> Gathered {
    let mut found = Vec::with_capacity(rows_of(runs));
    ranges(runs).for_each(|rows| found.extend_from_slice(&numbers[rows]));
    Gathered { rows: found.len(), ..Gathered::of(Places::Numbered(word, found)) }
}

/// What the text of these rows was read as.
fn read_of(of: usize, text: &Gathered, reading: &Reading) -> Gathered {
    match reading {
        Reading::Days(read) => read_as(of, text, read, |v| v.to_le_bytes(), day_bounds),
        Reading::Moments(read) => read_as(of, text, read, |v| v.to_le_bytes(), whole_bounds),
        Reading::Numbers(read) => read_as(of, text, read, |v| v.to_le_bytes(), number_bounds),
    }
}

fn read_as<T: Copy + PartialOrd, const N: usize>(
    of: usize,
    text: &Gathered,
    read: &[Option<T>],
    bytes: impl Fn(T) -> [u8; N],
    statistics: impl Fn(T, T) -> Statistics,
) -> Gathered {
    let mut out = Gathered { rows: text.rows, ..Gathered::of(Places::As(of)) };
    let mut range = None;
    let mut places = Vec::with_capacity(text.keys.len());
    for key in &text.keys {
        let Some(value) = read[*key as usize] else {
            places.push(NONE);
            continue;
        };
        places.push(out.starts.len() as u32 - 1);
        out.plain.extend_from_slice(&bytes(value));
        out.starts.push(out.plain.len() as u32);
        range = Some(wider(range, value));
    }
    out.statistics = range.map(|(least, most)| statistics(least, most));
    let all = out.distinct() == text.keys.len();
    match &text.places {
        Places::Each(found) if !all || found.is_empty() => {
            // Some texts could not be read: their rows have no value here.
            let mut found = found.iter().map(|place| places[*place as usize]);
            let mut next =
                |present: bool| if present { found.next().unwrap_or(NONE) } else { NONE };
            let rows: Vec<u32> = if text.present.is_empty() && !text.says_nothing() {
                (0..text.rows).map(|_| next(true)).collect()
            } else {
                text.present.iter().map(|present| next(*present == 1)).collect()
            };
            out.present = rows.iter().map(|place| u8::from(*place != NONE)).collect();
            out.places = Places::Each(rows.into_iter().filter(|place| *place != NONE).collect());
        }
        // The one text there is could not be read.
        Places::Stretches(_) if !all => return Gathered { rows: text.rows, ..Gathered::default() },
        _ => {}
    }
    out
}

/// Rows that have a value.
pub(crate) fn count(present: &[u8]) -> usize {
    // Bytes are added up in a byte as long as it holds the sum.
    let sum = |part: &[u8]| usize::from(part.iter().sum::<u8>());
    present.chunks(usize::from(u8::MAX)).map(sum).sum()
}

fn wider<T: Copy + PartialOrd>(range: Option<(T, T)>, value: T) -> (T, T) {
    let Some((least, most)) = range else { return (value, value) };
    (if value < least { value } else { least }, if value > most { value } else { most })
}

fn day_bounds(least: i32, most: i32) -> Statistics {
    Statistics::int32(Some(least), Some(most), None, None, false)
}

fn whole_bounds(least: i64, most: i64) -> Statistics {
    Statistics::int64(Some(least), Some(most), None, None, false)
}

/// Zero has two signs and only one place in an order; what is no number has none.
fn number_bounds(least: f64, most: f64) -> Statistics {
    let least = if least == 0.0 { -0.0 } else { least };
    let most = if most == 0.0 { 0.0 } else { most };
    let bound = |value: f64| Some(value).filter(|v| !v.is_nan());
    let (least, most) = bound(least).zip(bound(most)).unzip();
    Statistics::double(least, most, None, None, false)
}
