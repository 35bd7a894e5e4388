//! `kiban tool risk`: the risks of a file as it is, and whether it fulfils models.

use super::report::ModelVerdict;
use super::{ToolError, cells, header, places, text};
use crate::group::Scratch;
use crate::model::{Class, Compiled, Model};
use crate::risk::{Population, PopulationRisk, SampleRisk, population_risk, sample_risk};
use crate::{Attribute, Hierarchy, ModelError, Sensitive, Table, TableBuilder};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::io::BufRead;

/// What to look at.
#[derive(Debug, Clone)]
pub struct RiskOptions {
    /// Between fields.
    pub delimiter: char,
    /// Quasi-identifiers.
    pub quasi: Vec<String>,
    /// Sensitive attributes.
    pub sensitive: Vec<String>,
    /// Hierarchies of sensitive attributes, where a model needs one.
    pub hierarchies: BTreeMap<String, String>,
    /// Models to verify.
    pub models: Vec<Model>,
    /// For the estimates.
    pub population: Option<Population>,
    /// Risk over which a record counts as at risk.
    pub threshold: f64,
}

/// The risks of a file. Rows that are `*` in every quasi-identifier are suppressed: they are no class.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RiskReport {
    /// Rows of the file.
    pub rows: u64,
    /// Rows suppressed.
    pub suppressed: u64,
    /// Risks of the rows that are not.
    pub sample: SampleRisk,
    /// Sizes of classes and their numbers.
    pub class_histogram: Vec<(u32, u64)>,
    /// Estimates for the population, if one was given.
    pub population: Option<PopulationRisk>,
    /// Models.
    pub models: Vec<ModelVerdict>,
}

/// Classes of the file: one key per row, numbered.
struct File {
    /// Size of each class; class 0 is the suppressed rows.
    sizes: Vec<u32>,
    /// Per sensitive attribute and class: counts of values.
    counts: Vec<HashMap<(u32, u32), u32>>,
    /// An empty table that knows the sensitive attributes and their totals.
    table: Table,
}

fn read(data: impl BufRead, options: &RiskOptions) -> Result<File, ToolError> {
    let mut records = text::Records::new(data, options.delimiter)?;
    let header = header(&mut records)?;
    let [quasi, sensitive, _] = places(&header, [&options.quasi, &options.sensitive, &[]])?;
    let mut protected = Vec::new();
    for name in &options.sensitive {
        let parsed = options.hierarchies.get(name).map(|text| {
            Hierarchy::parse(text, options.delimiter)
                .map_err(|source| ToolError::Hierarchy { attribute: name.clone(), source })
        });
        protected.push(Sensitive::new(name.clone(), parsed.transpose()?));
    }
    // One attribute with one value: the table only counts sensitive values.
    let root = Hierarchy::from_rows([["*"]])
        .map_err(|source| ToolError::Hierarchy { attribute: "*".into(), source })?;
    let mut table = TableBuilder::new(vec![Attribute::new("*", root)], protected)?;
    let mut numbers: HashMap<Vec<u32>, u32> = HashMap::new();
    let mut values: Vec<HashMap<String, u32>> = vec![HashMap::new(); quasi.len()];
    let mut sizes = vec![0_u32];
    let mut counts: Vec<HashMap<(u32, u32), u32>> = vec![HashMap::new(); sensitive.len()];
    let mut key = Vec::with_capacity(quasi.len());
    while let Some(cells) = cells(&mut records, header.len())? {
        key.clear();
        let mut starred = !quasi.is_empty();
        for (at, values) in quasi.iter().zip(&mut values) {
            let cell = cells[*at].as_ref();
            starred &= cell == "*";
            let next = values.len() as u32;
            key.push(*values.entry_ref(cell).or_insert(next));
        }
        let class = if starred {
            0
        } else {
            let next = sizes.len() as u32;
            let class = *numbers.entry_ref(key.as_slice()).or_insert(next);
            if class == next {
                sizes.push(0);
            }
            class
        };
        sizes[class as usize] += 1;
        let shown: Vec<&str> = sensitive.iter().map(|at| cells[*at].as_ref()).collect();
        table.push(&["*"], &shown)?;
        for (at, counts) in counts.iter_mut().enumerate() {
            let value = table.sensitive_number(at, shown[at]);
            *counts.entry((class, value)).or_insert(0) += 1;
        }
    }
    Ok(File { sizes, counts, table: table.finish() })
}

/// Look at a file.
///
/// A file whose every quasi-identifier is generalised to its root reads like one that is suppressed as a whole.
///
/// # Errors
/// [`ToolError`]; never carries a value of the data.
pub fn risk(data: impl BufRead, options: &RiskOptions) -> Result<RiskReport, ToolError> {
    let file = read(data, options)?;
    let mut histogram: BTreeMap<u32, u64> = BTreeMap::new();
    for size in &file.sizes[1..] {
        *histogram.entry(*size).or_insert(0) += 1;
    }
    let histogram: Vec<(u32, u64)> = histogram.into_iter().collect();
    let population = match options.population {
        Some(population) => {
            Some(population_risk(&histogram, population).ok_or(ToolError::Population)?)
        }
        None => None,
    };
    let mut models = Vec::new();
    for model in &options.models {
        models.push(verdict(&file, model, &histogram)?);
    }
    Ok(RiskReport {
        rows: file.table.rows(),
        suppressed: u64::from(file.sizes[0]),
        sample: sample_risk(&histogram, options.threshold),
        class_histogram: histogram,
        population,
        models,
    })
}

fn verdict(
    file: &File,
    model: &Model,
    histogram: &[(u32, u64)],
) -> Result<ModelVerdict, ModelError> {
    let compiled = Compiled::new(core::slice::from_ref(model), &file.table)?;
    let mut failing: u64 =
        histogram.iter().filter(|(size, _)| *size < compiled.k).map(|(_, n)| n).sum();
    let mut failed = vec![false; file.sizes.len()];
    for (distribution, test) in &compiled.tests {
        let Some(counts) = file.counts.get(*distribution) else { continue };
        let mut pairs: Vec<(u32, u32, u32)> =
            counts.iter().map(|((class, value), n)| (*class, *value, *n)).collect();
        pairs.sort_unstable();
        let mut scratch = Scratch::default();
        let (totals, rows) = &compiled.totals[*distribution];
        for part in pairs.chunk_by(|a, b| a.0 == b.0) {
            let class = part[0].0 as usize;
            let size = file.sizes[class];
            if class == 0 || size < compiled.k || failed[class] {
                continue;
            }
            let own: Vec<(u32, u32)> = part.iter().map(|(_, value, n)| (*value, *n)).collect();
            scratch.load(&own, compiled.values[*distribution]);
            let Scratch { touched, dense, buffer, .. } = &mut scratch;
            let class_seen = Class { touched, counts: dense, size: u64::from(size) };
            if test.fails(&class_seen, totals, *rows, buffer).is_some() {
                failed[class] = true;
                failing += 1;
            }
        }
    }
    let whole = compiled.whole.iter().all(|whole| whole.holds(histogram));
    Ok(ModelVerdict {
        model: model.name().to_owned(),
        holds: failing == 0 && whole,
        failing_classes: failing,
    })
}
