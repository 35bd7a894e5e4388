//! Text that begins as the text before it does: how much of it is the same, and the rest (Parquet's `DELTA_BYTE_ARRAY`).
//!
//! Enters: a word and numbers, `line 17`, `line 18`; or texts. Leaves: one page's bytes. Of the positions of a file's rows, one
//! or two bytes are left of each; of ids, all but the word that they begin with.
//!
//! Source: Apache Parquet, `Encodings.md`: delta strings, delta-length, delta encoding of whole numbers.

use crate::bits::{pack, varint};

/// Numbers of a block, and of its four parts.
const BLOCK: usize = 128;
const PART: usize = 32;

/// Adds the texts.
pub(crate) fn numbered(word: &str, numbers: &[u64], out: &mut Vec<u8>) {
    let Some(first) = numbers.first() else {
        whole_numbers(&[], out);
        return whole_numbers(&[], out);
    };
    let mut prefixes = Vec::with_capacity(numbers.len());
    let mut lengths = Vec::with_capacity(numbers.len());
    let mut rest = Vec::with_capacity(numbers.len() * 2 + word.len() + 20);
    rest.extend_from_slice(word.as_bytes());
    let (mut before, mut digits) = (*first, Digits::of(*first));
    push_last(before, digits.count, &mut rest);
    prefixes.push(0);
    lengths.push((word.len() + digits.count) as u16);
    for number in &numbers[1..] {
        // Most rows stand a line or a few behind the one before.
        let new = if *number == before {
            0
        } else if !digits.fit(*number) {
            // More or fewer digits: what they have in common is not looked for.
            digits = Digits::of(*number);
            digits.count
        } else if *number / 10 == before / 10 {
            1
        } else {
            let (mut a, mut b, mut new) = (*number / 100, before / 100, 2);
            while a != b {
                (a, b, new) = (a / 10, b / 10, new + 1);
            }
            new
        };
        push_last(*number, new, &mut rest);
        prefixes.push((word.len() + digits.count - new) as u16);
        lengths.push(new as u16);
        before = *number;
    }
    whole_numbers(&prefixes, out);
    whole_numbers(&lengths, out);
    out.extend_from_slice(&rest);
}

/// Bytes of a text at most.
pub(crate) const LONGEST: usize = 1 << 10;

/// Adds texts of at most [`LONGEST`] bytes.
pub(crate) fn texts<'t>(texts: impl ExactSizeIterator<Item = &'t [u8]>, out: &mut Vec<u8>) {
    let (mut prefixes, mut lengths) =
        (Vec::with_capacity(texts.len()), Vec::with_capacity(texts.len()));
    let mut rest = Vec::with_capacity(texts.len() * 32);
    let mut before: &[u8] = &[];
    for text in texts {
        let same = before.iter().zip(text).take_while(|(a, b)| a == b).count();
        prefixes.push(same as u16);
        lengths.push((text.len() - same) as u16);
        rest.extend_from_slice(&text[same..]);
        before = text;
    }
    whole_numbers(&prefixes, out);
    whole_numbers(&lengths, out);
    out.extend_from_slice(&rest);
}

/// Numbers of so many decimal digits.
struct Digits {
    count: usize,
    least: u64,
    most: u64,
}

impl Digits {
    fn of(number: u64) -> Self {
        let power = number.checked_ilog10().unwrap_or(0);
        let least = if power == 0 { 0 } else { 10_u64.pow(power) };
        let most = 10_u64.checked_pow(power + 1).map_or(u64::MAX, |next| next - 1);
        Self { count: power as usize + 1, least, most }
    }
    fn fit(&self, number: u64) -> bool {
        (self.least..=self.most).contains(&number)
    }
}

/// The last digits of a number.
#[inline]
fn push_last(mut number: u64, count: usize, out: &mut Vec<u8>) {
    if count == 1 {
        return out.push(b'0' + (number % 10) as u8);
    }
    let from = out.len();
    out.resize(from + count, b'0');
    for digit in out[from..].iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
}

/// Small numbers: the first, then by block the least difference and what each lies above it, in as few bits as its part needs.
fn whole_numbers(numbers: &[u16], out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / PART) as u64, out);
    varint(numbers.len() as u64, out);
    let Some(first) = numbers.first() else { return varint(0, out) };
    signed(i32::from(*first), out);
    let mut from = 0;
    while from + 1 < numbers.len() {
        let count = BLOCK.min(numbers.len() - 1 - from);
        let mut differences = [0; BLOCK];
        for (at, difference) in differences[..count].iter_mut().enumerate() {
            *difference = i32::from(numbers[from + at + 1]) - i32::from(numbers[from + at]);
        }
        block(&differences[..count], out);
        from += count;
    }
}

fn block(differences: &[i32], out: &mut Vec<u8>) {
    let least = differences.iter().fold(i32::MAX, |least, one| least.min(*one));
    signed(least, out);
    let (mut above, mut widths) = ([0; BLOCK], [0; BLOCK / PART]);
    for (above, difference) in above.iter_mut().zip(differences) {
        *above = (difference - least) as u32;
    }
    for (width, part) in widths.iter_mut().zip(above.chunks(PART)) {
        let bits = part.iter().fold(0, |bits, above| bits | above);
        *width = u32::BITS - bits.leading_zeros();
    }
    out.extend(widths.map(|width| width as u8));
    for (width, part) in widths.iter().zip(above[..differences.len()].chunks(PART)) {
        if *width > 0 {
            let end = out.len() + PART * *width as usize / 8;
            pack(part, *width, out);
            out.resize(end, 0);
        }
    }
}

/// A number with a sign: 0, -1, 1, -2 as 0, 1, 2, 3.
fn signed(number: i32, out: &mut Vec<u8>) {
    varint(u64::from(((number << 1) ^ (number >> 31)) as u32), out);
}
