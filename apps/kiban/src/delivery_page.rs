//! What came of a delivery and how good it is, judged under the thresholds on record: lines, CSV, a page for the holder's
//! staff.

use askama::Template;
use kiban_journeys::{
    DeliveryReport,
    quality::{Aspect, Context, GridCell},
    rule_ja,
    thresholds::{Judged, Limit, Threshold, Verdict, judge},
};

/// A delivery's report with the verdict on each cell of its grid.
pub(crate) struct Judgement<'a> {
    report: &'a DeliveryReport,
    judged: Vec<Judged<'a>>,
    thresholds: &'a [Threshold],
}

/// One row of a table of counts.
struct Count {
    code: String,
    text: String,
    n: u64,
}

/// One defect: rule, sentence, count, first places.
struct Defect<'a> {
    rule: &'a str,
    text: &'static str,
    count: u64,
    places: String,
}

/// One aspect of the grid.
struct Part<'a> {
    label: &'static str,
    lead: &'static str,
    rows: Vec<Row<'a>>,
    /// Cells of which nothing was to be found fault with: shown as a number.
    clean: usize,
}

struct Row<'a> {
    name: String,
    text: &'static str,
    cell: &'a GridCell,
    percent: String,
    verdict: &'static str,
    class: &'static str,
    by: String,
}

struct Past {
    scope: String,
    limit: String,
    owner: String,
    reason: String,
    at: String,
}

#[derive(Template)]
#[template(path = "delivery.html")]
struct Page<'a> {
    report: &'a DeliveryReport,
    groups: Vec<(&'static str, Vec<Count>)>,
    rows: Vec<(&'a String, u64)>,
    defects: Vec<Defect<'a>>,
    parts: Vec<Part<'a>>,
    exceeded: usize,
    unjudged: usize,
    history: Vec<Past>,
}

impl<'a> Judgement<'a> {
    pub(crate) fn new(report: &'a DeliveryReport, thresholds: &'a [Threshold]) -> Self {
        Self { report, judged: judge(report.holder, &report.grid, thresholds), thresholds }
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.judged.iter().filter(|j| j.verdict == verdict).count()
    }

    /// The report for a terminal.
    pub(crate) fn lines(&self) -> Vec<String> {
        let c = &self.report.counts;
        let quarantined: u64 = c.quarantined_segments.values().sum();
        let mut lines = vec![format!(
            "納品 {}：{} 人、{} 断片を保存、重複 {}、隔離 {quarantined}",
            self.report.delivery, c.accepted_persons, c.accepted_segments, c.duplicate_segments
        )];
        for (rule, count) in &self.report.rules {
            lines.push(format!("  不備 {} 件：{}（{rule}）", count.count, rule_ja(rule)));
        }
        for j in self.judged.iter().filter(|j| j.cell.failed > 0) {
            lines.push(format!(
                "  {} {}.{}：{} / {}（{}） {}",
                j.cell.aspect.label_ja(),
                j.cell.table,
                j.cell.check,
                j.cell.failed,
                j.cell.checked,
                percent(j.cell),
                j.verdict.label_ja()
            ));
        }
        lines.push(format!(
            "品質の格子：超過 {}、適合 {}、閾値なし {}、対象なし {}",
            self.count(Verdict::Exceeded),
            self.count(Verdict::Kept),
            self.count(Verdict::NotJudged),
            self.count(Verdict::NotApplicable)
        ));
        lines
    }

    /// The report as one table, the verdicts and the denominators beside each cell of the grid.
    pub(crate) fn to_csv(&self) -> String {
        self.report.to_csv(self.thresholds)
    }

    /// The page.
    pub(crate) fn render(&self) -> Result<String, askama::Error> {
        let c = &self.report.counts;
        let counts = |of: &std::collections::BTreeMap<String, u64>| -> Vec<Count> {
            let one = |(code, count): (&String, &u64)| Count {
                code: code.clone(),
                text: rule_ja(code.rsplit('/').next().unwrap_or(code)).to_owned(),
                n: *count,
            };
            of.iter().map(one).collect()
        };
        let groups = [
            ("隔離した断片", counts(&c.quarantined_segments)),
            ("受け入れない人", counts(&c.refused_persons)),
            ("根拠ごとに受け入れない行", counts(&c.refused_rows)),
            ("提供元で除いた人", counts(&c.withheld_by_holder)),
            ("提供元で除いた断片", counts(&c.withheld_segments_by_holder)),
        ];
        Page {
            report: self.report,
            groups: groups.into_iter().filter(|g| !g.1.is_empty()).collect(),
            rows: c.rows.iter().map(|(t, n)| (t, *n)).collect(),
            defects: self.defects(),
            parts: [
                (Aspect::Conformance, Context::Verification),
                (Aspect::Completeness, Context::Verification),
                (Aspect::Plausibility, Context::Verification),
                (Aspect::Plausibility, Context::Validation),
            ]
            .into_iter()
            .map(|(aspect, context)| self.part(aspect, context))
            .collect(),
            exceeded: self.count(Verdict::Exceeded),
            unjudged: self.judged.iter().filter(|j| j.by.is_none() && j.cell.failed > 0).count(),
            history: self.thresholds.iter().rev().map(past).collect(),
        }
        .render()
    }

    fn defects(&self) -> Vec<Defect<'a>> {
        let one = |(rule, count): (&'a String, &'a kiban_journeys::quality::RuleCount)| {
            let places: Vec<String> = count
                .places
                .iter()
                .map(|p| format!("{}番のファイル {}", p.file.number, p.position))
                .collect();
            Defect { rule, text: rule_ja(rule), count: count.count, places: places.join("、") }
        };
        self.report.rules.iter().map(one).collect()
    }

    fn part(&self, aspect: Aspect, context: Context) -> Part<'a> {
        let own = || {
            self.judged.iter().filter(move |j| j.cell.aspect == aspect && j.cell.context == context)
        };
        let worth = |j: &&Judged<'_>| {
            j.cell.failed > 0 || matches!(j.verdict, Verdict::Exceeded | Verdict::Kept)
        };
        let mut rows: Vec<Row<'a>> = own()
            .filter(worth)
            .map(|j| Row {
                name: format!("{}.{}", j.cell.table, j.cell.check),
                text: match aspect {
                    Aspect::Plausibility => rule_ja(&j.cell.check),
                    Aspect::Completeness => "値がない行",
                    Aspect::Conformance => "型どおりに読めない値",
                },
                cell: j.cell,
                percent: percent(j.cell),
                verdict: j.verdict.label_ja(),
                class: match j.verdict {
                    Verdict::Exceeded => "ng",
                    Verdict::Kept => "ok",
                    _ => "",
                },
                by: j.by.map_or_else(String::new, |t| limit_ja(t.limit)),
            })
            .collect();
        // What is over its threshold first, then the most.
        rows.sort_by_key(|r| (r.class != "ng", std::cmp::Reverse(r.cell.failed), r.name.clone()));
        let (label, lead) = match aspect {
            Aspect::Conformance => ("適合性", "値が、その列の型として読めるか。"),
            Aspect::Completeness => ("完全性", "値があるか。"),
            Aspect::Plausibility if context == Context::Validation => (
                "妥当性（外部の基準との照合）",
                "来た人の性別・年齢階級の構成が、基準の表（なければ過去の納品）と同じか。",
            ),
            Aspect::Plausibility => ("妥当性", "ありうる値か（前後関係や日付の矛盾）。"),
        };
        Part { label, lead, clean: own().count() - rows.len(), rows }
    }
}

fn past(t: &Threshold) -> Past {
    let scope = &t.scope;
    let any = |v: &Option<String>| v.clone().unwrap_or_else(|| "すべて".to_owned());
    let holder = if scope.holder.is_some() { "この提供元" } else { "すべての提供元" };
    let (table, check) = (any(&scope.table), any(&scope.check));
    Past {
        scope: format!("{}／{holder}／{table}／{check}", scope.aspect.label_ja()),
        limit: limit_ja(t.limit),
        owner: t.owner.clone(),
        reason: t.reason.clone(),
        at: kiban_journeys::kernel::jst_date(t.set_at).to_string(),
    }
}

fn limit_ja(limit: Option<Limit>) -> String {
    limit.map_or_else(|| "判定しない".to_owned(), |limit| limit.ja())
}

/// A share that never looks like nothing when there is something.
fn percent(cell: &GridCell) -> String {
    match cell.percent() {
        p if cell.failed > 0 && p < 0.01 => "0.01 % 未満".to_owned(),
        p => format!("{p:.2} %"),
    }
}
