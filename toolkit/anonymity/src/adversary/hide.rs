//! Whose cells must go so that nobody is found by them: local suppression against an adversary.

use super::items::{self, Item};
use super::measure::{Part, Seen, knows_parts};
use super::{Adversary, Effort};
use crate::holdings::{Facts, HoldingsError, NOBODY};
use hashbrown::HashSet;
use std::collections::{BTreeMap, BTreeSet};

/// An attribute whose cells may be emptied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emptying {
    /// Its name in the holdings.
    pub attribute: String,
    /// Only the cells of the values by which somebody is found; else all cells of the person. Of sets only.
    pub values: bool,
}

impl Emptying {
    /// All cells of a person.
    pub fn whole(attribute: impl Into<String>) -> Self {
        Self { attribute: attribute.into(), values: false }
    }

    /// The cells of single values.
    pub fn values(attribute: impl Into<String>) -> Self {
        Self { attribute: attribute.into(), values: true }
    }
}

/// Who is found, and whose cells to empty against it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hiding {
    /// Persons of the original with fewer candidates than wanted, ascending.
    pub found: Vec<u32>,
    /// Persons whose cells to empty: of those found whom that hides, and of others among whom they hide. Ascending.
    pub hidden: Vec<u32>,
    /// By attribute of [`Emptying::values`] and person of `hidden`, the original values whose cells to empty.
    pub values: BTreeMap<String, BTreeMap<u32, BTreeSet<String>>>,
}

/// Everybody who has fewer than so many candidates, the right one among them, for some part of what the adversary knows;
/// and whose cells of the attributes `emptied` have to go so that each such part fits enough records.
///
/// A record whose cells are empty may be anybody's. Alone it would be found by being the only such record: it needs
/// others that are emptied too and agree with the rest of what is known. Where too few agree, emptying these attributes
/// hides nobody, and the person is left to the next try with more of them. Only sets and dates can be emptied; what is
/// known as a whole stays. Of a set emptied by values a found person loses every value that its record shows alike with
/// those that find it, the others as many as the adversary knows, each those of which the smallest share of holders has
/// lost them so far. All persons are looked at; of `effort` the number of parts and the seed count. The same for any
/// number of threads.
///
/// Cost: as [`super::exposure`] of all persons, and for each found person the records of the same whole attributes, once
/// per distinct rest of the knowledge.
///
/// # Errors
/// As [`super::exposure`].
pub fn hide(
    facts: &Facts,
    adversary: &Adversary,
    emptied: &[Emptying],
    effort: &Effort,
    candidates: u64,
) -> Result<Hiding, HoldingsError> {
    let seen = Seen::of(facts, adversary)?;
    let limited = knows_parts(adversary);
    let (outcomes, _) = seen.outcomes(&facts.targets(), effort, limited);
    let few = outcomes.iter().filter(|o| (1..candidates).contains(&o.fewest));
    let found: Vec<u32> = few.map(|o| o.person).collect();
    let of = |name: &String| emptied.iter().find(|e| e.attribute == *name);
    let gone: Vec<Option<&Emptying>> = adversary.items.iter().map(|i| of(&i.0)).collect();
    let days_gone = adversary.dates.as_ref().is_some_and(|d| of(&d.0).is_some());
    let mut person_of = vec![NOBODY; facts.records() as usize];
    for person in facts.targets() {
        person_of[facts.record_of[person as usize] as usize] = person;
    }
    let days = seen.days();
    // Who agrees with the rest of what is known and has cells that can be emptied, in the order of the records.
    let agreeing = |person: u32, rest: &Part, blanks: &[u32]| {
        let items: Vec<Item<'_>> = seen.items_of(&rest.items);
        let mut agree: Vec<u32> = Vec::new();
        items::visit(seen.ranges_for(person), &items, |rank| {
            let record = seen.trie.record_at[rank as usize];
            if (rest.days.is_empty() || days.as_ref().is_none_or(|d| d.fit(&rest.days, rank)))
                && blanks.iter().all(|axis| seen.can_be_blank(*axis, record))
            {
                let other = person_of[record as usize];
                agree.extend((other != NOBODY).then_some(other));
            }
        });
        agree
    };
    // Those found who can be hidden come first: they are each other's company.
    let mut tasks: BTreeSet<(u32, Part, Vec<u32>)> = BTreeSet::new();
    let mut lost = Lost::new(&seen, adversary, &gone);
    for person in &found {
        let mut sizes: BTreeMap<(Part, Vec<u32>), bool> = BTreeMap::new();
        for part in seen.few_parts(*person, effort, limited, candidates, days.as_ref()) {
            let (blank, kept): (Vec<_>, Vec<_>) =
                part.items.iter().copied().partition(|(axis, _)| gone[*axis as usize].is_some());
            let rest = Part { items: kept, days: if days_gone { vec![] } else { part.days } };
            let mut blanks: Vec<u32> = blank.iter().map(|(axis, _)| *axis).collect();
            blanks.dedup();
            let enough = *sizes
                .entry((rest.clone(), blanks.clone()))
                .or_insert_with(|| agreeing(*person, &rest, &blanks).len() as u64 >= candidates);
            if enough {
                lost.found(*person, &blank);
                tasks.insert((*person, rest, blanks));
            }
        }
    }
    let mut hidden: HashSet<u32> = tasks.iter().map(|task| task.0).collect();
    for (person, rest, blanks) in &tasks {
        let agree = agreeing(*person, rest, blanks);
        let have = agree.iter().filter(|other| hidden.contains(*other)).count() as u64;
        // Who comes next in the order of the records, round from the own one.
        let own = agree.iter().position(|other| other == person).unwrap_or(0);
        let (before, after) = agree.split_at(own);
        let round = after.iter().chain(before).filter(|other| !hidden.contains(*other));
        let company: Vec<u32> =
            round.copied().take(candidates.saturating_sub(have) as usize).collect();
        for other in agree.iter().filter(|o| hidden.contains(*o)).chain(&company) {
            lost.company(*other, blanks);
        }
        hidden.extend(company);
    }
    let mut hidden: Vec<u32> = hidden.into_iter().collect();
    hidden.sort_unstable();
    Ok(Hiding { found, hidden, values: lost.texts() })
}

/// Values that go, by axis of the items and person.
struct Lost<'s, 'f> {
    seen: &'s Seen<'f>,
    axes: Vec<Option<Axis<'s>>>,
}

/// A set that is emptied by values.
struct Axis<'s> {
    name: &'s str,
    /// Values that the adversary knows.
    count: usize,
    /// Persons who hold each value, and how many of them have lost it.
    holders: Vec<(u64, u64)>,
    of: BTreeMap<u32, BTreeSet<i32>>,
}

impl<'s, 'f> Lost<'s, 'f> {
    fn new(seen: &'s Seen<'f>, adversary: &'s Adversary, gone: &[Option<&Emptying>]) -> Self {
        let axis = |(at, gone): (usize, Option<&Emptying>)| {
            gone.filter(|e| e.values)?;
            let (name, count) = &adversary.items[at];
            let held = seen.held(at as u32);
            let mut holders = vec![(0, 0); held.dictionary.len()];
            for person in 0..seen.facts.persons() {
                distinct(held.of(person)).for_each(|value| holders[value as usize].0 += 1);
            }
            Some(Axis { name, count: *count, holders, of: BTreeMap::new() })
        };
        Self { seen, axes: gone.iter().copied().enumerate().map(axis).collect() }
    }

    /// A person is found by these items: every value goes that the record shows alike with one of them.
    fn found(&mut self, person: u32, items: &[(u32, u32)]) {
        for (at, list) in items {
            if self.axes[*at as usize].is_none() {
                continue;
            }
            let held = distinct(self.seen.held(*at).of(person));
            let alike = held.filter(|v| self.seen.shown_alike(*at, person, *v, *list));
            for value in alike.collect::<Vec<i32>>() {
                self.lose(*at, person, value);
            }
        }
    }

    /// A person keeps others company: as many values go as the adversary knows.
    fn company(&mut self, person: u32, axes: &[u32]) {
        for at in axes {
            let Some(axis) = &self.axes[*at as usize] else { continue };
            let have = axis.of.get(&person).map_or(0, BTreeSet::len);
            let held = self.seen.held(*at);
            let known = |v: &i32| !held.dictionary[*v as usize].is_empty();
            let mut values: Vec<i32> = distinct(held.of(person)).filter(known).collect();
            values.retain(|v| !axis.of.get(&person).is_some_and(|of| of.contains(v)));
            // (lost + 1) / holders, compared without division.
            let share = |v: &i32| axis.holders[*v as usize];
            values.sort_by(|a, b| {
                let ((n, lost), (m, gone)) = (share(a), share(b));
                ((lost + 1) * m).cmp(&((gone + 1) * n)).then(m.cmp(&n)).then(a.cmp(b))
            });
            for value in values.into_iter().take(axis.count.saturating_sub(have)) {
                self.lose(*at, person, value);
            }
        }
    }

    fn lose(&mut self, axis: u32, person: u32, value: i32) {
        let Some(axis) = &mut self.axes[axis as usize] else { return };
        if axis.of.entry(person).or_default().insert(value) {
            axis.holders[value as usize].1 += 1;
        }
    }

    fn texts(self) -> BTreeMap<String, BTreeMap<u32, BTreeSet<String>>> {
        let mut texts = BTreeMap::new();
        for (at, axis) in self.axes.into_iter().enumerate() {
            let Some(axis) = axis else { continue };
            let dictionary = &self.seen.held(at as u32).dictionary;
            let of = |values: BTreeSet<i32>| {
                values.into_iter().map(|v| dictionary[v as usize].to_string()).collect()
            };
            let persons = axis.of.into_iter().map(|(person, values)| (person, of(values)));
            texts.insert(axis.name.to_owned(), persons.collect());
        }
        texts
    }
}

/// Cells are ascending.
fn distinct(cells: &[i32]) -> impl Iterator<Item = i32> + '_ {
    let mut last = None;
    cells.iter().copied().filter(move |v| last.replace(*v) != Some(*v))
}
