//! Text that begins as the text before it does: how much of it is the same, and the rest (Parquet's `DELTA_BYTE_ARRAY`).
//!
//! Enters: a word and numbers, `line 17`, `line 18`. Leaves: one page's bytes. Of the positions of a file's rows, one or two bytes
//! are left of each.
//!
//! Source: Apache Parquet, `Encodings.md`: delta strings, delta-length, delta encoding of whole numbers.

use crate::bits::{pack, varint};

/// Numbers of a block, and of its four parts.
const BLOCK: usize = 128;
const PART: usize = 32;
/// Decimal digits of the greatest number.
const DIGITS: usize = 20;

/// Adds the texts.
pub(crate) fn numbered(word: &str, numbers: &[u64], out: &mut Vec<u8>) {
    let mut prefixes = Vec::with_capacity(numbers.len());
    let mut lengths = Vec::with_capacity(numbers.len());
    let mut rest = Vec::with_capacity(numbers.len() * 3 + word.len());
    let mut before = ([0; DIGITS], 0);
    for (at, number) in numbers.iter().enumerate() {
        let (digits, from) = digits(*number);
        let text = &digits[from..];
        let (same, new) = if at == 0 {
            rest.extend_from_slice(word.as_bytes());
            (0, text)
        } else {
            let (last, last_from) = &before;
            let last = &last[*last_from..];
            let same = last.iter().zip(text).take_while(|(a, b)| a == b).count();
            (word.len() + same, &text[same..])
        };
        prefixes.push(same as i64);
        lengths.push((if at == 0 { word.len() } else { 0 } + new.len()) as i64);
        rest.extend_from_slice(new);
        before = (digits, from);
    }
    whole_numbers(&prefixes, out);
    whole_numbers(&lengths, out);
    out.extend_from_slice(&rest);
}

/// The digits stand at the end, from there on.
fn digits(mut number: u64) -> ([u8; DIGITS], usize) {
    let (mut digits, mut from) = ([0; DIGITS], DIGITS);
    loop {
        from -= 1;
        digits[from] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return (digits, from);
        }
    }
}

/// Small numbers: the first, then by block the least difference and what each lies above it, in as few bits as its part needs.
fn whole_numbers(numbers: &[i64], out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / PART) as u64, out);
    varint(numbers.len() as u64, out);
    let Some(first) = numbers.first() else { return varint(0, out) };
    signed(*first, out);
    let differences: Vec<i64> = numbers.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for block in differences.chunks(BLOCK) {
        let least = block.iter().copied().min().unwrap_or(0);
        signed(least, out);
        let (mut above, mut widths) = ([0; BLOCK], [0; BLOCK / PART]);
        for (above, difference) in above.iter_mut().zip(block) {
            *above = (difference - least) as u32;
        }
        for (width, part) in widths.iter_mut().zip(above.chunks(PART)) {
            let bits = part.iter().fold(0, |bits, above| bits | above);
            *width = u32::BITS - bits.leading_zeros();
        }
        out.extend(widths.map(|width| width as u8));
        for (width, part) in widths.iter().zip(above[..block.len()].chunks(PART)) {
            let end = out.len() + PART * *width as usize / 8;
            pack(part, *width, out);
            out.resize(end, 0);
        }
    }
}

/// A number with a sign: 0, -1, 1, -2 as 0, 1, 2, 3.
fn signed(number: i64, out: &mut Vec<u8>) {
    varint(((number << 1) ^ (number >> 63)) as u64, out);
}
