//! What two sources wrote of a person, field by field, and where they differ.

use kiban_kernel::{Id, kinds};
use kiban_lake::Lake;
use kiban_linkage::review::{ValueKind, highlight};

use super::{LinkError, model::Row, read};

type Source = Id<kinds::PersonSource>;

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
pub async fn compared(lake: &Lake, sources: [Source; 2]) -> Result<Vec<Side>, LinkError> {
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
    Ok(FIELDS
        .into_iter()
        .map(|(field, cell, kind)| {
            let values = [written(&rows[0], cell), written(&rows[1], cell)];
            let (same, rules) = match kind {
                Some(kind) => {
                    let marked = highlight(&values[0], &values[1], kind);
                    let rules = marked.rules().iter().map(|r| r.ja().to_owned()).collect();
                    (marked.is_same(), rules)
                }
                None => (values[0] == values[1], Vec::new()),
            };
            Side { field, values, same, rules }
        })
        .collect())
}
