//! How far each declared adversary could get, before and after the rules, and an attacker who tries.

use std::{collections::BTreeSet, sync::Arc};

use arrow::array::RecordBatch;
use kiban_anonymity::{
    Rate,
    adversary::{Adversary, Effort, Exposure, exposure},
    attack::{Criterion, Plan, Trial, attack},
    holdings::Facts,
};
use kiban_kernel::Product;
use kiban_lake::functions::keyed::Keyed;

use super::{
    Work,
    holdings::{Attribute, Knowledge, Sides, of_adversary},
};
use crate::{
    error::ProduceError,
    report::{AdversaryRisk, AttackFigures, AttackTrial, ExposureFigures},
    spec::{AdversarySpec, Checked},
};

/// Chance of the samples; the same in every run, so that a product's report is the same.
pub(super) const SEED: u64 = 1;

/// What the declared adversaries could do: figures, and by adversary the persons singled out.
pub(super) struct Measured {
    pub(super) risks: Vec<AdversaryRisk>,
    pub(super) singled_out: Vec<(String, Vec<String>)>,
    pub(super) attack: AttackFigures,
}

/// Measures every declared adversary against the data and against the output.
pub(super) async fn measure(
    checked: &Checked,
    works: &[Work<'_>],
    output: &[(String, Vec<RecordBatch>)],
    keyed: &Arc<Keyed>,
) -> Result<Option<Measured>, ProduceError> {
    let declared = &checked.spec().document().adversaries;
    if declared.is_empty() || works.is_empty() {
        return Ok(None);
    }
    let known: Vec<_> = declared.iter().map(|a| of_adversary(works, a)).collect();
    let settings = checked.spec().document().attack.clone().unwrap_or_default();
    let mut attributes = BTreeSet::new();
    let mut known_whole = BTreeSet::new();
    let mut secrets = BTreeSet::new();
    for known in &known {
        attributes.extend(known.attributes().cloned());
        known_whole.extend(known.whole.iter().map(|a| a.name.clone()));
        secrets.extend(known.items.iter().map(|(a, _)| a.name.clone()));
    }
    let sides = Sides::read(works, output, keyed, attributes).await?;
    let (before_facts, after_facts) = (sides.before()?, sides.after()?);
    let persons = sides.original.keys();
    let mut risks = Vec::new();
    let mut singled_out = Vec::new();
    let mut adversaries = Vec::new();
    for (spec, mut known) in declared.iter().zip(known) {
        let lacking = std::mem::take(&mut known.lacking);
        let adversary = adversary(spec, known);
        let effort = Effort { seed: SEED, population: spec.population, ..Effort::default() };
        let seen = exposure(&after_facts, &adversary, &effort)?;
        let found = seen.cases.persons.iter().map(|p| persons[*p as usize].to_owned()).collect();
        singled_out.push((spec.name.clone(), found));
        let before = figures(&exposure(&before_facts, &adversary, &effort)?);
        let after = figures(&seen);
        risks.push(AdversaryRisk {
            name: spec.name.clone(),
            label_ja: spec.label_ja(),
            not_released: lacking,
            exceeded: exceeded(spec, &after, checked.product()),
            local_suppression: Vec::new(),
            left_out: 0,
            before,
            after,
        });
        adversaries.push(adversary);
    }
    let mut plan =
        Plan::new(known_whole.into_iter().collect(), secrets.into_iter().collect(), adversaries);
    (plan.attacks, plan.seed) = (settings.attempts, SEED);
    plan.limit = settings.limit.unwrap_or(1.0 / f64::from(checked.k().max(1)));
    let attack = tried(&after_facts, &plan, checked.product())?;
    Ok(Some(Measured { risks, singled_out, attack }))
}

/// A declared adversary with what his knowledge comes to in the output.
pub(super) fn adversary(spec: &AdversarySpec, known: Knowledge) -> Adversary {
    let names = |(a, n): (Attribute, usize)| (a.name, n);
    Adversary {
        name: spec.name.clone(),
        label_ja: spec.label_ja(),
        attributes: known.whole.into_iter().map(|a| a.name).collect(),
        items: known.items.into_iter().map(names).collect(),
        dates: known.dates.map(names),
    }
}

/// The attacker tries; over the limit an anonymized product is not released. What the known facts of an adversary
/// achieve is judged by that adversary's own limits.
fn tried(facts: &Facts, plan: &Plan, product: Product) -> Result<AttackFigures, ProduceError> {
    let report = attack(facts, plan)?;
    let rate = |r: &Rate| [r.rate, r.low, r.high];
    let trial = |t: &Trial| AttackTrial {
        criterion: t.criterion.ja().to_owned(),
        name: t.name.clone(),
        label_ja: t.label_ja.clone(),
        successes: t.attack.successes,
        trials: t.attack.trials,
        attack: rate(&t.attack),
        baseline: rate(&t.baseline),
        baseline_ja: t.baseline_ja.clone(),
        gain: [t.gain.value, t.gain.low, t.gain.high],
        includes_baseline: t.includes_baseline,
        exceeded: t.blocks
            && t.criterion != Criterion::KnownFacts
            && product == Product::Anonymized,
    };
    Ok(AttackFigures {
        attempts: plan.attacks as u64,
        limit: plan.limit,
        trials: report.trials.iter().map(trial).collect(),
    })
}

fn figures(seen: &Exposure) -> ExposureFigures {
    ExposureFigures {
        persons: seen.persons,
        records: seen.records,
        exact: seen.exact,
        smallest: seen.smallest,
        prosecutor: seen.prosecutor,
        journalist: seen.journalist,
        marketer: [seen.marketer.value, seen.marketer.low, seen.marketer.high],
        singled_out: seen.singled_out.successes,
        singled_out_share: [seen.singled_out.rate, seen.singled_out.low, seen.singled_out.high],
        misled: seen.misled,
        histogram: seen.histogram.iter().map(|b| (b.from, b.to, b.persons)).collect(),
    }
}

/// Limits that the anonymized product does not keep. The pseudonymized one has none: who may have it is certified, and
/// what identifies is a finding to be decided.
fn exceeded(spec: &AdversarySpec, after: &ExposureFigures, product: Product) -> Vec<String> {
    if product == Product::Pseudonymized {
        return Vec::new();
    }
    let over = |name: &str, value: f64, limit: Option<f64>| {
        limit.is_some_and(|limit| value > limit).then(|| name.to_owned())
    };
    [
        over("max_risk", after.prosecutor, spec.max_risk),
        // An estimate must keep the limit with its whole interval.
        over("max_found", after.marketer[2], spec.max_found),
        over("max_singled_out", after.singled_out_share[2], spec.max_singled_out),
    ]
    .into_iter()
    .flatten()
    .collect()
}
