//! What is known from outside about person sources, made part of the linker's pairs.

use std::collections::BTreeMap;

use kiban_kernel::{Id, kinds};
use kiban_linkage::{Apart, ApartReason, Clusters, Edge, KeyRule, Pairs, Strength, clusters};

type Source = Id<kinds::PersonSource>;

/// Two person sources are one person, or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constraint {
    /// The source whose records are in doubt where the two are two persons.
    pub doubtful: Source,
    /// The other.
    pub other: Source,
    /// One person?
    pub one_person: bool,
    /// Who says so: [`KeyRule::Review`] (a holder's correction, two readers) or [`KeyRule::History`].
    pub by: KeyRule,
}

impl Constraint {
    /// What readers of a pair decided.
    pub fn read(doubtful: Source, other: Source, one_person: bool) -> Self {
        Self { doubtful, other, one_person, by: KeyRule::Review }
    }
}

/// Clusters that respect the constraints: one person is joined whatever the keys say; of two persons the doubtful
/// source gives up every key by which the two would still meet, in the end what joins it from outside too.
pub(super) fn constrained(
    ids: &[Source],
    holders: &[u32],
    mut pairs: Pairs,
    constraints: &[Constraint],
) -> Clusters {
    let place: BTreeMap<Source, u32> = ids.iter().zip(0..).map(|(id, at)| (*id, at)).collect();
    let mut parted = Vec::new();
    for c in constraints {
        let (Some(doubtful), Some(other)) = (place.get(&c.doubtful), place.get(&c.other)) else {
            continue;
        };
        let (a, b) = (*doubtful.min(other), *doubtful.max(other));
        if c.one_person {
            pairs.apart.retain(|e| (e.a.min(e.b), e.a.max(e.b)) != (a, b));
            pairs.edges.push(Edge { a, b, rule: c.by, strength: Strength::Sure });
        } else {
            pairs.edges.retain(|e| (e.a.min(e.b), e.a.max(e.b)) != (a, b));
            pairs.apart.push(Apart { a, b, reason: ApartReason::Review });
            parted.push((*doubtful, *other));
        }
    }
    let told = |rule| matches!(rule, KeyRule::Review | KeyRule::History);
    let mut found = clusters(holders, &pairs);
    // Sure keys join over a third record: then they are no longer sure of the doubtful one.
    for round in 0..3 {
        let person_of = found.person_of();
        let meet: Vec<(u32, u32)> = parted
            .iter()
            .copied()
            .filter(|(a, b)| person_of[*a as usize] == person_of[*b as usize])
            .collect();
        if meet.is_empty() {
            break;
        }
        for (doubtful, other) in meet {
            pairs.edges.retain(|e| {
                let at = |x: u32| e.a == x || e.b == x;
                match round {
                    0 => told(e.rule) || !at(doubtful),
                    1 => told(e.rule) || !at(other),
                    _ => !at(doubtful),
                }
            });
        }
        found = clusters(holders, &pairs);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(n: u8) -> Source {
        Id::from_bytes([n; 16])
    }
    fn sure(a: u32, b: u32) -> Edge {
        Edge { a, b, rule: KeyRule::Coverage, strength: Strength::Sure }
    }
    fn persons(edges: &[Edge], constraints: &[Constraint]) -> Vec<Vec<u32>> {
        let ids: Vec<Source> = (1..=4).map(source).collect();
        let pairs = Pairs { edges: edges.to_vec(), ..Pairs::default() };
        constrained(&ids, &[0, 0, 1, 2], pairs, constraints).persons
    }
    fn told(doubtful: u8, other: u8, one_person: bool) -> Constraint {
        Constraint {
            doubtful: source(doubtful),
            other: source(other),
            one_person,
            by: KeyRule::Review,
        }
    }

    #[test]
    fn one_person_joins_two_charts_of_one_holder() {
        assert_eq!(persons(&[], &[told(1, 2, true)]), [vec![0, 1], vec![2], vec![3]]);
        // A source that is no longer there is passed over.
        assert_eq!(persons(&[], &[told(1, 9, true)]).len(), 4);
    }

    #[test]
    fn two_persons_part_over_direct_and_indirect_keys() {
        let direct = [sure(0, 1)];
        assert_eq!(persons(&direct, &[told(1, 2, false)]).len(), 4);
        // Over a third record: the doubtful one leaves, the rest stays together.
        let chain = [sure(0, 2), sure(1, 2), sure(2, 3)];
        assert_eq!(persons(&chain, &[told(1, 2, false)]), [vec![0], vec![1, 2, 3]]);
        assert_eq!(persons(&chain, &[told(2, 1, false)]), [vec![0, 2, 3], vec![1]]);
    }

    #[test]
    fn contradicting_words_leave_two_persons() {
        let words = [told(1, 3, true), told(3, 2, true), told(1, 2, false)];
        let found = persons(&[], &words);
        assert!(!found.iter().any(|p| p.contains(&0) && p.contains(&1)), "{found:?}");
    }
}
