//! What a specification says about the search for levels.

use kiban_anonymity::{Aggregate, AnonymizeError, Measure, Model, SearchKind, Settings};
use schemars::JsonSchema;
use serde::Deserialize;

/// How the rules of columns with `levels` are chosen: over all combinations of levels, the one with the least loss
/// at which the models hold and no more persons are suppressed than may be.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Share of the persons that may be suppressed, 0 to 1.
    #[serde(default = "default_suppression")]
    pub suppression: f64,
    /// What is minimised.
    #[serde(default)]
    pub measure: SearchMeasure,
    /// How columns are put together.
    #[serde(default)]
    pub aggregate: SearchAggregate,
    /// Weight of generalisation against suppression: 0 favours suppression, 1 generalisation.
    #[serde(default = "default_gs_factor")]
    pub gs_factor: f64,
    /// Combinations to look at when there are more than can all be searched.
    #[serde(default)]
    pub checks: Option<u64>,
    /// Further models, as `kiban tool anonymize --model` reads them; `attribute` is `table.column`, of which each
    /// person has one value: `l=2,kind=entropy,attribute=person.occupation`.
    #[serde(default)]
    pub models: Vec<String>,
}

fn default_suppression() -> f64 {
    0.05
}
fn default_gs_factor() -> f64 {
    0.5
}

impl Default for Search {
    fn default() -> Self {
        Self {
            suppression: default_suppression(),
            measure: SearchMeasure::default(),
            aggregate: SearchAggregate::default(),
            gs_factor: default_gs_factor(),
            checks: None,
            models: Vec::new(),
        }
    }
}

/// What the search minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchMeasure {
    /// Share of the domain under a label.
    #[default]
    Loss,
    /// Height in the hierarchy.
    Precision,
    /// Non-uniform entropy.
    Entropy,
    /// Sum of squared class sizes.
    Discernibility,
    /// Average class size.
    ClassSize,
}

/// How columns are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchAggregate {
    /// Geometric mean of 1 + value.
    #[default]
    GeometricMean,
    /// Arithmetic mean.
    ArithmeticMean,
}

impl Search {
    /// The engine's settings for a target of k.
    pub(crate) fn settings(&self, k: u32) -> Result<Settings, kiban_anonymity::tool::ToolError> {
        let mut models = vec![Model::KAnonymity { k }];
        models.extend(kiban_anonymity::tool::parse_models(&self.models, None)?);
        let mut settings = Settings::new(models, self.suppression);
        settings.measure = match self.measure {
            SearchMeasure::Loss => Measure::Loss,
            SearchMeasure::Precision => Measure::Precision,
            SearchMeasure::Entropy => Measure::Entropy,
            SearchMeasure::Discernibility => Measure::Discernibility,
            SearchMeasure::ClassSize => Measure::ClassSize,
        };
        settings.aggregate = match self.aggregate {
            SearchAggregate::GeometricMean => Aggregate::GeometricMean,
            SearchAggregate::ArithmeticMean => Aggregate::ArithmeticMean,
        };
        settings.gs_factor = self.gs_factor;
        if let Some(checks) = self.checks {
            settings.search = SearchKind::Heuristic { checks };
        }
        Ok(settings)
    }

    /// Columns, as `table.column`, that the further models protect.
    pub(crate) fn sensitive(&self) -> Vec<String> {
        let attribute = |text: &String| {
            let part = text.split(',').find_map(|p| p.trim().strip_prefix("attribute="))?;
            Some(part.trim().to_owned())
        };
        let mut found: Vec<String> = self.models.iter().filter_map(attribute).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Are shares shares, and can the models be read?
    pub(crate) fn is_sound(&self) -> bool {
        let share = |v: f64| (0.0..=1.0).contains(&v);
        share(self.suppression) && share(self.gs_factor) && self.settings(2).is_ok()
    }
}

/// Why no levels could be chosen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A finer level of a column does not decide the coarser one.
    #[error("the levels of {table}.{column} are not nested")]
    NotNested {
        /// Table.
        table: String,
        /// Column.
        column: String,
    },
    /// A column of a model is not there, or a person has several values of it.
    #[error("the models cannot protect {column}: no such column, or several values of one person")]
    Sensitive {
        /// `table.column`.
        column: String,
    },
    /// The levels and persons do not make a table.
    #[error(transparent)]
    Table(#[from] kiban_anonymity::TableError),
    /// The models cannot be read.
    #[error(transparent)]
    Models(#[from] kiban_anonymity::tool::ToolError),
    /// There is no answer.
    #[error(transparent)]
    Anonymize(#[from] AnonymizeError),
}

impl SearchError {
    /// The Japanese sentence.
    pub fn ja(&self) -> String {
        match self {
            Self::NotNested { table, column } => format!(
                "表 {table} の列 {column} の levels が入れ子になっていません。細かい段階の1つの値が、粗い段階の2つの値に分かれないよう並べてください。"
            ),
            Self::Sensitive { column } => format!(
                "[search] models の attribute「{column}」を守れません。1人に1つの値をもつ、宣言済みの列（表.列）にしてください。"
            ),
            Self::Table(e) => e.ja(),
            Self::Models(e) => e.ja(),
            Self::Anonymize(e) => format!("[search] {}", e.ja()),
        }
    }
}
