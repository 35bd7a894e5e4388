//! What a first look finds in the text of an output: small cells, columns that name one record each, extremes. It does not
//! decide; checkers see it beside the file.
//!
//! A table is a CSV with a heading line. A column of whole numbers from zero on counts as one of counts; what is small in it
//! may let somebody be known. What the look cannot read (a picture, a PDF) is said to be unread.

use std::collections::BTreeSet;

/// Most marks of a kind: more tell a checker nothing new.
const MOST: usize = 200;
/// Rows from which a column of distinct codes is taken for one of records.
const RECORDS: usize = 10;

/// Something that a checker must look at. Positions count from 1, the heading line is not counted; no value is in it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Mark {
    /// A count from 1 up to what is too small to be shown.
    SmallCell {
        /// Line.
        row: usize,
        /// Column, as its heading says.
        column: String,
    },
    /// Every line has a code of its own: they may be persons or records.
    Records {
        /// Column, as its heading says.
        column: String,
        /// How many lines.
        rows: usize,
    },
    /// A smallest or largest value is a value of one person.
    Extreme {
        /// Column or line, as it is called.
        name: String,
    },
    /// So many more of the same kind.
    More {
        /// How many.
        count: usize,
    },
    /// The look cannot read what it is.
    Unread,
}

impl Mark {
    /// Sentence for a checker. `smallest`: the smallest count that may be shown.
    pub fn ja(&self, smallest: i64) -> String {
        match self {
            Self::SmallCell { row, column } => {
                format!("{row}行目の「{column}」が1以上{smallest}未満です。")
            }
            Self::Records { column, rows } => format!(
                "「{column}」が{rows}行すべてで異なる符号です。1行が1人または1件の記録であるおそれがあります。"
            ),
            Self::Extreme { name } => {
                format!("「{name}」は最小値または最大値で、1人の値であるおそれがあります。")
            }
            Self::More { count } => format!("ほかに{count}か所あります。"),
            Self::Unread => {
                "自動では中身を読めない種類のファイルです。検査者が開いて確かめてください。"
                    .to_owned()
            }
        }
    }
}

fn count_of(cell: &str) -> Option<i64> {
    let plain = cell.replace(',', "");
    let number: f64 = plain.parse().ok()?;
    let whole = number.fract() == 0.0 && (0.0..1e15).contains(&number);
    whole.then_some(number as i64)
}

fn is_code(cell: &str) -> bool {
    cell.len() >= 8
        && cell.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        && cell.chars().any(|c| c.is_ascii_digit())
}

fn is_extreme(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    ["最小値", "最大値", "最小", "最大"].iter().any(|w| name.contains(w))
        || name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|w| matches!(w, "min" | "max" | "minimum" | "maximum"))
}

/// Looks through a text.
pub(super) fn of_text(bytes: &[u8], smallest: i64) -> Vec<Mark> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let times = |wanted: u8| memchr::memchr_iter(wanted, first).count();
    let delimiter = if times(b'\t') > times(b',') { b'\t' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(bytes);
    let Ok(heads) = reader.headers().cloned() else { return vec![Mark::Unread] };
    let mut columns: Vec<(String, Vec<String>)> = heads
        .iter()
        .enumerate()
        .map(|(i, h)| {
            if h.trim().is_empty() {
                (format!("{}列目", i + 1), Vec::new())
            } else {
                (h.trim().to_owned(), Vec::new())
            }
        })
        .collect();
    let mut rows = 0;
    for record in reader.records() {
        let Ok(record) = record else { return vec![Mark::Unread] };
        rows += 1;
        for (i, cell) in record.iter().enumerate() {
            if columns.len() <= i {
                columns.push((format!("{}列目", i + 1), vec![String::new(); rows - 1]));
            }
            columns[i].1.push(cell.trim().to_owned());
        }
        for (_, cells) in &mut columns {
            cells.resize(rows, String::new());
        }
    }
    let mut out = Vec::new();
    for (name, cells) in &columns {
        if is_extreme(name) {
            out.push(Mark::Extreme { name: name.clone() });
        }
        let filled: Vec<&String> = cells.iter().filter(|c| !c.is_empty()).collect();
        let distinct: BTreeSet<&String> = filled.iter().copied().collect();
        if rows >= RECORDS
            && filled.len() == rows
            && distinct.len() == rows
            && filled.iter().all(|c| is_code(c))
        {
            out.push(Mark::Records { column: name.clone(), rows });
        }
    }
    if let Some((_, cells)) = columns.first() {
        let named = cells.iter().filter(|c| is_extreme(c));
        out.extend(named.map(|c| Mark::Extreme { name: c.clone() }));
    }
    let mut small = Vec::new();
    for (name, cells) in &columns {
        // A word among numbers (「10未満」, 「-」) does not make a column one of words.
        let counts = cells.iter().filter(|c| count_of(c).is_some()).count();
        let others = cells.iter().filter(|c| !c.is_empty() && count_of(c).is_none()).count();
        if counts == 0 || others > counts {
            continue;
        }
        for (row, cell) in cells.iter().enumerate() {
            if count_of(cell).is_some_and(|n| (1..smallest).contains(&n)) {
                small.push(Mark::SmallCell { row: row + 1, column: name.clone() });
            }
        }
    }
    let more = small.len().saturating_sub(MOST);
    small.truncate(MOST);
    out.extend(small);
    if more > 0 {
        out.push(Mark::More { count: more });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> Vec<Mark> {
        of_text(text.as_bytes(), 10)
    }

    #[test]
    fn a_small_count_is_named_by_its_place_and_no_other_is() {
        let text = "\u{feff}年齢階級,男,女,割合\n20-29,\"1,204\",9,0.5\n30-39,10,0,0.25\n40-49,10未満,1,0.25\n";
        let small = |row, column: &str| Mark::SmallCell { row, column: column.to_owned() };
        assert_eq!(look(text), [small(1, "女"), small(3, "女")]);
        assert_eq!(look("地域,人数\n東京,10\n大阪,120\n"), []);
        // Tabs, and a count written as a real number.
        assert_eq!(look("a\tn\nx\t3.0\n"), [small(1, "n")]);
        // A line that is longer than the heading.
        assert_eq!(look("a,n\nx,30,4\n"), [small(1, "3列目")]);
    }

    #[test]
    fn lists_of_records_and_extremes_are_seen() {
        let mut text = "id,hba1c\n".to_owned();
        for i in 0..12 {
            text.extend([format!("p{i:08}"), format!(",{i}.5\n")]);
        }
        assert_eq!(look(&text), [Mark::Records { column: "id".to_owned(), rows: 12 }]);
        let found = look("項目,値\n平均,52.1\n最大値,103.0\n");
        assert!(found.contains(&Mark::Extreme { name: "最大値".to_owned() }), "{found:?}");
        assert!(look("k,max_age\na,103\n").contains(&Mark::Extreme { name: "max_age".to_owned() }));
        assert!(!look("k,maxima\na,103\n").iter().any(|m| matches!(m, Mark::Extreme { .. })));
    }

    #[test]
    fn a_thousand_small_cells_are_counted_not_listed() {
        let text = format!("n\n{}", "3\n".repeat(1_000));
        let found = look(&text);
        assert_eq!(found.len(), MOST + 1);
        assert_eq!(found.last(), Some(&Mark::More { count: 1_000 - MOST }));
        assert!(found[0].ja(10).contains("1行目"));
    }
}
