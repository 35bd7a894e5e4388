//! The linker of person lists (`kiban_linkage::tool`) over the identified person rows.
//!
//! Enters: person rows as a list, one record for each way in which a source wrote a person; what was learnt before
//! ([`Memory`]). Leaves: edges of which the model is sure, pairs that people should look at, and the memory of next time.
//! Conservative: an edge needs [`LINK_BITS`]; what is between is looked at, what joins two numbers of one holder too.
//! A list of fewer than [`FEWEST`] records teaches too little to link by itself: then everything is only proposed.
//!
//! Incremental: records are named after what they say, so a run adds what is new, erases what is gone and leaves the
//! rest; the result is that of a run over all with the same memory (`linkage.batch-is-increments`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use kiban_kernel::{Digest, Id, kinds};
use kiban_linkage::{
    Constraint as Bound, ConstraintKind, Edge, Ground, KeyRule, State, StateError, Strength,
    review::GroupReport,
    tool::{self, Options, ToolError},
};

type Source = Id<kinds::PersonSource>;

/// Log2 odds from which the model links unseen: one wrong in about a thousand by its own account.
pub const LINK_BITS: f64 = 10.0;
/// Records below which the model links nothing by itself.
pub const FEWEST: usize = 500;
/// Pairs that are proposed at most.
const MOST_CANDIDATES: usize = 2000;
/// An answer that tells less than this many bits is not worth anybody's time.
const LEAST_INFORMATION: f64 = 0.01;
const HEADER: &str = "record_id,source_id,name_kanji,name_kana,sex,birth_date,postal_code,address,phone,insurer_no,symbol,number,branch\n";

/// What the linker learnt and holds: model, records in comparable form, scores. It identifies people; keep it sealed.
#[derive(Default)]
pub struct Memory(Option<State>);

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} records)", self.records())
    }
}

impl Memory {
    /// From the bytes of [`Memory::to_bytes`].
    ///
    /// # Errors
    /// Damaged, or of another version: link without it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        Ok(Self(Some(State::read(bytes)?)))
    }

    /// The bytes; `None` if nothing was learnt yet.
    ///
    /// # Errors
    /// Never for a memory made here; typed so that a broken one says so.
    pub fn to_bytes(&self) -> Result<Option<Vec<u8>>, StateError> {
        let Some(state) = &self.0 else { return Ok(None) };
        let mut out = Vec::new();
        state.write(&mut out)?;
        Ok(Some(out))
    }

    /// Records it holds.
    pub fn records(&self) -> usize {
        self.0.as_ref().map_or(0, State::records)
    }

    /// Without the records of some persons; how many there were.
    ///
    /// # Errors
    /// The state cannot be changed.
    pub fn without(self, persons: &[Source]) -> Result<(Self, u64), ToolError> {
        let Some(state) = self.0 else { return Ok((self, 0)) };
        let gone: BTreeSet<String> = persons.iter().map(ToString::to_string).collect();
        let erase: Vec<String> =
            records_of(&state).into_iter().filter(|r| gone.contains(owner(r))).collect();
        if erase.is_empty() {
            return Ok((Self(Some(state)), 0));
        }
        let count = erase.len() as u64;
        let changed = tool::update(state, None, &erase, &Options::default(), &|_| {})?;
        let state = changed.run.into_state();
        Ok((Self((state.records() > 0).then_some(state)), count))
    }

    /// Does it hold anything of one of these persons?
    pub fn knows(&self, persons: &[Source]) -> bool {
        let Some(state) = &self.0 else { return false };
        let names: BTreeSet<String> = persons.iter().map(ToString::to_string).collect();
        records_of(state).iter().any(|r| names.contains(owner(r)))
    }

    /// All records, by the persons that the linker makes of them.
    pub(super) fn records_list(&self) -> Vec<String> {
        self.0.as_ref().map(records_of).unwrap_or_default()
    }

    /// Log2 odds of two records.
    pub(super) fn score_of(&self, l: &str, r: &str) -> Option<f64> {
        self.0.as_ref()?.why_of(l, r).map(|(_, score)| score)
    }

    /// Whom linkage serves worse: groups by sex, age, kind of name and holder, the weakest first. `known`: pairs of sources
    /// known from elsewhere to be one person; without any the model's own expectation stands in. In the groups of sources
    /// the value is the holder's id.
    pub fn bias(&self, known: &[(Source, Source)]) -> Vec<GroupReport> {
        let Some(state) = &self.0 else { return Vec::new() };
        let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in records_of(state) {
            of.entry(owner(&record).to_owned()).or_default().push(record);
        }
        for records in of.values_mut() {
            records.sort_unstable();
        }
        // What one source wrote is bound together, so one record stands for all.
        let first = |s: &Source| of.get(&s.to_string()).and_then(|r| r.first()).cloned();
        let pairs: Vec<(String, String)> =
            known.iter().filter_map(|(a, b)| Some((first(a)?, first(b)?))).collect();
        state.bias(&pairs)
    }

    /// Why two sources are, or are not, thought one person: the bars of their best pair of records, which sum to its
    /// log2 odds. `None` if one of them has no record.
    pub fn why(&self, a: Source, b: Source) -> Option<Why> {
        let state = self.0.as_ref()?;
        let all = records_of(state);
        let of = |source: Source| -> Vec<&String> {
            let name = source.to_string();
            all.iter().filter(|r| owner(r) == name).collect()
        };
        let (left, right) = (of(a), of(b));
        let mut best: Option<Why> = None;
        for l in &left {
            for r in &right {
                let (reasons, score) = state.why_of(l, r)?;
                if best.as_ref().is_none_or(|b| b.score < score) {
                    let bars = reasons.iter().map(|r| (r.ja(), r.bits)).collect();
                    best = Some(Why { bars, score });
                }
            }
        }
        best
    }
}

/// Why a pair scores as it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    /// Japanese words of each reason, with its bits for (positive) or against one person.
    pub bars: Vec<(String, f64)>,
    /// Log2 odds; the sum of the bars.
    pub score: f64,
}

/// Two sources that people should look at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The lower source.
    pub a: Source,
    /// The higher.
    pub b: Source,
    /// Log2 odds of the pair of records that tells most.
    pub score: f64,
    /// What an answer tells, in bits.
    pub information: f64,
    /// Pairs of records that an answer may change.
    pub effect: u64,
    /// Information times effect.
    pub priority: f64,
}

/// One way in which a source wrote a person, as cells of the list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) source: Source,
    /// Holder, names, sex, birth, postal code, address, telephone, insurer, symbol, number, branch.
    pub(super) cells: [String; 12],
}

impl Row {
    /// Cells with what would break a line taken out.
    fn line(&self) -> String {
        let mut line = String::new();
        for cell in &self.cells {
            line.push(',');
            line.extend(cell.chars().filter(|c| !matches!(c, '"' | ',' | '\r' | '\n')));
        }
        line
    }
}

/// What the model found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) edges: Vec<Edge>,
    pub(super) candidates: Vec<Candidate>,
}

pub(super) fn owner(record: &str) -> &str {
    record.split_once('.').map_or(record, |(owner, _)| owner)
}

fn records_of(state: &State) -> Vec<String> {
    state.clusters().into_iter().flatten().collect()
}

/// Links the rows. Blocks; run it on a thread of its own.
pub(super) fn link(
    memory: Memory,
    ids: &[Source],
    rows: &[Row],
) -> Result<(Memory, Found), ToolError> {
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    let mut of_source: BTreeMap<Source, Vec<String>> = BTreeMap::new();
    for row in rows {
        let line = row.line();
        let digest = Digest::of(line.as_bytes()).to_string();
        let id = format!("{}.{}", row.source, &digest[..16]);
        let records = of_source.entry(row.source).or_default();
        if !records.contains(&id) {
            records.push(id.clone());
        }
        wanted.insert(id, line);
    }
    if wanted.is_empty() {
        return Ok((Memory::default(), Found::default()));
    }
    // What one source wrote of one number is one person.
    let constraints = of_source
        .values()
        .flat_map(|records| records.windows(2))
        .map(|pair| Bound {
            record_l: pair[0].clone(),
            record_r: pair[1].clone(),
            kind: ConstraintKind::Must,
            ground: Ground::Given,
        })
        .collect();
    let options = Options { constraints, ..Options::default() };
    let list = |keep: &dyn Fn(&str) -> bool| {
        let mut text = HEADER.to_owned();
        for (id, line) in wanted.iter().filter(|(id, _)| keep(id)) {
            text.push_str(id);
            text.push_str(line);
            text.push('\n');
        }
        text
    };
    // A list that has doubled since is learnt anew.
    let state = match memory.0.filter(|s| s.records() * 2 >= wanted.len()) {
        Some(state) => {
            let erase: Vec<String> =
                records_of(&state).into_iter().filter(|r| !wanted.contains_key(r)).collect();
            let added = list(&|id| !state.has(id));
            if added.len() == HEADER.len() && erase.is_empty() {
                state
            } else {
                let mut bytes = added.as_bytes();
                let add: Option<&mut (dyn std::io::Read + Send)> =
                    if added.len() == HEADER.len() { None } else { Some(&mut bytes) };
                tool::update(state, add, &erase, &options, &|_| {})?.run.into_state()
            }
        }
        None => tool::link(list(&|_| true).as_bytes(), &options, &|_| {})?.into_state(),
    };
    let found = found(&state, ids);
    Ok((Memory(Some(state)), found))
}

fn found(state: &State, ids: &[Source]) -> Found {
    let place: BTreeMap<String, u32> =
        ids.iter().zip(0..).map(|(id, at)| (id.to_string(), at)).collect();
    let ends = |l: &str, r: &str| {
        let (a, b) = (*place.get(owner(l))?, *place.get(owner(r))?);
        (a != b).then_some((a.min(b), a.max(b)))
    };
    let mut out = Found::default();
    if state.records() >= FEWEST {
        let sure: BTreeSet<(u32, u32)> = state
            .scored()
            .filter(|(_, _, score, linked)| *linked && *score >= LINK_BITS)
            .filter_map(|(l, r, ..)| ends(&l, &r))
            .collect();
        out.edges = sure
            .into_iter()
            .map(|(a, b)| Edge { a, b, rule: KeyRule::Model, strength: Strength::Supported })
            .collect();
    }
    let mut best: BTreeMap<(u32, u32), Candidate> = BTreeMap::new();
    for case in state.worklist(MOST_CANDIDATES) {
        let Some((a, b)) = ends(&case.record_l, &case.record_r) else { continue };
        if case.information < LEAST_INFORMATION {
            continue;
        }
        let candidate = Candidate {
            a: ids[a as usize],
            b: ids[b as usize],
            score: case.score,
            information: case.information,
            effect: case.effect,
            priority: case.priority,
        };
        let entry = best.entry((a, b)).or_insert(candidate);
        if entry.priority < candidate.priority {
            *entry = candidate;
        }
    }
    out.candidates = best.into_values().collect();
    out.candidates
        .sort_by(|x, y| y.priority.total_cmp(&x.priority).then((x.a, x.b).cmp(&(y.a, y.b))));
    out
}
