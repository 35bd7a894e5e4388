//! A model as a file: versioned, with a weight for every level, readable again.

use serde_json::{Map, Value, json};

use crate::{
    compare::{Kind, LEVELS, VARIABLES, Variable},
    model::{CLASSES, Class, Model},
};

/// Version of the form that is written and read. 2: sex has levels by what the names say.
const VERSION: u64 = 2;

/// Why a model could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Not JSON.
    #[error("the model is not JSON")]
    Json,
    /// A version that this program does not know.
    #[error("the model is of an unknown version")]
    Version,
    /// A value is missing or no probability.
    #[error("the model lacks {part}")]
    Lacks {
        /// Where.
        part: String,
    },
}

impl ModelError {
    /// One Japanese sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Json => "モデルのファイルはJSONではありません。".to_owned(),
            Self::Version => {
                "モデルの版に対応していません。モデルのファイルを指定せずに名簿をもう一度\
                名寄せし、モデルを作り直してください。"
                    .to_owned()
            }
            Self::Lacks { part } => format!("モデルに {part} がないか、値が正しくありません。"),
        }
    }
}

impl Model {
    /// The model as JSON text.
    pub fn to_json(&self) -> String {
        let classes: Map<String, Value> =
            Class::ALL.iter().zip(self.share).map(|(c, s)| (c.id().to_owned(), json!(s))).collect();
        let mut levels = Vec::new();
        for v in Variable::ALL {
            for level in 0..LEVELS {
                let Some((group, kind)) = v.level(level) else { continue };
                let p: Map<String, Value> = Class::ALL
                    .iter()
                    .map(|c| {
                        (c.id().to_owned(), json!(self.tables[*c as usize][v as usize][level]))
                    })
                    .collect();
                levels.push(json!({
                    "variable": v.id(),
                    "variable_ja": v.ja(),
                    "level": level,
                    "id": v.level_id(level),
                    "group": group,
                    "bits": if kind == Kind::Missing { 0.0 } else { self.bits(v, level) },
                    "probability": p,
                }));
            }
        }
        let all = json!({
            "kiban_linkage_model": VERSION,
            "all_pairs": self.all_pairs,
            "share": classes,
            "cohort": self.cohort,
            "levels": levels,
        });
        serde_json::to_string_pretty(&all).unwrap_or_default()
    }

    /// Reads what [`Model::to_json`] wrote; a probability that was edited counts, the bits do not.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        let all: Value = serde_json::from_str(text).map_err(|_| ModelError::Json)?;
        if all["kiban_linkage_model"].as_u64() != Some(VERSION) {
            return Err(ModelError::Version);
        }
        let number = |v: &Value, part: &dyn Fn() -> String| {
            v.as_f64()
                .filter(|n| n.is_finite() && *n >= 0.0)
                .ok_or_else(|| ModelError::Lacks { part: part() })
        };
        let mut model = Self {
            share: [0.0; CLASSES],
            tables: vec![[[0.0; LEVELS]; VARIABLES]; CLASSES],
            cohort: [1.0; 5],
            all_pairs: number(&all["all_pairs"], &|| "all_pairs".to_owned())?,
        };
        for c in Class::ALL {
            model.share[c as usize] =
                number(&all["share"][c.id()], &|| format!("share.{}", c.id()))?;
        }
        for (i, p) in model.cohort.iter_mut().enumerate() {
            *p = number(&all["cohort"][i], &|| format!("cohort[{i}]"))?;
        }
        let levels = all["levels"].as_array().cloned().unwrap_or_default();
        for v in Variable::ALL {
            for level in (0..LEVELS).filter(|l| v.level(*l).is_some()) {
                let part = || format!("{} {level}", v.id());
                let entry = levels
                    .iter()
                    .find(|e| e["variable"] == v.id() && e["level"].as_u64() == Some(level as u64))
                    .ok_or_else(|| ModelError::Lacks { part: part() })?;
                for c in Class::ALL {
                    model.tables[c as usize][v as usize][level] =
                        number(&entry["probability"][c.id()], &part)?;
                }
            }
        }
        Ok(model)
    }

    /// What a level says for one person against strangers, in bits.
    fn bits(&self, v: Variable, level: usize) -> f64 {
        let at = |c: Class| self.tables[c as usize][v as usize][level];
        let (mut one, mut all) = (0.0, 0.0);
        for c in Class::ALL.into_iter().filter(|c| c.is_one_person()) {
            one += self.share[c as usize] * at(c);
            all += self.share[c as usize];
        }
        (one / all / at(Class::Strangers)).log2()
    }
}
