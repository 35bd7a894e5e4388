//! Where two values differ, and which rule equates what looks different.

use std::ops::Range;

use crate::{
    address::address,
    kana::kana_letters,
    kanji::name_kanji,
    numbers::symbol_or_number,
    rule::{NormalRule, RuleSet},
    text::compatible,
    typed::partial_date,
};

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// A kana name.
    Kana,
    /// A kanji name.
    Kanji,
    /// A date: both are shown as ISO dates, an unknown part as `-`.
    Date,
    /// An address: both are shown in the form in which they are compared.
    Address,
    /// Any number: symbol, telephone, postal code.
    Number,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// The same on both sides.
    Same,
    /// Written otherwise, but the same by the rules beside it.
    Equated,
    /// Not on the other side, or other there.
    Differs,
    /// Says nothing: blanks, dots, hyphens in numbers.
    Silent,
}

/// A piece of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the side's text.
    pub at: Range<usize>,
    /// What it is.
    pub mark: Mark,
    /// The rules that equate it.
    pub rules: RuleSet,
}

/// Two values side by side. The pieces of a side cover its text, in order.
#[derive(Clone, PartialEq, Eq)]
pub struct Highlight {
    /// The texts that the pieces speak of.
    pub text: [String; 2],
    /// Pieces of each side.
    pub pieces: [Vec<Piece>; 2],
}

impl std::fmt::Debug for Highlight {
    /// Never a value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Highlight").field("pieces", &self.pieces).finish_non_exhaustive()
    }
}

impl Highlight {
    /// Are both the same, as far as the rules say?
    pub fn is_same(&self) -> bool {
        self.pieces.iter().flatten().all(|p| p.mark != Mark::Differs)
    }

    /// The rules that equate something, both sides together.
    pub fn rules(&self) -> RuleSet {
        self.pieces.iter().flatten().fold(RuleSet::default(), |all, p| all.union(p.rules))
    }
}

/// Longer values are compared as a whole.
const LONGEST: usize = 400;

/// A letter with its marks, and what it becomes alone.
struct Unit {
    at: Range<usize>,
    normal: String,
    rules: RuleSet,
    silent: bool,
}

fn joins_before(c: char) -> bool {
    matches!(c, 'ﾞ' | 'ﾟ' | '\u{3099}' | '\u{309A}' | '\u{309B}' | '\u{309C}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' | '\u{200B}'..='\u{200D}')
}

fn units(text: &str, kind: ValueKind) -> Vec<Unit> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        match ranges.last_mut() {
            Some(last) if joins_before(c) => last.end = end,
            // ヴァ is one sound
            Some(last)
                if kind == ValueKind::Kana
                    && matches!(c, 'ァ' | 'ィ' | 'ェ' | 'ォ')
                    && text[last.clone()].ends_with('ヴ') =>
            {
                last.end = end;
            }
            _ => ranges.push(at..end),
        }
    }
    let mut before = 0;
    ranges
        .into_iter()
        .map(|at| {
            let raw = &text[at.clone()];
            let (mut normal, mut rules) = alone(raw, kind);
            if kind == ValueKind::Kana && text.len() <= 4 * LONGEST {
                // a long vowel is one by the letter before it
                let all = kana_letters(&text[..at.end]).text;
                let here: String = all.chars().skip(before).collect();
                before = all.chars().count();
                if here != normal && !here.is_empty() {
                    rules.fire(NormalRule::LongVowel);
                }
                normal = here;
            }
            let silent = normal.is_empty()
                || kind == ValueKind::Number && !normal.chars().any(char::is_alphanumeric);
            Unit { at, normal, rules, silent }
        })
        .collect()
}

/// What one letter becomes by the rules of its kind.
fn alone(raw: &str, kind: ValueKind) -> (String, RuleSet) {
    let mut rules = RuleSet::default();
    let normal = match kind {
        ValueKind::Kana => Some(kana_letters(raw)),
        ValueKind::Kanji => name_kanji(raw),
        ValueKind::Number => symbol_or_number(raw),
        ValueKind::Date | ValueKind::Address => None,
    };
    if let Some(normal) = normal {
        return (normal.text, normal.rules);
    }
    let text = compatible(raw, &mut rules);
    let says = |c: &char| {
        !c.is_whitespace() && (kind == ValueKind::Address || !matches!(c, '・' | '＝' | '='))
    };
    let kept: String = text.chars().filter(says).flat_map(char::to_uppercase).collect();
    if kept.is_empty() && !raw.is_empty() {
        rules.fire(NormalRule::Separator);
    }
    (kept, rules)
}

/// How two letters go together: 3 the same as written, 2 the same by rules, 0 not.
fn alike(a: &Unit, b: &Unit, l: &str, r: &str) -> u32 {
    match () {
        () if a.silent || b.silent => 0,
        () if l[a.at.clone()] == r[b.at.clone()] => 3,
        () if a.normal == b.normal => 2,
        () => 0,
    }
}

/// Compares two values letter by letter (longest common subsequence, letters as written before letters by rule).
pub fn highlight(left: &str, right: &str, kind: ValueKind) -> Highlight {
    let text = match kind {
        ValueKind::Date => [date(left), date(right)],
        ValueKind::Address => {
            [left, right].map(|t| address(t).map_or_else(|| t.to_owned(), |n| n.text))
        }
        _ => [left.to_owned(), right.to_owned()],
    };
    let (a, b) = (units(&text[0], kind), units(&text[1], kind));
    let (n, m) = (a.len(), b.len());
    let mut marks = [
        vec![(Mark::Differs, RuleSet::default()); n],
        vec![(Mark::Differs, RuleSet::default()); m],
    ];
    if n <= LONGEST && m <= LONGEST {
        let mut best = vec![0u32; (n + 1) * (m + 1)];
        let at = |i: usize, j: usize| i * (m + 1) + j;
        for i in (0..n).rev() {
            for j in (0..m).rev() {
                let both = alike(&a[i], &b[j], &text[0], &text[1]);
                let skip = best[at(i + 1, j)].max(best[at(i, j + 1)]);
                let take = if both > 0 { best[at(i + 1, j + 1)] + both } else { 0 };
                best[at(i, j)] = skip.max(take);
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < n && j < m {
            let both = alike(&a[i], &b[j], &text[0], &text[1]);
            if both > 0 && best[at(i, j)] == best[at(i + 1, j + 1)] + both {
                if both == 3 {
                    (marks[0][i].0, marks[1][j].0) = (Mark::Same, Mark::Same);
                } else {
                    marks[0][i] = (Mark::Equated, a[i].rules);
                    marks[1][j] = (Mark::Equated, b[j].rules);
                }
                (i, j) = (i + 1, j + 1);
            } else if best[at(i + 1, j)] >= best[at(i, j + 1)] {
                i += 1;
            } else {
                j += 1;
            }
        }
    } else if text[0] == text[1] {
        marks.iter_mut().flatten().for_each(|m| m.0 = Mark::Same);
    }
    let pieces = [(&a, &marks[0]), (&b, &marks[1])].map(|(units, marks)| {
        let mut out: Vec<Piece> = Vec::new();
        for (unit, (mark, rules)) in units.iter().zip(marks) {
            let mark = if unit.silent && *mark == Mark::Differs { Mark::Silent } else { *mark };
            match out.last_mut() {
                Some(last) if (last.mark, last.rules) == (mark, *rules) => {
                    last.at.end = unit.at.end;
                }
                _ => out.push(Piece { at: unit.at.clone(), mark, rules: *rules }),
            }
        }
        out
    });
    Highlight { text, pieces }
}

/// A date in one form; what is none stays as it is.
fn date(text: &str) -> String {
    let Some(date) = partial_date(text) else { return text.to_owned() };
    let part = |n: u32| if n == 0 { "--".to_owned() } else { format!("{n:02}") };
    format!("{:04}-{}-{}", date.year(), part(date.month()), part(date.day()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(l: &str, r: &str, kind: ValueKind) -> String {
        let h = highlight(l, r, kind);
        for side in 0..2 {
            let ends: Vec<usize> = h.pieces[side].iter().map(|p| p.at.end).collect();
            let starts: Vec<usize> = h.pieces[side].iter().map(|p| p.at.start).collect();
            assert_eq!(ends.last().copied().unwrap_or(0), h.text[side].len());
            assert!(starts.iter().skip(1).eq(ends.iter().take(ends.len().saturating_sub(1))));
        }
        let mark = |p: &Piece| match p.mark {
            Mark::Same => '=',
            Mark::Equated => '~',
            Mark::Differs => '!',
            Mark::Silent => ' ',
        };
        let side = |i: usize| {
            let mut out = String::new();
            for p in &h.pieces[i] {
                out.push_str(&h.text[i][p.at.clone()]);
                out.push(mark(p));
            }
            out
        };
        format!("{} / {}", side(0), side(1))
    }

    #[test]
    fn letters_by_rule_and_letters_that_differ() {
        use ValueKind::{Address, Date, Kana, Kanji, Number};
        assert_eq!(
            shown("ワタナベ　ヒロコ", "ワタナベ ヒロエ", Kana),
            "ワタナベ=　 ヒロ=コ! / ワタナベ=  ヒロ=エ!"
        );
        assert_eq!(shown("ﾜﾀﾅﾍﾞ", "わたなべ", Kana), "ﾜﾀﾅﾍﾞ~ / わたなべ~");
        assert_eq!(shown("渡邉広子", "渡辺廣子", Kanji), "渡=邉~広~子= / 渡=辺~廣~子=");
        assert_eq!(shown("S55.1.2", "1980-01-03", Date), "1980-01-0=2! / 1980-01-0=3!");
        assert_eq!(
            shown("03-1234-5678", "0312345679", Number),
            "03=- 1234=- 567=8! / 03=1234567=9!".replace("03=1234567=", "031234567=")
        );
        assert!(highlight("千代田区霞ヶ関一丁目２－３", "千代田区霞が関1-2-3", Address).is_same());
        let h = highlight("渡邉", "渡辺", Kanji);
        assert!(h.is_same() && h.rules().contains(NormalRule::VariantKanji));
        assert!(highlight("ﾊﾞ", "バ", Kana).rules().contains(NormalRule::Nfkc));
        assert!(!highlight("", "ア", Kana).is_same());
        let long = highlight("オオノ", "ｵｰﾉ", Kana);
        assert!(long.is_same() && long.rules().contains(NormalRule::LongVowel));
        assert!(!highlight("オオノ", "オノ", Kana).is_same());
    }

    proptest::proptest! {
        #[test]
        fn pieces_cover_any_text(l in ".{0,20}", r in "[ァ-ヶ ﾞー・山田]{0,12}") {
            for kind in [ValueKind::Kana, ValueKind::Kanji, ValueKind::Number, ValueKind::Address, ValueKind::Date] {
                let _ = shown(&l, &r, kind);
                let _ = shown(&r, &l, kind);
                let same = highlight(&r, &r, kind);
                proptest::prop_assert!(same.is_same());
            }
        }
    }
}
