//! The page about a product's risk and what its rules cost: what was searched and chosen, how far each declared
//! adversary gets before and after, classes, utility, rules with their provisions. Japanese, self-contained.

use askama::Template;
use kiban_journeys::deid::{
    Produced,
    report::{
        AdversaryRisk, AttackTrial, ChangeReport, ExposureFigures, Numbers, RiskSummary, SizeCount,
    },
};

use crate::svg::{self, Bar, Dot};

/// Colours of one thing before and after.
const BEFORE: &str = "#b8bfca";
const AFTER: &str = "#2f6df6";

struct Row {
    name: String,
    before: String,
    after: String,
}

struct Adversary<'a> {
    risk: &'a AdversaryRisk,
    rows: Vec<Row>,
    picture: String,
}

struct UtilityRow {
    column: String,
    kept: String,
    before: String,
    after: String,
    shift: String,
}

#[derive(Template)]
#[template(path = "risk.html")]
struct Page<'a> {
    title: &'a str,
    product: &'a str,
    risk: &'a RiskSummary,
    changes: &'a ChangeReport,
    over: Vec<String>,
    sizes: String,
    size_rows: Vec<(String, u64, u64)>,
    removed: Vec<(String, &'static str, u64)>,
    adversaries: Vec<Adversary<'a>>,
    attacks: Vec<(&'a AttackTrial, String, String)>,
    search_scores: String,
    curve: String,
    utility: Vec<UtilityRow>,
}

/// The page of a product.
///
/// # Errors
/// The template failed to render.
pub(crate) fn render(title: &str, produced: &Produced) -> Result<String, askama::Error> {
    let (risk, changes) = (produced.risk(), produced.changes());
    let size_rows = buckets(&risk.histogram);
    Page {
        title,
        product: produced.provenance().product.label_ja(),
        risk,
        changes,
        over: risk.over_limits_ja(),
        sizes: svg::bars("同じ組に属する人数の分布", &size_bars(&size_rows)),
        size_rows,
        removed: changes
            .tables
            .iter()
            .flat_map(|t| t.removed.iter().map(|r| (t.table.clone(), r.reason.label_ja(), r.rows)))
            .collect(),
        adversaries: risk.adversaries.iter().map(adversary).collect(),
        attacks: risk
            .attack
            .iter()
            .flat_map(|a| &a.trials)
            .map(|t| (t, interval(t.attack, false), interval(t.baseline, false)))
            .collect(),
        search_scores: scores(risk),
        curve: curve(risk),
        utility: utility(changes),
    }
    .render()
}

fn size_bars(rows: &[(String, u64, u64)]) -> Vec<Bar> {
    rows.iter()
        .map(|(bucket, classes, persons)| Bar {
            label: format!("{bucket} 人の組"),
            parts: vec![(*persons as f64, AFTER, "人".into())],
            text: format!("{persons} 人（{classes} 組）"),
        })
        .collect()
}

/// Class sizes in buckets: size, classes, persons.
pub(crate) fn buckets(sizes: &[SizeCount]) -> Vec<(String, u64, u64)> {
    const BUCKETS: [(u64, u64, &str); 7] = [
        (1, 1, "1"),
        (2, 4, "2–4"),
        (5, 9, "5–9"),
        (10, 19, "10–19"),
        (20, 49, "20–49"),
        (50, 99, "50–99"),
        (100, u64::MAX, "100以上"),
    ];
    BUCKETS
        .iter()
        .map(|(from, to, name)| {
            let of: Vec<_> = sizes.iter().filter(|s| (*from..=*to).contains(&s.size)).collect();
            let classes = of.iter().map(|s| s.classes).sum();
            let persons = of.iter().map(|s| s.classes * s.size).sum();
            ((*name).to_owned(), classes, persons)
        })
        .filter(|(_, classes, _)| *classes > 0)
        .collect()
}

/// Loss per column of the model.
fn scores(risk: &RiskSummary) -> String {
    let Some(search) = &risk.search else { return String::new() };
    let bars: Vec<Bar> = search
        .columns
        .iter()
        .map(|c| Bar {
            label: format!("{}.{}", c.table, c.column),
            parts: vec![(c.score * 100.0, AFTER, "失われた割合（%）".into())],
            text: format!("{:.1} %（{}／{} 段階）", c.score * 100.0, c.level, c.levels - 1),
        })
        .collect();
    svg::bars("列ごとに失われた情報の割合", &bars)
}

/// What less risk costs: the combinations the search met.
fn curve(risk: &RiskSummary) -> String {
    let Some(search) = risk.search.as_ref().filter(|s| !s.explored.is_empty()) else {
        return String::new();
    };
    let taken: Vec<usize> = search.columns.iter().map(|c| c.level).collect();
    let dots: Vec<Dot> = search
        .explored
        .iter()
        .map(|p| Dot {
            x: p.score,
            y: p.prosecutor,
            name: format!("段階 {:?}、除く人 {}、損失 {:.4}", p.levels, p.suppressed, p.score),
            taken: p.levels == taken,
        })
        .collect();
    svg::dots("リスクと損失", ["失う情報（損失）→", "↑ 最も高い特定確率"], &dots)
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// A share with its interval, unless all persons were looked at.
fn interval(figures: [f64; 3], exact: bool) -> String {
    let [value, low, high] = figures;
    if exact {
        percent(value)
    } else {
        format!("{}（95% 区間 {} ～ {}）", percent(value), percent(low), percent(high))
    }
}

fn adversary(risk: &AdversaryRisk) -> Adversary<'_> {
    let row = |name: &str, figure: &dyn Fn(&ExposureFigures) -> String| Row {
        name: name.to_owned(),
        before: figure(&risk.before),
        after: figure(&risk.after),
    };
    let mut rows = vec![
        row("候補の最も少ない人の候補数", &|f| f.smallest.to_string()),
        row("最も高い特定確率（prosecutor）", &|f| percent(f.prosecutor)),
        row("特定される人の割合の見込み（marketer）", &|f| {
            interval(f.marketer, f.exact)
        }),
        row("一人に絞られる人", &|f| format!("{} 人中 {} 人", f.persons, f.singled_out)),
        row("同、割合", &|f| interval(f.singled_out_share, f.exact)),
        row("推測すると別人に行き着く人", &|f| f.misled.to_string()),
    ];
    if risk.after.journalist.is_some() {
        let journalist = |f: &ExposureFigures| {
            f.journalist.map_or_else(|| "—".to_owned(), |j| format!("{j:.2e}"))
        };
        rows.insert(2, row("母集団を考慮した特定確率（journalist）", &journalist));
    }
    Adversary { risk, rows, picture: picture(risk) }
}

/// Persons by number of candidates, before beside after.
fn picture(risk: &AdversaryRisk) -> String {
    let label = |from: u64, to: Option<u64>| match to {
        Some(to) if to == from => format!("候補 {from} 人"),
        Some(to) => format!("候補 {from}–{to} 人"),
        None => format!("候補 {from} 人以上"),
    };
    let mut bins: Vec<(u64, Option<u64>)> = risk
        .before
        .histogram
        .iter()
        .chain(&risk.after.histogram)
        .map(|(from, to, _)| (*from, *to))
        .collect();
    bins.sort_unstable();
    bins.dedup();
    let of = |figures: &ExposureFigures, from: u64| {
        figures.histogram.iter().find(|(f, _, _)| *f == from).map_or(0, |(_, _, persons)| *persons)
    };
    let bars: Vec<Bar> = bins
        .into_iter()
        .flat_map(|(from, to)| {
            let bar = |when: &str, persons: u64, fill| Bar {
                label: format!("{}・{when}", label(from, to)),
                parts: vec![(persons as f64, fill, when.to_owned())],
                text: format!("{persons} 人"),
            };
            [
                bar("加工前", of(&risk.before, from), BEFORE),
                bar("加工後", of(&risk.after, from), AFTER),
            ]
        })
        .filter(|bar| bar.parts.iter().any(|part| part.0 > 0.0))
        .collect();
    svg::bars("候補の数ごとの人数", &bars)
}

fn utility(changes: &ChangeReport) -> Vec<UtilityRow> {
    let quartiles = |n: &Numbers| {
        let [low, first, middle, third, high] = n.quantiles;
        format!("{:.2}｜{low:.1} / {first:.1} / {middle:.1} / {third:.1} / {high:.1}", n.mean)
    };
    changes
        .columns
        .iter()
        .filter_map(|c| {
            let utility = c.utility.as_ref()?;
            let spread = utility.before.quantiles[4] - utility.before.quantiles[0];
            let moved = utility.after.mean - utility.before.mean;
            Some(UtilityRow {
                column: format!("{}.{}", c.table, c.column),
                kept: percent((c.cells - c.changed) as f64 / c.cells.max(1) as f64),
                before: quartiles(&utility.before),
                after: quartiles(&utility.after),
                shift: if spread > 0.0 { percent(moved / spread) } else { "—".to_owned() },
            })
        })
        .collect()
}
