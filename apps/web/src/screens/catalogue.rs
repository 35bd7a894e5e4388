//! S7: what data there are: tables, variables, code systems, periods, persons, and where they live.

use askama::Template;
use kiban_journeys::{Shown, TableFacts, map_codes::MappingRate};
use serde::Serialize;

use crate::{
    answer::{Answer, csv},
    ctx::Ctx,
    fault::Fault,
    japanese::{day, moment, number, persons},
    tiles,
};

#[derive(Serialize)]
struct TableRow {
    name: String,
    ja: String,
    rows: String,
    persons: String,
    masked: bool,
    from: String,
    until: String,
}

#[derive(Serialize)]
struct Region {
    name: &'static str,
    persons: String,
    masked: bool,
}

#[derive(Template, Serialize)]
#[template(path = "catalogue.html")]
struct List {
    snapshot: u64,
    persons: String,
    records: String,
    smallest: u64,
    tables: Vec<TableRow>,
    empty: Vec<String>,
    /// What is searched for; empty: everything is shown.
    searched: String,
    found: Vec<FoundRow>,
    regions: Vec<Region>,
    #[serde(skip)]
    map: String,
}

/// A variable that fits what is searched for.
#[derive(Serialize)]
struct FoundRow {
    table: String,
    name: String,
    ja: String,
    table_ja: String,
}

/// For comparing: width and case do not count, nor blanks around.
fn folded(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{3000}' => ' ',
            '！'..='～' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            c => c,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Does every word stand in one of the texts?
fn fits(words: &[String], texts: &[&str]) -> bool {
    let texts: Vec<String> = texts.iter().map(|t| folded(t)).collect();
    words.iter().all(|w| texts.iter().any(|t| t.contains(w)))
}

fn table_row(t: &TableFacts) -> TableRow {
    TableRow {
        name: t.name.clone(),
        ja: t.ja.clone(),
        rows: number(t.rows),
        persons: persons(t.persons),
        masked: t.persons.is_none(),
        from: t.period.map(|(from, _)| day(from)).unwrap_or_default(),
        until: t.period.map(|(_, until)| day(until)).unwrap_or_default(),
    }
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let catalogue = ctx.app.catalogue().await?;
    let lived_in = |shown: Shown| shown != Some(0);
    let searched = ctx.input.text("q").to_owned();
    let words: Vec<String> = folded(&searched).split_whitespace().map(str::to_owned).collect();
    let tables = catalogue.tables.iter();
    let variables = |t: &&TableFacts| -> Vec<FoundRow> {
        let fitting = t.variables.iter().filter(|v| {
            let name = format!("{}.{}", t.name, v.name);
            fits(&words, &[&name, &v.ja, &t.ja])
        });
        let row = |v: &kiban_journeys::Variable| FoundRow {
            table: t.name.clone(),
            name: v.name.clone(),
            ja: v.ja.clone(),
            table_ja: t.ja.clone(),
        };
        fitting.map(row).collect()
    };
    let found: Vec<FoundRow> = if words.is_empty() {
        Vec::new()
    } else {
        tables.clone().flat_map(|t| variables(&t)).collect()
    };
    let shown = |t: &&TableFacts| {
        fits(&words, &[&t.name, &t.ja]) || found.iter().any(|f| f.table == t.name)
    };
    let shown: Vec<TableRow> = tables.filter(shown).map(table_row).collect();
    Answer::page(List {
        snapshot: catalogue.snapshot,
        persons: persons(catalogue.persons),
        records: persons(catalogue.records),
        smallest: kiban_journeys::SMALLEST_SHOWN,
        tables: shown,
        searched,
        found,
        empty: catalogue.empty.iter().map(|(_, ja)| ja.clone()).collect(),
        map: tiles::map(&catalogue.prefectures),
        regions: catalogue
            .prefectures
            .iter()
            .filter(|(_, shown)| lived_in(*shown))
            .map(|(name, shown)| Region { name, persons: persons(*shown), masked: shown.is_none() })
            .collect(),
    })
}

pub(crate) async fn list_csv(ctx: Ctx) -> Result<Answer, Fault> {
    let catalogue = ctx.app.catalogue().await?;
    let head = ["表", "内容", "行数", "人数", "期間の始め", "期間の終わり"].map(str::to_owned);
    let rows = catalogue.tables.iter().map(|t| {
        let day = |d: Option<kiban_kernel::Date>| d.map(|d| d.to_string()).unwrap_or_default();
        [
            t.name.clone(),
            t.ja.clone(),
            t.rows.to_string(),
            t.persons.map_or_else(|| persons(None), |n| n.to_string()),
            day(t.period.map(|p| p.0)),
            day(t.period.map(|p| p.1)),
        ]
    });
    Ok(Answer::csv("catalogue.csv", csv(std::iter::once(head).chain(rows))))
}

pub(crate) async fn regions_csv(ctx: Ctx) -> Result<Answer, Fault> {
    let catalogue = ctx.app.catalogue().await?;
    let head = ["都道府県", "人数"].map(str::to_owned);
    let rows = catalogue.prefectures.iter().map(|(name, shown)| {
        [(*name).to_owned(), shown.map_or_else(|| persons(None), |n| n.to_string())]
    });
    Ok(Answer::csv("prefectures.csv", csv(std::iter::once(head).chain(rows))))
}

#[derive(Serialize)]
struct VariableRow {
    name: String,
    ja: String,
    class: &'static str,
    filled: String,
}

#[derive(Serialize)]
struct SystemRow {
    name: String,
    persons: String,
}

#[derive(Template, Serialize)]
#[template(path = "catalogue_table.html")]
struct TablePage {
    table: TableRow,
    snapshot: u64,
    variables: Vec<VariableRow>,
    code_systems: Vec<SystemRow>,
    /// How many rows have a standard code.
    mapping: Option<MappingView>,
}

#[derive(Serialize)]
struct MappingView {
    percent: String,
    holders: u64,
    signed: u64,
    last_signed: String,
    columns: Vec<VariableRow>,
}

fn mapping_view(rate: &MappingRate) -> MappingView {
    MappingView {
        percent: format!("{:.1} %", rate.standard as f64 * 100.0 / rate.rows.max(1) as f64),
        holders: rate.holders,
        signed: rate.signed,
        last_signed: rate.last_signed.map(moment).unwrap_or_default(),
        columns: rate
            .columns()
            .map(|(name, ja, class)| VariableRow {
                name: name.to_owned(),
                ja: ja.to_owned(),
                class: class.label_ja(),
                filled: String::new(),
            })
            .collect(),
    }
}

pub(crate) async fn table(ctx: Ctx) -> Result<Answer, Fault> {
    let catalogue = ctx.app.catalogue().await?;
    let name = ctx.params.get("table").map(String::as_str).unwrap_or_default();
    let facts = catalogue.tables.iter().find(|t| t.name == name).ok_or_else(Fault::not_found)?;
    let page = TablePage {
        table: table_row(facts),
        snapshot: catalogue.snapshot,
        variables: facts
            .variables
            .iter()
            .map(|v| VariableRow {
                name: v.name.clone(),
                ja: v.ja.clone(),
                class: v.class.label_ja(),
                filled: format!("{:.1} %", v.filled_percent),
            })
            .collect(),
        code_systems: facts
            .code_systems
            .iter()
            .map(|c| SystemRow { name: c.name.clone(), persons: persons(c.persons) })
            .collect(),
        mapping: facts.mapping.as_ref().map(mapping_view),
    };
    Ok(Answer::page(page)?.titled(format!("{}（{}）", facts.ja, facts.name)))
}
