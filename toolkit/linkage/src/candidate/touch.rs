//! Candidates that a change of the rows makes or takes away, without joining anew.
//!
//! Whether two rows are candidates depends on the two and on how many share their keys. So a change touches the groups
//! of the keys of rows that came or went, and no others: one scan of all rows finds their members.

use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use crate::{
    candidate::{
        join::{is_hot, neighbours},
        keys::{KeyMaker, PASSES, When},
    },
    typed::{Row, Typed},
};

/// A change of rows.
pub(crate) struct Touch<'a> {
    /// The rows after it.
    pub(crate) typed: &'a Typed,
    /// Of each row: did it come?
    pub(crate) came: &'a [bool],
    /// The rows that went.
    pub(crate) went: &'a [Row],
    /// Passes that are not made.
    pub(crate) left_out: &'a [bool; PASSES.len()],
}

/// What it does to candidates.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Pairs that may be candidates now and were none, `lower << 32 | higher`, sorted. All of them are candidates.
    pub(crate) new: Vec<u64>,
    /// Of the pairs asked for, those that are candidates no more, by their places.
    pub(crate) gone: Vec<usize>,
    /// Groups too large to be paired in full.
    pub(crate) hot: u64,
}

/// A pass and a key of it.
type Key = (u8, u32);

/// The members of a group after the change, and how many there were before.
#[derive(Default)]
struct Group {
    members: Vec<u32>,
    went: usize,
    went_open: usize,
}

/// Are of this pass's pairs only those made of which one birth date is open?
fn partial(pass: u8) -> bool {
    PASSES[pass as usize].when == When::BirthMissing
}

/// Keys that are looked for: a filter that most rows fail, and the numbers of their groups.
struct Wanted {
    filter: Vec<u64>,
    mask: u32,
    numbers: HashMap<Key, u32>,
}

impl Wanted {
    fn of(keys: impl Iterator<Item = Key>) -> Self {
        let mut numbers = HashMap::new();
        for key in keys {
            let next = numbers.len() as u32;
            numbers.entry(key).or_insert(next);
        }
        let bits = (numbers.len() * 16).next_power_of_two().clamp(1 << 12, 1 << 27);
        let mut out = Self { filter: vec![0; bits / 64], mask: bits as u32 - 1, numbers };
        let places: Vec<u32> = out.numbers.keys().map(|k| out.place(*k)).collect();
        for place in places {
            out.filter[place as usize / 64] |= 1 << (place % 64);
        }
        out
    }
    fn place(&self, (pass, key): Key) -> u32 {
        // keys are hashes: their bits are spread
        ((key >> 1) ^ (u32::from(pass) << 7)) & self.mask
    }
    fn number(&self, key: Key) -> Option<u32> {
        let place = self.place(key);
        if self.filter[place as usize / 64] >> (place % 64) & 1 == 0 {
            return None;
        }
        self.numbers.get(&key).copied()
    }
}

impl Touch<'_> {
    fn keys(&self, maker: &KeyMaker<'_>, row: &Row) -> impl Iterator<Item = Key> + use<> {
        let left_out = *self.left_out;
        maker
            .keys(row)
            .into_iter()
            .enumerate()
            .filter(move |(pass, key)| *key != 0 && !left_out[*pass])
            .map(|(pass, key)| (pass as u8, key))
    }

    fn is_open(&self, row: u32) -> bool {
        !self.typed.rows[row as usize].birth.is_full()
    }

    /// The members of the groups of some keys, by the keys' numbers; each group in the order of the rows.
    fn gather(&self, maker: &KeyMaker<'_>, wanted: &Wanted) -> Vec<Group> {
        let found: Vec<Vec<(u32, u32)>> = self
            .typed
            .rows
            .par_chunks(1 << 14)
            .enumerate()
            .map(|(chunk, rows)| {
                let mut out = Vec::new();
                for (i, row) in rows.iter().enumerate() {
                    let at = (chunk << 14 | i) as u32;
                    for key in self.keys(maker, row) {
                        out.extend(wanted.number(key).map(|number| (number, at)));
                    }
                }
                out
            })
            .collect();
        let mut groups: Vec<Group> = Vec::new();
        groups.resize_with(wanted.numbers.len(), Group::default);
        for (number, row) in found.into_iter().flatten() {
            groups[number as usize].members.push(row);
        }
        groups
    }

    fn is_hot_now(&self, pass: u8, group: &Group) -> bool {
        let open = group.members.iter().filter(|m| self.is_open(**m)).count();
        is_hot(group.members.len(), open, partial(pass))
    }

    fn was_hot(&self, pass: u8, group: &Group) -> bool {
        let old = group.members.iter().filter(|m| !self.came[**m as usize]);
        let open = old.clone().filter(|m| self.is_open(**m)).count() + group.went_open;
        is_hot(old.count() + group.went, open, partial(pass))
    }

    /// What the change does. `edges` are pairs that were candidates and whose rows are still there: of those that a
    /// growing group took, the places are told.
    pub(crate) fn touched(&self, edges: &[(u32, u32, f32)]) -> Touched {
        let maker = KeyMaker::of(self.typed);
        let rows = &self.typed.rows;
        let came = rows.iter().zip(self.came).filter(|(_, came)| **came).map(|(row, _)| row);
        let wanted = Wanted::of(came.chain(self.went).flat_map(|row| self.keys(&maker, row)));
        let mut groups = self.gather(&maker, &wanted);
        for row in self.went {
            for key in self.keys(&maker, row) {
                if let Some(number) = wanted.number(key) {
                    groups[number as usize].went += 1;
                    groups[number as usize].went_open += usize::from(!row.birth.is_full());
                }
            }
        }
        let mut keys: Vec<(Key, u32)> = wanted.numbers.iter().map(|(k, n)| (*k, *n)).collect();
        keys.sort_unstable();
        let made: Vec<(Vec<u64>, bool)> = keys
            .par_iter()
            .with_min_len(256)
            .map(|((pass, _), number)| {
                let group = &groups[*number as usize];
                let mut out = Vec::new();
                let hot = self.pairs(*pass, group, &mut out);
                (out, hot)
            })
            .collect();
        let hot: HashSet<Key> =
            keys.iter().zip(&made).filter(|(_, m)| m.1).map(|(k, _)| k.0).collect();
        let mut new: Vec<u64> = made.into_iter().flat_map(|m| m.0).collect();
        new.par_sort_unstable();
        new.dedup();
        let gone = if hot.is_empty() {
            Vec::new()
        } else {
            self.gone(&maker, &wanted, &groups, &hot, edges)
        };
        Touched { new, gone, hot: hot.len() as u64 }
    }

    /// The pairs of a group that are new; is it hot now?
    fn pairs(&self, pass: u8, group: &Group, out: &mut Vec<u64>) -> bool {
        let partial = partial(pass);
        let mut offer = |a: u32, b: u32| {
            if !partial || self.is_open(a) || self.is_open(b) {
                out.push(u64::from(a.min(b)) << 32 | u64::from(a.max(b)));
            }
        };
        if self.is_hot_now(pass, group) {
            neighbours(self.typed, group.members.iter().map(|m| (*m, *m)), &mut offer);
            return true;
        }
        if self.was_hot(pass, group) {
            for (at, a) in group.members.iter().enumerate() {
                for b in &group.members[at + 1..] {
                    offer(*a, *b);
                }
            }
            return false;
        }
        let is_new = |m: u32| self.came[m as usize];
        for (at, a) in group.members.iter().enumerate().filter(|m| is_new(*m.1)) {
            for (to, b) in group.members.iter().enumerate() {
                if to > at || !is_new(*b) {
                    offer(*a, *b);
                }
            }
        }
        false
    }

    /// The places of edges that lost the key that made them.
    fn gone(
        &self,
        maker: &KeyMaker<'_>,
        wanted: &Wanted,
        groups: &[Group],
        hot: &HashSet<Key>,
        edges: &[(u32, u32, f32)],
    ) -> Vec<usize> {
        let mut inside = vec![false; self.typed.rows.len()];
        for key in hot {
            for m in wanted.number(*key).map_or(&[][..], |n| &groups[n as usize].members) {
                inside[*m as usize] = true;
            }
        }
        let shared = |a: u32, b: u32| {
            let rows = &self.typed.rows;
            let (x, y) = (maker.keys(&rows[a as usize]), maker.keys(&rows[b as usize]));
            let left_out = self.left_out;
            let made =
                move |pass: &usize| x[*pass] != 0 && x[*pass] == y[*pass] && !left_out[*pass];
            let open = self.is_open(a) || self.is_open(b);
            (0..PASSES.len())
                .filter(made)
                .map(move |pass| (pass as u8, x[pass]))
                .filter(move |(pass, _)| open || !partial(*pass))
        };
        let doubtful: Vec<usize> = edges
            .par_iter()
            .enumerate()
            .filter(|(_, (a, b, _))| {
                inside[*a as usize]
                    && inside[*b as usize]
                    && shared(*a, *b).any(|key| hot.contains(&key))
            })
            .map(|(at, _)| at)
            .collect();
        // groups that the change did not touch, but that may hold such an edge
        let more = Wanted::of(
            doubtful
                .iter()
                .flat_map(|at| shared(edges[*at].0, edges[*at].1))
                .filter(|key| wanted.number(*key).is_none()),
        );
        let others = if more.numbers.is_empty() { Vec::new() } else { self.gather(maker, &more) };
        let mut beside: HashMap<Key, Option<HashSet<u64>>> = HashMap::new();
        doubtful
            .into_iter()
            .filter(|at| {
                let (a, b, _) = edges[*at];
                let pair = u64::from(a) << 32 | u64::from(b);
                !shared(a, b).any(|key| {
                    let near = beside.entry(key).or_insert_with(|| {
                        let group = match (wanted.number(key), more.number(key)) {
                            (Some(n), _) => &groups[n as usize],
                            (None, Some(n)) => &others[n as usize],
                            (None, None) => return None,
                        };
                        if !self.is_hot_now(key.0, group) {
                            return None;
                        }
                        let mut near = HashSet::new();
                        let members = group.members.iter().map(|m| (*m, *m));
                        neighbours(self.typed, members, &mut |a: u32, b: u32| {
                            near.insert(u64::from(a.min(b)) << 32 | u64::from(a.max(b)));
                        });
                        Some(near)
                    });
                    near.as_ref().is_none_or(|near| near.contains(&pair))
                })
            })
            .collect()
    }
}
