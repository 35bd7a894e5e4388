//! The join: sort by key, pair within groups, leave out what an earlier pass made.

use rayon::prelude::*;
use serde::Serialize;

use crate::{
    candidate::{
        keys::{Keys, PASSES, Pass, When},
        sort::Room,
    },
    typed::Typed,
};

/// A group larger than this is hot: its records are paired with their neighbours only.
pub(super) const HOT: usize = 300;
/// How many neighbours of like content a record of a hot group is paired with.
const NEIGHBOURS: usize = 4;
/// An optional pass may propose so many pairs a record.
const MOST_A_RECORD: u64 = 12;

/// A pass for lists with few households may propose so many pairs and one for four records.
const SMALL: u64 = 50_000;

/// Keys are compared so many at a time.
const LANE: usize = 8;

const WIDTH: usize = PASSES.len().next_multiple_of(LANE);

/// What one pass did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassReport {
    /// Which values the key is made of.
    pub pass: &'static str,
    /// Pairs that share a key.
    pub sharing: u64,
    /// Of those, pairs that no earlier pass made.
    pub made: u64,
    /// The pass was left out because it would have made too many.
    pub left_out: bool,
    /// What was capped.
    pub capped: Capped,
}

/// Groups that share a key and were too large to be paired in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Capped {
    /// How many groups.
    pub groups: u64,
    /// Records in the largest.
    pub largest: u64,
    /// Pairs that were not made.
    pub pairs: u64,
}

/// Pairs of a group that a pass may make: where one birth date must be open, those of which one is.
pub(super) fn pairs_of(members: usize, open: usize, partial: bool) -> u64 {
    let of = |n: usize| n as u64 * (n as u64).saturating_sub(1) / 2;
    if partial { of(members) - of(members - open) } else { of(members) }
}

/// Is a group too large to be paired in full?
pub(super) fn is_hot(members: usize, open: usize, partial: bool) -> bool {
    members > HOT && !(partial && pairs_of(members, open, true) <= (HOT * HOT) as u64)
}

/// Groups of which all pairs were made, for each row one of the largest: most groups of a later pass lie inside one.
struct Cover {
    of: Vec<u32>,
    /// Members of each; 0 stands for none.
    sizes: Vec<u16>,
}

impl Cover {
    fn new(n: usize) -> Self {
        Self { of: vec![0; n], sizes: vec![0] }
    }
    /// Do all members lie in one?
    fn has_all(&self, mut members: impl Iterator<Item = u32>) -> bool {
        let first = members.next().map_or(0, |m| self.of[m as usize]);
        // all are looked at, so that no look waits for another
        first != 0 && members.fold(0, |others, m| others | (self.of[m as usize] ^ first)) == 0
    }
    /// Adds a group of at most [`HOT`]; whether it was new.
    fn add(&mut self, members: impl ExactSizeIterator<Item = u32> + Clone) -> bool {
        if self.has_all(members.clone()) {
            return false;
        }
        let (number, size) = (self.sizes.len() as u32, members.len() as u16);
        self.sizes.push(size);
        for member in members {
            let of = &mut self.of[member as usize];
            if self.sizes[*of as usize] < size {
                *of = number;
            }
        }
        true
    }
}

/// Do two rows share a key of a pass before this one? Keys of later passes are not there yet: whole lanes are compared.
fn shared(a: &[u32; WIDTH], b: &[u32; WIDTH], pass: usize) -> bool {
    a.chunks_exact(LANE).zip(b.chunks_exact(LANE)).take(pass.div_ceil(LANE)).any(|(a, b)| {
        let same = |n, (x, y): (&u32, &u32)| n | (u32::from(x == y) & u32::from(*x != 0));
        a.iter().zip(b).fold(0, same) != 0
    })
}

/// All pairs `lower << 32 | higher`, sorted, and what each pass did.
///
/// Which passes are left out follows from the list, unless it is given.
pub(crate) fn candidates(
    typed: &Typed,
    given: Option<&[bool; PASSES.len()]>,
) -> (Vec<u64>, Vec<PassReport>) {
    let rows = &typed.rows;
    let n = rows.len();
    // rows that are like each other stand together in memory: a group is read in one go
    let near = near(typed);
    let keys = Keys::of(typed, &near);
    // short keys of all passes, to see whether an earlier pass made a pair; 0 where it did not
    let mut made_by = vec![[0u32; WIDTH]; n];
    let mut cover = Cover::new(n);
    let mut room = Room::default();
    let mut pairs: Vec<u64> = Vec::new();
    let mut reports = Vec::with_capacity(PASSES.len());
    for (pass, Pass { name, when, .. }) in PASSES.iter().enumerate() {
        let keyed = room.sort(n, |i| match keys.key(pass, i) {
            0 => None,
            key => Some(u64::from(key) << 32),
        });
        let partial = *when == When::BirthMissing;
        let groups: Vec<&[u64]> = keyed.groups().filter(|g| g.len() > 1).collect();
        let number = |member: &u64| keyed.number(*member);
        let small = |g: &[u64]| !partial && g.len() <= HOT;
        let open = |i: u32| !rows[near[i as usize] as usize].birth.is_full();
        let opened = |g: &[u64]| {
            if partial { g.iter().filter(|m| open(number(m))).count() } else { 0 }
        };
        let size = |g: &[u64]| pairs_of(g.len(), opened(g), partial);
        let sharing: u64 = groups.iter().map(|g| size(g)).sum();
        let normal: u64 = groups.iter().filter(|g| g.len() <= HOT).map(|g| size(g)).sum();
        let most = match when {
            When::Always => u64::MAX,
            When::Affordable | When::BirthMissing => (MOST_A_RECORD * n as u64).max(2_000_000),
            When::FewHouseholds => SMALL + n as u64 / 4,
        };
        let left_out = given.map_or(normal > most, |given| given[pass]);
        let mut report =
            PassReport { pass: name, sharing, made: 0, left_out, capped: Capped::default() };
        if left_out {
            reports.push(report);
            drop(groups);
            room.put_back(keyed);
            continue;
        }
        let earlier = |a: u32, b: u32| shared(&made_by[a as usize], &made_by[b as usize], pass);
        let new: Vec<u64> = groups
            .par_chunks(4096)
            .flat_map_iter(|groups| {
                let mut out = Vec::new();
                let mut offer = |a: u32, b: u32| {
                    if (!partial || open(a) || open(b)) && !earlier(a, b) {
                        let (a, b) = (near[a as usize], near[b as usize]);
                        out.push(u64::from(a.min(b)) << 32 | u64::from(a.max(b)));
                    }
                };
                for group in groups {
                    if small(group) && cover.has_all(group.iter().map(number)) {
                        continue;
                    }
                    if partial && size(group) <= (HOT * HOT) as u64 {
                        for (at, a) in group.iter().map(number).enumerate().filter(|g| open(g.1)) {
                            for (to, b) in group.iter().map(number).enumerate() {
                                if to > at || !open(b) {
                                    offer(a, b);
                                }
                            }
                        }
                        continue;
                    }
                    if group.len() > HOT {
                        let members = group.iter().map(number).map(|i| (near[i as usize], i));
                        neighbours(typed, members, &mut offer);
                        continue;
                    }
                    for (at, a) in group.iter().enumerate() {
                        for b in &group[at + 1..] {
                            offer(number(a), number(b));
                        }
                    }
                }
                out
            })
            .collect();
        let hot = |g: &[u64]| is_hot(g.len(), opened(g), partial);
        for group in groups.iter().filter(|g| hot(g)) {
            report.capped.groups += 1;
            report.capped.largest = report.capped.largest.max(group.len() as u64);
            report.capped.pairs += size(group).saturating_sub((group.len() * NEIGHBOURS) as u64);
        }
        // a group of which all pairs were there made none: each is known by the pass that made it
        for group in groups.iter().filter(|g| small(g)) {
            if cover.add(group.iter().map(number)) {
                for member in *group {
                    made_by[number(member) as usize][pass] = (*member >> 32) as u32;
                }
            }
        }
        report.made = new.len() as u64;
        pairs.extend(new);
        reports.push(report);
        drop(groups);
        room.put_back(keyed);
    }
    pairs.par_sort_unstable();
    // a hot group's pairs may come from several passes
    pairs.dedup();
    (pairs, reports)
}

/// The rows in the order of birth date, name and number.
fn near(typed: &Typed) -> Vec<u32> {
    let mut keyed: Vec<(u32, u32, u32)> = typed
        .rows
        .par_iter()
        .enumerate()
        .map(|(i, r)| {
            let name = if r.given == 0 {
                typed.kanji.values.hash(r.given_kanji)
            } else {
                typed.kana.values.hash(r.given)
            };
            (r.birth.packed(), (name >> 32) as u32, i as u32)
        })
        .collect();
    keyed.par_sort_unstable();
    keyed.into_iter().map(|k| k.2).collect()
}

/// Pairs each record of a hot group with the next ones in the order of their content, so that equal records form a
/// chain. Members are rows, each with a name of the caller's.
pub(super) fn neighbours<T: Copy + Ord>(
    typed: &Typed,
    group: impl Iterator<Item = (u32, T)>,
    offer: &mut impl FnMut(T, T),
) {
    let content = |(row, name): (u32, T)| {
        let r = &typed.rows[row as usize];
        let kana = |id| typed.kana.values.hash(id);
        (
            kana(r.full),
            typed.kanji.values.hash(r.full_kanji),
            r.birth,
            typed.phone.values.hash(r.phone),
            typed.card.values.hash(r.card),
            typed.postal.values.hash(r.postal),
            row,
            name,
        )
    };
    let mut sorted: Vec<_> = group.map(content).collect();
    sorted.sort_unstable();
    for at in 0..sorted.len() {
        for other in sorted.iter().skip(at + 1).take(NEIGHBOURS) {
            offer(sorted[at].7, other.7);
        }
    }
}
