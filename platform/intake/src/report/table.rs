//! The report as one table that spreadsheets open.

use std::fmt::Write as _;

use super::DeliveryReport;
use crate::{
    notices::field,
    quality::{Aspect, Context, rule_ja},
    thresholds::{Judged, Threshold, judge},
};

const HEADER: &str =
    "\u{feff}区分,項目,説明,件数,対象,割合（％）,判定,閾値,責任者,理由,最初の位置\r\n";

/// One line: what is counted, how much, of how many; for a cell of the grid what it comes to.
#[derive(Default)]
struct Line<'a> {
    part: &'a str,
    item: &'a str,
    text: &'a str,
    count: u64,
    judged: Option<&'a Judged<'a>>,
    places: String,
}

impl Line<'_> {
    fn write(&self, out: &mut String) {
        let mut cells = vec![
            self.part.to_owned(),
            self.item.to_owned(),
            self.text.to_owned(),
            self.count.to_string(),
        ];
        match self.judged {
            None => cells.extend(std::iter::repeat_n(String::new(), 6)),
            Some(judged) => {
                let by = judged.by.filter(|t| t.limit.is_some());
                let of = |f: fn(&Threshold) -> String| by.map(f).unwrap_or_default();
                cells.extend([
                    judged.cell.checked.to_string(),
                    format!("{:.4}", judged.cell.percent()),
                    judged.verdict.label_ja().to_owned(),
                    of(|t| t.limit.map(|l| l.ja()).unwrap_or_default()),
                    of(|t| t.owner.clone()),
                    of(|t| t.reason.clone()),
                ]);
            }
        }
        cells.push(self.places.clone());
        let cells: Vec<_> = cells.iter().map(|c| field(c)).collect();
        let _ = write!(out, "{}\r\n", cells.join(","));
    }
}

impl DeliveryReport {
    /// The report as CSV (UTF-8 with BOM, so that spreadsheets open it): a header line, then one line per count, in
    /// eleven columns. Cells of the quality grid carry their denominator and what they come to under the
    /// thresholds on record; each stands there once.
    pub fn to_csv(&self, thresholds: &[Threshold]) -> String {
        let mut out = String::from(HEADER);
        let mut line = |part: &str, item: &str, text: &str, count: u64, places: String| {
            Line { part, item, text, count, places, judged: None }.write(&mut out);
        };
        let none = String::new;
        let c = &self.counts;
        for (item, text, n) in [
            ("segments", "受領した断片（ファイル・行）", c.segments),
            ("accepted", "保存した断片", c.accepted_segments),
            ("duplicate", "既に受領済みの断片", c.duplicate_segments),
            ("history", "保存した断片のうち履歴のみのもの", c.history_segments),
            ("superseded", "新しい版に置き換えた断片", c.superseded_segments),
            ("withdrawn", "取り消された記録", c.withdrawn_records),
            ("nobody", "本人を特定できない断片（保存しない）", c.nobody_segments),
            ("persons", "保存した人数", c.accepted_persons),
        ] {
            line("受領", item, text, n, none());
        }
        for (part, counts) in [
            ("隔離（断片）", &c.quarantined_segments),
            ("拒否（断片）", &c.refused_segments),
            ("拒否（人）", &c.refused_persons),
            ("提供元で除外（人）", &c.withheld_by_holder),
            ("提供元で除外（断片）", &c.withheld_segments_by_holder),
        ] {
            for (code, n) in counts {
                line(part, code, rule_ja(code), *n, none());
            }
        }
        for (code, n) in &c.refused_rows {
            let text = rule_ja(code.rsplit('/').next().unwrap_or(code));
            line("拒否（行・根拠別）", code, text, *n, none());
        }
        for (table, n) in &c.rows {
            let ja = kiban_lake::schema::table(table).map_or("", |t| t.ja.as_str());
            line("保存した行", table, ja, *n, none());
        }
        for (rule, count) in &self.rules {
            let places: Vec<String> = count
                .places
                .iter()
                .map(|p| format!("{}番 {}", p.file.number, p.position))
                .collect();
            line("不備", rule, rule_ja(rule), count.count, places.join("; "));
        }
        for (name, n) in &self.unread {
            let text = "この版では読み取りません。原本は保存しています。";
            line("読み取らない要素", name, text, *n, none());
        }
        for judged in &judge(self.holder, &self.grid, thresholds) {
            let cell = judged.cell;
            let item = format!("{}.{}", cell.table, cell.check);
            let text = match cell.aspect {
                Aspect::Plausibility => rule_ja(&cell.check),
                Aspect::Completeness => "値がない行",
                Aspect::Conformance => "型どおりに読めない値",
            };
            Line {
                part: match cell.context {
                    Context::Verification => cell.aspect.label_ja(),
                    Context::Validation => "妥当性（外部の基準）",
                },
                item: &item,
                text,
                count: cell.failed,
                judged: Some(judged),
                places: none(),
            }
            .write(&mut out);
        }
        out
    }
}
