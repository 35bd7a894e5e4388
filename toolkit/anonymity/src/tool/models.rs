//! Models as the command line has them: `k=5`, `l=3,kind=entropy`, `t=0.2,kind=hierarchical`.

use super::ToolError;
use crate::model::{Distance, Model, Rule};

/// What is wrong with the text of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelText {
    /// Not `key=value,key=value`.
    #[error("expected key=value")]
    Form,
    /// There is no such model.
    #[error("unknown model")]
    Unknown,
    /// The model has no such parameter.
    #[error("unknown parameter")]
    Parameter,
    /// A parameter is given twice.
    #[error("a parameter is given twice")]
    Twice,
    /// The model has no such kind.
    #[error("unknown kind")]
    Kind,
    /// A number is expected.
    #[error("expected a number")]
    Number,
    /// A whole number is expected.
    #[error("expected a whole number")]
    Whole,
    /// No sensitive attribute is named.
    #[error("a sensitive attribute is needed")]
    Sensitive,
    /// A parameter is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
}

impl ModelText {
    /// The Japanese sentence for the person at the command line.
    pub fn ja(self) -> String {
        match self {
            Self::Form => "「名前=値」の形で指定してください。例:k=5、l=3,kind=entropy".into(),
            Self::Unknown => "この名前の基準はありません。使えるのは k、kmap、l、t、beta、delta、presence、average-risk、unique、population-unique です。".into(),
            Self::Parameter => "この基準にない項目が指定されています。".into(),
            Self::Twice => "同じ項目が二度指定されています。".into(),
            Self::Kind => "この基準にない種類(kind)が指定されています。".into(),
            Self::Number => "値は有限の数で指定してください。".into(),
            Self::Whole => "値は0以上の整数で指定してください。".into(),
            Self::Sensitive => "機微な属性を --sensitive または attribute= で指定してください。".into(),
            Self::Missing(parameter) => format!("「{parameter}=」が必要です。"),
        }
    }
}

/// All models of a command line. `sensitive` is the attribute of models that name none.
///
/// # Errors
/// With the position of the first model that cannot be parsed.
pub fn parse_models(texts: &[String], sensitive: Option<&str>) -> Result<Vec<Model>, ToolError> {
    texts
        .iter()
        .enumerate()
        .map(|(at, text)| {
            parse_model(text, sensitive)
                .map_err(|problem| ToolError::Model { position: at + 1, problem })
        })
        .collect()
}

/// One model: `k=5` · `kmap=3[,population=N,significance=S]` · `l=3[,kind=distinct|entropy|recursive][,c=4]` ·
/// `t=0.2[,kind=equal|hierarchical|ordered]` · `beta=1[,kind=basic|enhanced]` · `delta=1` (δ-disclosure) ·
/// `presence=MIN,max=MAX` · `average-risk=0.01` · `unique=0.01` ·
/// `population-unique=0.01,population=N[,kind=dankar|pitman|zayatz|snb]`; models of a sensitive attribute take
/// `attribute=NAME`.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_model(text: &str, sensitive: Option<&str>) -> Result<Model, ModelText> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for part in text.split(',') {
        let (key, value) = part.split_once('=').ok_or(ModelText::Form)?;
        if pairs.iter().any(|(known, _)| *known == key.trim()) {
            return Err(ModelText::Twice);
        }
        pairs.push((key.trim(), value.trim()));
    }
    let of = |key: &str| pairs.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
    let number = |text: &str| {
        text.parse::<f64>().ok().filter(|value| value.is_finite()).ok_or(ModelText::Number)
    };
    let whole = |text: &str| text.parse::<u32>().map_err(|_| ModelText::Whole);
    let persons = |text: &str| text.parse::<u64>().map_err(|_| ModelText::Whole);
    let attribute = || of("attribute").or(sensitive).map(str::to_owned).ok_or(ModelText::Sensitive);
    let (name, value) = *pairs.first().ok_or(ModelText::Form)?;
    let known: &[&str] = match name {
        "kmap" => &["population", "significance"],
        "l" => &["kind", "c", "attribute"],
        "t" | "beta" => &["kind", "attribute"],
        "delta" => &["attribute"],
        "presence" => &["max"],
        "population-unique" => &["kind", "population"],
        _ => &[],
    };
    let kind = of("kind");
    let model = match name {
        "k" => Model::KAnonymity { k: whole(value)? },
        "kmap" => match of("population") {
            None => Model::KMap { k: whole(value)? },
            Some(population) => Model::KMapEstimated {
                k: whole(value)?,
                population: persons(population)?,
                significance: number(of("significance").unwrap_or("0.01"))?,
            },
        },
        "l" => match kind.unwrap_or("distinct") {
            "distinct" => Model::DistinctDiversity { attribute: attribute()?, l: whole(value)? },
            "entropy" => Model::EntropyDiversity { attribute: attribute()?, l: number(value)? },
            "recursive" => Model::RecursiveDiversity {
                attribute: attribute()?,
                c: number(of("c").ok_or(ModelText::Missing("c"))?)?,
                l: whole(value)?,
            },
            _ => return Err(ModelText::Kind),
        },
        "t" => Model::Closeness {
            attribute: attribute()?,
            t: number(value)?,
            distance: match kind.unwrap_or("equal") {
                "equal" => Distance::Equal,
                "hierarchical" => Distance::Hierarchical,
                "ordered" => Distance::Ordered,
                _ => return Err(ModelText::Kind),
            },
        },
        "beta" => Model::BetaLikeness {
            attribute: attribute()?,
            beta: number(value)?,
            enhanced: match kind.unwrap_or("basic") {
                "basic" => false,
                "enhanced" => true,
                _ => return Err(ModelText::Kind),
            },
        },
        "delta" => Model::DeltaDisclosure { attribute: attribute()?, delta: number(value)? },
        "presence" => {
            Model::DeltaPresence { min: number(value)?, max: number(of("max").unwrap_or("1"))? }
        }
        "average-risk" => Model::AverageRisk { threshold: number(value)? },
        "unique" => Model::SampleUniqueness { threshold: number(value)? },
        "population-unique" => Model::PopulationUniqueness {
            threshold: number(value)?,
            population: persons(of("population").ok_or(ModelText::Missing("population"))?)?,
            rule: match kind.unwrap_or("dankar") {
                "dankar" => Rule::Dankar,
                "pitman" => Rule::Pitman,
                "zayatz" => Rule::Zayatz,
                "snb" => Rule::Snb,
                _ => return Err(ModelText::Kind),
            },
        },
        _ => return Err(ModelText::Unknown),
    };
    if pairs[1..].iter().any(|(key, _)| !known.contains(key)) {
        return Err(ModelText::Parameter);
    }
    Ok(model)
}
