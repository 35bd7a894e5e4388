//! HL7's escapes, by which delimiters stand inside values.
//!
//! Enters: a component's text. Leaves: its value, and back. Refuses: nothing; what is no escape stays.

use std::borrow::Cow;

/// Resolves HL7's escapes: `\F\ \S\ \T\ \R\ \E\ \.br\ \Xhh..\`; others stay as they are.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some((code, next)) = after.split_once('\\') else {
            rest = &rest[at..];
            break;
        };
        let hex = code.strip_prefix('X').and_then(hex_text);
        match (code, hex) {
            ("F", _) => out.push('|'),
            ("S", _) => out.push('^'),
            ("T", _) => out.push('&'),
            ("R", _) => out.push('~'),
            ("E", _) => out.push('\\'),
            (".br", _) => out.push('\n'),
            (_, Some(text)) => out.push_str(&text),
            _ => {
                // Not an escape: keep the backslash; the next one may begin a real one.
                out.push('\\');
                rest = after;
                continue;
            }
        }
        rest = next;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn hex_text(hex: &str) -> Option<String> {
    if hex.is_empty() || !hex.len().is_multiple_of(2) || !hex.bytes().all(|b| b.is_ascii_hexdigit())
    {
        return None;
    }
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .filter_map(|i| u8::from_str_radix(&hex[i..i + 2], 16).ok())
        .collect();
    String::from_utf8(bytes).ok()
}

/// Escapes a value so that it can stand in a component.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            '\\' => out.push_str("\\E\\"),
            '\n' => out.push_str("\\.br\\"),
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_resolve_and_others_stay() {
        assert_eq!(unescape("a\\F\\b\\.br\\c\\X41\\"), "a|b\ncA");
        assert_eq!(unescape("C:\\temp\\F\\"), "C:\\temp|");
        assert_eq!(unescape("\\X4\\ \\"), "\\X4\\ \\");
    }

    proptest! {
        #[test]
        fn escaping_is_undone(text in "[ -~あ\n]{0,30}") {
            let escaped = escape(&text);
            prop_assert_eq!(unescape(&escaped), text);
        }
    }
}
