//! The candidates of each person.

use super::dates::{Days, Query};
use super::exposure::Outcome;
use super::items::{self, Item, Postings};
use super::parts::{choices, ways};
use super::trie::{Trie, Want, holds};
use super::{Adversary, Effort, Exposure};
use crate::holdings::{Column, Facts, HoldingsError, Kind, Reach, Relation};
use crate::rate::Chance;
use core::ops::Range;
use hashbrown::HashMap;
use rayon::prelude::*;

/// How exposed the persons of a release are to an adversary. The same for any number of threads.
///
/// # Errors
/// An attribute that is not compared, or of another kind than the knowledge needs. Never carries a value.
pub fn exposure(
    facts: &Facts,
    adversary: &Adversary,
    effort: &Effort,
) -> Result<Exposure, HoldingsError> {
    let seen = Seen::of(facts, adversary)?;
    let targets = facts.targets();
    let population = targets.len();
    let parts = knows_parts(adversary);
    let chosen = if parts && population > effort.persons {
        let places = Chance::new(effort.seed, u64::MAX).draw(effort.persons, population);
        let mut chosen: Vec<u32> = places.iter().map(|p| targets[*p as usize]).collect();
        chosen.sort_unstable();
        chosen
    } else {
        targets
    };
    let (outcomes, all_parts) = seen.outcomes(&chosen, effort, parts);
    Ok(Exposure::of(
        (&adversary.name, &adversary.label_ja),
        (population, facts.records()),
        &outcomes,
        all_parts && chosen.len() == population,
        effort.population,
    ))
}

/// Is there more than one part of what he knows?
pub(super) fn knows_parts(adversary: &Adversary) -> bool {
    adversary.dates.is_some() || adversary.items.iter().map(|i| i.1).sum::<usize>() > 1
}

/// A release as one adversary sees it.
pub(super) struct Seen<'a> {
    pub(super) facts: &'a Facts,
    pub(super) trie: Trie,
    /// Ranges of each distinct knowledge of the attributes known as a whole.
    ranges: Vec<Vec<Range<u32>>>,
    /// Its place, for each original person.
    ranges_of: Vec<u32>,
    items: Vec<(usize, usize, Postings)>,
    dates: Option<(usize, usize, i32, bool)>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(facts: &'a Facts, adversary: &Adversary) -> Result<Self, HoldingsError> {
        let mut reaches: Vec<Reach> = Vec::new();
        for name in &adversary.attributes {
            let at = facts.place(name)?;
            let held = (facts.held(at), facts.persons());
            let shown = (facts.shown(at), facts.records());
            reaches.push(Reach::of(facts.labels(at)?, held, shown));
        }
        // Few states first: the nodes above are shared by more.
        reaches.sort_by_key(|r| r.shown.cells.len());
        let columns: Vec<&[u32]> = reaches.iter().map(|r| r.shown.of_person.as_slice()).collect();
        let trie = Trie::of(&columns, facts.records());
        let mut numbers: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut distinct: Vec<Vec<u32>> = Vec::new();
        let mut ranges_of = Vec::with_capacity(facts.persons() as usize);
        let mut key = Vec::new();
        for person in 0..facts.persons() as usize {
            key.clear();
            key.extend(reaches.iter().map(|r| r.known.of_person[person]));
            let next = distinct.len() as u32;
            let number = *numbers.entry_ref(key.as_slice()).or_insert(next);
            if number == next {
                distinct.push(key.clone());
            }
            ranges_of.push(number);
        }
        let find = |key: &Vec<u32>| {
            let wants: Vec<Want<'_>> = reaches
                .iter()
                .zip(key)
                .map(|(reach, state)| {
                    if reach.blank[*state as usize] {
                        Want::All
                    } else {
                        Want::Of(reach.specific.at(*state as usize), &reach.wild)
                    }
                })
                .collect();
            trie.find(&wants)
        };
        let ranges = distinct.par_iter().map(find).collect();
        let mut items = Vec::new();
        for (name, count) in &adversary.items {
            let at = facts.place(name)?;
            items.push((at, *count, Postings::of(facts, at, &trie)?));
        }
        let dates = match &adversary.dates {
            None => None,
            Some((name, count)) => {
                let at = facts.place(name)?;
                let Relation::Dates { max_days, missing } = facts.attributes[at].relation else {
                    return Err(HoldingsError::Kind { name: name.clone() });
                };
                debug_assert_eq!(facts.attributes[at].kind, Kind::Dates);
                Some((at, *count, max_days, missing))
            }
        };
        Ok(Self { facts, trie, ranges, ranges_of, items, dates })
    }

    /// Outcomes of some persons with a released record, and whether all parts of their knowledge were tried.
    pub(super) fn outcomes(
        &self,
        persons: &[u32],
        effort: &Effort,
        limited: bool,
    ) -> (Vec<Outcome>, bool) {
        let Some(days) = self.days() else {
            let one = |person: &u32| {
                let (parts, all) = self.parts(*person, effort, limited);
                let sizes: Vec<u64> = parts
                    .iter()
                    .map(|part| {
                        let items: Vec<Item<'_>> = self.items_of(&part.items);
                        items::count(self.ranges_for(*person), &items)
                    })
                    .collect();
                (self.outcome(*person, &parts, &sizes, None), all)
            };
            let seen: Vec<(Outcome, bool)> = persons.par_iter().map(one).collect();
            let all = seen.iter().all(|s| s.1);
            return (seen.into_iter().map(|s| s.0).collect(), all);
        };
        let parts: Vec<(Vec<Part>, bool)> =
            persons.par_iter().map(|p| self.parts(*p, effort, limited)).collect();
        let mut queries = Vec::new();
        for (person, (parts, _)) in persons.iter().zip(&parts) {
            for part in parts.iter().filter(|part| !part.days.is_empty()) {
                let items = self.items_of(&part.items);
                let ranges = self.ranges_for(*person);
                queries.push(Query { ranges, items, days: part.days.clone() });
            }
        }
        let mut sizes = days.count(&queries).into_iter();
        let mut outcomes = Vec::with_capacity(persons.len());
        for (person, (parts, _)) in persons.iter().zip(&parts) {
            let own: Vec<u64> = parts
                .iter()
                .map(|part| {
                    if part.days.is_empty() {
                        items::count(self.ranges_for(*person), &self.items_of(&part.items))
                    } else {
                        sizes.next().unwrap_or(0)
                    }
                })
                .collect();
            outcomes.push(self.outcome(*person, parts, &own, Some(&days)));
        }
        (outcomes, parts.iter().all(|p| p.1))
    }

    pub(super) fn ranges_for(&self, person: u32) -> &[Range<u32>] {
        &self.ranges[self.ranges_of[person as usize] as usize]
    }

    pub(super) fn items_of(&self, lists: &[(u32, u32)]) -> Vec<Item<'_>> {
        lists.iter().map(|(at, list)| self.items[*at as usize].2.item(*list)).collect()
    }

    /// The values that persons hold of an axis of the items.
    pub(super) fn held(&self, axis: u32) -> &Column {
        self.facts.held(self.items[axis as usize].0)
    }

    /// Would a record be anybody's if its cells of an axis of the items were empty? Not without a cell.
    pub(super) fn can_be_blank(&self, axis: u32, record: u32) -> bool {
        let at = self.items[axis as usize].0;
        !self.facts.shown(at).of(record).is_empty() || self.facts.labels(at).is_ok_and(|l| l.absent)
    }

    /// Does the record of a person show a label that both this value and one of this list of ranks may have become?
    pub(super) fn shown_alike(&self, axis: u32, person: u32, value: i32, list: u32) -> bool {
        let (at, _, postings) = &self.items[axis as usize];
        let Ok(labels) = self.facts.labels(*at) else { return false };
        let shown = self.facts.shown(*at).of(self.facts.record_of[person as usize]);
        let held = self.facts.held(*at).of(person);
        let known = held.iter().filter(|v| postings.of_value[**v as usize] == list);
        let own = labels.of_value.at(value as usize);
        known.into_iter().any(|known| {
            let other = labels.of_value.at(*known as usize);
            let common = own.iter().filter(|l| other.contains(l));
            *known == value || common.into_iter().any(|l| shown.binary_search(&(*l as i32)).is_ok())
        })
    }

    /// The days that the records show, if the adversary knows any.
    pub(super) fn days(&self) -> Option<Days<'_>> {
        self.dates.map(|(at, _, max_days, missing)| {
            Days::new(self.facts.shown(at), &self.trie, max_days, missing)
        })
    }

    /// The parts of the knowledge of one person that fit the own record and fewer than so many.
    pub(super) fn few_parts(
        &self,
        person: u32,
        effort: &Effort,
        limited: bool,
        candidates: u64,
        days: Option<&Days<'_>>,
    ) -> Vec<Part> {
        let rank = self.trie.rank_of[self.facts.record_of[person as usize] as usize];
        let ranges = self.ranges_for(person);
        let (mut parts, _) = self.parts(person, effort, limited);
        parts.retain(|part| {
            let items = self.items_of(&part.items);
            let fits = |rank| {
                items.iter().all(|i| i.has(rank))
                    && (part.days.is_empty() || days.is_none_or(|d| d.fit(&part.days, rank)))
            };
            let mut others = 0;
            items::visit(ranges, &items, |rank| others += u64::from(fits(rank)));
            fits(rank) && (1..candidates).contains(&others)
        });
        parts
    }

    fn outcome(
        &self,
        person: u32,
        parts: &[Part],
        sizes: &[u64],
        days: Option<&Days<'_>>,
    ) -> Outcome {
        let rank = self.trie.rank_of[self.facts.record_of[person as usize] as usize];
        let inside = holds(self.ranges_for(person), rank);
        let (mut fewest, mut chance) = (0, 0.0);
        for (part, size) in parts.iter().zip(sizes) {
            let fits = inside
                && self.items_of(&part.items).iter().all(|i| i.has(rank))
                && days.is_none_or(|d| d.fit(&part.days, rank));
            if fits {
                chance += 1.0 / *size as f64;
                fewest = if fewest == 0 { *size } else { fewest.min(*size) };
            }
        }
        Outcome { person, fewest, mean: chance / parts.len() as f64 }
    }

    /// What may be known of a person: every part, or some.
    fn parts(&self, person: u32, effort: &Effort, limited: bool) -> (Vec<Part>, bool) {
        let mut chance = Chance::new(effort.seed, u64::from(person));
        let most = if limited { effort.parts.max(1) } else { usize::MAX };
        let mut all = true;
        let mut axes: Vec<(Vec<u32>, usize)> = Vec::new();
        for (at, count, postings) in &self.items {
            let held = self.facts.held(*at);
            let mut values = held.of(person).to_vec();
            values.dedup();
            values.retain(|v| !held.dictionary[*v as usize].is_empty());
            let mut lists: Vec<u32> =
                values.iter().map(|v| postings.of_value[*v as usize]).collect();
            // The rarest first: the first choice is always tried.
            lists.sort_by_key(|list| (postings.item(*list).len(), *list));
            axes.push((lists, *count));
        }
        let days: &[i32] = self.dates.map_or(&[], |d| self.facts.held(d.0).of(person));
        let date_count = self.dates.map_or(0, |d| d.1);
        let product = axes
            .iter()
            .map(|(lists, count)| ways(lists.len(), (*count).min(lists.len())))
            .chain([ways(days.len(), date_count.min(days.len()))])
            .fold(1, usize::saturating_mul);
        let mut parts = vec![Part::default()];
        let widen = product <= most;
        if !widen {
            all = false;
            parts = vec![Part::default(); most];
        }
        for (at, (lists, count)) in axes.iter().enumerate() {
            let chosen = choices(lists.len(), *count, most, &mut chance);
            let add = |part: &mut Part, choice: &[u32]| {
                part.items.extend(choice.iter().map(|c| (at as u32, lists[*c as usize])));
            };
            parts = spread(parts, &chosen, widen, &mut chance, add);
        }
        if self.dates.is_some() {
            let chosen = choices(days.len(), date_count, most, &mut chance);
            let add = |part: &mut Part, choice: &[u32]| {
                part.days = choice.iter().map(|c| days[*c as usize]).collect();
            };
            parts = spread(parts, &chosen, widen, &mut chance, add);
        }
        (parts, all)
    }
}

/// A part of what there is to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    /// Place of the set and of the list of ranks.
    pub(super) items: Vec<(u32, u32)>,
    pub(super) days: Vec<i32>,
}

/// Every part with every choice, or (where that would be too many) each part with one: the first, then drawn.
fn spread(
    parts: Vec<Part>,
    choices: &[Vec<u32>],
    widen: bool,
    chance: &mut Chance,
    add: impl Fn(&mut Part, &[u32]),
) -> Vec<Part> {
    if widen {
        let mut spread = Vec::with_capacity(parts.len() * choices.len());
        for part in &parts {
            for choice in choices {
                let mut part = part.clone();
                add(&mut part, choice);
                spread.push(part);
            }
        }
        return spread;
    }
    let mut parts = parts;
    for (at, part) in parts.iter_mut().enumerate() {
        let choice = if at == 0 { 0 } else { chance.below(choices.len()) };
        add(part, &choices[choice]);
    }
    parts
}
