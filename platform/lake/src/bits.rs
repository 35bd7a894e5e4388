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

/// As [`hybrid`], of no (0) and yes (1): eight at a time.
pub(crate) fn levels(present: &[u8], out: &mut Vec<u8>) {
    let (eights, rest) = present.as_chunks::<8>();
    let mut from = 0;
    let mut at = 0;
    while at < eights.len() {
        let first = eights[at];
        let same = first == [0; 8] || first == [1; 8];
        let run = if same { eights[at..].iter().take_while(|e| **e == first).count() } else { 1 };
        if run * 8 >= RUN {
            eight_bits(&eights[from..at], &[], out);
            run_of(run * 8, first[0].into(), 1, out);
            from = at + run;
        }
        at += run;
    }
    eight_bits(&eights[from..], rest, out);
}

/// Groups of no and yes; the rest, fewer than eight, is filled up with zeros.
fn eight_bits(eights: &[[u8; 8]], rest: &[u8], out: &mut Vec<u8>) {
    // Moves bit 8 n of the number to bit 56 + n.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let count = eights.len() + usize::from(!rest.is_empty());
    if count == 0 {
        return;
    }
    varint((count as u64) << 1 | 1, out);
    let byte = |eight: &[u8; 8]| (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) as u8;
    out.extend(eights.iter().map(byte));
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        out.push(byte(&last));
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader makes of run lengths and bit packing, of one bit each.
    fn read(mut bytes: &[u8], rows: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < rows {
            let (mut head, mut shift) = (0_u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                head |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            let count = (head >> 1) as usize;
            if head & 1 == 0 {
                out.extend(std::iter::repeat_n(bytes[0], count));
                bytes = &bytes[1..];
            } else {
                out.extend(bytes[..count].iter().flat_map(|b| (0..8).map(move |at| b >> at & 1)));
                bytes = &bytes[count..];
            }
        }
        assert!(bytes.is_empty());
        out.truncate(rows);
        out
    }

    proptest! {
        #[test]
        fn any_levels_come_back(runs in proptest::collection::vec((0_u8..2, 0_usize..40), 0..20)) {
            let present: Vec<u8> =
                runs.iter().flat_map(|(value, run)| std::iter::repeat_n(*value, *run)).collect();
            let (mut quick, mut plain) = (Vec::new(), Vec::new());
            levels(&present, &mut quick);
            hybrid(&present, 1, &mut plain);
            prop_assert_eq!(&read(&quick, present.len()), &present);
            prop_assert_eq!(&read(&plain, present.len()), &present);
        }
    }
}
