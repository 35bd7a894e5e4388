//! One way of writing out of many: width, superscripts, signs of multiplication, powers of ten.

use unicode_normalization::UnicodeNormalization as _;

/// The plain form, and whether a power of ten was read where its superscript was lost (`×104/μL`).
pub(super) fn plain(text: &str) -> (String, bool) {
    let raised = superscripts(text.trim());
    let mut plain: String = raised
        .nfkc()
        .map(|c| match c {
            'μ' | 'µ' => 'u',
            '・' | '･' | '·' | '⋅' | '∙' | '•' => '.',
            '×' | '✕' | '╳' | '✖' => '×',
            '−' | '‐' | '‑' | '–' => '-',
            '∕' | '⁄' | '÷' => '/',
            '′' | '’' => '\'',
            '，' => ',',
            c => c,
        })
        .collect();
    if let Some(inner) = plain.strip_prefix('(').and_then(|p| p.strip_suffix(')'))
        && !inner.contains(['(', ')'])
        && inner != "INR"
    {
        plain = inner.to_owned();
    }
    let (plain, spaced) = lost_space(&plain);
    let plain: String = plain.chars().filter(|c| !c.is_whitespace()).collect();
    let (plain, lost) = powers(&plain);
    (plain, lost || spaced)
}

/// `10⁴` becomes `10*4`, `m²` becomes `m2`, `s⁻¹` becomes `s-1`.
fn superscripts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        let digit = match c {
            '⁰' => '0',
            '¹' => '1',
            '²' => '2',
            '³' => '3',
            '⁴'..='⁹' => char::from_u32(c as u32 - '⁴' as u32 + '4' as u32).unwrap_or(c),
            '⁻' => '-',
            _ => {
                inside = false;
                out.push(c);
                continue;
            }
        };
        if !inside && (out.ends_with("10") || out.ends_with("１０")) {
            out.push('*');
        }
        inside = true;
        out.push(digit);
    }
    out
}

/// `10 4/uL`: a superscript that became a blank and a digit.
fn lost_space(text: &str) -> (String, bool) {
    let head = text.trim_start_matches(['×', 'x', 'X', '*', ' ']);
    if let Some(rest) = head.strip_prefix("10 ")
        && let Some(at) = rest.find('/')
        && (1..=2).contains(&at)
        && rest[..at].bytes().all(|b| b.is_ascii_digit())
    {
        return (format!("10*{rest}"), true);
    }
    (text.to_owned(), false)
}

/// Every way to write ten to a power, as `10*n`; a leading sign of multiplication goes.
fn powers(text: &str) -> (String, bool) {
    let bare = text
        .strip_prefix(['×', 'x', 'X', '*', '.'])
        .filter(|rest| rest.starts_with("10") || rest.starts_with(['万', '千', '百', '億']));
    let multiplied = bare.is_some();
    let text = bare.unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut lost = false;
    while let Some(at) = rest.find("10") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        out.push_str(before);
        out.push_str("10");
        let joined = before.ends_with(|c: char| c.is_ascii_digit() || c == '.' && at > 1);
        let sign =
            ["**", "*", "^", "E", "e", "の", "×E"].iter().find_map(|s| after.strip_prefix(s));
        let (power, lost_here) = match sign {
            Some(rest) => (rest, false),
            None => (after, multiplied && at == 0 && out.len() == 2),
        };
        let power = power.strip_prefix('+').unwrap_or(power);
        let digits = power
            .char_indices()
            .take_while(|(i, c)| c.is_ascii_digit() || *i == 0 && *c == '-')
            .count();
        let (exponent, tail) = power.split_at(digits);
        let fits = (1..=3).contains(&digits) && exponent != "-" && !joined;
        if fits && (sign.is_some() || lost_here && digits <= 2 && !exponent.starts_with('0')) {
            out.push('*');
            out.push_str(exponent);
            lost |= lost_here;
            rest = tail.strip_prefix('乗').unwrap_or(tail);
        } else {
            rest = after;
        }
    }
    out.push_str(rest);
    let out = out.replace('×', ".");
    // `毎分` is `per minute`.
    (out.strip_prefix('毎').map_or_else(|| out.clone(), |rest| format!("/{rest}")), lost)
}
