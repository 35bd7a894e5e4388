//! HL7 v2.5 messages as SS-MIX2 stores them: segments, fields, repetitions, components.
//!
//! Enters: the bytes of one file. Leaves: a [`Message`] with typed access that is written back byte
//! for byte, except for the segments that were edited. Refuses: bytes without an `MSH` in front, and
//! other delimiters than `|^~\&`.
//!
//! The framing bytes of a transmission (VT in front, FS or SUB behind), which real files keep, belong to no
//! segment. Bytes are cut at CR and LF only, which no two-byte character of ISO-2022-JP contains; every
//! segment starts in ASCII. All other cuts are made after decoding.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use super::{
    charset::{self, Decoding},
    escape::unescape,
};
use crate::{arena::Arena, record::Text};

/// Largest message: hostile input must not grow in memory.
const MAX_BYTES: usize = 16 << 20;
/// Most lines of a message.
const MAX_SEGMENTS: usize = 50_000;

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The first segment is not `MSH`.
    #[error("the message does not begin with MSH")]
    NoHeader,
    /// More bytes or segments than any message has.
    #[error("the message is larger than {MAX_BYTES} bytes or {MAX_SEGMENTS} segments")]
    TooLarge,
    /// Other delimiters than `|^~\&`.
    #[error("the message declares other delimiters")]
    Delimiters,
    /// An edited segment holds a character that ISO-2022-JP has no place for.
    #[error("segment {segment} cannot be written in ISO-2022-JP")]
    NotEncodable {
        /// Index of the segment, from 0.
        segment: usize,
    },
    /// There is no such segment or field, or the text would break the structure.
    #[error("segment {segment} cannot be edited so")]
    Edit {
        /// Index of the segment, from 0.
        segment: usize,
    },
}

impl MessageError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::NoHeader => {
                "先頭がMSHセグメントではありません。出力プログラムを確認してください。".into()
            }
            Self::TooLarge => {
                "メッセージが大きすぎます。複数のメッセージが連結されていないか確認してください。"
                    .into()
            }
            Self::Delimiters => {
                "区切り文字がSS-MIX2の規定（|^~\\&）と異なります。出力設定を確認してください。"
                    .into()
            }
            Self::NotEncodable { segment } => format!(
                "{}番目のセグメントにISO-2022-JPで表せない文字があります。文字を置き換えてください。",
                segment + 1
            ),
            Self::Edit { segment } => {
                format!(
                    "{}番目のセグメントはこの内容に変更できません。項目番号と区切り文字を確認してください。",
                    segment + 1
                )
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Span {
    lead: Range<usize>,
    raw: Range<usize>,
    terminator: Range<usize>,
    text: Range<usize>,
}

/// One message.
#[derive(Clone)]
pub struct Message<'a> {
    raw: &'a [u8],
    text: String,
    spans: Vec<Span>,
    edits: BTreeMap<usize, String>,
    decoding: Decoding,
}

impl<'a> Message<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// No `MSH` in front, other delimiters, or too large.
    pub fn parse(raw: &'a [u8]) -> Result<Self, MessageError> {
        let lines = || memchr::memchr2_iter(b'\r', b'\n', raw).count();
        if raw.len() > MAX_BYTES || (raw.len() > MAX_SEGMENTS && lines() > MAX_SEGMENTS) {
            return Err(MessageError::TooLarge);
        }
        let mut text = String::with_capacity(raw.len() + raw.len() / 4);
        let mut spans = Vec::with_capacity(16);
        let mut decoding = Decoding::default();
        let mut start = 0;
        while start < raw.len() {
            let stop =
                memchr::memchr2(b'\r', b'\n', &raw[start..]).map_or(raw.len(), |at| start + at);
            let next = match &raw[stop..] {
                [b'\r', b'\n', ..] => stop + 2,
                [] => stop,
                _ => stop + 1,
            };
            let framing = |b: &u8| matches!(b, 0x0B | 0x1C | 0x1A);
            let line = &raw[start..stop];
            let front = line.iter().take_while(|b| framing(b)).count();
            let back = line[front..].iter().rev().take_while(|b| framing(b)).count();
            let (first, last) = (start + front, stop - back);
            let from = text.len();
            charset::decode_into(&raw[first..last], &mut text, &mut decoding);
            spans.push(Span {
                lead: start..first,
                raw: first..last,
                terminator: last..next,
                text: from..text.len(),
            });
            start = next;
        }
        let header = spans.iter().find(|s| !s.raw.is_empty()).map_or("", |s| &text[s.text.clone()]);
        let Some(delimiters) = header.strip_prefix("MSH") else {
            return Err(MessageError::NoHeader);
        };
        if !(delimiters.starts_with("|^~\\&|") || delimiters == "|^~\\&") {
            return Err(MessageError::Delimiters);
        }
        Ok(Self { raw, text, spans, edits: BTreeMap::new(), decoding })
    }

    /// What decoding had to note.
    pub fn decoding(&self) -> Decoding {
        self.decoding
    }

    /// Segments in their order, with their index; blank lines are left out.
    pub fn segments(&self) -> impl Iterator<Item = (usize, Segment<'_>)> {
        (0..self.spans.len()).map(|i| (i, self.at(i))).filter(|(_, s)| !s.text.is_empty())
    }

    /// The first segment of a name.
    pub fn first(&self, name: &str) -> Option<Segment<'_>> {
        self.segments().map(|(_, s)| s).find(|s| s.name() == name)
    }

    fn at(&self, index: usize) -> Segment<'_> {
        let text = match self.edits.get(&index) {
            Some(edited) => edited.as_str(),
            None => &self.text[self.spans[index].text.clone()],
        };
        Segment { text }
    }

    /// Replaces a field. `content` is HL7 text: delimiters inside a value must be [`escape`](fn@super::escape)d.
    ///
    /// # Errors
    /// There is no such segment, the field is part of `MSH-1` or `MSH-2`, or `content` holds `|`, CR or LF.
    pub fn set_field(
        &mut self,
        segment: usize,
        field: usize,
        content: &str,
    ) -> Result<(), MessageError> {
        let refuse = Err(MessageError::Edit { segment });
        if segment >= self.spans.len() || field == 0 || content.contains(['|', '\r', '\n']) {
            return refuse;
        }
        let old = self.at(segment);
        let index = if old.name() == "MSH" { field - 1 } else { field };
        if old.text.is_empty() || (old.name() == "MSH" && index < 2) {
            return refuse;
        }
        let mut fields: Vec<&str> = old.text.split('|').collect();
        if fields.len() <= index {
            fields.resize(index + 1, "");
        }
        fields[index] = content;
        let text = fields.join("|");
        self.edits.insert(segment, text);
        Ok(())
    }

    /// The message as bytes: as read, but for the segments that were edited.
    ///
    /// # Errors
    /// An edited segment holds a character that ISO-2022-JP has no place for.
    pub fn to_bytes(&self) -> Result<Cow<'a, [u8]>, MessageError> {
        if self.edits.is_empty() {
            return Ok(Cow::Borrowed(self.raw));
        }
        let mut out = Vec::with_capacity(self.raw.len() + 64);
        for (index, span) in self.spans.iter().enumerate() {
            out.extend_from_slice(&self.raw[span.lead.clone()]);
            match self.edits.get(&index) {
                Some(text) => out.extend(
                    charset::encode(text).ok_or(MessageError::NotEncodable { segment: index })?,
                ),
                None => out.extend_from_slice(&self.raw[span.raw.clone()]),
            }
            out.extend_from_slice(&self.raw[span.terminator.clone()]);
        }
        Ok(Cow::Owned(out))
    }
}

/// One segment.
#[derive(Clone, Copy)]
pub struct Segment<'m> {
    text: &'m str,
}

impl<'m> Segment<'m> {
    /// Its name: what stands before the first `|`.
    pub fn name(&self) -> &'m str {
        nth(self.text, b'|', 0).unwrap_or("")
    }
    /// Is the name three capital letters or digits, as HL7 wants it?
    pub fn has_plain_name(&self) -> bool {
        let name = self.name();
        name.len() == 3 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    }
    /// Is every field empty?
    pub fn is_empty(&self) -> bool {
        self.text[self.name().len()..].bytes().all(|b| b == b'|')
    }
    /// Field `n` with HL7's numbering (`MSH-1` is the separator itself).
    pub fn field(&self, n: usize) -> Field<'m> {
        let index = match (self.name(), n) {
            ("MSH", 1) => return Field { text: "|" },
            ("MSH", n) => n - 1,
            (_, n) => n,
        };
        Field { text: nth(self.text, b'|', index).unwrap_or("") }
    }
    /// Component `c` of the first repetition of field `n`; `None` if empty or `""`.
    pub fn get(&self, n: usize, c: usize) -> Option<Cow<'m, str>> {
        self.field(n).repetitions().next().and_then(|r| r.component(c))
    }
    /// As [`Self::get`], as a text of the arena.
    pub(crate) fn own<'a>(&self, n: usize, c: usize, arena: &'a Arena) -> Text<'a> {
        self.get(n, c).map(|value| arena.text(&value))
    }
}

/// One field: repetitions of components of subcomponents.
#[derive(Clone, Copy)]
pub struct Field<'m> {
    text: &'m str,
}

impl<'m> Field<'m> {
    /// As it stands in the message, escapes and delimiters included.
    pub fn raw(&self) -> &'m str {
        self.text
    }
    /// Was nothing sent?
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
    /// Repetitions, at least one.
    pub fn repetitions(&self) -> impl Iterator<Item = Field<'m>> + use<'m> {
        self.text.split('~').map(|text| Field { text })
    }
    /// Component `n` from 1, escapes resolved; `None` if empty or `""` (HL7's "delete").
    pub fn component(&self, n: usize) -> Option<Cow<'m, str>> {
        value(nth(self.text, b'^', n.checked_sub(1)?)?)
    }
    /// Subcomponent `s` of component `c`, both from 1.
    pub fn subcomponent(&self, c: usize, s: usize) -> Option<Cow<'m, str>> {
        let component = nth(self.text, b'^', c.checked_sub(1)?)?;
        value(nth(component, b'&', s.checked_sub(1)?)?)
    }
    /// The whole field as one value, escapes resolved.
    pub fn whole(&self) -> Option<Cow<'m, str>> {
        value(self.text)
    }
}

/// Part `n` from 0 of a text cut at an ASCII delimiter. Parts are short: a plain loop is faster than a search.
fn nth(text: &str, delimiter: u8, mut n: usize) -> Option<&str> {
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte == delimiter {
            if n == 0 {
                return text.get(start..at);
            }
            n -= 1;
            start = at + 1;
        }
    }
    if n == 0 { text.get(start..) } else { None }
}

fn value(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    (!text.is_empty() && text != "\"\"").then(|| unescape(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "MSH|^~\\&|HIS|A||||||ADT^A08|1|P|2.5\rPID|0001||99^^^^PI||患者^太郎^^^^^L^I~カンジャ^タロウ^^^^^L^P\r\n\nOBX|1|ST|a\\T\\b^c||\"\"|x&y";

    #[test]
    fn fields_follow_the_numbers_of_hl7() {
        let bytes = charset::encode(TEXT).unwrap();
        let message = Message::parse(&bytes).unwrap();
        let names: Vec<_> = message.segments().map(|(_, s)| s.name()).collect();
        assert_eq!(names, ["MSH", "PID", "OBX"]);
        let msh = message.first("MSH").unwrap();
        assert_eq!(msh.get(3, 1).as_deref(), Some("HIS"));
        assert_eq!(msh.field(2).raw(), "^~\\&");
        let pid = message.first("PID").unwrap();
        let kana: Vec<_> = pid.field(5).repetitions().filter_map(|r| r.component(2)).collect();
        assert_eq!(kana, ["太郎", "タロウ"]);
        let obx = message.first("OBX").unwrap();
        assert_eq!(obx.get(3, 1).as_deref(), Some("a&b"));
        assert_eq!(obx.get(5, 1), None, "\"\" deletes");
        assert_eq!(obx.field(6).subcomponent(1, 2).as_deref(), Some("y"));
        assert_eq!(message.to_bytes().unwrap(), bytes);
    }

    #[test]
    fn an_edit_changes_its_segment_only() {
        let bytes = charset::encode(TEXT).unwrap();
        let mut message = Message::parse(&bytes).unwrap();
        let (pid, _) = message.segments().find(|(_, s)| s.name() == "PID").unwrap();
        message.set_field(pid, 8, "F").unwrap();
        assert_eq!(message.set_field(pid, 8, "a|b"), Err(MessageError::Edit { segment: pid }));
        assert_eq!(message.set_field(0, 2, "x"), Err(MessageError::Edit { segment: 0 }));
        let again = message.to_bytes().unwrap().into_owned();
        let back = Message::parse(&again).unwrap();
        assert_eq!(back.first("PID").unwrap().get(8, 1).as_deref(), Some("F"));
        assert_eq!(back.first("PID").unwrap().get(5, 1).as_deref(), Some("患者"));
        assert!(again.ends_with(b"\n\nOBX|1|ST|a\\T\\b^c||\"\"|x&y"));
        message.set_field(pid, 8, "\u{1F600}").unwrap();
        assert_eq!(message.to_bytes().err(), Some(MessageError::NotEncodable { segment: pid }));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        assert_eq!(Message::parse(b"PID|1").err(), Some(MessageError::NoHeader));
        assert_eq!(Message::parse(b"\x0bMSH|^~\\&|\r\x1c\r").unwrap().segments().count(), 1);
        assert_eq!(Message::parse(b"\n\n").err(), Some(MessageError::NoHeader));
        assert_eq!(Message::parse(b"MSH#^~\\&#").err(), Some(MessageError::Delimiters));
    }

    #[test]
    fn a_message_without_end_is_refused_before_it_is_read() {
        let many = [b"MSH|^~\\&|".to_vec(), b"\rOBX".repeat(MAX_SEGMENTS + 1)].concat();
        assert_eq!(Message::parse(&many).err(), Some(MessageError::TooLarge));
        assert_eq!(Message::parse(&vec![b'M'; MAX_BYTES + 1]).err(), Some(MessageError::TooLarge));
    }

    proptest! {
        #[test]
        fn parts_are_those_of_a_split(text in "[a|語 ]{0,12}", n in 0_usize..8) {
            prop_assert_eq!(nth(&text, b'|', n), text.split('|').nth(n));
        }

        #[test]
        fn any_bytes_parse_or_are_refused_and_are_written_back(
            tail in proptest::collection::vec(prop_oneof![Just(b'|'), Just(b'\r'), Just(0x1b), Just(b'$'), Just(b'B'), any::<u8>()], 0..200)
        ) {
            let mut bytes = b"MSH|^~\\&|".to_vec();
            bytes.extend(tail);
            let message = Message::parse(&bytes).unwrap();
            for (_, segment) in message.segments() {
                for n in 1..10 { let _ = segment.get(n, 1); let _ = segment.field(n).subcomponent(1, 2); }
            }
            let written = message.to_bytes().unwrap();
            prop_assert_eq!(&written[..], &bytes[..]);
        }
    }
}
