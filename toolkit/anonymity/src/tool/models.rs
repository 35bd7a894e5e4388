//! Models as the command line has them: `k=5`, `l=3,kind=entropy`, `t=0.2,kind=hierarchical`.

use super::ToolError;
use crate::model::{Distance, Model};

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
/// `presence=MIN,max=MAX` · `average-risk=0.01` · `unique=0.01`; models of a sensitive attribute take
/// `attribute=NAME`.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_model(text: &str, sensitive: Option<&str>) -> Result<Model, &'static str> {
    let mut pairs = Vec::new();
    for part in text.split(',') {
        let (key, value) = part.split_once('=').ok_or("expected key=value")?;
        pairs.push((key.trim(), value.trim()));
    }
    let get = |key: &str| pairs.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
    let number = |text: &str| text.parse::<f64>().map_err(|_| "expected a number");
    let whole = |text: &str| text.parse::<u32>().map_err(|_| "expected a whole number");
    let attribute = || {
        get("attribute").or(sensitive).map(str::to_owned).ok_or("a sensitive attribute is needed")
    };
    let (name, value) = *pairs.first().ok_or("expected key=value")?;
    let known: &[&str] = match name {
        "kmap" => &["population", "significance"],
        "l" => &["kind", "c", "attribute"],
        "t" | "beta" => &["kind", "attribute"],
        "delta" => &["attribute"],
        "presence" => &["max"],
        _ => &[],
    };
    if pairs[1..].iter().any(|(key, _)| !known.contains(key)) {
        return Err("unknown parameter");
    }
    Ok(match name {
        "k" => Model::KAnonymity { k: whole(value)? },
        "kmap" => match get("population") {
            None => Model::KMap { k: whole(value)? },
            Some(population) => Model::KMapEstimated {
                k: whole(value)?,
                population: population.parse().map_err(|_| "expected a whole number")?,
                significance: number(get("significance").unwrap_or("0.01"))?,
            },
        },
        "l" => match get("kind").unwrap_or("distinct") {
            "distinct" => Model::DistinctDiversity { attribute: attribute()?, l: whole(value)? },
            "entropy" => Model::EntropyDiversity { attribute: attribute()?, l: number(value)? },
            "recursive" => Model::RecursiveDiversity {
                attribute: attribute()?,
                c: number(get("c").ok_or("recursive l-diversity needs c")?)?,
                l: whole(value)?,
            },
            _ => return Err("unknown kind of l-diversity"),
        },
        "t" => Model::Closeness {
            attribute: attribute()?,
            t: number(value)?,
            distance: match get("kind").unwrap_or("equal") {
                "equal" => Distance::Equal,
                "hierarchical" => Distance::Hierarchical,
                "ordered" => Distance::Ordered,
                _ => return Err("unknown kind of t-closeness"),
            },
        },
        "beta" => Model::BetaLikeness {
            attribute: attribute()?,
            beta: number(value)?,
            enhanced: match get("kind").unwrap_or("basic") {
                "basic" => false,
                "enhanced" => true,
                _ => return Err("unknown kind of beta-likeness"),
            },
        },
        "delta" => Model::DeltaDisclosure { attribute: attribute()?, delta: number(value)? },
        "presence" => {
            Model::DeltaPresence { min: number(value)?, max: number(get("max").unwrap_or("1"))? }
        }
        "average-risk" => Model::AverageRisk { threshold: number(value)? },
        "unique" => Model::SampleUniqueness { threshold: number(value)? },
        _ => return Err("unknown model"),
    })
}
