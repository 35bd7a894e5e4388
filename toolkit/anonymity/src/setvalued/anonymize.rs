//! From sets to k^m-anonymous sets: items are generalised, or suppressed, where that costs least.
//!
//! One map for all persons (global recoding), size by size, as in the apriori anonymization of Terrovitis et al.
//! 2008. Merging items never lowers a support, so that sizes already done stay done.

use super::check::{KmReport, check_km, limits};
use super::mine::Miner;
use super::{ItemSets, SetError};
use crate::hierarchy::Hierarchy;
use core::cmp::Reverse;
use std::collections::BinaryHeap;

/// What may be done to items.
#[derive(Debug, Clone, Copy)]
pub struct KmSettings<'a> {
    /// Smallest group.
    pub k: u32,
    /// Items an adversary knows.
    pub m: usize,
    /// Items may be replaced by their labels in this hierarchy.
    pub hierarchy: Option<&'a Hierarchy>,
    /// Items may be suppressed.
    pub suppress: bool,
    /// Suppressed items become one residual item ("other") rather than nothing, as long as it does no harm.
    pub residual: bool,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate<'a> {
    /// Left as it is.
    Kept,
    /// Replaced by a label of the hierarchy.
    Label(&'a str),
    /// Part of the residual item.
    Residual,
    /// Left out.
    Suppressed,
}

/// Sets that are k^m-anonymous.
#[derive(Debug, Clone)]
pub struct KmAnswer {
    /// The sets, with items numbered anew.
    pub sets: ItemSets,
    /// Share of the information of all pairs that is lost: a pair under a label with n of N leaves costs
    /// (n - 1) / (N - 1), a suppressed or residual one 1.
    pub loss: f64,
    /// Pairs of person and item that were suppressed or became residual.
    pub suppressed_pairs: u64,
    /// Items that were generalised.
    pub generalised_items: usize,
    /// Items that were suppressed or became residual.
    pub suppressed_items: usize,
    /// Violations before.
    pub before: KmReport,
    /// Violations after: none.
    pub after: KmReport,
    fates: Vec<Option<u32>>,
    nodes: Nodes,
}

impl KmAnswer {
    /// What became of an item (by its number in the sets that were given).
    pub fn fate<'a>(&self, item: u32, hierarchy: Option<&'a Hierarchy>) -> Fate<'a> {
        let Some(node) = self.fates[item as usize] else { return Fate::Suppressed };
        if node == self.nodes.residual() {
            return Fate::Residual;
        }
        let level = self.nodes.starts.partition_point(|start| *start <= node) - 1;
        match hierarchy {
            Some(hierarchy) if level > 0 => {
                let label = (node - self.nodes.starts[level]) as usize;
                Fate::Label(&hierarchy.levels[level].labels[label])
            }
            _ => Fate::Kept,
        }
    }
}

/// Items, their labels at every level, and the residual item, all numbered: level 0 first.
#[derive(Debug, Clone)]
struct Nodes {
    /// First number of each level; then that of the residual item.
    starts: Vec<u32>,
    parent: Vec<Option<u32>>,
    /// Share of information a pair under the node loses.
    cost: Vec<f64>,
}

impl Nodes {
    fn residual(&self) -> u32 {
        self.parent.len() as u32 - 1
    }

    fn flat(kinds: u32) -> Self {
        let mut cost = vec![0.0; kinds as usize];
        cost.push(1.0);
        Self { starts: vec![0, kinds], parent: vec![None; kinds as usize + 1], cost }
    }

    fn tree(hierarchy: &Hierarchy) -> Self {
        let mut nodes = Self { starts: vec![0], parent: Vec::new(), cost: Vec::new() };
        let leaves = hierarchy.labels(0);
        for level in 0..hierarchy.levels() {
            let next = nodes.starts[level] + hierarchy.labels(level) as u32;
            nodes.starts.push(next);
            let mut under = vec![0_u32; hierarchy.labels(level)];
            for label in &hierarchy.levels[level].of_leaf {
                under[*label as usize] += 1;
            }
            let cost = |n: u32| f64::from(n - 1) / (leaves.max(2) - 1) as f64;
            nodes.cost.extend(under.into_iter().map(cost));
            if level + 1 < hierarchy.levels() {
                let up = hierarchy.step(level, level + 1);
                nodes.parent.extend(up.into_iter().map(|label| Some(next + label)));
            } else {
                nodes.parent.resize(next as usize, None);
            }
        }
        nodes.parent.push(None);
        nodes.cost.push(1.0);
        nodes
    }

    /// The parent that is really more than the node: chains of one child are skipped.
    fn up(&self, node: u32) -> Option<u32> {
        let mut up = self.parent[node as usize]?;
        while self.cost[up as usize] <= self.cost[node as usize] {
            up = self.parent[up as usize]?;
        }
        Some(up)
    }

    fn is_under(&self, mut node: u32, above: u32) -> bool {
        loop {
            if node == above {
                return true;
            }
            match self.parent[node as usize] {
                Some(up) if up <= above => node = up,
                _ => return false,
            }
        }
    }
}

/// What to do with a node.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Generalise(u32),
    Residual,
    Drop,
}

/// Make sets k^m-anonymous. `names` are the items' names, looked up in the hierarchy.
///
/// # Guarantee
/// [`check_km`] holds for the answer; one item is treated alike for all persons; deterministic.
/// # Errors
/// [`SetError`]: limits out of range, an item the hierarchy lacks, nothing allowed that would reach k.
pub fn anonymize_km(
    sets: &ItemSets,
    names: &[Box<str>],
    settings: &KmSettings<'_>,
) -> Result<KmAnswer, SetError> {
    limits(settings.k, settings.m)?;
    let kinds = sets.kinds();
    let (nodes, mut fates): (Nodes, Vec<Option<u32>>) = match settings.hierarchy {
        None => (Nodes::flat(kinds), (0..kinds).map(Some).collect()),
        Some(hierarchy) => {
            let leaf = |(position, name): (usize, &str)| {
                let leaf = hierarchy.values.get(name).copied();
                leaf.map(Some).ok_or(SetError::ItemMissing { position })
            };
            (
                Nodes::tree(hierarchy),
                names.iter().map(AsRef::as_ref).enumerate().map(leaf).collect::<Result<_, _>>()?,
            )
        }
    };
    if fates.len() != kinds as usize {
        return Err(SetError::Range { parameter: "names" });
    }
    let before = check_km(sets, settings.k, settings.m)?;
    let original = sets.supports();
    let count = nodes.parent.len() as u32;
    let mut current = sets.mapped(count, &fates);
    let mut size = if before.holds { settings.m + 1 } else { 1 };
    while size <= settings.m {
        let (found, _) = Miner::new(&current, settings.k).run(size, true);
        let violators = found.iter().find(|violators| !violators.supports.is_empty());
        let Some(violators) = violators else {
            size += 1;
            continue;
        };
        let acts = choose(&violators.items, violators.size, &nodes, &fates, &original, settings)
            .ok_or(SetError::Impossible { persons: current_persons(&current), k: settings.k })?;
        for (node, act) in acts {
            for fate in &mut fates {
                *fate = match (*fate, act) {
                    (Some(own), Act::Generalise(up)) if nodes.is_under(own, up) => Some(up),
                    (Some(own), Act::Residual) if own == node => Some(nodes.residual()),
                    (Some(own), Act::Drop) if own == node => None,
                    (fate, _) => fate,
                };
            }
        }
        current = sets.mapped(count, &fates);
    }
    let lost = |fate: &Option<u32>| fate.map_or(1.0, |node| nodes.cost[node as usize]);
    let pairs = |of: &dyn Fn(&Option<u32>) -> bool| -> u64 {
        let each = fates.iter().zip(&original).filter(|(fate, _)| of(fate));
        each.map(|(_, n)| u64::from(*n)).sum()
    };
    let gone = |fate: &Option<u32>| fate.is_none_or(|node| node == nodes.residual());
    let present = || fates.iter().zip(&original).filter(|(_, n)| **n > 0).map(|(fate, _)| fate);
    let sum: f64 = fates.iter().zip(&original).map(|(f, n)| lost(f) * f64::from(*n)).sum();
    Ok(KmAnswer {
        loss: if sets.pairs() == 0 { 0.0 } else { sum / sets.pairs() as f64 },
        suppressed_pairs: pairs(&gone),
        generalised_items: present()
            .filter(|fate| !gone(fate) && fate.is_some_and(|node| nodes.cost[node as usize] > 0.0))
            .count(),
        suppressed_items: present().filter(|fate| gone(fate)).count(),
        before,
        after: check_km(&current, settings.k, settings.m)?,
        sets: current,
        fates,
        nodes,
    })
}

fn current_persons(sets: &ItemSets) -> u32 {
    (0..sets.persons()).filter(|person| !sets.of(*person).is_empty()).count() as u32
}

/// A cost per violator, and the node it is for; smallest first in a reversed heap.
#[derive(PartialEq)]
struct Offer(f64, u32);

impl Eq for Offer {}
impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Offer {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

/// Acts that touch every violator, cheapest per violator first. None if a violator cannot be touched.
fn choose(
    violators: &[u32],
    size: usize,
    nodes: &Nodes,
    fates: &[Option<u32>],
    supports: &[u32],
    settings: &KmSettings<'_>,
) -> Option<Vec<(u32, Act)>> {
    let count = nodes.parent.len();
    let mut pairs = vec![0_u64; count];
    for (fate, support) in fates.iter().zip(supports) {
        if let Some(node) = fate {
            pairs[*node as usize] += u64::from(*support);
        }
    }
    let alive: Vec<u32> = (0..count as u32).filter(|node| pairs[*node as usize] > 0).collect();
    let mut lists: Vec<Vec<u32>> = vec![Vec::new(); count];
    for (at, node) in violators.iter().enumerate() {
        lists[*node as usize].push((at / size) as u32);
    }
    let added = |node: u32, to: f64| pairs[node as usize] as f64 * (to - nodes.cost[node as usize]);
    let act = |node: u32| -> Option<(f64, Act)> {
        if node == nodes.residual() {
            return Some((0.0, Act::Drop));
        }
        let gone = if settings.residual { Act::Residual } else { Act::Drop };
        let suppress = settings.suppress.then(|| (added(node, 1.0), gone));
        let generalise = nodes.up(node).map(|up| {
            let under = alive.iter().filter(|other| nodes.is_under(**other, up));
            let cost = under.map(|other| added(*other, nodes.cost[up as usize])).sum::<f64>();
            (cost, Act::Generalise(up))
        });
        match (suppress, generalise) {
            (Some(a), Some(b)) => Some(if b.0 < a.0 { b } else { a }),
            (a, b) => a.or(b),
        }
    };
    let acts: Vec<Option<(f64, Act)>> = (0..count as u32)
        .map(|node| if lists[node as usize].is_empty() { None } else { act(node) })
        .collect();
    let mut open = vec![true; violators.len() / size];
    let mut left: Vec<u32> = lists.iter().map(|list| list.len() as u32).collect();
    let mut heap: BinaryHeap<Reverse<Offer>> = BinaryHeap::new();
    let offer = |node: u32, left: &[u32]| -> Option<Reverse<Offer>> {
        let cost = acts[node as usize].as_ref()?.0;
        let open = left[node as usize];
        (open > 0).then(|| Reverse(Offer(cost / f64::from(open), node)))
    };
    heap.extend(alive.iter().filter_map(|node| offer(*node, &left)));
    let mut chosen = Vec::new();
    while let Some(Reverse(Offer(price, node))) = heap.pop() {
        // What it covers can only have shrunk since it was offered: offer again, or take it.
        match offer(node, &left) {
            Some(Reverse(Offer(now, _))) if now <= price => {}
            again => {
                heap.extend(again);
                continue;
            }
        }
        let Some((_, act)) = acts[node as usize] else { continue };
        chosen.push((node, act));
        let touched: Vec<u32> = match act {
            Act::Generalise(up) => {
                alive.iter().copied().filter(|other| nodes.is_under(*other, up)).collect()
            }
            _ => vec![node],
        };
        for other in touched {
            for violator in &lists[other as usize] {
                let violator = *violator as usize;
                if core::mem::replace(&mut open[violator], false) {
                    for member in &violators[violator * size..(violator + 1) * size] {
                        left[*member as usize] -= 1;
                    }
                }
            }
        }
    }
    open.iter().all(|open| !open).then_some(chosen)
}
