//! Whose cells must go so that nobody is found by them: local suppression against an adversary.

use super::items::{self, Item};
use super::measure::{Part, Seen, knows_parts};
use super::{Adversary, Effort};
use crate::holdings::{Facts, HoldingsError, NOBODY};
use hashbrown::HashSet;

/// Who is found, and whose cells to empty against it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hiding {
    /// Persons of the original with fewer candidates than wanted, ascending.
    pub found: Vec<u32>,
    /// Persons whose cells to empty: of those found whom that hides, and of others among whom they hide. Ascending.
    pub hidden: Vec<u32>,
}

/// Everybody who has fewer than so many candidates, the right one among them, for some part of what the adversary knows;
/// and whose cells of the attributes `emptied` have to go so that each such part fits enough records.
///
/// A record whose cells are empty may be anybody's. Alone it would be found by being the only such record: it needs
/// others that are emptied too and agree with the rest of what is known. Where too few agree, emptying these attributes
/// hides nobody, and the person is left to the next try with more of them. Only sets and dates can be emptied; what is
/// known as a whole stays. All persons are looked at; of `effort` the number of parts and the seed count. The same for
/// any number of threads.
///
/// Cost: as [`super::exposure`] of all persons, and for each found person the records of the same whole attributes, once
/// per distinct rest of the knowledge.
///
/// # Errors
/// As [`super::exposure`].
pub fn hide(
    facts: &Facts,
    adversary: &Adversary,
    emptied: &[String],
    effort: &Effort,
    candidates: u64,
) -> Result<Hiding, HoldingsError> {
    let seen = Seen::of(facts, adversary)?;
    let limited = knows_parts(adversary);
    let (outcomes, _) = seen.outcomes(&facts.targets(), effort, limited);
    let few = outcomes.iter().filter(|o| (1..candidates).contains(&o.fewest));
    let found: Vec<u32> = few.map(|o| o.person).collect();
    let gone: Vec<bool> = adversary.items.iter().map(|i| emptied.contains(&i.0)).collect();
    let days_gone = adversary.dates.as_ref().is_some_and(|d| emptied.contains(&d.0));
    let mut person_of = vec![NOBODY; facts.records() as usize];
    for person in facts.targets() {
        person_of[facts.record_of[person as usize] as usize] = person;
    }
    let days = seen.days();
    // Who agrees with the rest of what is known, in the order of the records.
    let agreeing = |person: u32, rest: &Part| {
        let items: Vec<Item<'_>> = seen.items_of(&rest.items);
        let mut agree: Vec<u32> = Vec::new();
        items::visit(seen.ranges_for(person), &items, |rank| {
            if rest.days.is_empty() || days.as_ref().is_none_or(|d| d.fit(&rest.days, rank)) {
                let other = person_of[seen.trie.record_at[rank as usize] as usize];
                agree.extend((other != NOBODY).then_some(other));
            }
        });
        agree
    };
    // Those found who can be hidden come first: they are each other's company.
    let mut tasks: Vec<(u32, Part)> = Vec::new();
    for person in &found {
        let few = seen.few_parts(*person, effort, limited, candidates, days.as_ref());
        let mut rests: Vec<Part> = few
            .into_iter()
            .map(|mut part| {
                part.items.retain(|(axis, _)| !gone[*axis as usize]);
                if days_gone {
                    part.days.clear();
                }
                part
            })
            .collect();
        rests.sort_unstable();
        rests.dedup();
        rests.retain(|rest| agreeing(*person, rest).len() as u64 >= candidates);
        tasks.extend(rests.into_iter().map(|rest| (*person, rest)));
    }
    let mut hidden: HashSet<u32> = tasks.iter().map(|task| task.0).collect();
    for (person, rest) in &tasks {
        let agree = agreeing(*person, rest);
        let have = agree.iter().filter(|other| hidden.contains(*other)).count() as u64;
        // Who comes next in the order of the records, round from the own one.
        let own = agree.iter().position(|other| other == person).unwrap_or(0);
        let (before, after) = agree.split_at(own);
        let round = after.iter().chain(before).filter(|other| !hidden.contains(*other));
        let company: Vec<u32> =
            round.copied().take(candidates.saturating_sub(have) as usize).collect();
        hidden.extend(company);
    }
    let mut hidden: Vec<u32> = hidden.into_iter().collect();
    hidden.sort_unstable();
    Ok(Hiding { found, hidden })
}
