//! What became of the rows, counted.
//!
//! Enters: each row's fate. Leaves: [`Summary`]; rows in are rows carried and rows left out, by table.
//! Refuses: nothing.

use std::collections::BTreeMap;

use super::stands::Reason;

/// What became of the rows. For every canonical table `rows_in` = `carried` + the sum of `left_out`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows taken, by canonical table.
    pub rows_in: BTreeMap<&'static str, u64>,
    /// Rows that stand in the output, alone or together with others about the same thing.
    pub carried: BTreeMap<&'static str, u64>,
    /// Rows that do not, by canonical table and reason.
    pub left_out: BTreeMap<(&'static str, Reason), u64>,
    /// Rows written, by file of the output.
    pub rows_out: BTreeMap<String, u64>,
    /// Values that were completed because the target wants them, by column of the output and rule.
    pub imputed: BTreeMap<(&'static str, &'static str), u64>,
    /// Texts longer than their column, by column of the output: cut there (OMOP), or continued elsewhere (XPORT).
    pub shortened: BTreeMap<String, u64>,
}

impl Summary {
    pub(super) fn took(&mut self, table: &'static str, fate: Result<(), Reason>) {
        *self.rows_in.entry(table).or_default() += 1;
        match fate {
            Ok(()) => *self.carried.entry(table).or_default() += 1,
            Err(reason) => *self.left_out.entry((table, reason)).or_default() += 1,
        }
    }
    pub(super) fn wrote(&mut self, file: &str, rows: u64) {
        *self.rows_out.entry(file.to_owned()).or_default() += rows;
    }
    pub(super) fn imputed(&mut self, column: &'static str, rule: &'static str) {
        *self.imputed.entry((column, rule)).or_default() += 1;
    }
    pub(super) fn shortened(&mut self, table: &str, column: &str) {
        *self.shortened.entry(format!("{table}.{column}")).or_default() += 1;
    }
    /// Rows that were left out, of all tables.
    pub fn left_out_rows(&self) -> u64 {
        self.left_out.values().sum()
    }
}
