//! Person ids that last: the oldest member's id survives a merge, and the part with it keeps it in a split.

use std::collections::{BTreeMap, BTreeSet};

use kiban_kernel::{Id, kinds};

use super::{PersonLink, read::Before};
use crate::keys::RegisterKeys;

type Source = Id<kinds::PersonSource>;
type Person = Id<kinds::Person>;

/// Links with their counts.
pub(super) struct Assigned {
    /// One per source, in the order of `ids`.
    pub(super) links: Vec<PersonLink>,
    pub(super) created: u64,
    pub(super) merged: u64,
    pub(super) split: u64,
}

/// A person id for every cluster. `now`: the snapshot in which new sources begin.
pub(super) fn persons(
    ids: &[Source],
    clusters: &[Vec<u32>],
    before: &BTreeMap<Source, Before>,
    keys: &RegisterKeys,
    now: i64,
) -> Assigned {
    let age = |source: Source| (before.get(&source).map_or(now, |b| b.link.since), source);
    // The oldest member of each person of before, among those still there.
    let mut oldest: BTreeMap<Person, (i64, Source)> = BTreeMap::new();
    for source in ids {
        if let Some(b) = before.get(source) {
            let mine = age(*source);
            oldest.entry(b.link.person).and_modify(|o| *o = (*o).min(mine)).or_insert(mine);
        }
    }
    let mut taken: BTreeSet<Person> = before.values().map(|b| b.link.person).collect();
    let mut out =
        Assigned { links: Vec::with_capacity(ids.len()), created: 0, merged: 0, split: 0 };
    let mut person_of: Vec<Option<Person>> = vec![None; ids.len()];
    for cluster in clusters {
        let members = || cluster.iter().map(|m| ids[*m as usize]);
        // Persons of before whose oldest member is here, oldest first.
        let mut owned: Vec<((i64, Source), Person)> = members()
            .filter_map(|s| before.get(&s).map(|b| b.link.person))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter_map(|p| oldest.get(&p).map(|o| (*o, p)))
            .filter(|((_, source), _)| members().any(|m| m == *source))
            .collect();
        owned.sort_unstable();
        let person = if let Some((_, person)) = owned.first() {
            out.merged += owned.len() as u64 - 1;
            *person
        } else {
            let first = members().map(age).min().map_or(Id::from_bytes([0; 16]), |(_, s)| s);
            let person = fresh(keys, first, &taken);
            taken.insert(person);
            if members().any(|s| before.contains_key(&s)) {
                out.split += 1;
            } else {
                out.created += 1;
            }
            person
        };
        for member in cluster {
            person_of[*member as usize] = Some(person);
        }
    }
    for (source, person) in ids.iter().zip(person_of) {
        // every source is in one cluster
        let person = person.unwrap_or_else(|| fresh(keys, *source, &taken));
        out.links.push(PersonLink { person_source: *source, person, since: age(*source).0 });
    }
    out
}

fn fresh(keys: &RegisterKeys, oldest: Source, taken: &BTreeSet<Person>) -> Person {
    let mut n = 0;
    loop {
        let id = keys.person(oldest, n);
        if !taken.contains(&id) {
            return id;
        }
        n += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(n: u8) -> Source {
        Id::from_bytes([n; 16])
    }
    fn keys() -> RegisterKeys {
        RegisterKeys::from_secrets([&[1; 32], &[2; 32], &[3; 32]])
    }
    fn run(ids: &[Source], clusters: &[Vec<u32>], before: &[PersonLink], now: i64) -> Assigned {
        let before = before
            .iter()
            .map(|l| (l.person_source, Before { link: *l, rule: String::new() }))
            .collect();
        persons(ids, clusters, &before, &keys(), now)
    }

    // register.same-person
    #[test]
    fn the_oldest_members_id_survives_merges_and_splits() {
        let (a, b, c) = (source(9), source(5), source(1));
        let first = run(&[a], &[vec![0]], &[], 1);
        let second = run(&[b, a], &[vec![0], vec![1]], &first.links, 2);
        assert_eq!((first.created, second.created), (1, 1));
        let (of_b, of_a) = (second.links[0].person, second.links[1].person);
        assert_eq!(of_a, first.links[0].person);

        let merged = run(&[c, b, a], &[vec![0, 1, 2]], &second.links, 3);
        assert_eq!((merged.created, merged.merged, merged.split), (0, 1, 0));
        assert!(merged.links.iter().all(|l| l.person == of_a), "a came first");
        assert_eq!(merged.links.iter().map(|l| l.since).collect::<Vec<_>>(), [3, 2, 1]);

        let split = run(&[c, b, a], &[vec![0, 1], vec![2]], &merged.links, 4);
        assert_eq!((split.merged, split.split), (0, 1));
        assert_eq!(split.links[2].person, of_a);
        assert_ne!(split.links[0].person, of_a);
        assert_eq!(split.links[0].person, split.links[1].person);
        // b's own first id was given up in the merge and may serve again; a's may not
        assert_eq!(split.links[1].person, of_b);
    }

    #[test]
    fn an_id_in_use_is_not_given_twice() {
        let (a, b) = (source(1), source(2));
        let both = run(&[a, b], &[vec![0, 1]], &[], 1);
        // a was erased, b keeps the id that was made from a; then a is there again, unlinked
        let alone = run(&[b], &[vec![0]], &both.links, 2);
        assert_eq!(alone.links[0].person, both.links[0].person);
        let again = run(&[a, b], &[vec![0], vec![1]], &alone.links, 3);
        assert_ne!(again.links[0].person, again.links[1].person);
    }

    #[test]
    fn nothing_new_changes_nothing() {
        let ids = [source(1), source(2), source(3)];
        let clusters = [vec![0, 2], vec![1]];
        let first = run(&ids, &clusters, &[], 1);
        let again = run(&ids, &clusters, &first.links, 7);
        assert_eq!(first.links, again.links);
        assert_eq!((again.created, again.merged, again.split), (0, 0, 0));
    }
}
