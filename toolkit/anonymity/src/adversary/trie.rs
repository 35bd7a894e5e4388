//! Records by their combination of states: a sorted trie, one level per attribute.

use core::ops::Range;

/// Which states of one attribute are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Want<'a> {
    /// Any.
    All,
    /// One of two ascending lists without common members.
    Of(&'a [u32], &'a [u32]),
}

#[derive(Debug)]
pub(crate) struct Level {
    /// State of each node.
    pub(crate) state: Vec<u32>,
    /// Children of node i in the next level (in the last one: ranks): `start[i]..start[i + 1]`.
    pub(crate) start: Vec<u32>,
}

/// Records in the order of their combinations (their *rank*), with the nodes above them.
#[derive(Debug)]
pub(crate) struct Trie {
    pub(crate) levels: Vec<Level>,
    /// Record at each rank.
    pub(crate) record_at: Vec<u32>,
    /// Rank of each record.
    pub(crate) rank_of: Vec<u32>,
}

impl Trie {
    /// `columns`: per attribute the state of each record.
    pub(crate) fn of(columns: &[&[u32]], records: u32) -> Self {
        let mut record_at: Vec<u32> = (0..records).collect();
        record_at.sort_by(|a, b| {
            let key = |r: u32| columns.iter().map(move |c| c[r as usize]);
            key(*a).cmp(key(*b))
        });
        let mut rank_of = vec![0; records as usize];
        for (rank, record) in record_at.iter().enumerate() {
            rank_of[*record as usize] = rank as u32;
        }
        let mut levels: Vec<Level> =
            columns.iter().map(|_| Level { state: Vec::new(), start: Vec::new() }).collect();
        for (rank, record) in record_at.iter().enumerate() {
            let before = rank.checked_sub(1).map(|r| record_at[r]);
            let same = |c: &&&[u32]| before.is_some_and(|b| c[b as usize] == c[*record as usize]);
            let common = columns.iter().take_while(same).count();
            for at in common..columns.len() {
                let below = levels.get(at + 1).map_or(rank, |l| l.state.len());
                levels[at].state.push(columns[at][*record as usize]);
                levels[at].start.push(below as u32);
            }
        }
        for at in 0..levels.len() {
            let end = levels.get(at + 1).map_or(records as usize, |l| l.state.len());
            levels[at].start.push(end as u32);
        }
        Self { levels, record_at, rank_of }
    }

    pub(crate) fn roots(&self) -> Range<u32> {
        0..self.levels.first().map_or(self.record_at.len(), |l| l.state.len()) as u32
    }

    /// Ranks of the records that have wanted states only, as ascending ranges that do not touch.
    pub(crate) fn find(&self, wants: &[Want<'_>]) -> Vec<Range<u32>> {
        let mut found = Vec::new();
        self.descend(0, self.roots(), wants, &mut found);
        found
    }

    fn descend(&self, at: usize, nodes: Range<u32>, wants: &[Want<'_>], out: &mut Vec<Range<u32>>) {
        if nodes.is_empty() {
            return;
        }
        let Some(level) = self.levels.get(at) else {
            match out.last_mut() {
                Some(last) if last.end == nodes.start => last.end = nodes.end,
                _ => out.push(nodes),
            }
            return;
        };
        let children = |node: u32| level.start[node as usize]..level.start[node as usize + 1];
        let states = &level.state[nodes.start as usize..nodes.end as usize];
        match wants[at] {
            Want::All if wants[at..].iter().all(|w| matches!(w, Want::All)) => {
                let mut ends = nodes;
                for level in &self.levels[at..] {
                    ends = level.start[ends.start as usize]..level.start[ends.end as usize];
                }
                self.descend(self.levels.len(), ends, wants, out);
            }
            Want::All => {
                for node in nodes {
                    self.descend(at + 1, children(node), wants, out);
                }
            }
            Want::Of(a, b) if (a.len() + b.len()) * 4 < states.len() => {
                let mut merged = merge(a, b);
                merged.retain_mut(|state| match states.binary_search(state) {
                    Ok(place) => {
                        *state = nodes.start + place as u32;
                        true
                    }
                    Err(_) => false,
                });
                for node in merged {
                    self.descend(at + 1, children(node), wants, out);
                }
            }
            Want::Of(a, b) => {
                for node in nodes {
                    let state = &level.state[node as usize];
                    if a.binary_search(state).is_ok() || b.binary_search(state).is_ok() {
                        self.descend(at + 1, children(node), wants, out);
                    }
                }
            }
        }
    }
}

fn merge(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut all = [a, b].concat();
    if !b.is_empty() {
        all.sort_unstable();
    }
    all
}

/// Number of ranks.
pub(crate) fn total(ranges: &[Range<u32>]) -> u64 {
    ranges.iter().map(|r| u64::from(r.end - r.start)).sum()
}

/// Is a rank in one of the ranges?
pub(crate) fn holds(ranges: &[Range<u32>], rank: u32) -> bool {
    let at = ranges.partition_point(|r| r.end <= rank);
    ranges.get(at).is_some_and(|r| r.start <= rank)
}
