//! CBOR (RFC 8949) as far as CTAP2 writes it: definite lengths, no tags, no floats, no key twice.

/// Deepest nesting.
const DEEPEST: u8 = 8;

/// A data item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// 0, 1, 2 …
    Unsigned(u64),
    /// −1 − n
    Negative(u64),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Value<'a>>),
    Map(Vec<(Value<'a>, Value<'a>)>),
    /// False, true, null and their kin.
    Simple(u8),
}

impl<'a> Value<'a> {
    /// The value under an integer key of a map.
    pub(crate) fn at(&self, key: i64) -> Option<&Self> {
        self.find(|k| k.int() == Some(key))
    }

    /// The value under a text key of a map.
    pub(crate) fn named(&self, key: &str) -> Option<&Self> {
        self.find(|k| matches!(k, Value::Text(text) if *text == key))
    }

    fn find(&self, is: impl Fn(&Self) -> bool) -> Option<&Self> {
        let Self::Map(pairs) = self else { return None };
        pairs.iter().find(|(k, _)| is(k)).map(|(_, v)| v)
    }

    pub(crate) fn int(&self) -> Option<i64> {
        match self {
            Self::Unsigned(n) => i64::try_from(*n).ok(),
            Self::Negative(n) => i64::try_from(*n).ok().map(|n| -1 - n),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// The first item, and the bytes after it.
pub(crate) fn read(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let mut rest = bytes;
    let value = item(&mut rest, DEEPEST)?;
    Some((value, rest))
}

fn item<'a>(rest: &mut &'a [u8], depth: u8) -> Option<Value<'a>> {
    let depth = depth.checked_sub(1)?;
    let (&head, after) = rest.split_first()?;
    *rest = after;
    let argument = argument(rest, head & 0x1f)?;
    Some(match head >> 5 {
        0 => Value::Unsigned(argument),
        1 => Value::Negative(argument),
        2 => Value::Bytes(take(rest, argument)?),
        3 => Value::Text(std::str::from_utf8(take(rest, argument)?).ok()?),
        4 => {
            // Each item takes a byte at least: a count beyond the bytes ends here, not in memory.
            let mut items = Vec::new();
            for _ in 0..argument {
                items.push(item(rest, depth)?);
            }
            Value::Array(items)
        }
        5 => {
            let mut pairs: Vec<(Value<'_>, Value<'_>)> = Vec::new();
            for _ in 0..argument {
                let key = item(rest, depth)?;
                if pairs.len() >= 64 || pairs.iter().any(|(k, _)| *k == key) {
                    return None;
                }
                pairs.push((key, item(rest, depth)?));
            }
            Value::Map(pairs)
        }
        7 if head & 0x1f < 24 => Value::Simple(head & 0x1f),
        _ => return None,
    })
}

/// The number that the head carries or announces.
fn argument(rest: &mut &[u8], low: u8) -> Option<u64> {
    let width = match low {
        0..=23 => return Some(u64::from(low)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let bytes = take(rest, width)?;
    Some(bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let length = usize::try_from(length).ok()?;
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_standard_are_read_and_the_rest_is_refused() {
        let whole = |bytes: &[u8]| {
            read(bytes).filter(|(_, rest)| rest.is_empty()).map(|(v, _)| format!("{v:?}"))
        };
        assert_eq!(whole(&[0x19, 0x03, 0xe8]).unwrap(), "Unsigned(1000)");
        assert_eq!(read(&[0x39, 0x01, 0x00]).unwrap().0.int(), Some(-257));
        let map = [0xa2, 0x01, 0x20, 0x61, b'a', 0x42, 1, 2];
        let (map, rest) = read(&map).unwrap();
        assert!(rest.is_empty());
        assert_eq!(map.at(1).and_then(Value::int), Some(-1));
        assert_eq!(map.named("a").and_then(Value::bytes), Some(&[1, 2][..]));
        for refused in [
            &[0x5f, 0x41, 0x00, 0xff][..],               // indefinite length
            &[0xc0, 0x00],                               // tag
            &[0xfa, 0, 0, 0, 0],                         // float
            &[0xa2, 0x01, 0x01, 0x01, 0x02],             // key twice
            &[0x9b, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], // more items than bytes
            &[0x62, 0xff, 0xfe],                         // no UTF-8
            &[0x81; 40],                                 // too deep
            &[0x42, 1],                                  // cut off
            &[],
        ] {
            assert!(read(refused).is_none(), "{refused:x?}");
        }
    }
}
