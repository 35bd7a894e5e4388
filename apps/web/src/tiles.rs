//! Japan as tiles, one per prefecture: a server-made drawing whose numbers stand in the table beside it.

use std::fmt::Write as _;

use kiban_journeys::Shown;

use crate::japanese::persons;

/// Column and row of each prefecture, in the order of the official codes.
const PLACES: [(u8, u8); 47] = [
    (13, 0),
    (12, 2),
    (13, 3),
    (13, 4),
    (12, 3),
    (12, 4),
    (12, 5),
    (13, 6),
    (12, 6),
    (11, 6),
    (11, 7),
    (13, 7),
    (12, 7),
    (12, 8),
    (11, 5),
    (10, 5),
    (9, 5),
    (9, 6),
    (11, 8),
    (10, 6),
    (10, 7),
    (10, 8),
    (9, 8),
    (8, 8),
    (8, 7),
    (7, 6),
    (6, 8),
    (6, 7),
    (7, 8),
    (7, 9),
    (5, 6),
    (4, 6),
    (5, 7),
    (4, 7),
    (3, 7),
    (6, 11),
    (5, 10),
    (4, 10),
    (5, 11),
    (2, 8),
    (1, 8),
    (0, 8),
    (1, 9),
    (2, 9),
    (2, 10),
    (1, 10),
    (0, 12),
];

const SIDE: u16 = 34;
/// From light to dark; a step each for a tenfold number.
const BLUES: [(&str, &str); 5] = [
    ("#ffffff", "#000"),
    ("#e8f1fe", "#000"),
    ("#c5d7fb", "#000"),
    ("#7096f8", "#000"),
    ("#0017c1", "#fff"),
];

fn step(shown: Shown) -> usize {
    match shown {
        Some(0) => 0,
        None => 1,
        Some(n) if n < 100 => 2,
        Some(n) if n < 1_000 => 3,
        Some(_) => 4,
    }
}

/// The drawing.
pub(crate) fn map(prefectures: &[(&'static str, Shown)]) -> String {
    let (width, height) = (14 * SIDE + 4, 13 * SIDE + 4);
    let mut out = format!(
        "<svg class=\"map\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"map-title\">\
         <title id=\"map-title\">都道府県別の人数。数字は下の表にあります。</title>\
         <defs><pattern id=\"few\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect width=\"6\" height=\"6\" fill=\"#fff\"/><rect width=\"1\" height=\"6\" fill=\"#b3b3b3\"/></pattern></defs>"
    );
    for ((name, shown), (column, row)) in prefectures.iter().zip(PLACES) {
        let (x, y) = (2 + u16::from(column) * SIDE, 2 + u16::from(row) * SIDE);
        let (fill, ink) = BLUES[step(*shown)];
        let fill = if shown.is_none() { "url(#few)" } else { fill };
        let short = name.strip_suffix(['県', '府', '都']).unwrap_or(name);
        let (middle, base) = (x + SIDE / 2, y + SIDE / 2 + 3);
        let side = SIDE - 2;
        // Writing to a String does not fail.
        let _ = write!(
            out,
            "<g><title>{name}：{}人</title><rect x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" fill=\"{fill}\" \
             stroke=\"#595959\"/><text x=\"{middle}\" y=\"{base}\" fill=\"{ink}\">{short}</text></g>",
            persons(*shown),
        );
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_prefecture_has_a_place_of_its_own_and_few_are_hatched() {
        let places: BTreeSet<_> = PLACES.iter().collect();
        assert_eq!(places.len(), 47);
        let all: Vec<_> = kiban_journeys::PREFECTURES.iter().map(|p| (*p, Some(0))).collect();
        assert_eq!(map(&all).matches("<g>").count(), 47);
        assert!(map(&all).contains(">京都</text>") && map(&all).contains(">北海道</text>"));
        assert!(
            map(&[("北海道", None)]).contains("10未満人")
                && map(&[("北海道", None)]).contains("#few")
        );
    }
}
