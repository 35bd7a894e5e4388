//! Arrays, whose values are found equal one by one.

use std::{hash::BuildHasher as _, ops::Range};

use arrow::{
    array::{Array, ArrayRef, ArrowPrimitiveType, AsArray as _},
    buffer::NullBuffer,
    datatypes::{
        DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt8Type,
    },
};
use hashbrown::{DefaultHashBuilder, HashTable};
use parquet::file::statistics::Statistics;

use super::{Gathered, Places, day_bounds, number_bounds, ranges, rows_of, whole_bounds, wider};
use crate::bucket::Run;

/// What some rows of an array say; nothing for a type that no table has.
pub(super) fn gather(column: &ArrayRef, runs: &[Run]) -> Gathered {
    gather_typed(column, runs).unwrap_or_default()
}

fn gather_typed(column: &ArrayRef, runs: &[Run]) -> Option<Gathered> {
    let nulls = column.nulls();
    Some(match column.data_type() {
        DataType::Boolean => {
            let values = column.as_boolean_opt()?.values();
            let mut out = Gathered::default();
            let bits = present_rows(runs, nulls, &mut out, |_, bits: &mut Vec<u32>, rows| {
                bits.extend(rows.map(|row| u32::from(values.value(row))));
            });
            Gathered { places: Places::Bits(bits), ..out }
        }
        DataType::UInt8 => {
            let values = column.as_primitive_opt::<UInt8Type>()?.values();
            let bytes = |v| i32::from(v).to_le_bytes();
            numbers(values, nulls, runs, bytes, |a: u8, b: u8| day_bounds(a.into(), b.into()))
        }
        DataType::Date32 => {
            let values = column.as_primitive_opt::<Date32Type>()?.values();
            numbers(values, nulls, runs, i32::to_le_bytes, day_bounds)
        }
        DataType::Int64 => whole::<Int64Type>(column, runs)?,
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            whole::<TimestampMicrosecondType>(column, runs)?
        }
        DataType::Float64 => {
            let values = column.as_primitive_opt::<Float64Type>()?.values();
            numbers(values, nulls, runs, f64::to_le_bytes, number_bounds)
        }
        _ => return None,
    })
}

fn whole<T: ArrowPrimitiveType<Native = i64>>(column: &ArrayRef, runs: &[Run]) -> Option<Gathered> {
    let values = column.as_primitive_opt::<T>()?.values();
    Some(numbers(values, column.nulls(), runs, i64::to_le_bytes, whole_bounds))
}

/// Calls `each` with each range of rows that all have a value, notes which rows have one, and gives back the places that
/// `each` put down.
fn present_rows(
    runs: &[Run],
    nulls: Option<&NullBuffer>,
    out: &mut Gathered,
    mut each: impl FnMut(&mut Gathered, &mut Vec<u32>, Range<usize>),
) -> Vec<u32> {
    out.rows = rows_of(runs);
    let mut places = Vec::with_capacity(out.rows);
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
        ranges(runs).for_each(|run| each(out, &mut places, run));
        return places;
    };
    out.present = vec![0; out.rows];
    let mut at = 0;
    for run in ranges(runs) {
        for (from, to) in nulls.inner().slice(run.start, run.len()).set_slices() {
            out.present[at + from..at + to].fill(1);
            each(out, &mut places, run.start + from..run.start + to);
        }
        at += run.len();
    }
    if places.len() == out.rows {
        out.present = Vec::new();
    }
    places
}

fn numbers<T: Copy + PartialOrd, const N: usize>(
    values: &[T],
    nulls: Option<&NullBuffer>,
    runs: &[Run],
    bytes: impl Fn(T) -> [u8; N],
    statistics: impl Fn(T, T) -> Statistics,
) -> Gathered {
    let mut out = Gathered { starts: vec![0], ..Gathered::default() };
    let hash = DefaultHashBuilder::default();
    let mut known: HashTable<u32> = HashTable::new();
    let mut last: Option<([u8; N], u32)> = None;
    let mut range: Option<(T, T)> = None;
    let places = present_rows(runs, nulls, &mut out, |out, places: &mut Vec<u32>, rows| {
        let Gathered { plain: list, starts, .. } = out;
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
                    range = Some(wider(range, *value));
                    place
                }
            };
            last = Some((plain, place));
            place
        }));
    });
    out.statistics = range.map(|(least, most)| statistics(least, most));
    Gathered { places: Places::Each(places), ..out }
}
