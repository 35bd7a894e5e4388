//! Small numbers in few bits: run lengths and bit packing, as Parquet mixes them.
//!
//! Source: Apache Parquet, `Encodings.md`, "Run Length Encoding / Bit-Packing Hybrid".

/// Runs from this length on are written as such.
const RUN: usize = 16;

/// Bits that hold each place of a dictionary of so many values; one at least.
pub(crate) fn width(distinct: usize) -> u32 {
    (usize::BITS - distinct.saturating_sub(1).leading_zeros()).max(1)
}

/// Run lengths and bit packing, mixed: a group is eight values in bits, a run is a length and a value.
pub(crate) fn hybrid<T: Copy + PartialEq + Into<u32>>(values: &[T], width: u32, out: &mut Vec<u8>) {
    let mut from = 0;
    let mut at = 0;
    while at < values.len() {
        let first = values[at];
        let run = values[at..].iter().take_while(|v| **v == first).count();
        if run >= RUN {
            groups(&values[from..at], width, out);
            run_of(run, first.into(), width, out);
            at += run;
            from = at;
        } else {
            at = values.len().min(at + 8);
        }
    }
    groups(&values[from..], width, out);
}

/// As [`hybrid`], of values that come with their number.
pub(crate) fn stretched(stretches: &[(u32, u32)], width: u32, out: &mut Vec<u8>) {
    let mut waiting: Vec<u32> = Vec::new();
    for (value, length) in stretches {
        let mut length = *length as usize;
        // A run begins behind whole groups only.
        let gap = length.min(waiting.len().next_multiple_of(8) - waiting.len());
        waiting.extend(std::iter::repeat_n(*value, gap));
        length -= gap;
        if length >= RUN {
            groups(&waiting, width, out);
            waiting.clear();
            run_of(length, *value, width, out);
        } else {
            waiting.extend(std::iter::repeat_n(*value, length));
        }
    }
    groups(&waiting, width, out);
}

pub(crate) fn run_of(length: usize, value: u32, width: u32, out: &mut Vec<u8>) {
    varint((length as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

/// Whole groups; the last is filled up with zeros.
fn groups<T: Copy + Into<u32>>(values: &[T], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let count = values.len().div_ceil(8);
    varint((count as u64) << 1 | 1, out);
    let end = out.len() + count * width as usize;
    pack(values, width, out);
    out.resize(end, 0);
}

/// Values in so many bits each, the lowest first; whole bytes.
pub(crate) fn pack<T: Copy + Into<u32>>(values: &[T], width: u32, out: &mut Vec<u8>) {
    let end = out.len() + (values.len() * width as usize).div_ceil(8);
    out.reserve(end - out.len() + 8);
    let (mut held, mut bits) = (0_u64, 0);
    for value in values {
        held |= u64::from((*value).into()) << bits;
        bits += width;
        if bits >= 32 {
            out.extend_from_slice(&(held as u32).to_le_bytes());
            held >>= 32;
            bits -= 32;
        }
    }
    out.extend_from_slice(&held.to_le_bytes());
    out.truncate(end);
}

pub(crate) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
