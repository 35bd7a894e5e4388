//! Numbers that name persons or places: insurer, symbol, number, branch, telephone, postal code.

use crate::{
    rule::{NormalRule, RuleSet},
    text::{Normal, compatible, is_hyphen, is_unknown},
};

/// An insurer number (保険者番号): digits without leading zeros (国保 is written with 6 or 8 digits);
/// `None` if it has other characters, more than 8 digits, or is all zeros or nines.
pub fn insurer_no(text: &str) -> Option<Normal> {
    let mut rules = RuleSet::default();
    let digits: String = compatible(text, &mut rules)
        .chars()
        .filter(|c| !is_hyphen(*c) && !c.is_whitespace())
        .collect();
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    trimmed(&digits, rules)
}

/// A symbol or number of an insured person (記号・番号): capitals, without separators and leading zeros.
/// `None` if empty, a placeholder, or with an unknown character.
pub fn symbol_or_number(text: &str) -> Option<Normal> {
    let mut rules = RuleSet::default();
    let mut out = String::new();
    for c in compatible(text, &mut rules).chars() {
        if is_unknown(c) {
            return None;
        }
        if is_hyphen(c) || c.is_whitespace() || matches!(c, '・' | '.' | '/' | 'ー') {
            rules.fire(NormalRule::Separator);
            continue;
        }
        if c.is_lowercase() {
            rules.fire(NormalRule::Capital);
        }
        out.extend(c.to_uppercase());
    }
    if out.is_empty() {
        return None;
    }
    trimmed(&out, rules)
}

/// A branch number (枝番): two digits. `None` if it is not a number of one or two digits.
pub fn branch(text: &str) -> Option<Normal> {
    let mut rules = RuleSet::default();
    let digits = compatible(text, &mut rules);
    let value: u8 = digits.parse().ok().filter(|v| *v < 100 && !digits.starts_with('+'))?;
    Some(Normal { text: format!("{value:02}"), rules })
}

/// A postal code: seven digits, not all alike.
pub fn postal_code(text: &str) -> Option<Normal> {
    let mut rules = RuleSet::default();
    let digits: String =
        compatible(text, &mut rules).chars().filter(char::is_ascii_digit).collect();
    (digits.len() == 7 && !all_alike(&digits)).then_some(Normal { text: digits, rules })
}

/// Telephone numbers, several split at `;` `,` `/` or a blank between numbers: digits in the national
/// form (`+81` becomes `0`), nine to eleven of them, not all alike.
pub fn phones(text: &str) -> Vec<Normal> {
    let mut rules = RuleSet::default();
    let text = compatible(text, &mut rules);
    let mut out: Vec<Normal> = Vec::new();
    for part in text.split([';', ',', '/', '、']) {
        let mut digits: String = part.chars().filter(char::is_ascii_digit).collect();
        if part.trim_start().starts_with("+81") {
            digits = format!("0{}", digits[2..].trim_start_matches('0'));
        }
        if (9..=11).contains(&digits.len()) && digits.starts_with('0') && !all_alike(&digits[1..]) {
            out.push(Normal { text: digits, rules });
        }
    }
    out.sort_by(|a, b| a.text.cmp(&b.text));
    out.dedup_by(|a, b| a.text == b.text);
    out
}

fn trimmed(text: &str, mut rules: RuleSet) -> Option<Normal> {
    let short = text.trim_start_matches('0');
    if short.len() != text.len() {
        rules.fire(NormalRule::LeadingZeros);
    }
    let placeholder = short.is_empty() || (short.len() >= 5 && short.bytes().all(|b| b == b'9'));
    (!placeholder).then(|| Normal { text: short.to_owned(), rules })
}

fn all_alike(digits: &str) -> bool {
    digits.bytes().all(|b| Some(b) == digits.bytes().next())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(n: Option<Normal>) -> Option<String> {
        n.map(|n| n.text)
    }

    #[test]
    fn insurer_numbers() {
        assert_eq!(text(insurer_no("００１３８０５７")), Some("138057".into()));
        assert_eq!(text(insurer_no("138057")), Some("138057".into()));
        for none in ["", "00000000", "99999999", "123456789", "13A057"] {
            assert!(insurer_no(none).is_none(), "{none}");
        }
    }

    #[test]
    fn symbols_and_numbers() {
        assert_eq!(text(symbol_or_number("１２－３４")), Some("1234".into()));
        assert_eq!(text(symbol_or_number("0012 34")), Some("1234".into()));
        assert_eq!(text(symbol_or_number("組合・ａ１")), Some("組合A1".into()));
        assert!(symbol_or_number("〓12").is_none());
        assert_eq!(text(branch("1")), Some("01".into()));
        assert_eq!(text(branch("００")), Some("00".into()));
        assert!(branch("123").is_none() && branch("a").is_none() && branch("+1").is_none());
    }

    #[test]
    fn telephone_and_postal() {
        let got: Vec<String> = phones("03-1234-5678; +81 90-1234-5678,0000000000")
            .into_iter()
            .map(|n| n.text)
            .collect();
        assert_eq!(got, ["0312345678", "09012345678"]);
        assert_eq!(text(postal_code("〒１００－０００１")), Some("1000001".into()));
        assert!(postal_code("0000000").is_none());
    }

    proptest! {
        // linkage.normal-once
        #[test]
        fn twice_is_once(t in "[0-9０-９A-Za-z組合・ -]{0,10}") {
            for f in [insurer_no, symbol_or_number, branch, postal_code] {
                if let Some(once) = f(&t) {
                    prop_assert_eq!(f(&once.text).map(|n| n.text), Some(once.text));
                }
            }
            for once in phones(&t) {
                let again: Vec<String> = phones(&once.text).into_iter().map(|n| n.text).collect();
                prop_assert_eq!(again, vec![once.text]);
            }
        }

        #[test]
        fn any_text_is_survived(t in ".{0,24}") {
            let _ = (insurer_no(&t), symbol_or_number(&t), branch(&t), postal_code(&t), phones(&t));
        }
    }
}
