//! The released records nearest to what is known of a person: exact, by branch and bound over the trie.

use crate::adversary::trie::Trie;
use crate::holdings::{Facts, HoldingsError, Relation, States, days_fit};
use crate::rate::Chance;
use core::ops::Range;

/// A whole attribute apart.
const APART: u32 = 1_000_000;
/// A label that may be anything: nearer than another value, farther than the same.
const ANYTHING: u32 = APART / 2;
/// States up to which distances are put into a table first.
const TABLE: usize = 4_096;
/// Most days known of a person.
const DAYS: usize = 3;

/// Attributes to compare over, and the records by their combination of labels.
pub(crate) struct Nearest<'a> {
    facts: &'a Facts,
    /// Attribute and released states of each level.
    levels: Vec<(usize, States)>,
    pub(crate) trie: Trie,
}

/// What is known of one person: distances by state, where they are in a table.
struct Known<'a> {
    nearest: &'a Nearest<'a>,
    person: u32,
    days: Vec<Vec<i32>>,
    tables: Vec<Option<Vec<u32>>>,
    /// A record that is not there.
    without: Option<u32>,
}

/// Ranges of the nearest ranks, with the distance.
#[derive(Debug, Default, Clone)]
pub(crate) struct Found {
    distance: u32,
    pub(crate) ranges: Vec<Range<u32>>,
}

impl<'a> Nearest<'a> {
    pub(crate) fn over(facts: &'a Facts, attributes: &[usize]) -> Self {
        let mut levels: Vec<(usize, States)> = attributes
            .iter()
            .map(|at| (*at, States::of(facts.shown(*at), facts.records())))
            .collect();
        levels.sort_by_key(|(_, states)| states.cells.len());
        let columns: Vec<&[u32]> = levels.iter().map(|(_, s)| s.of_person.as_slice()).collect();
        let trie = Trie::of(&columns, facts.records());
        Self { facts, levels, trie }
    }

    pub(crate) fn of_names(facts: &'a Facts, names: &[String]) -> Result<Self, HoldingsError> {
        let places: Result<Vec<usize>, _> = names.iter().map(|n| facts.place(n)).collect();
        Ok(Self::over(facts, &places?))
    }

    /// The nearest records, one of them perhaps not there.
    pub(crate) fn find(&self, person: u32, without: Option<u32>, seed: u64) -> Found {
        let mut known = Known {
            nearest: self,
            person,
            days: Vec::new(),
            tables: Vec::new(),
            without: without.map(|record| self.trie.rank_of[record as usize]),
        };
        for (level, (at, states)) in self.levels.iter().enumerate() {
            let mut days = Vec::new();
            if let Relation::Dates { .. } = self.facts.attributes[*at].relation {
                days = self.facts.held(*at).of(person).to_vec();
                if days.len() > DAYS {
                    let mut chance = Chance::new(seed, u64::from(person) << 8 | level as u64);
                    let mut drawn = chance.draw(DAYS, days.len());
                    drawn.sort_unstable();
                    days = drawn.iter().map(|d| days[*d as usize]).collect();
                }
            }
            known.days.push(days);
            let table = (states.cells.len() <= TABLE)
                .then(|| (0..states.cells.len()).map(|s| known.measure(level, s as u32)).collect());
            known.tables.push(table);
        }
        let mut found = Found { distance: u32::MAX, ranges: Vec::new() };
        known.descend(0, self.trie.roots(), 0, &mut found);
        found
    }
}

impl Known<'_> {
    fn distance(&self, level: usize, state: u32) -> u32 {
        match &self.tables[level] {
            Some(table) => table[state as usize],
            None => self.measure(level, state),
        }
    }

    fn measure(&self, level: usize, state: u32) -> u32 {
        let (at, states) = &self.nearest.levels[level];
        let shown = &states.cells[state as usize];
        let facts = self.nearest.facts;
        let labels = match &facts.attributes[*at].relation {
            Relation::Dates { max_days, missing } => {
                let days = &self.days[level];
                return match (days.is_empty(), shown.is_empty() && *missing) {
                    (true, _) => 0,
                    (false, true) => ANYTHING,
                    _ if days_fit(days, shown, *max_days, false) => 0,
                    _ => APART,
                };
            }
            Relation::Labels(labels) => labels,
        };
        let held = facts.held(*at).of(self.person);
        let (mut sum, mut count) = (0_u64, 0_u64);
        let wild = labels.wild(shown);
        for value in held.iter().filter(|v| !labels.unknown[**v as usize]) {
            count += 1;
            if labels.shows(*value, shown) {
                continue;
            }
            sum += u64::from(match (&labels.scale, wild) {
                (_, true) => ANYTHING,
                (None, _) => APART,
                (Some((values, places)), _) => {
                    let Some(value) = values[*value as usize] else { return APART };
                    let near = shown.iter().filter_map(|l| places[*l as usize]);
                    // Not the same: at least one step.
                    near.map(|p| ((value.distance(p) * f64::from(APART)) as u32).clamp(1, APART))
                        .min()
                        .unwrap_or(APART)
                }
            });
        }
        sum.checked_div(count).unwrap_or(0) as u32
    }

    fn descend(&self, level: usize, nodes: Range<u32>, sum: u32, found: &mut Found) {
        let trie = &self.nearest.trie;
        let Some(own) = trie.levels.get(level) else {
            let alone = nodes.len() == 1 && self.without == Some(nodes.start);
            if nodes.is_empty() || alone || sum > found.distance {
                return;
            }
            if sum < found.distance {
                found.ranges.clear();
                found.distance = sum;
            }
            match self.without.filter(|w| nodes.contains(w)) {
                None => found.ranges.push(nodes),
                Some(w) => {
                    let parts = [nodes.start..w, w + 1..nodes.end];
                    found.ranges.extend(parts.into_iter().filter(|r| !r.is_empty()));
                }
            }
            return;
        };
        let mut children: Vec<(u32, u32)> = nodes
            .map(|node| (self.distance(level, own.state[node as usize]), node))
            .filter(|(distance, _)| sum.saturating_add(*distance) <= found.distance)
            .collect();
        children.sort_unstable();
        for (distance, node) in children {
            if sum + distance > found.distance {
                break;
            }
            let below = own.start[node as usize]..own.start[node as usize + 1];
            self.descend(level + 1, below, sum + distance, found);
        }
    }
}

impl Found {
    pub(crate) fn len(&self) -> usize {
        self.ranges.iter().map(|r| r.len()).sum()
    }

    /// At most so many of the records found, drawn.
    pub(crate) fn some(&self, most: usize, trie: &Trie, chance: &mut Chance) -> Vec<u32> {
        let all = self.len();
        let mut places =
            if all <= most { (0..all as u32).collect() } else { chance.draw(most, all) };
        places.sort_unstable();
        let mut records = Vec::with_capacity(places.len());
        let (mut ranges, mut before) = (self.ranges.iter(), 0);
        let mut range = ranges.next();
        for place in places {
            while let Some(r) = range.filter(|r| place - before >= r.end - r.start) {
                before += r.end - r.start;
                range = ranges.next();
            }
            let Some(range) = range else { break };
            records.push(trie.record_at[(range.start + place - before) as usize]);
        }
        records
    }
}
