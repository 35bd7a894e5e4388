//! Candidates: for a local item of a holder, the entries of a master that it may be, with score and reasons.
//!
//! Enters: a [`Master`], items of other holders that are mapped already ([`Known`]), and [`LocalItem`]s with a summary of their
//! values; never a value of a person. Leaves: [`Candidate`]s, best first, whose features add up to the score. Refuses: a
//! candidate whose values cannot be the same quantity in the stated unit is vetoed, and the veto says why.

mod distribution;
mod fold;
mod index;
mod lexicon;
mod name;
mod range;
mod score;

pub use distribution::{Distribution, FEWEST, Shift, Verdict, compare};
pub use lexicon::Domain;
pub use score::{Candidate, Feature, FeatureKind, Veto};

use hashbrown::HashMap;
use jiff::civil::Date;
use rayon::prelude::*;

use crate::{
    master::Master,
    unit::{Analyte, Unit},
};

/// Entries that are looked at closely for each item.
const CLOSELY: usize = 200;

/// An item as a holder has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LocalItem {
    /// The holder's own code.
    pub code: String,
    /// Its names: long, short, kana; empty ones are ignored.
    pub names: Vec<String>,
    /// Unit text.
    pub unit: Option<String>,
    /// Specimen text.
    pub specimen: Option<String>,
    /// Method text.
    pub method: Option<String>,
    /// Reference range text (`10-40`, `≦40`).
    pub range: Option<String>,
    /// Its values, summed up.
    pub values: Option<Distribution>,
}

/// An item of another holder that is mapped, signed, to a code of the master.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The code of the master.
    pub code: String,
    /// The item. Its names count as names of the entry.
    pub item: LocalItem,
}

struct Peer {
    unit: Option<Unit>,
    range: Option<range::Range>,
    values: Option<Distribution>,
}

/// What an entry is compared by, besides its names.
struct Facts {
    specimen: Option<u16>,
    method: Option<u16>,
    strengths: Vec<name::Strength>,
    analyte: Option<&'static Analyte>,
    peers: Vec<Peer>,
}

/// A master, made ready for many items.
///
/// # Cost
/// Building reads every different name once: O(letters), about 25 postings of 8 bytes a name. A query adds up the postings of
/// its features and looks closely at the 200 best entries, and at all that bear the last one's name.
pub struct Bench<'m> {
    master: &'m Master,
    domain: Domain,
    index: index::Index,
    facts: Vec<Facts>,
    on: Option<Date>,
}

impl std::fmt::Debug for Bench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entries = self.master.entries().len();
        f.debug_struct("Bench").field("entries", &entries).finish_non_exhaustive()
    }
}

impl<'m> Bench<'m> {
    /// Make ready. `on`: entries not in force that day are no candidates.
    pub fn new(master: &'m Master, domain: Domain, known: &[Known], on: Option<Date>) -> Self {
        let lexicon = lexicon::lexicon(domain);
        let in_force = |at: usize| on.is_none_or(|day| master.entries()[at].in_force(day));
        // Each name once, with all entries that bear it: the master's, then those of other holders.
        let mut texts: Vec<(&str, Vec<u32>)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        let entries = master.entries().iter().enumerate().filter(|(at, _)| in_force(*at));
        let own = entries.flat_map(|(at, e)| e.names.iter().chain(&e.kana).map(move |n| (n, at)));
        let placed = |one: &Known| master.place(&one.code).filter(|at| in_force(*at));
        let others = known
            .iter()
            .filter_map(|one| placed(one).map(|at| (one, at)))
            .flat_map(|(one, at)| one.item.names.iter().map(move |n| (n, at)));
        for (text, at) in own.chain(others).filter(|(text, _)| !text.trim().is_empty()) {
            let place = *places.entry(text).or_insert_with(|| {
                texts.push((text, Vec::new()));
                texts.len() - 1
            });
            let owners = &mut texts[place].1;
            if owners.last() != Some(&(at as u32)) {
                owners.push(at as u32);
            }
        }
        let documents: Vec<(Vec<u32>, name::Name)> = texts
            .into_par_iter()
            .map(|(text, owners)| (owners, name::read(text, domain)))
            .collect();
        let mut facts: Vec<Facts> = master
            .entries()
            .par_iter()
            .map(|entry| {
                let mut strengths: Vec<name::Strength> = Vec::new();
                // The strength of a drug stands in the name that is shown or in its own column.
                let texts = [entry.names.first(), entry.method.as_ref()];
                for strength in texts.into_iter().flatten().flat_map(|t| name::strengths(t)) {
                    if !strengths.contains(&strength) {
                        strengths.push(strength);
                    }
                }
                let laboratory = domain == Domain::Laboratory;
                let specimen = laboratory
                    .then(|| facet(entry.specimen.as_deref(), domain).0)
                    .flatten()
                    .or_else(|| {
                        material(master.system(), &entry.code).and_then(|k| lexicon.specimen(k))
                    });
                Facts {
                    specimen,
                    method: laboratory.then(|| facet(entry.method.as_deref(), domain).1).flatten(),
                    strengths,
                    analyte: (master.system() == "jlac10")
                        .then(|| Analyte::of_jlac10(&entry.code))
                        .flatten(),
                    peers: Vec::new(),
                }
            })
            .collect();
        // What the names say where the columns do not.
        for (owners, name) in &documents {
            for at in owners {
                let facts = &mut facts[*at as usize];
                facts.specimen = facts.specimen.or(name.specimen);
                facts.method = facts.method.or(name.method);
            }
        }
        for one in known {
            let Some(at) = placed(one) else { continue };
            facts[at].peers.push(Peer {
                unit: one.item.unit.as_deref().and_then(Unit::parse),
                range: one.item.range.as_deref().and_then(range::parse),
                values: one.item.values.clone(),
            });
        }
        let index = index::Index::new(&documents);
        Self { master, domain, index, facts, on }
    }

    /// The master.
    pub const fn master(&self) -> &'m Master {
        self.master
    }

    /// The day on which entries have to be in force.
    pub const fn on(&self) -> Option<Date> {
        self.on
    }

    /// The `most` best candidates of one item, best first: by veto, score, code.
    pub fn rank(&self, item: &LocalItem, most: usize) -> Vec<Candidate> {
        self.rank_with(item, most, &mut index::Scratch::default())
    }

    /// The same for many items, in their order; the same for any number of threads.
    pub fn rank_all(&self, items: &[LocalItem], most: usize) -> Vec<Vec<Candidate>> {
        items
            .par_iter()
            .map_init(index::Scratch::default, |scratch, item| self.rank_with(item, most, scratch))
            .collect()
    }

    fn rank_with(
        &self,
        item: &LocalItem,
        most: usize,
        scratch: &mut index::Scratch,
    ) -> Vec<Candidate> {
        let mut seen: HashMap<&str, ()> = HashMap::new();
        let names: Vec<name::Name> = item
            .names
            .iter()
            .filter(|text| !text.trim().is_empty() && seen.insert(text.as_str(), ()).is_none())
            .map(|text| name::read(text, self.domain))
            .collect();
        let local = score::Local::new(item, &names, self.domain);
        let mut candidates: Vec<Candidate> = self
            .index
            .search(&names, CLOSELY.max(most), scratch)
            .into_iter()
            .map(|hit| {
                let at = hit.entry as usize;
                let entry = &self.master.entries()[at];
                score::candidate(&local, entry, &self.facts[at], hit.similarity, self.domain)
            })
            .collect();
        candidates.sort_by(|a, b| {
            let apart = |c: &Candidate| matches!(c.veto, Some(Veto::Apart { .. }));
            apart(a).cmp(&apart(b)).then(b.score.cmp(&a.score)).then_with(|| a.code.cmp(&b.code))
        });
        candidates.truncate(most);
        candidates.iter_mut().for_each(score::explain_name);
        candidates
    }
}

/// Specimen and method that a text names.
fn facet(text: Option<&str>, domain: Domain) -> (Option<u16>, Option<u16>) {
    let name = text.map(|t| name::read(t, domain)).unwrap_or_default();
    (name.specimen, name.method)
}

/// The specimen of the commonest JLAC10 material codes (formats.md 11), where the master names none.
fn material(system: &str, code: &str) -> Option<&'static str> {
    if system != "jlac10" {
        return None;
    }
    match code.get(9..12)? {
        "023" => Some("serum"),
        "022" => Some("plasma"),
        "019" => Some("blood"),
        "001" => Some("urine"),
        _ => None,
    }
}
