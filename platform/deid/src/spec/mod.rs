//! Specifications: their text, their rules, and the check against the table of house rule 4.

mod adversary;
mod canonical;
mod check;
mod checked;
mod error;
mod lists;
mod model;
mod rule;
mod search;

use std::collections::BTreeMap;

use kiban_kernel::Digest;

pub use adversary::{AdversarySpec, AttackSpec, JoinsSpec, PartKnown, SuppressionGroup};
pub(crate) use canonical::custody_columns;
pub use check::CheckError;
pub(crate) use check::default_law;
pub use checked::{Checked, CheckedColumn, CheckedTable, Use, Withheld, WithheldReason};
pub use error::{Breach, ParameterProblem, Position, SpecError, SpecFinding};
pub use lists::{ListEntry, ListError, RareList, rare_lists};
pub(crate) use lists::{Matcher, built_in_disease_list};
pub use model::{
    About, Column, DEFAULT_ID_COLUMN, Document, Fixed, InlineList, KTarget, Law, PersonKey, Role,
    Table, Window,
};
pub use rule::{
    Band, BottomCode, Bounds, Category, CodeToParent, DateUnit, Extremes, RESIDUAL, RareToResidual,
    Region, RegionLevel, Rule, ShiftDate, TopCode, TruncateDate,
};
pub use search::{Search, SearchAggregate, SearchError, SearchMeasure};

/// A specification as read, with what its text alone tells: positions and digest.
#[derive(Debug, Clone)]
pub struct Spec {
    document: Document,
    text: String,
    positions: BTreeMap<(String, String), Position>,
}

impl Spec {
    /// What it says.
    pub fn document(&self) -> &Document {
        &self.document
    }
    /// Its text: part of every package.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// Digest of the text: part of every manifest.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }
    /// Where a column is declared; an empty column means the table.
    pub fn position(&self, table: &str, column: &str) -> Position {
        self.positions.get(&(table.to_owned(), column.to_owned())).copied().unwrap_or_default()
    }
}

impl Spec {
    /// Reads a specification.
    ///
    /// # Errors
    /// Not TOML, unknown or missing fields, parameters that make no sense; each with line and column.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let syntax = |e: &toml::de::Error| SpecError::Syntax {
            position: Position::of(text, e.span().map_or(0, |s| s.start)),
            message: e.message().to_owned(),
        };
        let tree = toml::de::DeTable::parse(text).map_err(|e| syntax(&e))?;
        let document: Document = toml::from_str(text).map_err(|e| syntax(&e))?;
        let mut positions = BTreeMap::new();
        if let Some(tables) = tree.get_ref().get("tables").and_then(|t| t.get_ref().as_table()) {
            for (table, body) in tables {
                let at = Position::of(text, table.span().start);
                positions.insert((table.get_ref().to_string(), String::new()), at);
                let columns = body.get_ref().get("columns").and_then(|c| c.get_ref().as_table());
                for (column, _) in columns.into_iter().flatten() {
                    let at = Position::of(text, column.span().start);
                    positions
                        .insert((table.get_ref().to_string(), column.get_ref().to_string()), at);
                }
            }
        }
        let parsed = Self { document, text: text.to_owned(), positions };
        parsed.parameters()?;
        Ok(parsed)
    }

    /// The JSON Schema of a specification.
    pub fn json_schema() -> serde_json::Value {
        let mut schema = schemars::schema_for!(Document);
        schema.insert("title".to_owned(), "Kiban processing specification".into());
        schema.to_value()
    }

    /// Is it about one plain table rather than the canonical tables?
    pub fn is_flat(&self) -> bool {
        let tables = &self.document.tables;
        tables.len() == 1 && tables.keys().all(|t| canonical::columns(t).is_none())
    }
}

impl Spec {
    fn parameters(&self) -> Result<(), SpecError> {
        use ParameterProblem as P;
        let spec = &self.document;
        if spec.tables.is_empty() {
            return Err(SpecError::NoTable);
        }
        if spec.k.as_ref().is_some_and(|k| k.target == 0) {
            let position = Position::of(&self.text, self.text.find("[k]").unwrap_or(0));
            let (table, column) = ("k".to_owned(), "target".to_owned());
            return Err(SpecError::Parameter { position, table, column, problem: P::KTarget });
        }
        if spec.search.as_ref().is_some_and(|s| !s.is_sound()) {
            let position = Position::of(&self.text, self.text.find("[search]").unwrap_or(0));
            let (table, column) = ("search".to_owned(), String::new());
            return Err(SpecError::Parameter { position, table, column, problem: P::Search });
        }
        // A column that nobody declared is withheld, so an adversary's knowledge of it is of no use; that is reported.
        if let Some(adversary) = spec.adversaries.iter().find(|a| !a.is_sound()) {
            let position = Position::of(&self.text, self.text.find("[[adversaries]]").unwrap_or(0));
            let (table, column) = ("adversaries".to_owned(), adversary.name.clone());
            return Err(SpecError::Parameter { position, table, column, problem: P::Adversary });
        }
        if let Some(adversary) = spec.adversaries.iter().find(|a| !may_suppress(spec, a)) {
            let position =
                Position::of(&self.text, self.text.find("local_suppression").unwrap_or(0));
            let (table, column) = ("adversaries".to_owned(), adversary.name.clone());
            let problem = P::LocalSuppression;
            return Err(SpecError::Parameter { position, table, column, problem });
        }
        let share = |v: f64| (0.0..=1.0).contains(&v);
        let limits = [
            ("attack", spec.attack.as_ref().and_then(|a| a.limit)),
            ("joins", spec.joins.as_ref().and_then(|j| j.limit)),
        ];
        if let Some((table, _)) = limits.iter().find(|(_, limit)| !limit.is_none_or(share)) {
            let position =
                Position::of(&self.text, self.text.find(&format!("[{table}]")).unwrap_or(0));
            let (table, column) = ((*table).to_owned(), "limit".to_owned());
            return Err(SpecError::Parameter { position, table, column, problem: P::Adversary });
        }
        let mut max_days = None;
        for (table_name, table) in &spec.tables {
            for (column_name, column) in &table.columns {
                let written = [&column.anonymized, &column.pseudonymized].into_iter().flatten();
                for rule in written.flat_map(|r| std::iter::once(r).chain(r.candidates())) {
                    let known =
                        |names: &[String]| names.iter().all(|n| table.columns.contains_key(n));
                    let problem = match rule {
                        Rule::Band(b) => match (b.low, b.high) {
                            _ if !(b.width > 0.0 && b.width.is_finite()) => Some(P::Width),
                            (Some(l), Some(h))
                                if l.partial_cmp(&h) != Some(std::cmp::Ordering::Less) =>
                            {
                                Some(P::BoundOrder)
                            }
                            _ => None,
                        },
                        Rule::Bounds(b)
                            if b.low.partial_cmp(&b.high) != Some(std::cmp::Ordering::Less) =>
                        {
                            Some(P::BoundOrder)
                        }
                        Rule::ShiftDate(s) if !(1..=3650).contains(&s.max_days) => Some(P::MaxDays),
                        Rule::ShiftDate(s) if *max_days.get_or_insert(s.max_days) != s.max_days => {
                            Some(P::SeveralOffsets)
                        }
                        Rule::Extremes(e) if e.persons == 0 => Some(P::Persons),
                        Rule::Extremes(e) if !known(&e.by) => Some(P::UnknownColumn),
                        Rule::RareToResidual(r) if r.min_persons == 0 => Some(P::Persons),
                        Rule::RareToResidual(r) if r.parent == Some(0) => Some(P::Characters),
                        Rule::RareToResidual(r) => {
                            let unknown = |l: &String| {
                                !spec.lists.contains_key(l) && lists::built_in(l).is_none()
                            };
                            r.lists.iter().any(unknown).then_some(P::UnknownList)
                        }
                        Rule::CodeToParent(c) if c.characters == 0 => Some(P::Characters),
                        Rule::Category(c) if c.values.is_empty() => Some(P::NoValues),
                        Rule::Levels(levels) if !are_levels(levels) => Some(P::Levels),
                        _ => None,
                    };
                    if let Some(problem) = problem {
                        return Err(SpecError::Parameter {
                            position: self.position(table_name, column_name),
                            table: table_name.clone(),
                            column: column_name.clone(),
                            problem,
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

/// Are the columns that an adversary may have emptied declared, none of them the model's or known as a whole? Are rows
/// told by an item that the adversary knows, in one table?
fn may_suppress(spec: &Document, adversary: &AdversarySpec) -> bool {
    let quasi = kiban_kernel::ColumnClass::QuasiIdentifier;
    let may = |name: &String| {
        let column = name
            .split_once('.')
            .and_then(|(table, column)| spec.tables.get(table)?.columns.get(column));
        !adversary.knows.contains(name) && column.is_some_and(|c| c.class != quasi)
    };
    let table = |name: &str| name.split_once('.').map(|(table, _)| table.to_owned());
    adversary.local_suppression.iter().all(|group| {
        let rows = group.rows_of.as_ref().is_none_or(|by| {
            group.columns.contains(by)
                && adversary.items.iter().any(|i| i.column == *by)
                && group.columns.iter().all(|c| table(c) == table(by))
        });
        rows && !group.columns.is_empty() && group.columns.iter().all(may)
    })
}

/// At least two rules that coarsen without looking at other rows; only the last may drop the column.
fn are_levels(levels: &[Rule]) -> bool {
    let coarsens = |rule: &Rule| {
        matches!(
            rule,
            Rule::Keep
                | Rule::TruncateDate(_)
                | Rule::Band(_)
                | Rule::TopCode(_)
                | Rule::BottomCode(_)
                | Rule::Bounds(_)
                | Rule::CodeToParent(_)
                | Rule::Region(_)
                | Rule::Category(_)
        )
    };
    let Some((last, before)) = levels.split_last() else { return false };
    !before.is_empty()
        && before.iter().all(|r| coarsens(r) || matches!(r, Rule::RareToResidual(_)))
        && (coarsens(last) || matches!(last, Rule::Drop | Rule::RareToResidual(_)))
}

#[cfg(test)]
mod tests;
