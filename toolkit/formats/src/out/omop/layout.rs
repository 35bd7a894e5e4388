//! The tables of OMOP CDM 5.4 as data.
//!
//! Enters: `layouts/omop.csv`, built into the program. Leaves: [`Table`]s with their columns in the model's order.
//! Refuses: nothing; the list is compared with the model's own definition by tests.

use std::sync::LazyLock;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole number of 32 bits.
    Int,
    /// Number.
    Float,
    /// `YYYY-MM-DD`.
    Date,
    /// `YYYY-MM-DD hh:mm:ss`.
    Datetime,
    /// Text.
    Text,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Most characters of a text; none: any.
    pub length: Option<usize>,
    /// Must it be filled?
    pub required: bool,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Name.
    pub name: &'static str,
    /// Columns in the model's order.
    pub columns: Vec<Column>,
}

/// The tables that are written, in the order of the list.
pub static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let mut tables: Vec<Table> = Vec::new();
    for line in include_str!("../../../layouts/omop.csv").lines() {
        let mut cells = line.split(',');
        let (Some(table), Some(name), Some(kind), Some(length), Some(required)) =
            (cells.next(), cells.next(), cells.next(), cells.next(), cells.next())
        else {
            continue;
        };
        if line.starts_with('#') {
            continue;
        }
        let kind = match kind {
            "int" => Kind::Int,
            "float" => Kind::Float,
            "date" => Kind::Date,
            "datetime" => Kind::Datetime,
            _ => Kind::Text,
        };
        let column =
            Column { name, kind, length: length.parse().ok(), required: required == "yes" };
        match tables.last_mut().filter(|t| t.name == table) {
            Some(last) => last.columns.push(column),
            None => tables.push(Table { name: table, columns: vec![column] }),
        }
    }
    tables
});
