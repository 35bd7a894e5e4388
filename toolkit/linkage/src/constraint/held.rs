//! Which constraints hold together.

use hashbrown::{HashMap, HashSet};

use crate::{
    constraint::{Ground, Kind},
    resolve::Union,
};

/// A constraint between two rows, the lower first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bound {
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) kind: Kind,
    pub(crate) ground: Ground,
}

/// What holds, and what does not.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Pairs of one person.
    pub(crate) must: Vec<(u32, u32)>,
    /// Pairs of two, the lower first.
    pub(crate) cannot: HashSet<(u32, u32)>,
    /// What does not hold, with what it contradicts.
    pub(crate) dropped: Vec<(Bound, Option<Bound>)>,
}

impl Held {
    pub(crate) fn is_apart(&self, a: u32, b: u32) -> bool {
        !self.cannot.is_empty() && self.cannot.contains(&(a.min(b), a.max(b)))
    }
}

/// Takes the constraints in from the strongest, "two persons" first where they are equal, and leaves out what
/// contradicts those before it. Their order in the slice says nothing.
pub(crate) fn held(rows: usize, bounds: &[Bound]) -> Held {
    let mut out = Held::default();
    if bounds.is_empty() {
        return out;
    }
    let mut sorted = bounds.to_vec();
    sorted.sort_unstable_by_key(|b| (std::cmp::Reverse(b.ground), b.kind, b.a, b.b));
    sorted.dedup();
    let mut union = Union::new(rows);
    // by root of a group: what keeps its members from others
    let mut apart: HashMap<u32, Vec<Bound>> = HashMap::new();
    for bound in sorted.iter().copied() {
        let (x, y) = (union.root(bound.a), union.root(bound.b));
        match bound.kind {
            Kind::Cannot if x == y => {
                let same = |m: &&Bound| m.kind == Kind::Must && (m.a, m.b) == (bound.a, bound.b);
                let against = sorted.iter().find(same).copied();
                out.dropped.push((bound, against));
            }
            Kind::Cannot => {
                if out.cannot.insert((bound.a, bound.b)) {
                    apart.entry(x).or_default().push(bound);
                    apart.entry(y).or_default().push(bound);
                }
            }
            Kind::Must if x == y => out.must.push((bound.a, bound.b)),
            Kind::Must => {
                let fewer = |r: &u32| apart.get(r).map_or(0, Vec::len);
                let (small, large) = if fewer(&x) <= fewer(&y) { (x, y) } else { (y, x) };
                let against = apart.get(&small).and_then(|list| {
                    list.iter()
                        .find(|c| union.root(c.a) == large || union.root(c.b) == large)
                        .copied()
                });
                if let Some(against) = against {
                    out.dropped.push((bound, Some(against)));
                    continue;
                }
                union.join(bound.a, bound.b);
                let mut all = apart.remove(&large).unwrap_or_default();
                all.extend(apart.remove(&small).unwrap_or_default());
                if !all.is_empty() {
                    apart.insert(union.root(bound.a), all);
                }
                out.must.push((bound.a, bound.b));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(a: u32, b: u32, kind: Kind, ground: Ground) -> Bound {
        Bound { a, b, kind, ground }
    }

    #[test]
    fn the_stronger_reason_wins_and_the_other_is_reported() {
        use Ground::{InsuredHistory, Reviewer, Twins};
        use Kind::{Cannot, Must};
        let bounds = [
            bound(0, 1, Must, InsuredHistory),
            bound(1, 2, Must, InsuredHistory),
            bound(0, 2, Cannot, Twins),
            bound(2, 3, Must, InsuredHistory),
            bound(0, 3, Cannot, Reviewer),
            bound(4, 5, Must, Reviewer),
            bound(4, 5, Cannot, Reviewer),
        ];
        let h = held(6, &bounds);
        assert_eq!(h.must, [(0, 1), (1, 2)]);
        let mut cannot: Vec<_> = h.cannot.iter().copied().collect();
        cannot.sort_unstable();
        assert_eq!(cannot, [(0, 3), (4, 5)]);
        let dropped: Vec<_> = h.dropped.iter().map(|d| (d.0.a, d.0.b, d.0.kind)).collect();
        assert_eq!(dropped, [(4, 5, Must), (2, 3, Must), (0, 2, Cannot)]);
        assert_eq!(h.dropped[1].1, Some(bounds[4]));
    }

    proptest::proptest! {
        #[test]
        fn what_holds_never_contradicts_and_order_says_nothing(
            raw in proptest::collection::vec((0u32..8, 0u32..8, 0usize..2, 0usize..6), 0..24),
            turn in 0usize..24,
        ) {
            let mut bounds: Vec<Bound> = raw.iter().filter(|r| r.0 != r.1).map(|r| {
                let kind = [Kind::Must, Kind::Cannot][r.2];
                bound(r.0.min(r.1), r.0.max(r.1), kind, Ground::ALL[r.3])
            }).collect();
            let one = held(8, &bounds);
            let mut union = Union::new(8);
            for (a, b) in &one.must {
                union.join(*a, *b);
            }
            for (a, b) in &one.cannot {
                proptest::prop_assert!(union.root(*a) != union.root(*b));
            }
            if !bounds.is_empty() {
                let by = turn % bounds.len();
                bounds.rotate_left(by);
            }
            let two = held(8, &bounds);
            proptest::prop_assert_eq!(&one.must, &two.must);
            proptest::prop_assert_eq!(&one.cannot, &two.cannot);
            proptest::prop_assert_eq!(one.dropped.len(), two.dropped.len());
        }
    }
}
