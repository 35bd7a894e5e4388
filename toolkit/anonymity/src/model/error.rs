//! What can be wrong with a set of models.

/// Why a set of models was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No model was given.
    #[error("no privacy model was given")]
    None,
    /// A parameter is out of its range.
    #[error("parameter {parameter} of {model} is out of range")]
    Range {
        /// Name of the model.
        model: &'static str,
        /// Name of the parameter.
        parameter: &'static str,
    },
    /// The table has no sensitive attribute of this name.
    #[error("the table has no sensitive attribute {attribute:?}")]
    Sensitive {
        /// Name asked for.
        attribute: String,
    },
    /// Hierarchical distance without a hierarchy.
    #[error("the sensitive attribute {attribute:?} needs a hierarchy")]
    Hierarchy {
        /// Name asked for.
        attribute: String,
    },
    /// k-map or δ-presence without a population.
    #[error("{model} needs a population table")]
    Population {
        /// Name of the model.
        model: &'static str,
    },
    /// The population of an estimate is smaller than the table.
    #[error("the population of {population} is smaller than the table of {rows} rows")]
    PopulationSmaller {
        /// Persons of the population.
        population: u64,
        /// Rows of the table.
        rows: u64,
    },
    /// A model that local recoding cannot keep.
    #[error("{model} does not hold for a table put together by local recoding")]
    LocalRecoding {
        /// Name of the model.
        model: &'static str,
    },
}

impl ModelError {
    /// The Japanese sentence for the person who chose the models.
    pub fn ja(&self) -> String {
        match self {
            Self::None => "匿名化の基準(--model)が指定されていません。".into(),
            Self::Range { model, parameter } => {
                format!("基準「{model}」の「{parameter}」が範囲外です。")
            }
            Self::Sensitive { attribute } => {
                format!(
                    "機微な属性「{attribute}」が表にありません。--sensitive を確認してください。"
                )
            }
            Self::Hierarchy { attribute } => {
                format!("機微な属性「{attribute}」の階層ファイルが必要です。")
            }
            Self::Population { model } => {
                format!("基準「{model}」には母集団の表(--population-table)が必要です。")
            }
            Self::PopulationSmaller { population, rows } => {
                format!("母集団の人数({population})がデータの行数({rows})より小さくなっています。")
            }
            Self::LocalRecoding { model } => {
                format!("基準「{model}」は局所的な一般化では保証できません。")
            }
        }
    }
}
