//! The shape of a specification file: what a person writes in TOML, nothing resolved yet.

use std::collections::BTreeMap;

use kiban_kernel::{ColumnClass, LawKey, Product};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    adversary::{AdversarySpec, AttackSpec, JoinsSpec},
    rule::Rule,
    search::Search,
};

/// One processing specification: per table and column the class, the rule for each product, the law key.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What the specification is and for which project.
    pub specification: About,
    /// Who is the unit of protection; flat tables only (the canonical tables are joined to persons by the platform).
    #[serde(default)]
    pub person: Option<PersonKey>,
    /// k-anonymity of the person-level quasi-identifiers; anonymized product.
    #[serde(default)]
    pub k: Option<KTarget>,
    /// How rules with `levels` are chosen; anonymized product.
    #[serde(default)]
    pub search: Option<Search>,
    /// Adversaries that both products are measured against.
    #[serde(default)]
    pub adversaries: Vec<AdversarySpec>,
    /// The attack before release; with the usual numbers if absent.
    #[serde(default)]
    pub attack: Option<AttackSpec>,
    /// The comparison with earlier releases; with the usual numbers if absent.
    #[serde(default)]
    pub joins: Option<JoinsSpec>,
    /// Only rows whose date lies in this window; whole population otherwise.
    #[serde(default)]
    pub window: Option<Window>,
    /// Fixed id and offset, for reproducing a printed example. Refused in a deployment.
    #[serde(default)]
    pub fixed: Option<Fixed>,
    /// Further lists of values that are rare in the population, by name; `designated_intractable` is built in.
    #[serde(default)]
    pub lists: BTreeMap<String, InlineList>,
    /// The tables, by name.
    pub tables: BTreeMap<String, Table>,
}

/// Title and purpose of a specification.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Short name; part of the manifest.
    pub name: String,
    /// Title shown to the committee.
    #[serde(default)]
    pub title: Option<String>,
    /// Version written by its author.
    #[serde(default)]
    pub version: Option<String>,
}

/// How a flat table tells persons apart, and the name of the id column put first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonKey {
    /// Columns that together tell persons apart; without any, each row is a person.
    #[serde(default)]
    pub key: Vec<String>,
    /// Name of the output's first column, which holds the pseudonym.
    #[serde(default = "default_id_column")]
    pub id_column: String,
}

fn default_id_column() -> String {
    DEFAULT_ID_COLUMN.to_owned()
}

/// Name of the pseudonym's column unless the specification names another.
pub const DEFAULT_ID_COLUMN: &str = "person_id";

/// The target of the person-level model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KTarget {
    /// Every person shares the combination of quasi-identifiers with at least this many persons, oneself included.
    pub target: u32,
    /// The quasi-identifiers as `table.column`; without this line, all that are not dropped.
    #[serde(default)]
    pub quasi_identifiers: Option<Vec<String>>,
}

/// A window of days.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First day inside (`YYYY-MM-DD`).
    #[schemars(with = "Option<String>")]
    #[serde(default)]
    pub from: Option<kiban_kernel::Date>,
    /// First day no longer inside (`YYYY-MM-DD`).
    #[schemars(with = "Option<String>")]
    #[serde(default)]
    pub until: Option<kiban_kernel::Date>,
}

/// Fixed id and offset for one person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    /// The only person's id in the output.
    #[serde(default)]
    pub id: Option<String>,
    /// Days added to every shifted date.
    #[serde(default)]
    pub date_offset_days: Option<i32>,
}

/// A list of rare values written into the specification.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InlineList {
    /// Where the list comes from.
    pub source: String,
    /// Codes; a value beginning with one of them is rare.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Names; a text containing one of them is rare.
    #[serde(default)]
    pub names: Vec<String>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The column the window applies to.
    #[serde(default)]
    pub window_column: Option<String>,
    /// The columns, by name. A column of the data that is not named here is withheld.
    pub columns: BTreeMap<String, Column>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What the column is, legally.
    #[schemars(with = "ClassName")]
    pub class: ColumnClass,
    /// What becomes of it in the anonymized product; withheld if absent.
    #[serde(default)]
    pub anonymized: Option<Rule>,
    /// What becomes of it in the pseudonymized product; withheld if absent.
    #[serde(default)]
    pub pseudonymized: Option<Rule>,
    /// The law key of the rule, for both products or one each; the standard's own if absent.
    #[serde(default)]
    pub law: Option<Law>,
    /// Columns of one table with the same group are judged together: one rare value makes all of them residual.
    #[serde(default)]
    pub group: Option<String>,
    /// What the combination scan of the pseudonymized product takes the column for; known for canonical columns.
    #[serde(default)]
    pub role: Option<Role>,
    /// A remark for the reader.
    #[serde(default)]
    pub note: Option<String>,
}

impl Column {
    /// The rule for a product, if one was written.
    pub fn rule(&self, product: Product) -> Option<&Rule> {
        match product {
            Product::Anonymized => self.anonymized.as_ref(),
            Product::Pseudonymized => self.pseudonymized.as_ref(),
        }
    }
}

/// What the combination scan takes a column for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Date of birth.
    Birth,
    /// Occupation.
    Occupation,
    /// Where the person lives.
    Region,
    /// A disease, a procedure: something that happened to the person.
    Event,
    /// Where it happened.
    Facility,
}

/// The law key of a column's rules.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Law {
    /// One key for both products.
    Both(#[schemars(with = "String")] LawKey),
    /// A key per product.
    Each {
        /// For the anonymized product.
        #[schemars(with = "String")]
        anonymized: LawKey,
        /// For the pseudonymized product.
        #[schemars(with = "String")]
        pseudonymized: LawKey,
    },
}

impl Law {
    /// The key for a product.
    pub fn of(&self, product: Product) -> &LawKey {
        match (self, product) {
            (Self::Both(key), _) => key,
            (Self::Each { anonymized, .. }, Product::Anonymized) => anonymized,
            (Self::Each { pseudonymized, .. }, Product::Pseudonymized) => pseudonymized,
        }
    }
}

/// Mirror of the kernel's classes, for the JSON Schema alone.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum ClassName {
    DirectIdentifier,
    IndividualIdCode,
    LinkingCode,
    FinancialDamage,
    QuasiIdentifier,
    SensitiveValue,
    Date,
    FreeText,
    Insensitive,
}
