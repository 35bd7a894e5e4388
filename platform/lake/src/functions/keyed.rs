//! Functions that hold a key: pseudonyms and per-person date shifts.
//!
//! One [`Keyed`] per domain (a dataset, a project line). The key is the state of an HMAC inside the function
//! instance; a plan shows the function's name and its columns, nothing else.
//!
//! # Guarantee
//! - One person has one code and one offset inside a domain; codes of two domains are unrelated.
//! - An offset is never 0 and never over the limit; all dates of a person move by it.

use std::{fmt, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, PrimitiveArray},
    buffer::Buffer,
    compute,
    datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType},
};
use datafusion::{
    common::{Result, exec_err},
    logical_expr::{Expr, lit},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    base::{Args, Body, call, function, unsupported},
    dates::{DatePad, Written, as_days},
    state::{In, Kind, Out},
    texts::{Memo, Texts, Writer, to_text},
};

/// Length of a pseudonym in characters: 80 bits, so that ten million persons collide with a chance of 1 in 10^10.
pub const PSEUDONYM_CHARS: usize = 16;

/// What the whole run fixes, for reproducing a printed example.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FixedOutcome {
    /// Every person's pseudonym.
    pub pseudonym: Option<String>,
    /// Every person's offset.
    pub offset_days: Option<i32>,
}

/// A domain's key, ready for use.
pub struct Keyed {
    domain: String,
    /// The domain's own key, from which the state of the HMAC is made again elsewhere.
    key: Zeroizing<[u8; 32]>,
    mac: Hmac<Sha256>,
    fixed: FixedOutcome,
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl Keyed {
    /// The key of a domain.
    pub fn new(secret: &[u8; 32], domain: &str) -> Arc<Self> {
        Self::with_fixed(secret, domain, FixedOutcome::default())
    }

    /// The key of a domain, with outcomes that a printed example fixes.
    pub fn with_fixed(secret: &[u8; 32], domain: &str, fixed: FixedOutcome) -> Arc<Self> {
        let mut mac = hmac_of(secret);
        mac.update(b"kiban.domain.v1\0");
        mac.update(domain.as_bytes());
        // A key of its own per domain: a person's id then fits one block of the hash.
        Arc::new(Self::of_domain(domain, Zeroizing::new(mac.finalize().into_bytes().into()), fixed))
    }

    fn of_domain(domain: &str, key: Zeroizing<[u8; 32]>, fixed: FixedOutcome) -> Self {
        let mac = hmac_of(key.as_ref());
        Self { domain: domain.to_owned(), key, mac, fixed }
    }

    /// The domain's name.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Does every person get the same pseudonym?
    pub fn fixes_pseudonym(&self) -> bool {
        self.fixed.pseudonym.is_some()
    }

    /// A keyed digest of a text, for ids that depend on a value without showing it.
    pub fn tag(&self, label: &str, value: &str) -> [u8; 32] {
        // Length first: no two pairs of label and value write the same bytes.
        let mut mac = self.mac.clone();
        mac.update(&(label.len() as u32).to_le_bytes());
        mac.update(label.as_bytes());
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The pseudonym of a value; codes under two labels are unrelated.
    pub fn pseudonym_of(&self, label: &str, value: &str) -> String {
        if label == PERSON
            && let Some(fixed) = &self.fixed.pseudonym
        {
            return fixed.clone();
        }
        let mut out = String::with_capacity(PSEUDONYM_CHARS);
        push_code(&self.tag(label, value), &mut out);
        out
    }

    /// What the person's pseudonym and offset are made of: different bytes of one keyed digest.
    fn person_tag(&self, person: &str) -> [u8; 32] {
        self.tag(PERSON, person)
    }

    /// The offset of a person: in `-max_days..=max_days`, never 0.
    pub fn offset_of(&self, person: &str, max_days: u16) -> i32 {
        if let Some(fixed) = self.fixed.offset_days {
            return fixed;
        }
        offset_in(&self.person_tag(person), max_days)
    }

    /// `kiban_tag[domain:label](value)`: the keyed digest that codes and offsets are cut from. The engine computes it
    /// once for all of them.
    fn tags(self: &Arc<Self>, label: &str, value: Expr) -> Expr {
        let body = TagBody { keyed: Arc::clone(self), label: label.to_owned() };
        call(&function(format!("kiban_tag[{}:{label}]", self.domain), body), vec![value])
    }

    /// `kiban_code(kiban_tag[domain:label](value))`: the pseudonym of a value.
    pub fn pseudonym(self: &Arc<Self>, label: &str, value: Expr) -> Expr {
        let fixed = self.fixed.pseudonym.clone().filter(|_| label == PERSON);
        let name = if fixed.is_some() { "kiban_fixed_code" } else { "kiban_code" };
        call(&function(name, CodeBody { fixed }), vec![self.tags(label, value)])
    }

    /// `kiban_shift[keep_time:pad](kiban_tag[domain:person](person), date, max_days)`: dates stay dates; a time becomes
    /// a date unless `keep_time`; a text keeps its style; what is no full date becomes empty.
    pub fn shift(
        self: &Arc<Self>,
        person: Expr,
        date: Expr,
        max_days: u16,
        keep_time: bool,
        pad: DatePad,
    ) -> Expr {
        let body = ShiftBody { fixed: self.fixed.offset_days, max_days, keep_time, pad };
        let args = vec![self.tags(PERSON, person), date, lit(i64::from(max_days))];
        call(&function(format!("kiban_shift[{keep_time}:{pad:?}]"), body), args)
    }
}

fn hmac_of(key: &[u8]) -> Hmac<Sha256> {
    // Safety of unwrap: HMAC takes a key of any length; the fallback is never reached.
    Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&[0; 64].into()))
}

/// Label of the person's own pseudonym.
pub const PERSON: &str = "person";

/// The code in a tag: its first 80 bits in base 32.
fn push_code(tag: &[u8], out: &mut String) {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bits = tag.iter().take(10).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    for i in (0..PSEUDONYM_CHARS).rev() {
        out.push(ALPHABET[((bits >> (5 * i)) & 31) as usize] as char);
    }
}

/// The offset in a tag: bytes that no code shows.
fn offset_in(tag: &[u8], max_days: u16) -> i32 {
    let max = i32::from(max_days.max(1));
    let word = tag.iter().skip(16).take(8).fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
    let r = (word % (2 * max as u64)) as i32;
    if r < max { r - max } else { r - max + 1 }
}

const TAG_BYTES: i32 = 32;

struct TagBody {
    keyed: Arc<Keyed>,
    label: String,
}

impl Body for TagBody {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::FixedSizeBinary(TAG_BYTES))
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let column = to_text(&args.column(0)?)?;
        let Some(texts) = Texts::of(column.as_ref()) else {
            return exec_err!("a pseudonym needs a text");
        };
        let mut memo = Memo::new();
        let mut tags: Vec<[u8; 32]> = Vec::with_capacity(texts.len());
        for row in 0..texts.len() {
            let tag =
                texts.get(row).map(|value| match memo.earlier(value, row, |r| texts.get(r)) {
                    Some(seen) => tags[seen],
                    None => self.keyed.tag(&self.label, value),
                });
            tags.push(tag.unwrap_or_default());
        }
        let bytes = Buffer::from_vec(tags.into_flattened());
        Ok(Arc::new(FixedSizeBinaryArray::try_new(TAG_BYTES, bytes, column.nulls().cloned())?))
    }
    fn state(&self) -> Option<Out> {
        let mut out = Out::of(Kind::Tag);
        out.bytes(self.keyed.key.as_ref());
        out.text(&self.keyed.domain);
        out.text(&self.label);
        Some(out)
    }
}

struct CodeBody {
    fixed: Option<String>,
}

impl Body for CodeBody {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let column = args.column(0)?;
        let tags = column.as_fixed_size_binary();
        let mut out = Writer::new(tags.len());
        let mut buffer = String::new();
        for row in 0..tags.len() {
            if tags.is_null(row) {
                out.push(None);
                continue;
            }
            buffer.clear();
            match &self.fixed {
                Some(fixed) => buffer.push_str(fixed),
                None => push_code(tags.value(row), &mut buffer),
            }
            out.push(Some(&buffer));
        }
        out.finish()
    }
    fn state(&self) -> Option<Out> {
        let mut out = Out::of(Kind::Code);
        out.option(self.fixed.as_deref(), Out::text);
        Some(out)
    }
}

struct ShiftBody {
    fixed: Option<i32>,
    max_days: u16,
    keep_time: bool,
    pad: DatePad,
}

impl ShiftBody {
    /// Offsets per row.
    fn offsets(&self, tags: &FixedSizeBinaryArray) -> Vec<Option<i32>> {
        let offset = |tag: &[u8]| self.fixed.unwrap_or_else(|| offset_in(tag, self.max_days));
        tags.iter().map(|tag| tag.map(offset)).collect()
    }
}

impl Body for ShiftBody {
    fn returns(&self, args: &[DataType]) -> Result<DataType> {
        match args.get(1) {
            Some(DataType::Date32 | DataType::Date64) => Ok(DataType::Date32),
            Some(DataType::Timestamp(_, _)) if self.keep_time => {
                Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
            }
            Some(DataType::Timestamp(_, _)) => Ok(DataType::Date32),
            Some(
                DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Dictionary(_, _),
            ) => Ok(DataType::Utf8),
            Some(other) => Err(unsupported("a date shift", other)),
            None => exec_err!("an argument is missing"),
        }
    }

    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let tags = args.column(0)?;
        let offsets = self.offsets(tags.as_fixed_size_binary());
        let column = args.column(1)?;
        if let (DataType::Timestamp(_, _), true) = (column.data_type(), self.keep_time) {
            const DAY: i64 = 86_400_000_000;
            let times = compute::cast(&column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            let times = times.as_primitive::<TimestampMicrosecondType>();
            let shifted: PrimitiveArray<TimestampMicrosecondType> = times
                .iter()
                .zip(&offsets)
                .map(|(t, o)| t?.checked_add(i64::from((*o)?) * DAY))
                .collect();
            return Ok(Arc::new(shifted));
        }
        if let Some(days) = as_days(&column)? {
            let shifted: PrimitiveArray<Date32Type> =
                days.iter().zip(&offsets).map(|(d, o)| d?.checked_add((*o)?)).collect();
            return Ok(Arc::new(shifted));
        }
        let texts = to_text(&column)?;
        let Some(texts) = Texts::of(texts.as_ref()) else {
            return exec_err!("a date shift needs a date");
        };
        let mut out = Writer::new(texts.len());
        let mut buffer = String::new();
        for (row, offset) in offsets.iter().enumerate() {
            let date = texts.get(row).and_then(Written::read);
            match (date.and_then(|d| Some((d, d.days()?))), offset) {
                (Some((date, days)), Some(offset)) => {
                    buffer.clear();
                    date.write_day(days + offset, self.pad, &mut buffer);
                    if self.keep_time {
                        buffer.push_str(date.rest);
                    }
                    out.push(Some(&buffer));
                }
                _ => out.push(None),
            }
        }
        out.finish()
    }
    fn state(&self) -> Option<Out> {
        let mut out = Out::of(Kind::Shift);
        // Two's complement: an offset may lie before the date.
        out.option(self.fixed, |out, days| out.number(u64::from(days.cast_unsigned())));
        out.number(u64::from(self.max_days));
        out.number(u64::from(self.keep_time));
        out.text(self.pad.as_str());
        Some(out)
    }
}

/// A body of this file from its state.
pub(super) fn restore(kind: Kind, from: &mut In<'_>) -> Result<Arc<dyn Body>> {
    Ok(match kind {
        Kind::Tag => {
            let Ok(key) = from.bytes()?.try_into().map(Zeroizing::new) else {
                return exec_err!("a key has another length");
            };
            // Fixed outcomes of a printed example are of the codes and shifts, never of the tag.
            let keyed = Keyed::of_domain(from.text()?, key, FixedOutcome::default());
            Arc::new(TagBody { keyed: Arc::new(keyed), label: from.text()?.to_owned() })
        }
        Kind::Code => Arc::new(CodeBody { fixed: from.option(In::text)?.map(str::to_owned) }),
        Kind::Shift => Arc::new(ShiftBody {
            fixed: from.option(In::int::<u32>)?.map(u32::cast_signed),
            max_days: from.int()?,
            keep_time: from.number()? == 1,
            pad: DatePad::named(from.text()?)?,
        }),
        _ => return exec_err!("a counted function has no key"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_never_zero_and_reach_both_ends() {
        let keyed = Keyed::new(&[7; 32], "dst_x");
        let offsets: std::collections::BTreeSet<i32> =
            (0..2000).map(|i| keyed.offset_of(&format!("p{i}"), 10)).collect();
        assert_eq!(offsets.len(), 20);
        assert!(!offsets.contains(&0) && offsets.contains(&-10) && offsets.contains(&10));
    }

    #[test]
    fn domains_and_labels_share_nothing() {
        let a = Keyed::new(&[7; 32], "dst_a");
        let b = Keyed::new(&[7; 32], "dst_b");
        for i in 0..500 {
            let p = format!("per_{i}");
            assert_ne!(a.pseudonym_of(PERSON, &p), b.pseudonym_of(PERSON, &p));
            assert_ne!(a.pseudonym_of(PERSON, &p), a.pseudonym_of("encounter", &p));
            assert_eq!(
                a.pseudonym_of(PERSON, &p),
                Keyed::new(&[7; 32], "dst_a").pseudonym_of(PERSON, &p)
            );
            assert_eq!(a.pseudonym_of(PERSON, &p).len(), PSEUDONYM_CHARS);
        }
    }
}
