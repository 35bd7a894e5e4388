//! Where a line may end. The rules are those of JIS X 4051 that an office document needs: no closing mark, small kana or
//! repeat mark at the beginning of a line, no opening mark at its end, words and numbers whole. What fits nowhere is cut.

use crate::face::Face;

/// May not begin a line.
const NOT_FIRST: &str = "、。，．,.・：；:;？！?!）)］]｝}」』】〕〉》”’ー々〻ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ％%℃‰°′″…‥";
/// May not end a line.
const NOT_LAST: &str = "（(［[｛{「『【〔〈《“‘￥¥＄$№＃#";
/// Belong together if they meet: a dash or a row of dots is one.
const TWINS: &str = "…‥—―";

/// Part of a word or number in Latin letters.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "_@/.,:;%&+='~^*\\-".contains(c)
        || ('\u{c0}'..='\u{24f}').contains(&c)
}

/// May a line end between these two?
fn may_break(before: char, after: char) -> bool {
    if after == ' ' || NOT_FIRST.contains(after) || NOT_LAST.contains(before) {
        return false;
    }
    if before == after && TWINS.contains(before) {
        return false;
    }
    if before == '-' || before == '/' {
        // Within a word a hyphen or slash is a place to end, but not before a digit: dates and numbers stay whole.
        return !after.is_ascii_digit();
    }
    !(is_word(before) && is_word(after))
}

/// The lines of a text in a column of `width` ems. A line feed ends a line. Spaces at the end of a line that was
/// broken are left away; nothing else is.
pub(crate) fn lines(text: &str, face: &Face, width: f32) -> Vec<String> {
    text.split('\n').flat_map(|part| paragraph(part, face, width)).collect()
}

fn paragraph(text: &str, face: &Face, width: f32) -> Vec<String> {
    let chars: Vec<char> = text.chars().filter(|c| !c.is_control()).collect();
    let mut out = Vec::new();
    let (mut start, mut at, mut used) = (0, 0, 0.0);
    while at < chars.len() {
        let one = face.width(chars[at]);
        // A space at the edge hangs over it and is left away.
        if used + one <= width + 1e-4 || at == start || chars[at] == ' ' {
            used += one;
            at += 1;
            continue;
        }
        let end = (start + 1..=at).rev().find(|i| may_break(chars[i - 1], chars[*i])).unwrap_or(at);
        out.push(of(&chars[start..end]));
        start = end;
        while start < chars.len() && chars[start] == ' ' {
            start += 1;
        }
        at = start;
        used = 0.0;
    }
    let rest = of(&chars[start..]);
    if !rest.is_empty() || out.is_empty() {
        out.push(rest);
    }
    out
}

fn of(chars: &[char]) -> String {
    chars.iter().collect::<String>().trim_end_matches(' ').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Faces;

    fn broken(text: &str, width: f32) -> Vec<String> {
        lines(text, &Faces::embedded().unwrap().regular, width)
    }

    #[test]
    fn a_closing_mark_does_not_begin_a_line() {
        assert_eq!(broken("医療情報を、守る。", 5.0), ["医療情報", "を、守る。"]);
        assert_eq!(broken("（別紙）の「様式」", 4.0), ["（別紙）", "の「様", "式」"]);
    }

    #[test]
    fn words_and_numbers_stay_whole() {
        assert_eq!(broken("番号はABC-123です", 6.0), ["番号は", "ABC-123です"]);
        assert_eq!(broken("2026-11-28 から", 6.0)[0], "2026-11-28");
    }

    #[test]
    fn what_fits_nowhere_is_cut() {
        let digest = "0123456789abcdef".repeat(4);
        let cut = broken(&digest, 10.0);
        assert!(cut.len() > 2);
        assert_eq!(cut.concat(), digest);
    }

    proptest::proptest! {
        /// `paper.inside`, `paper.kinsoku`: whatever is written, in whatever column.
        #[test]
        fn lines_fit_and_end_where_they_may(
            text in "[一-三あ-おァ-ォ、。「」（）ー0-9a-c/-]{0,60}",
            width in 2.0f32..20.0,
        ) {
            let faces = Faces::embedded().unwrap();
            let face = &faces.regular;
            let broken = lines(&text, face, width);
            proptest::prop_assert_eq!(broken.concat(), text);
            for line in &broken {
                let one = line.chars().count() <= 1;
                proptest::prop_assert!(one || face.text_width(line) <= width + 1e-3, "{}", line);
            }
            for pair in broken.windows(2) {
                let above: Vec<char> = pair[0].chars().collect();
                let (last, first) = (above[above.len() - 1], pair[1].chars().next().unwrap());
                if !may_break(last, first) {
                    let better = above.windows(2).any(|two| may_break(two[0], two[1]));
                    proptest::prop_assert!(!better, "{} | {}", pair[0], pair[1]);
                }
            }
        }
    }

    #[test]
    fn an_empty_text_is_one_empty_line() {
        assert_eq!(broken("", 5.0), [""]);
        assert_eq!(broken("一\n\n二", 5.0), ["一", "", "二"]);
    }
}
