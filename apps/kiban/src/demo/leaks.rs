//! Leak scan: does any cell of an opened package contain a value that identifies a person of the input?
//!
//! Every cell of every table, from Parquet and from CSV, is folded (width, kana, spaces) and searched for every
//! known identifying value, folded the same way: full names in both orders, phones, identifiers of six characters
//! and more, addresses below the municipality, names of staff. A name of one character counts as a whole cell only.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use unicode_normalization::UnicodeNormalization as _;

use crate::say::Failure;

/// What a scan found.
#[derive(Debug, Default, Clone)]
pub(crate) struct Scan {
    /// Cells read.
    pub(crate) cells: u64,
    /// Hits by kind of value.
    pub(crate) hits: BTreeMap<String, u64>,
}

impl Scan {
    pub(crate) fn leaks(&self) -> u64 {
        self.hits.values().sum()
    }
}

/// All known identifying values, ready to be searched for.
pub(crate) struct Known {
    automaton: AhoCorasick,
    kinds: Vec<String>,
    whole: HashSet<String>,
}

/// Shortest identifier that is searched for inside a cell.
const MIN_IDENTIFIER: usize = 6;

impl Known {
    /// Read `truth/identifiers.csv` (holder, kind, value).
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn load(truth: &Path) -> Result<Self, Failure> {
        let failed = |e: csv::Error| Failure::new("真値のファイルを読めません。", &e);
        let mut reader = csv::Reader::from_path(truth.join("identifiers.csv")).map_err(failed)?;
        let (mut patterns, mut kinds) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        let mut whole = HashSet::new();
        for record in reader.records() {
            let record = record.map_err(failed)?;
            let (kind, value) = (&record[1], &record[2]);
            let is_name = kind.contains("name");
            let mut add = |text: String| {
                let letters = text.chars().count();
                if is_name && letters == 1 {
                    whole.insert(text);
                } else if (is_name && letters >= 2 || letters >= MIN_IDENTIFIER)
                    && seen.insert(text.clone())
                {
                    patterns.push(text);
                    kinds.push(kind.to_owned());
                }
            };
            add(fold(value));
            if is_name {
                let parts: Vec<&str> =
                    value.split([' ', '\u{3000}']).filter(|p| !p.is_empty()).collect();
                if parts.len() > 1 {
                    add(fold(&parts.iter().rev().copied().collect::<String>()));
                }
            } else {
                let bare: String = fold(value).chars().filter(|c| c.is_alphanumeric()).collect();
                add(bare);
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            .map_err(|e| Failure::new("漏えい検査の準備ができません。", &e))?;
        Ok(Self { automaton, kinds, whole })
    }

    fn cell(&self, text: &str, scan: &mut Scan) {
        scan.cells += 1;
        if text.is_empty() {
            return;
        }
        let folded = fold(text);
        if self.whole.contains(&folded) {
            *scan.hits.entry("name (whole cell)".to_owned()).or_default() += 1;
        }
        if let Some(found) = self.automaton.find(&folded) {
            *scan.hits.entry(self.kinds[found.pattern().as_usize()].clone()).or_default() += 1;
        }
    }

    /// Scan every table of an opened package.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn scan(&self, opened: &Path) -> Result<Scan, Failure> {
        let mut scan = Scan::default();
        let data = opened.join("data");
        let entries = fs::read_dir(&data).map_err(Failure::io("開いた包みを読めません。"))?;
        for entry in entries.flatten() {
            let path = entry.path();
            match path.extension().and_then(|e| e.to_str()) {
                Some("csv") => {
                    let failed =
                        |e: csv::Error| Failure::new("開いた包みの CSV を読めません。", &e);
                    let mut reader = csv::ReaderBuilder::new()
                        .has_headers(false)
                        .from_path(&path)
                        .map_err(failed)?;
                    for record in reader.records() {
                        for cell in &record.map_err(failed)? {
                            self.cell(cell, &mut scan);
                        }
                    }
                }
                Some("parquet") => {
                    let bytes = fs::read(&path)
                        .map_err(Failure::io("開いた包みの Parquet を読めません。"))?;
                    kiban_journeys::parquet_cells(bytes, &mut |cell| self.cell(cell, &mut scan))?;
                }
                _ => {}
            }
        }
        Ok(scan)
    }
}

/// Width, kana and spaces folded, so that one spelling stands for all.
fn fold(text: &str) -> String {
    text.nfkc()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(rows: &str) -> Known {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("identifiers.csv"), format!("holder,kind,value\n{rows}"))
            .unwrap();
        Known::load(dir.path()).unwrap()
    }

    #[test]
    fn finds_names_in_every_order_and_width_and_identifiers() {
        let known = known(
            "h,name_kanji,架空 花子\nh,name_kana,カクウ ハナコ\nh,phone,099-221-9707\nh,local_id,12345\nh,name_kanji,王\n",
        );
        let hits = |text: &str| {
            let mut scan = Scan::default();
            known.cell(text, &mut scan);
            scan.leaks()
        };
        for leak in [
            "架空花子",
            "花子　架空",
            "ｶｸｳ ﾊﾅｺ",
            "かくうはなこ",
            "tel 0992219707",
            "０９９－２２１－９７０７",
            "王",
        ] {
            assert_eq!(hits(leak), 1, "{leak}");
        }
        for fine in ["架空", "花子さん", "12345", "王様", "2025-04-01", ""] {
            assert_eq!(hits(fine), 0, "{fine}");
        }
    }
}
