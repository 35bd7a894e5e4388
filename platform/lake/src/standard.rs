//! Standard codes beside those that came: the signed mappings, made ready for the engine.
//!
//! Enters: a [`MappingSet`] at a version. Leaves: a [`CodeMap`] that adds the derived columns of a table's schema to its rows
//! when they are read. Nothing is stored: another version of the set gives other columns, and no row is written again.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use datafusion::{
    common::ScalarValue,
    error::DataFusionError,
    functions::expr_fn::coalesce,
    prelude::{DataFrame, Expr, ident, lit},
};
use kiban_codes::mapping::{Mapping, MappingSet, UnitRule};
use kiban_kernel::{Date, Digest};

use crate::{
    functions::{
        counted::GROUP_SEPARATOR,
        standard::{Columns, Meanings, Part, Period, standard},
    },
    schema,
};

/// A table whose local codes are mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MappedTable {
    /// Its name.
    pub name: &'static str,
    /// Column of the code as it came.
    pub code: &'static str,
    /// Columns of the day on which the code was used; the first that is filled counts.
    pub days: &'static [&'static str],
    /// Does it have values with units?
    pub values: bool,
    /// A column in which sources send the first target's code beside their own.
    pub sent: Option<&'static str>,
    /// The target systems; the first one that a row's code is mapped to, or came in, is taken.
    pub targets: &'static [&'static str],
}

/// The tables whose local codes are mapped.
pub const MAPPED: [MappedTable; 4] = [
    MappedTable {
        name: "measurement",
        code: "code",
        days: &["measured_at"],
        values: true,
        sent: None,
        targets: &["jlac10", "jlac11"],
    },
    MappedTable {
        name: "checkup",
        code: "item_code",
        days: &["examined_on"],
        values: true,
        sent: None,
        targets: &["jlac10", "jlac11"],
    },
    MappedTable {
        name: "medication",
        code: "code",
        days: &["started_at", "ordered_at"],
        values: false,
        sent: None,
        targets: &["yj", "hot", "receipt-drug"],
    },
    MappedTable {
        name: "condition",
        code: "code",
        days: &["recorded_at", "onset_on"],
        values: false,
        sent: Some("icd10"),
        targets: &["icd10"],
    },
];

impl MappedTable {
    /// The table of this name.
    pub fn of(name: &str) -> Option<&'static Self> {
        MAPPED.iter().find(|t| t.name == name)
    }
}

/// The signed mappings of a version, by target systems.
#[derive(Debug, Clone)]
pub struct CodeMap {
    version: u64,
    digest: Digest,
    meanings: BTreeMap<&'static [&'static str], Arc<Meanings>>,
}

impl CodeMap {
    /// The mappings of a set that are signed and stand.
    pub fn of(set: &MappingSet) -> Self {
        let mut meanings: BTreeMap<&'static [&'static str], Meanings> = BTreeMap::new();
        let day = |date: Date| (date - Date::constant(1970, 1, 1)).get_days();
        let mut text = String::new();
        for mapping in set.mappings().iter().filter(|m| m.is_signed()) {
            let key = &mapping.key;
            // The digest covers every system, also one that no table takes yet.
            describe(mapping, &mut text);
            for table in MAPPED.iter().filter(|t| t.targets.contains(&key.system.as_str())) {
                let of = meanings.entry(table.targets).or_default();
                let name = format!("{}{GROUP_SEPARATOR}{}", key.holder, key.local);
                let period = Period {
                    from: day(mapping.from),
                    until: mapping.until.map(day),
                    system: key.system.clone(),
                    code: mapping.meaning.code.clone(),
                    unit: mapping.meaning.unit.clone(),
                };
                let periods = of.entry(name).or_default();
                if !periods.contains(&period) {
                    periods.push(period);
                }
            }
        }
        for (targets, of) in &mut meanings {
            let rank = |p: &Period| targets.iter().position(|t| *t == p.system);
            for periods in of.values_mut() {
                periods.sort_by_key(|p| (rank(p), p.from));
            }
        }
        Self {
            version: set.version() as u64,
            digest: Digest::of(text.as_bytes()),
            meanings: meanings.into_iter().map(|(t, of)| (t, Arc::new(of))).collect(),
        }
    }

    /// No mapping: only codes that came in a target system are standard.
    pub fn empty() -> Self {
        Self::of(&MappingSet::new())
    }

    /// The set's version: the number of acts that made it.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// A digest of the mappings that stand.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Adds the derived columns of a table to its rows, behind the stored ones; a table without any stays as it is.
    ///
    /// # Errors
    /// The rows lack a column of the table's schema.
    pub fn widen(&self, table: &str, rows: DataFrame) -> Result<DataFrame, DataFusionError> {
        let Some(mapped) = MappedTable::of(table) else { return Ok(rows) };
        let derived = schema::table(table).map_or(&[][..], |t| &t.derived);
        let none = Arc::new(Meanings::new());
        let meanings = self.meanings.get(mapped.targets).unwrap_or(&none);
        let mut columns: Vec<Expr> =
            rows.schema().fields().iter().map(|f| ident(f.name())).collect();
        for column in derived {
            let part = match column.name.as_str() {
                "standard_code" => Part::Code,
                "standard_system" => Part::System,
                "standard_value" => Part::Value,
                _ => Part::Unit,
            };
            let made = standard(part, mapped.targets, meanings, mapped.columns());
            columns.push(made.alias(&column.name));
        }
        rows.select(columns)
    }
}

/// A mapping as the digest covers it: what it says, not who said so.
fn describe(mapping: &Mapping, out: &mut String) {
    let unit = mapping.meaning.unit.as_ref();
    let part = |of: fn(&UnitRule) -> &str| unit.map_or("", of);
    let until = mapping.until.map(|d| d.to_string()).unwrap_or_default();
    let cells = [
        &*mapping.key.system,
        &mapping.key.holder,
        &mapping.key.local,
        &mapping.meaning.code,
        &mapping.from.to_string(),
        &until,
        part(|u| &u.from),
        part(|u| &u.to),
        part(|u| u.analyte.as_deref().unwrap_or_default()),
        part(|u| u.target_analyte.as_deref().unwrap_or_default()),
    ];
    for cell in cells {
        // Length first: no two mappings write the same bytes.
        let _ = write!(out, "{}:{cell}", cell.len());
    }
    out.push('\n');
}

impl MappedTable {
    fn columns(&self) -> Columns {
        let absent = || lit(ScalarValue::Utf8(None));
        let days: Vec<Expr> = self
            .days
            .iter()
            .map(|day| datafusion::prelude::cast(ident(*day), arrow::datatypes::DataType::Date32))
            .collect();
        let value = |name: &str| if self.values { ident(name) } else { absent() };
        Columns {
            holder: ident("holder"),
            code_system: ident("code_system"),
            code: ident(self.code),
            text: ident("text"),
            day: coalesce(days),
            sent: self.sent.map_or_else(absent, ident),
            value_text: value("value_text"),
            value_num: if self.values {
                ident("value_num")
            } else {
                lit(ScalarValue::Float64(None))
            },
            unit: value("unit"),
        }
    }
}

#[cfg(test)]
mod tests;
