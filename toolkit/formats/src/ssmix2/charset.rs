//! ISO-2022-JP as hospitals write it.
//!
//! Enters: bytes of one segment. Leaves: text, and how many characters could not be kept. Refuses:
//! nothing here; what has no place in Unicode or in our tables becomes U+FFFD and is counted, so that
//! the caller can put the message into quarantine.
//!
//! The WHATWG decoder of `encoding_rs` is used for the character table only: it takes an empty pair of
//! escapes for an error, knows no JIS X 0212 and carries the state over line ends, all of which real
//! files trip over.

use encoding_rs::{EUC_JP, ISO_2022_JP};

/// What decoding had to note.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decoding {
    /// Characters that became U+FFFD.
    pub replaced: u32,
    /// Of those: characters of JIS X 0212 or another unsupported set.
    pub unsupported_set: u32,
    /// Bytes above 7F, which ISO-2022-JP does not have.
    pub high_bytes: u32,
    /// Half-width kana, which SS-MIX2 forbids (kept).
    pub half_width_kana: u32,
    /// Characters in all.
    pub characters: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Set {
    Single,
    Kana,
    Kanji,
    Unsupported,
}

const ESC: u8 = 0x1B;

/// Appends the text of `bytes` (one segment, without its terminator) to `out`.
pub(crate) fn decode_into(bytes: &[u8], out: &mut String, seen: &mut Decoding) {
    let mut set = Set::Single;
    let mut rest = bytes;
    let mut scratch = Vec::new();
    loop {
        let (run, after) = match memchr::memchr(ESC, rest) {
            Some(at) => rest.split_at(at),
            None => (rest, &rest[rest.len()..]),
        };
        push_run(set, run, out, seen, &mut scratch);
        if after.is_empty() {
            return;
        }
        let (next, used) = match &after[1..] {
            [b'(', b'B' | b'J', ..] => (Set::Single, 3),
            [b'(', b'I', ..] => (Set::Kana, 3),
            [b'$', b'B' | b'@', ..] => (Set::Kanji, 3),
            [b'$', b'(', _, ..] => (Set::Unsupported, 4),
            [b'&', b'@', ..] => (set, 3),
            _ => {
                out.push('\u{FFFD}');
                seen.replaced += 1;
                seen.characters += 1;
                (set, 1)
            }
        };
        set = next;
        rest = &after[used..];
    }
}

fn push_run(set: Set, run: &[u8], out: &mut String, seen: &mut Decoding, scratch: &mut Vec<u8>) {
    let replace = |out: &mut String, seen: &mut Decoding| {
        out.push('\u{FFFD}');
        seen.replaced += 1;
    };
    match set {
        Set::Single => {
            if let (true, Ok(ascii)) = (run.is_ascii(), std::str::from_utf8(run)) {
                out.push_str(ascii);
                seen.characters += run.len() as u32;
                return;
            }
            for byte in run {
                seen.characters += 1;
                if byte.is_ascii() {
                    out.push(char::from(*byte));
                } else {
                    seen.high_bytes += 1;
                    replace(out, seen);
                }
            }
        }
        Set::Kana => {
            for byte in run {
                seen.characters += 1;
                let kana = match byte {
                    0x21..=0x5F => char::from_u32(0xFF40 + u32::from(*byte)),
                    _ => None,
                };
                if let Some(kana) = kana {
                    seen.half_width_kana += 1;
                    out.push(kana);
                } else {
                    replace(out, seen);
                }
            }
        }
        Set::Kanji | Set::Unsupported => {
            let known = set == Set::Kanji;
            let whole = |pair: &[u8]| pair.iter().all(|b| (0x21..=0x7E).contains(b));
            let pairs = run.chunks_exact(2);
            let odd = pairs.remainder().len();
            if known && pairs.clone().all(whole) {
                scratch.clear();
                scratch.extend(run[..run.len() - odd].iter().map(|b| b | 0x80));
                let before = out.len();
                let mut decoder = EUC_JP.new_decoder_without_bom_handling();
                out.reserve(decoder.max_utf8_buffer_length(scratch.len()).unwrap_or(0));
                let (_, _, errors) = decoder.decode_to_string(scratch, out, true);
                seen.characters += (scratch.len() / 2) as u32;
                if errors {
                    seen.replaced +=
                        out[before..].chars().filter(|c| *c == '\u{FFFD}').count() as u32;
                }
            } else {
                for pair in pairs {
                    seen.characters += 1;
                    let decoded = (known && whole(pair)).then(|| {
                        let euc = [pair[0] | 0x80, pair[1] | 0x80];
                        EUC_JP
                            .decode_without_bom_handling_and_without_replacement(&euc)
                            .map(String::from)
                    });
                    if let Some(Some(text)) = decoded {
                        out.push_str(&text);
                    } else {
                        seen.unsupported_set += u32::from(!known);
                        replace(out, seen);
                    }
                }
            }
            if odd == 1 {
                seen.characters += 1;
                replace(out, seen);
            }
        }
    }
}

/// Text as ISO-2022-JP, back in ASCII at the end; `None` if a character has no place in JIS X 0208.
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let (bytes, _, lost) = ISO_2022_JP.encode(text);
    (!lost).then(|| bytes.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> (String, Decoding) {
        let (mut out, mut seen) = (String::new(), Decoding::default());
        decode_into(bytes, &mut out, &mut seen);
        (out, seen)
    }

    #[test]
    fn bytes_that_look_like_delimiters_stay_inside_their_character() {
        // 「張」 is 4445; 「｜」 is 2143; 「^」-like second bytes 5E, 7C, 26 occur in many kanji.
        let (text, seen) = decode(b"A|\x1b$B\x23\x7c\x30\x5e\x1b(B|Z");
        assert_eq!(seen.replaced, 1, "237C is unassigned, 305E is 旭-like and is kept");
        assert_eq!(text.matches('|').count(), 2);
    }

    #[test]
    fn empty_escapes_are_no_error() {
        assert_eq!(decode(b"\x1b$B\x1b(B\x1b$B\x46\x7c\x1b(B").0, "日");
        assert_eq!(decode(b"\x1b$B\x1b(B\x1b$B\x46\x7c\x1b(B").1.replaced, 0);
    }

    #[test]
    fn jis_x_0212_is_replaced_and_counted() {
        let (text, seen) = decode(b"a\x1b$(D\x30\x21\x7c\x7c\x1b(Bb");
        assert_eq!(text, "a\u{FFFD}\u{FFFD}b");
        assert_eq!((seen.replaced, seen.unsupported_set), (2, 2));
    }

    #[test]
    fn half_width_kana_high_bytes_and_broken_escapes() {
        assert_eq!(decode(b"\x1b(I\x36\x5d\x1b(B").0, "ｶﾝ");
        assert_eq!(decode(b"\x1b(I\x36\x5d\x1b(B").1.half_width_kana, 2);
        assert_eq!(decode(b"\x1b(I\x00\x60").1.replaced, 2, "once overflowed");
        assert_eq!(decode("é".as_bytes()).1.high_bytes, 2);
        assert_eq!(decode(b"x\x1b").0, "x\u{FFFD}");
        assert_eq!(decode(b"\x1b$B\x46").0, "\u{FFFD}");
    }

    proptest! {
        #[test]
        fn what_we_encode_we_decode(text in "[ -~あ-んア-ヴ一二三東京都病院（）－]{0,40}") {
            if let Some(bytes) = encode(&text) {
                let (back, seen) = decode(&bytes);
                // WHATWG writes the full-width hyphen as the minus sign's JIS position.
                prop_assert_eq!(back.replace('\u{2212}', "－"), text.replace('\u{2212}', "－"));
                prop_assert_eq!(seen.replaced, 0);
            }
        }
        #[test]
        fn any_bytes_decode(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
