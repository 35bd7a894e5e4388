//! Values of some rows of a column as Parquet's dictionaries have them: each once, and which of them each row has.

use std::{hash::BuildHasher as _, ops::Range};

use arrow::{
    array::{Array, ArrayRef, ArrowPrimitiveType, AsArray as _, DictionaryArray},
    buffer::NullBuffer,
    datatypes::{
        DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimeUnit,
        TimestampMicrosecondType, UInt8Type,
    },
};
use hashbrown::{DefaultHashBuilder, HashTable};
use parquet::{data_type::ByteArray, file::statistics::Statistics};

/// No place yet.
const NONE: u32 = u32::MAX;

/// What some rows of a column say.
#[derive(Default)]
pub(crate) struct Gathered {
    /// Number of rows.
    pub(crate) rows: usize,
    /// Has the row a value (1) or not (0)? Nothing stands here if all have.
    pub(crate) present: Vec<u8>,
    /// Of each row that has a value: the value's place in the dictionary.
    pub(crate) places: Vec<u32>,
    /// The dictionary: values in the order in which they came up, in Parquet's plain encoding, one behind the other.
    pub(crate) plain: Vec<u8>,
    /// Where each begins; and the end of the last.
    pub(crate) starts: Vec<u32>,
    /// Yes (1) and no (0) themselves are the places: there is no dictionary.
    pub(crate) bits: bool,
    /// Least and greatest value, of days and numbers.
    pub(crate) statistics: Option<Statistics>,
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
}

/// Lists that are used again from column to column.
#[derive(Default)]
pub(crate) struct Scratch {
    /// By key of a column's own dictionary: the place. All [`NONE`] between two columns.
    places: Vec<u32>,
    keys: Vec<usize>,
}

/// Can columns of this type be gathered?
pub(crate) fn takes(kind: &DataType) -> bool {
    *kind == crate::repeated::data_type()
        || matches!(
            kind,
            DataType::Boolean
                | DataType::UInt8
                | DataType::Int64
                | DataType::Float64
                | DataType::Date32
                | DataType::Timestamp(TimeUnit::Microsecond, None)
        )
}

/// What the rows of these runs say; `None` if the column is of another type than [`takes`] allows. `bounds`: the least and
/// greatest value of text is wanted too.
pub(crate) fn gather(
    column: &ArrayRef,
    runs: &[Range<u32>],
    bounds: bool,
    scratch: &mut Scratch,
) -> Option<Gathered> {
    if let Some(text) = column.as_dictionary_opt::<Int32Type>() {
        return text_of(text, runs, bounds, scratch);
    }
    let nulls = column.nulls();
    Some(match column.data_type() {
        DataType::Boolean => {
            let values = column.as_boolean_opt()?.values();
            let mut gathered = Gathered { bits: true, ..Gathered::default() };
            present_rows(runs, nulls, &mut gathered, |gathered, rows| {
                gathered.places.extend(rows.map(|row| u32::from(values.value(row))));
            });
            gathered
        }
        DataType::UInt8 => {
            let values = column.as_primitive_opt::<UInt8Type>()?.values();
            numbers(
                values,
                nulls,
                runs,
                |v| i32::from(v).to_le_bytes(),
                |least, most| {
                    Statistics::int32(Some(least.into()), Some(most.into()), None, None, false)
                },
            )
        }
        DataType::Date32 => {
            let values = column.as_primitive_opt::<Date32Type>()?.values();
            numbers(values, nulls, runs, i32::to_le_bytes, |least, most| {
                Statistics::int32(Some(least), Some(most), None, None, false)
            })
        }
        DataType::Int64 => whole::<Int64Type>(column, runs)?,
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            whole::<TimestampMicrosecondType>(column, runs)?
        }
        DataType::Float64 => {
            let values = column.as_primitive_opt::<Float64Type>()?.values();
            // Zero has two signs and only one place in an order; what is no number has none.
            numbers(values, nulls, runs, f64::to_le_bytes, |least: f64, most: f64| {
                let least = if least == 0.0 { -0.0 } else { least };
                let most = if most == 0.0 { 0.0 } else { most };
                let bound = |value: f64| Some(value).filter(|v| !v.is_nan());
                let (least, most) = bound(least).zip(bound(most)).unzip();
                Statistics::double(least, most, None, None, false)
            })
        }
        _ => return None,
    })
}

fn whole<T: ArrowPrimitiveType<Native = i64>>(
    column: &ArrayRef,
    runs: &[Range<u32>],
) -> Option<Gathered> {
    let values = column.as_primitive_opt::<T>()?.values();
    Some(numbers(values, column.nulls(), runs, i64::to_le_bytes, |least, most| {
        Statistics::int64(Some(least), Some(most), None, None, false)
    }))
}

/// Calls `each` with each range of rows that all have a value, and notes which rows have one.
fn present_rows(
    runs: &[Range<u32>],
    nulls: Option<&NullBuffer>,
    gathered: &mut Gathered,
    mut each: impl FnMut(&mut Gathered, Range<usize>),
) {
    let runs = || runs.iter().map(|run| run.start as usize..run.end as usize);
    gathered.rows = runs().map(|run| run.len()).sum();
    gathered.places.reserve(gathered.rows);
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
        return runs().for_each(|run| each(gathered, run));
    };
    gathered.present = vec![0; gathered.rows];
    let mut at = 0;
    for run in runs() {
        for (from, to) in nulls.inner().slice(run.start, run.len()).set_slices() {
            gathered.present[at + from..at + to].fill(1);
            each(gathered, run.start + from..run.start + to);
        }
        at += run.len();
    }
    if gathered.places.len() == gathered.rows {
        gathered.present = Vec::new();
    }
}

fn text_of(
    column: &DictionaryArray<Int32Type>,
    runs: &[Range<u32>],
    bounds: bool,
    scratch: &mut Scratch,
) -> Option<Gathered> {
    let values = column.values().as_string_opt::<i32>()?;
    let keys = column.keys().values();
    let Scratch { places, keys: seen } = scratch;
    if places.len() < values.len() {
        places.resize(values.len(), NONE);
    }
    let mut gathered = Gathered { starts: vec![0], ..Gathered::default() };
    present_rows(runs, column.nulls(), &mut gathered, |gathered, rows| {
        let Gathered { places: found, plain, starts, .. } = gathered;
        found.extend(keys[rows].iter().map(|key| {
            let key = *key as usize;
            if places[key] == NONE {
                let text = values.value(key);
                places[key] = seen.len() as u32;
                seen.push(key);
                plain.extend_from_slice(&(text.len() as u32).to_le_bytes());
                plain.extend_from_slice(text.as_bytes());
                starts.push(plain.len() as u32);
            }
            places[key]
        }));
    });
    if bounds {
        let texts = || seen.iter().map(|key| values.value(*key));
        let bound = |text: Option<&str>| text.map(ByteArray::from);
        let (least, most) = (bound(texts().min()), bound(texts().max()));
        gathered.statistics = Some(Statistics::byte_array(least, most, None, None, false));
    }
    for key in seen.drain(..) {
        places[key] = NONE;
    }
    Some(gathered)
}

fn numbers<T: Copy + PartialOrd, const N: usize>(
    values: &[T],
    nulls: Option<&NullBuffer>,
    runs: &[Range<u32>],
    bytes: impl Fn(T) -> [u8; N],
    statistics: impl Fn(T, T) -> Statistics,
) -> Gathered {
    let mut gathered = Gathered { starts: vec![0], ..Gathered::default() };
    let hash = DefaultHashBuilder::default();
    let mut known: HashTable<u32> = HashTable::new();
    let mut last: Option<([u8; N], u32)> = None;
    let mut range: Option<(T, T)> = None;
    present_rows(runs, nulls, &mut gathered, |gathered, rows| {
        let Gathered { places, plain: list, starts, .. } = gathered;
        places.extend(values[rows].iter().map(|value| {
            let plain = bytes(*value);
            if let Some((_, place)) = last.filter(|(known, _)| *known == plain) {
                return place;
            }
            let at = |list: &[u8], place: u32| -> [u8; N] {
                let from = place as usize * N;
                list[from..from + N].try_into().unwrap_or([0; N])
            };
            let key = hash.hash_one(plain);
            let place = match known.find(key, |place| at(list, *place) == plain) {
                Some(place) => *place,
                None => {
                    let place = starts.len() as u32 - 1;
                    known.insert_unique(key, place, |place| hash.hash_one(at(list, *place)));
                    list.extend_from_slice(&plain);
                    starts.push(list.len() as u32);
                    range = Some(match range {
                        None => (*value, *value),
                        Some((least, most)) => (
                            if *value < least { *value } else { least },
                            if *value > most { *value } else { most },
                        ),
                    });
                    place
                }
            };
            last = Some((plain, place));
            place
        }));
    });
    gathered.statistics = range.map(|(least, most)| statistics(least, most));
    gathered
}
