//! What two sources wrote of a person, field by field, and where they differ.

use kiban_kernel::{Id, kinds};
use kiban_lake::Lake;
use kiban_linkage::review::{Mark, Piece, ValueKind, highlight};

use super::{LinkError, model::Row, read};

type Source = Id<kinds::PersonSource>;

/// How a piece of a value stands to the other record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideMark {
    /// Written the same.
    Same,
    /// Written otherwise, the same by the rules beside it.
    Equated,
    /// Not there, or other there.
    Differs,
    /// Says nothing: blanks, hyphens in numbers.
    Silent,
}

/// A piece of a value. No `Debug`: it holds a value.
pub struct SidePiece {
    /// The letters.
    pub text: String,
    /// How it stands to the other record.
    pub mark: SideMark,
    /// Id and Japanese name of each rule that equates it.
    pub rules: Vec<(&'static str, &'static str)>,
}

/// One field of two records. No `Debug`: it holds values.
pub struct Side {
    /// Japanese name of the field.
    pub field: &'static str,
    /// What each wrote; several ways of writing are joined by `／`.
    pub values: [String; 2],
    /// The same, or the same by the rules named?
    pub same: bool,
    /// Japanese names of the rules by which they are the same.
    pub rules: Vec<String>,
    /// Each side's letters in order, with what differs marked. Dates and addresses in the form in which they are compared.
    pub pieces: [Vec<SidePiece>; 2],
}

/// Two records side by side. No `Debug`: it holds values.
pub struct Compared {
    /// Whose records they are; `None` where a source has no record any more.
    pub holders: [Option<Id<kinds::Organization>>; 2],
    /// Field by field.
    pub sides: Vec<Side>,
}

const FIELDS: [(&str, usize, Option<ValueKind>); 11] = [
    ("漢字氏名", 1, Some(ValueKind::Kanji)),
    ("カナ氏名", 2, Some(ValueKind::Kana)),
    ("性別", 3, None),
    ("生年月日", 4, Some(ValueKind::Date)),
    ("郵便番号", 5, None),
    ("住所", 6, Some(ValueKind::Address)),
    ("電話番号", 7, None),
    ("保険者番号", 8, None),
    ("記号", 9, None),
    ("番号", 10, None),
    ("枝番", 11, None),
];

/// Both sources' person rows at the newest snapshot, field by field.
///
/// # Errors
/// The lake failed.
pub async fn compared(lake: &Lake, sources: [Source; 2]) -> Result<Compared, LinkError> {
    let head = lake.head().await?;
    let mut rows: [Vec<Row>; 2] = [Vec::new(), Vec::new()];
    for (source, rows) in sources.iter().zip(&mut rows) {
        if head.0 > 0 {
            let found = lake.scan_persons("person", head, &[*source]).await?;
            *rows = read::sources(&found, &[])?.rows;
        }
    }
    let written = |rows: &[Row], cell: usize| {
        let mut ways: Vec<&str> =
            rows.iter().map(|r| r.cells[cell].as_str()).filter(|c| !c.is_empty()).collect();
        ways.sort_unstable();
        ways.dedup();
        ways.join("／")
    };
    let holder = |rows: &[Row]| rows.first().and_then(|r| r.cells[0].parse().ok());
    let holders = [holder(&rows[0]), holder(&rows[1])];
    let sides = FIELDS
        .into_iter()
        .map(|(field, cell, kind)| {
            let values = [written(&rows[0], cell), written(&rows[1], cell)];
            let (same, rules, pieces) = if let Some(kind) = kind {
                let marked = highlight(&values[0], &values[1], kind);
                let rules = marked.rules().iter().map(|r| r.ja().to_owned()).collect();
                let cut = |side: usize| {
                    marked.pieces[side].iter().map(|p| piece(&marked.text[side], p)).collect()
                };
                (marked.is_same(), rules, [cut(0), cut(1)])
            } else {
                let same = values[0] == values[1];
                (same, Vec::new(), [whole(&values[0], same), whole(&values[1], same)])
            };
            Side { field, values, same, rules, pieces }
        })
        .collect();
    Ok(Compared { holders, sides })
}

fn piece(text: &str, of: &Piece) -> SidePiece {
    SidePiece {
        text: text.get(of.at.clone()).unwrap_or_default().to_owned(),
        mark: match of.mark {
            Mark::Same => SideMark::Same,
            Mark::Equated => SideMark::Equated,
            Mark::Differs => SideMark::Differs,
            Mark::Silent => SideMark::Silent,
        },
        rules: of.rules.iter().map(|r| (r.code(), r.ja())).collect(),
    }
}

/// A value that is compared as a whole.
fn whole(text: &str, same: bool) -> Vec<SidePiece> {
    let mark = if same { SideMark::Same } else { SideMark::Differs };
    if text.is_empty() {
        Vec::new()
    } else {
        vec![SidePiece { text: text.to_owned(), mark, rules: Vec::new() }]
    }
}
