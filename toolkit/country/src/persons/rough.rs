//! The rough profile: what spreadsheets and old exports add to a cell. It changes how values are
//! written, never what they say, so it has no tags.

use crate::{chance::Chance, day::Day, kana, persons::record::Cells};

/// Share of records whose clerk did not keep to the house style.
pub(crate) const OWN_STYLE: f64 = 0.25;
/// Share of birth dates in a form that no house style has.
const ODD_DATE: f64 = 0.06;
/// Share of cells with something around or in place of the value.
const ODD_CELL: f64 = 0.03;
/// Share of empty cells with a word for nothing.
const ODD_NOTHING: f64 = 0.1;

/// A date in a form seen in exports, rarely; else as it was.
pub(crate) fn date(day: Day, written: String, chance: &mut Chance) -> String {
    if !chance.chance(ODD_DATE) {
        return written;
    }
    let (year, month, of_month) = day.civil();
    let (letter, era, of_era) = day.era();
    match chance.below(6) {
        0 => format!("{letter}{of_era}/{month}/{of_month}"),
        1 => format!("{year}.{month}.{of_month}"),
        2 => format!("{day} 00:00:00"),
        3 => format!("{era}{of_era:02}年{month:02}月{of_month:02}日"),
        4 => {
            // 元号コード: 1 明治 to 5 令和, then two digits each
            let code = ["明治", "大正", "昭和", "平成", "令和"].iter().position(|e| *e == era);
            format!("{}{of_era:02}{month:02}{of_month:02}", code.unwrap_or(0) + 1)
        }
        _ => kana::wide_digits(&format!("{year}/{month:02}/{of_month:02}")),
    }
}

/// Dirt around the values of a record.
pub(crate) fn cells(cells: &mut Cells, chance: &mut Chance) {
    for (column, cell) in cells.iter_mut().enumerate() {
        if cell.is_empty() {
            if chance.chance(ODD_NOTHING) {
                ["-", "NULL", "＊", " ", "　"][chance.below(5) as usize].clone_into(cell);
            }
            continue;
        }
        if !chance.chance(ODD_CELL) {
            continue;
        }
        *cell = match (column, chance.below(3)) {
            (0, 0) => format!("{cell}　様"),
            (0 | 1, 1) => cell.replace(['　', ' '], "　　"),
            (1, 0) => cell.replace(['　', ' '], "・"),
            (1, _) => cell.replace(['ー', 'ｰ'], "-"),
            (4, 0) => format!("〒{cell}"),
            (5, _) => cell.replace('-', ["の", "‐", "−"][chance.below(3) as usize]),
            (6, 0) => format!("TEL:{cell}"),
            (6, 1) => format!("{cell} "),
            (7 | 9, 0) => format!("'{cell}"),
            (8, _) => kana::wide_digits(cell),
            _ => format!(" {cell}　"),
        };
    }
}
