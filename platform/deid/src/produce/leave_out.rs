//! Who is still found after local suppression is left out with all records, and so is whose class falls under k by that.
//!
//! A record fewer is a candidate fewer for the others, so the adversaries are asked again until nobody is found. It ends:
//! each round somebody goes.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use kiban_anonymity::PersonClasses;

use super::{
    Run, Work,
    frame::PERSON,
    local_suppression::{self, found},
    measure,
};
use crate::{error::ProduceError, spec::CheckedColumn};

/// Whom the adversaries cost the product.
#[derive(Default)]
pub(super) struct LeftOut {
    /// Persons who were found.
    pub(super) found: HashSet<String>,
    /// How many, by adversary.
    pub(super) by_adversary: BTreeMap<String, u64>,
}

/// Leaves out whom adversaries of the specification with `leave_out_found` find. `classes` keeps who stays.
pub(super) async fn run(
    run: &Run<'_>,
    works: &mut [Work<'_>],
    classes: &mut PersonClasses,
) -> Result<LeftOut, ProduceError> {
    let mut left = LeftOut::default();
    let strict: Vec<_> =
        run.checked.spec().document().adversaries.iter().filter(|a| a.leave_out_found).collect();
    for round in 0_u32.. {
        let mut gone: HashSet<String> = HashSet::new();
        for spec in &strict {
            let found = found(run, works, spec).await?;
            if !found.is_empty() {
                *left.by_adversary.entry(spec.name.clone()).or_default() += found.len() as u64;
            }
            gone.extend(found);
        }
        if gone.is_empty() {
            break;
        }
        classes.remove(gone.iter().map(String::as_str));
        left.found.extend(gone.iter().cloned());
        let small = classes.smaller_than(u64::from(run.checked.k()));
        gone.extend(small.into_iter().map(str::to_owned));
        let gone = Arc::new(gone);
        for work in works.iter_mut() {
            let name = format!("left_out.{round}");
            let stays = measure::not_in(PERSON, &name, Arc::clone(&gone));
            work.rows = work.rows.clone().filter(stays)?;
            let rest: Vec<&CheckedColumn> =
                work.columns.iter().copied().filter(|c| !c.in_model).collect();
            let rows = local_suppression::without(work)?;
            measure::facts(run.checked, &work.frame, &rows, &rest, &mut work.facts).await?;
        }
    }
    Ok(left)
}
