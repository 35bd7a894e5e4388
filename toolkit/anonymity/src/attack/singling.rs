//! Singling out: predicates learned from the release that exactly one original person fulfils.

use super::{Criterion, Plan, Trial};
use crate::adversary::Cases;
use crate::holdings::{Facts, Labels, Lists, NOBODY};
use crate::rate::{Chance, Rate};
use hashbrown::HashSet;
use rayon::prelude::*;

/// Subsets of attributes tried for one record.
const TRIES: usize = 8;

/// One attribute, turned round: who has a label.
struct Turned<'a> {
    at: usize,
    labels: &'a Labels,
    values_of: Lists,
    persons_of: Lists,
    records_of: Lists,
}

/// Attribute (its place among those used) and label.
type Predicate = Vec<(usize, u32)>;

struct Ground<'a> {
    facts: &'a Facts,
    turned: Vec<Turned<'a>>,
    /// Persons of the control; empty: there is none.
    control: Vec<bool>,
}

fn holders(column: &crate::holdings::Column, persons: u32) -> Lists {
    let lists = (0..persons).map(|p| {
        let mut cells: Vec<u32> = column.of(p).iter().map(|c| *c as u32).collect();
        cells.dedup();
        cells
    });
    Lists::of(lists).turned(column.dictionary.len())
}

impl<'a> Ground<'a> {
    fn of(facts: &'a Facts, attributes: &[usize], plan: &Plan) -> Self {
        let mut control = Vec::new();
        if !plan.control.is_empty() {
            control = vec![false; facts.persons() as usize];
            for person in plan.control.iter().filter(|p| **p < facts.persons()) {
                control[*person as usize] = true;
            }
        }
        let turned = attributes
            .iter()
            .filter_map(|at| {
                let labels = facts.attributes[*at].relation.labels()?;
                Some(Turned {
                    at: *at,
                    labels,
                    values_of: labels.of_value.turned(labels.residual.len()),
                    persons_of: holders(facts.held(*at), facts.persons()),
                    records_of: holders(facts.shown(*at), facts.records()),
                })
            })
            .collect();
        Self { facts, turned, control }
    }

    /// The one original person, among those asked, that fulfils a predicate.
    fn single(&self, predicate: &Predicate, asked: impl Fn(u32) -> bool) -> Option<u32> {
        let size = |(part, label): &(usize, u32)| -> usize {
            let turned = &self.turned[*part];
            let values = turned.values_of.at(*label as usize);
            values.iter().map(|v| turned.persons_of.at(*v as usize).len()).sum()
        };
        let rarest = predicate.iter().min_by_key(|p| size(p))?;
        let turned = &self.turned[rarest.0];
        let mut found = None;
        for value in turned.values_of.at(rarest.1 as usize) {
            for person in turned.persons_of.at(*value as usize) {
                if found == Some(*person)
                    || !asked(*person)
                    || !predicate.iter().all(|p| self.fits(p, *person))
                {
                    continue;
                }
                if found.is_some() {
                    return None;
                }
                found = Some(*person);
            }
        }
        found
    }

    fn fits(&self, (part, label): &(usize, u32), person: u32) -> bool {
        let turned = &self.turned[*part];
        let held = self.facts.held(turned.at).of(person);
        held.iter().any(|v| turned.labels.of_value.at(*v as usize).binary_search(label).is_ok())
    }

    /// Does exactly one released record show all of a predicate?
    fn unique(&self, predicate: &Predicate) -> bool {
        let records = |p: &(usize, u32)| self.turned[p.0].records_of.at(p.1 as usize);
        let Some(rarest) = predicate.iter().min_by_key(|p| records(p).len()) else { return false };
        let shows = |record: u32| {
            predicate.iter().all(|(part, label)| {
                let shown = self.facts.shown(self.turned[*part].at).of(record);
                shown.binary_search(&(*label as i32)).is_ok()
            })
        };
        records(rarest).iter().filter(|r| shows(**r)).take(2).count() == 1
    }

    /// A record that shows all of a predicate.
    fn first(&self, predicate: &(usize, u32)) -> u32 {
        self.turned[predicate.0].records_of.at(predicate.1 as usize).first().map_or(0, |r| *r)
    }

    /// What one record shows of some attributes: of each the rarest label that says something.
    fn predicate(&self, columns: usize, record: u32, chance: &mut Chance) -> Predicate {
        let mut parts = chance.draw(columns, self.turned.len());
        parts.sort_unstable();
        let rarest = |part: u32| {
            let turned = &self.turned[part as usize];
            let shown = self.facts.shown(turned.at).of(record).iter().map(|l| *l as u32);
            let telling = shown.filter(|l| !turned.labels.residual[*l as usize]);
            let label = telling.min_by_key(|l| (turned.records_of.at(*l as usize).len(), *l))?;
            Some((part as usize, label))
        };
        parts.into_iter().filter_map(rarest).collect()
    }
}

/// One attribute: labels that one released record shows (where there are none: the rarest).
/// Several: labels of one record that no other record shows together.
pub(super) fn attack(facts: &Facts, attributes: &[usize], plan: &Plan) -> Vec<Trial> {
    let ground = Ground::of(facts, attributes, plan);
    if ground.turned.is_empty() || facts.records() == 0 {
        return Vec::new();
    }
    let mut trials = vec![univariate(&ground, plan)];
    let columns = plan.columns.min(ground.turned.len());
    if columns > 1 {
        trials.push(multivariate(&ground, columns, plan));
    }
    trials
}

/// The predicates, each with the record it was learned from, against the original; and against the control, or the
/// original without the record's own person.
fn trial(
    ground: &Ground<'_>,
    (name, label): (String, String),
    tried: &[(Predicate, u32)],
    limit: f64,
) -> Trial {
    let mut owner = vec![NOBODY; ground.facts.records() as usize];
    for person in ground.facts.targets() {
        owner[ground.facts.record_of[person as usize] as usize] = person;
    }
    let control = |person: u32| ground.control.get(person as usize).is_some_and(|own| *own);
    let hit = |(predicate, _): &(Predicate, u32)| ground.single(predicate, |p| !control(p));
    let found: Vec<Option<u32>> = tried.par_iter().map(hit).collect();
    let base = |(predicate, record): &(Predicate, u32)| {
        let own = owner[*record as usize];
        let held_out = !ground.control.is_empty();
        ground.single(predicate, |p| if held_out { control(p) } else { p != own })
    };
    let base: Vec<Option<u32>> = tried.par_iter().map(base).collect();
    let rate =
        |hits: &[Option<u32>]| Rate::of(hits.iter().flatten().count() as u64, hits.len() as u64);
    let base_ja = if ground.control.is_empty() {
        "本人を除いた元データに対する同じ条件"
    } else {
        "加工データに含まれない人に対する同じ条件"
    };
    Trial::of(
        (Criterion::SinglingOut, name, label),
        (rate(&found), rate(&base), base_ja),
        Cases::of(found.iter().flatten().copied().collect()),
        limit,
    )
}

fn univariate(ground: &Ground<'_>, plan: &Plan) -> Trial {
    let mut labels: Vec<(usize, usize, u32)> = Vec::new();
    for (part, turned) in ground.turned.iter().enumerate() {
        for label in 0..turned.records_of.len() {
            let shown = turned.records_of.at(label).len();
            if shown > 0 && !turned.labels.residual[label] {
                labels.push((shown, part, label as u32));
            }
        }
    }
    labels.sort_unstable();
    let unique = labels.partition_point(|l| l.0 == 1);
    let mut places: Vec<u32> = (0..labels.len().min(plan.attacks) as u32).collect();
    if unique > 0 {
        places = Chance::new(plan.seed, 1 << 40).draw(plan.attacks.min(unique), unique);
    }
    let predicate = |at: u32| {
        let own = (labels[at as usize].1, labels[at as usize].2);
        (vec![own], ground.first(&own))
    };
    let tried: Vec<(Predicate, u32)> = places.into_iter().map(predicate).collect();
    trial(ground, ("univariate".into(), "1項目の条件による特定".into()), &tried, plan.limit)
}

fn multivariate(ground: &Ground<'_>, columns: usize, plan: &Plan) -> Trial {
    let records = ground.facts.records() as usize;
    let targets = Chance::new(plan.seed, 3 << 40).draw(plan.attacks, records);
    let learn = |record: &u32| {
        let mut chance = Chance::new(plan.seed, 4 << 40 | u64::from(*record));
        let mut seen = HashSet::new();
        for _ in 0..TRIES {
            let predicate = ground.predicate(columns, *record, &mut chance);
            if seen.insert(predicate.clone()) && ground.unique(&predicate) {
                return (true, (predicate, *record));
            }
        }
        (false, (ground.predicate(columns, *record, &mut chance), *record))
    };
    let learned: Vec<(bool, (Predicate, u32))> = targets.par_iter().map(learn).collect();
    // The attacker speaks where a predicate is unique in the release; only if that never happens, anyway.
    let any = learned.iter().any(|l| l.0);
    let tried: Vec<(Predicate, u32)> =
        learned.into_iter().filter(|l| l.0 || !any).map(|l| l.1).collect();
    let label = format!("{columns}項目の組合せによる特定");
    trial(ground, (format!("multivariate-{columns}"), label), &tried, plan.limit)
}
