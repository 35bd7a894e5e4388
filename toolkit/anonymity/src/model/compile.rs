//! Models made ready for one table.

use super::{Compiled, Distance, Model, ModelError, Products, Test, Tree, Whole, least};
use crate::table::Table;
use std::sync::Arc;

/// The sample class size below which a population class smaller than `k` stays likely: Poisson estimate D3.
pub fn estimated_map(k: u32, rows: u64, population: u64, significance: f64) -> u32 {
    let lambda = f64::from(k) * rows as f64 / population as f64;
    let mut term = (-lambda).exp();
    let mut sum = 0.0;
    let mut count = 0_u32;
    while sum < 1.0 - significance && count < k {
        sum += term;
        count += 1;
        term *= lambda / f64::from(count);
    }
    (count + 1).min(k)
}

impl Compiled {
    pub(crate) fn new(models: &[Model], table: &Table) -> Result<Self, ModelError> {
        if models.is_empty() {
            return Err(ModelError::None);
        }
        let mut compiled = Self { k: 1, ..Self::default() };
        for sensitive in &table.sensitive {
            compiled.values.push(sensitive.values.len());
            compiled.totals.push((sensitive.totals.clone(), table.rows));
        }
        if table.population.is_some() {
            compiled.values.push(2);
            compiled.totals.push((Vec::new(), 0));
        }
        for model in models {
            model.check()?;
            compiled.add(model, table)?;
        }
        Ok(compiled)
    }

    fn add(&mut self, model: &Model, table: &Table) -> Result<(), ModelError> {
        let find = |attribute: &String| {
            table
                .sensitive
                .iter()
                .position(|s| s.name == *attribute)
                .ok_or_else(|| ModelError::Sensitive { attribute: attribute.clone() })
        };
        let population = || table.population.ok_or(ModelError::Population { model: model.name() });
        match model {
            Model::KAnonymity { k } => self.k = self.k.max(*k),
            Model::KMapEstimated { k, population, significance } => {
                let k = estimated_map(*k, table.rows, *population, *significance);
                self.k = self.k.max(k);
            }
            Model::KMap { k } => self.tests.push((population()?, Test::MapAtLeast(*k))),
            Model::DeltaPresence { min, max } => {
                self.tests.push((population()?, Test::Presence { min: *min, max: *max }));
            }
            Model::DistinctDiversity { attribute, l } => {
                self.k = self.k.max(*l);
                self.tests.push((find(attribute)?, Test::Distinct(*l)));
            }
            Model::EntropyDiversity { attribute, l } => {
                // Entropy log l needs at least l values, hence l records.
                let least = l.ceil() as u32;
                self.k = self.k.max(least);
                let at = find(attribute)?;
                self.tests.push((at, Test::Distinct(least)));
                let products = Products::new();
                self.tests.push((at, Test::Entropy { l: *l, products }));
            }
            Model::RecursiveDiversity { attribute, c, l } => {
                self.k = self.k.max(*l);
                let at = find(attribute)?;
                self.tests.push((at, Test::Distinct(*l)));
                self.tests.push((at, Test::Recursive { c: *c, l: *l as usize }));
            }
            Model::Closeness { attribute, t, distance } => {
                let at = find(attribute)?;
                let sensitive = &table.sensitive[at];
                let test = match distance {
                    Distance::Equal => Test::Equal(*t),
                    Distance::Ordered => {
                        Test::Ordered { t: *t, rank: Arc::new(order(&sensitive.values)) }
                    }
                    Distance::Hierarchical => {
                        let hierarchy = sensitive.hierarchy.as_ref().ok_or_else(|| {
                            ModelError::Hierarchy { attribute: attribute.clone() }
                        })?;
                        let levels = (0..hierarchy.levels() - 1)
                            .map(|level| hierarchy.levels[level].of_leaf.as_slice());
                        let tree = Tree::new(levels, &sensitive.totals);
                        Test::Hierarchical { t: *t, tree: Arc::new(tree) }
                    }
                };
                self.k = self.k.max(least::size(&test, &sensitive.totals));
                self.tests.push((at, test));
            }
            Model::DeltaDisclosure { attribute, delta } => {
                let (at, test) = (find(attribute)?, Test::Disclosure(*delta));
                self.k = self.k.max(least::size(&test, &table.sensitive[at].totals));
                self.tests.push((at, test));
            }
            Model::BetaLikeness { attribute, beta, enhanced } => {
                let at = find(attribute)?;
                let test = Test::Beta { beta: *beta, enhanced: *enhanced };
                self.k = self.k.max(least::size(&test, &table.sensitive[at].totals));
                self.tests.push((at, test));
            }
            Model::AverageRisk { threshold } => self.whole.push(Whole::AverageRisk(*threshold)),
            Model::SampleUniqueness { threshold } => self.whole.push(Whole::Uniqueness(*threshold)),
            Model::PopulationUniqueness { threshold, population, rule } => {
                if *population < table.rows {
                    return Err(ModelError::PopulationSmaller {
                        population: *population,
                        rows: table.rows,
                    });
                }
                let (threshold, population, rule) = (*threshold, *population, *rule);
                self.whole.push(Whole::Population { threshold, population, rule });
            }
        }
        Ok(())
    }
}

/// Values in ascending order: as numbers if all are, else as text.
fn order(values: &[Box<str>]) -> Vec<u32> {
    let numbers: Option<Vec<f64>> = values.iter().map(|v| v.trim().parse().ok()).collect();
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    match numbers {
        Some(numbers) => {
            order.sort_by(|a, b| numbers[*a as usize].total_cmp(&numbers[*b as usize]));
        }
        None => order.sort_by(|a, b| values[*a as usize].cmp(&values[*b as usize])),
    }
    order
}
