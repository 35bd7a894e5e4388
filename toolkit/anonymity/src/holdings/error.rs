//! Why holdings were refused.

/// Names and positions only, never values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HoldingsError {
    /// An attribute is declared twice.
    #[error("the attribute {name:?} is declared twice")]
    Twice {
        /// Its name.
        name: String,
    },
    /// No such attribute.
    #[error("there is no attribute {name:?} {side}")]
    Unknown {
        /// Its name.
        name: String,
        /// Where it was looked for.
        side: &'static str,
    },
    /// The attribute is of another kind than the relation or the adversary needs.
    #[error("the attribute {name:?} is of another kind than is needed here")]
    Kind {
        /// Its name.
        name: String,
    },
    /// A column is shorter or longer than the persons' column.
    #[error("the column of {name:?} has another length than the persons' column")]
    Length {
        /// Name of the attribute.
        name: String,
    },
    /// A column has no text form, or no days.
    #[error("the column of {name:?} cannot be read")]
    Type {
        /// Name of the attribute.
        name: String,
        /// Why.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// A pair of the truth names a person that is not there, or names one twice.
    #[error("pair {position} of the truth names an unknown person, or one named before")]
    Truth {
        /// Position, from 0.
        position: usize,
    },
    /// More persons, values or cells than 32 bits can count.
    #[error("there are too many persons or values")]
    TooMany,
}

impl HoldingsError {
    /// The Japanese sentence for the person who asked.
    pub fn ja(&self) -> String {
        match self {
            Self::Twice { name } => format!("属性「{name}」が二重に宣言されています。"),
            Self::Unknown { name, .. } => {
                format!("属性「{name}」がありません。名前を確認してください。")
            }
            Self::Kind { name } => {
                format!("属性「{name}」の種類が、この攻撃者の知識に合いません。")
            }
            Self::Length { name } => format!("属性「{name}」の列の長さが人の列と違います。"),
            Self::Type { name, .. } => format!("属性「{name}」の列を読み取れません。"),
            Self::Truth { position } => format!(
                "対応表の{}組目が、存在しない人か、既に対応づけた人を指しています。",
                position + 1
            ),
            Self::TooMany => "人または値の数が多すぎます。".into(),
        }
    }
}
