//! Whom a specification wants its products measured against.

use schemars::JsonSchema;
use serde::Deserialize;

/// Somebody who might try to find a person in a product, and what he or she knows of that person. Columns are named
/// `table.column`, as the data have them before any rule.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdversarySpec {
    /// Short name, for reports.
    pub name: String,
    /// What the committee reads; made from the columns if absent.
    #[serde(default)]
    pub label: Option<String>,
    /// Columns of which all of a person's values are known (sex, birth, region, facility).
    #[serde(default)]
    pub knows: Vec<String>,
    /// Sets of which some values are known: one diagnosis, two drugs.
    #[serde(default)]
    pub items: Vec<PartKnown>,
    /// Days of which some are known: two visits. Where days are shifted, the gap between them is.
    #[serde(default)]
    pub dates: Option<PartKnown>,
    /// The knowledge is an extract of a public database about so many persons; gives the journalist's risk.
    #[serde(default)]
    pub population: Option<u64>,
    /// Highest chance to be right about any person; over it an anonymized product is not released.
    #[serde(default)]
    pub max_risk: Option<f64>,
    /// Highest expected share of persons found; over it an anonymized product is not released.
    #[serde(default)]
    pub max_found: Option<f64>,
    /// Highest share of persons singled out; over it an anonymized product is not released.
    #[serde(default)]
    pub max_singled_out: Option<f64>,
    /// Groups of columns to empty in the anonymized product, for the persons whom this adversary would find: the first
    /// group, then the second for whom the first did not hide, and so on. Not quasi-identifiers: those are the model's.
    #[serde(default)]
    pub local_suppression: Vec<SuppressionGroup>,
    /// Whom this adversary still finds after the groups is left out of the anonymized product, with all records; and so is
    /// whose class falls under k by that.
    #[serde(default)]
    pub leave_out_found: bool,
    /// A person with fewer candidates is found; 2 without this line: who is alone.
    #[serde(default = "two")]
    pub min_candidates: u64,
}

/// Columns that are emptied together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionGroup {
    /// The columns, as `table.column`.
    pub columns: Vec<String>,
    /// Not in all rows of a person but in those whose value of this column finds the person: one of `columns`, all of
    /// one table, known by `items`. Others lose as many values as the adversary knows.
    #[serde(default)]
    pub rows_of: Option<String>,
}

/// A column of which an adversary knows some values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartKnown {
    /// `table.column`.
    pub column: String,
    /// How many values; all, of a person with fewer.
    #[serde(default = "one")]
    pub count: usize,
}

fn two() -> u64 {
    2
}

fn one() -> usize {
    1
}

/// How hard the products are attacked before they may be released.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttackSpec {
    /// Attempts per kind of attack.
    #[serde(default = "attempts")]
    pub attempts: usize,
    /// Most that an attack may gain over its baseline; an anonymized product over it is not released. 1 / k without
    /// this line: a record that shares its class with k - 1 others speaks for its person with that weight.
    #[serde(default)]
    pub limit: Option<f64>,
}

/// How far a product may join with an earlier release about the same persons.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinsSpec {
    /// Persons for whom the most alike record of the other release is looked for.
    #[serde(default = "attempts")]
    pub attempts: usize,
    /// Most that joining by content may gain over chance; over it the product is not released. Without this line the
    /// figures are reported only. Values that identifying columns share always stand against the release.
    #[serde(default)]
    pub limit: Option<f64>,
    /// Only so many of the latest releases are compared with; all without this line.
    #[serde(default)]
    pub latest: Option<u32>,
}

impl Default for JoinsSpec {
    fn default() -> Self {
        Self { attempts: attempts(), limit: None, latest: None }
    }
}

fn attempts() -> usize {
    2_000
}

impl Default for AttackSpec {
    fn default() -> Self {
        Self { attempts: attempts(), limit: None }
    }
}

impl AdversarySpec {
    /// Every column that is named.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let parts = self.items.iter().chain(&self.dates).map(|p| p.column.as_str());
        self.knows.iter().map(String::as_str).chain(parts)
    }

    /// Is something known, are shares shares?
    pub(crate) fn is_sound(&self) -> bool {
        let share = |v: &Option<f64>| v.is_none_or(|v| (0.0..=1.0).contains(&v));
        let known = self.columns().next().is_some() && self.columns().all(|c| c.contains('.'));
        let counts =
            self.items.iter().chain(&self.dates).all(|p| p.count > 0) && self.min_candidates > 0;
        known
            && counts
            && [&self.max_risk, &self.max_found, &self.max_singled_out].into_iter().all(share)
    }

    /// What the committee reads.
    pub fn label_ja(&self) -> String {
        if let Some(label) = &self.label {
            return label.clone();
        }
        let mut known: Vec<String> = self.knows.clone();
        known.extend(self.items.iter().map(|p| format!("{}のうち{}件", p.column, p.count)));
        known.extend(self.dates.iter().map(|p| format!("{}のうち{}日", p.column, p.count)));
        format!("{}を知る者", known.join("、"))
    }
}
