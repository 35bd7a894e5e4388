//! Persons by the generalised quasi-identifiers of all tables, and the risk of their classes.

use std::sync::Arc;

use futures::TryStreamExt;
use kiban_anonymity::{PersonClasses, Risk};
use kiban_lake::{
    functions::{as_text, keyed::Keyed},
    plan::ident,
};

use super::{Work, frame::PERSON, persons_of};
use crate::{
    error::ProduceError,
    report::{RiskSummary, SizeCount},
    spec::Checked,
};

/// Classes of persons by the generalised quasi-identifiers of all tables.
pub(super) async fn classes(
    works: &[Work<'_>],
    keyed: &Arc<Keyed>,
) -> Result<PersonClasses, ProduceError> {
    let mut classes = PersonClasses::new();
    for (number, work) in works.iter().enumerate() {
        let mut selected = vec![ident(PERSON)];
        let model = work.columns.iter().filter(|c| c.in_model);
        selected.extend(
            model.enumerate().map(|(i, c)| as_text(work.value(c, keyed)).alias(format!("q{i}"))),
        );
        let alone = selected.len() == 1;
        let rows = work.rows.clone().select(selected)?;
        let mut stream = rows.execute_stream().await?;
        while let Some(batch) = stream.try_next().await? {
            let persons = persons_of(&batch)?;
            if alone {
                classes.add_persons(&persons);
            } else {
                classes.add(number as u32, &persons, &batch.columns()[1..])?;
            }
        }
    }
    Ok(classes)
}

/// What the classes come to.
pub(super) fn risk_summary(
    checked: &Checked,
    works: &[Work<'_>],
    before: Risk,
    classes: &PersonClasses,
) -> RiskSummary {
    let (_, after) = classes.risk(u64::from(checked.k()));
    let sizes = |risk: &Risk| {
        risk.histogram
            .iter()
            .map(|(size, classes)| SizeCount { size: *size, classes: *classes })
            .collect()
    };
    let quasi_identifiers = works.iter().flat_map(|w| {
        w.columns.iter().filter(|c| c.in_model).map(move |c| format!("{}.{}", w.table.name, c.name))
    });
    RiskSummary {
        quasi_identifiers: quasi_identifiers.collect(),
        target_k: checked.k(),
        persons_in: before.persons,
        persons_suppressed: before.persons - after.persons,
        persons_out: after.persons,
        smallest_class: after.smallest,
        histogram: sizes(&after),
        histogram_before: sizes(&before),
        prosecutor_highest: after.prosecutor_highest,
        marketer: after.marketer,
        unique_persons: after.unique,
        search: None,
        adversaries: Vec::new(),
        attack: None,
    }
}
