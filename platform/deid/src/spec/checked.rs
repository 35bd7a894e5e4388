//! A specification that passed its check, ready to be compiled.

use std::collections::BTreeMap;

use kiban_kernel::{ColumnClass, Date, Digest, LawKey, Product};

use super::{Role, Rule, Spec};

/// A column that reaches the output.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedColumn {
    /// Name.
    pub name: String,
    /// Class.
    pub class: ColumnClass,
    /// What becomes of it.
    pub rule: Rule,
    /// The provision.
    pub law: LawKey,
    /// Columns judged together.
    pub group: Option<String>,
    /// Part of the person-level model?
    pub in_model: bool,
    /// What the combination scan takes it for.
    pub role: Option<Role>,
}

/// What becomes of a declared column.
#[derive(Debug, Clone, PartialEq)]
pub enum Use {
    /// It reaches the output by a rule.
    Output(CheckedColumn),
    /// It does not.
    Withheld(Withheld),
}

/// A column that does not reach the output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Withheld {
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// Why.
    pub reason: WithheldReason,
    /// The provision; none for a column that nobody declared.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub law: Option<LawKey>,
}

/// Why a column does not reach the output.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum WithheldReason {
    /// The specification does not declare it.
    Undeclared,
    /// Declared, but with no rule for this product.
    NoRule,
    /// Rule `drop`.
    Dropped,
    /// Rule `withhold`.
    Withheld,
}

impl WithheldReason {
    /// Japanese sentence.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Undeclared => "仕様書に宣言がないため出力しません",
            Self::NoRule => "この加工種別の規則がないため出力しません",
            Self::Dropped => "規則により削除しました",
            Self::Withheld => "規則により保留しました",
        }
    }
}

/// A checked table.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedTable {
    /// Name.
    pub name: String,
    /// Declared columns, by name.
    pub columns: BTreeMap<String, Use>,
    /// The column the window applies to.
    pub window_column: Option<String>,
}

/// A specification that obeys the table of house rule 4 for one product on one day.
#[derive(Debug, Clone)]
pub struct Checked {
    pub(super) spec: Spec,
    pub(super) product: Product,
    pub(super) on: Date,
    pub(super) rules: Digest,
    pub(super) tables: Vec<CheckedTable>,
    pub(super) scan: Scan,
    pub(super) measured: bool,
}

/// Numbers of the combination scan, from dated rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scan {
    pub(crate) age_years: i64,
    pub(crate) persons: u64,
}

impl Checked {
    /// The same for a product that others are only compared with: adversaries, attacks and prevalences are not measured.
    /// Such a product has no payload.
    pub fn unmeasured(self) -> Self {
        Self { measured: false, ..self }
    }
    /// Are risks measured?
    pub(crate) fn is_measured(&self) -> bool {
        self.measured
    }
    /// The specification.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }
    /// For which product.
    pub fn product(&self) -> Product {
        self.product
    }
    /// By the rules in force on which day.
    pub fn on(&self) -> Date {
        self.on
    }
    /// Digest of the dated rules it was checked by.
    pub fn rules(&self) -> Digest {
        self.rules
    }
    /// Tables.
    pub fn tables(&self) -> &[CheckedTable] {
        &self.tables
    }
    /// Target of k; 1 if none is set or the product has none.
    pub fn k(&self) -> u32 {
        match (self.product, &self.spec.document().k) {
            (Product::Anonymized, Some(k)) => k.target,
            _ => 1,
        }
    }
    /// Columns of the person-level model that still have levels to choose from?
    pub(crate) fn is_searched(&self) -> bool {
        let searched = |c: &CheckedColumn| matches!(c.rule, Rule::Levels(_));
        self.tables.iter().any(|t| t.output().any(searched))
    }
    /// The same with one level chosen for each searched column; a column whose level is `drop` is withheld.
    pub(crate) fn with_levels(&self, level: impl Fn(&str, &str) -> usize) -> Self {
        let mut chosen = self.clone();
        for table in &mut chosen.tables {
            let name = table.name.clone();
            for used in table.columns.values_mut() {
                let Use::Output(column) = used else { continue };
                let Rule::Levels(levels) = &column.rule else { continue };
                match levels.get(level(&name, &column.name)).cloned() {
                    Some(rule) if !rule.removes() => column.rule = rule,
                    _ => {
                        *used = Use::Withheld(Withheld {
                            table: name.clone(),
                            column: column.name.clone(),
                            reason: WithheldReason::Dropped,
                            law: Some(column.law.clone()),
                        });
                    }
                }
            }
        }
        chosen
    }
    pub(crate) fn scan(&self) -> Scan {
        self.scan
    }
}

impl CheckedTable {
    /// Columns that reach the output, by name.
    pub fn output(&self) -> impl Iterator<Item = &CheckedColumn> {
        self.columns.values().filter_map(|u| match u {
            Use::Output(c) => Some(c),
            Use::Withheld(_) => None,
        })
    }
}
