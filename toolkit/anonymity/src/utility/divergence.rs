//! How far the released classes are from the original combinations.

use crate::engine::Anonymized;
use crate::table::{Table, with_bottom};
use hashbrown::HashMap;

/// Kullback-Leibler divergence, in bits, of the original combinations from what a reader of the release must take
/// them for: sum of p log2(p / q), p the share of a combination, q the share of its class, spread evenly over the
/// combinations of leaves that the class's labels cover; suppressed rows are one class that covers all (Kifer and
/// Gehrke 2006). 0 if nothing was generalised.
pub fn class_divergence(table: &Table, answer: &Anonymized) -> f64 {
    let rows = table.rows() as f64;
    if rows == 0.0 {
        return 0.0;
    }
    let attributes = &table.attributes;
    // As logarithms: the product over many attributes leaves the range of numbers.
    let all: f64 = attributes.iter().map(|a| (a.hierarchy.leaves() as f64).log2()).sum();
    with_bottom!(&table.store, bottom => {
        let classes = &bottom.classes;
        let mut sizes = HashMap::new();
        let mut covered = Vec::with_capacity(classes.keys.len());
        for (class, key) in classes.keys.iter().enumerate() {
            let pass = answer.pass_of_class[class];
            let mut general = *key;
            let mut bits = all;
            if pass == u16::MAX {
                general.fill(0);
            } else {
                bits = 0.0;
                for (at, level) in answer.passes[pass as usize].levels.iter().enumerate() {
                    let (field, level) = (table.fields[at], &attributes[at].hierarchy.levels[*level]);
                    let label = level.of_leaf[field.get(key)];
                    bits += f64::from(level.leaves[label as usize]).log2();
                    field.set(&mut general, label);
                }
            }
            *sizes.entry((pass, general)).or_insert(0_u64) += u64::from(classes.counts[class]);
            covered.push(((pass, general), bits));
        }
        let each = classes.counts.iter().zip(&covered).filter(|(count, _)| **count > 0);
        each.map(|(count, (class, bits))| {
            let ratio = f64::from(*count) / sizes[class] as f64;
            f64::from(*count) / rows * (ratio.log2() + bits)
        })
        .sum::<f64>()
        .max(0.0)
    })
}
