//! The inverted index over the names of a master: TF-IDF weights from the master itself, cosine similarity.

use hashbrown::{HashMap, HashSet};

use super::name::{Feature, Name};

/// One name of one entry.
#[derive(Clone, Copy, Debug)]
struct Posting {
    document: u32,
    weight: f32,
}

/// Postings of all features, one after the other.
#[derive(Debug)]
pub(super) struct Index {
    features: HashMap<u64, u32>,
    /// Rarity of each feature.
    rarity: Vec<f32>,
    starts: Vec<u32>,
    postings: Vec<Posting>,
    /// The entries of each document: `owners[owned[d]..owned[d + 1]]`.
    owned: Vec<u32>,
    owners: Vec<u32>,
    unknown: f32,
}

/// A name that matched: its document's entry, and the cosine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    pub(super) entry: u32,
    pub(super) similarity: f32,
}

/// What a query needs that is as long as the index; kept between queries of one thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    sums: Vec<f32>,
    touched: Vec<u32>,
}

impl Index {
    /// An index of documents: a name that one entry or many bear. Masters repeat a name for each specimen and method.
    pub(super) fn new(documents: &[(Vec<u32>, Name)]) -> Self {
        let mut features: HashMap<u64, u32> = HashMap::new();
        let mut counts: Vec<u32> = Vec::new();
        for feature in documents.iter().flat_map(|(_, name)| &name.features) {
            let next = counts.len() as u32;
            let at = *features.entry(feature.key).or_insert(next);
            if at == next {
                counts.push(0);
            }
            counts[at as usize] += 1;
        }
        let all = documents.len() as f32;
        let rarity: Vec<f32> = counts.iter().map(|n| (1.0 + all / *n as f32).ln()).collect();
        let mut starts = vec![0_u32; counts.len() + 1];
        for (at, n) in counts.iter().enumerate() {
            starts[at + 1] = starts[at] + n;
        }
        let mut next = starts.clone();
        let mut postings = vec![
            Posting { document: 0, weight: 0.0 };
            starts.last().copied().unwrap_or(0) as usize
        ];
        let known = |feature: &Feature| features.get(&feature.key).copied();
        for (document, (_, name)) in documents.iter().enumerate() {
            let weights = weighed(name, |f| known(f).map_or(0.0, |at| rarity[at as usize]));
            for (feature, weight) in name.features.iter().zip(weights) {
                let Some(at) = known(feature) else { continue };
                let place = &mut next[at as usize];
                postings[*place as usize] = Posting { document: document as u32, weight };
                *place += 1;
            }
        }
        let mut owned = vec![0_u32];
        let mut owners: Vec<u32> = Vec::new();
        for (entries, _) in documents {
            owners.extend(entries);
            owned.push(owners.len() as u32);
        }
        let unknown = (1.0 + all).ln() / 2.0;
        Self { features, rarity, starts, postings, owned, owners, unknown }
    }

    /// The `most` best entries or more, best first, ties by entry; all entries that bear one name come together.
    pub(super) fn search(&self, names: &[Name], most: usize, scratch: &mut Scratch) -> Vec<Hit> {
        let mut documents: HashMap<u32, f32> = HashMap::new();
        scratch.sums.resize(self.owned.len() - 1, 0.0);
        for name in names {
            let weights = weighed(name, |f| {
                self.features.get(&f.key).map_or(self.unknown, |at| self.rarity[*at as usize])
            });
            for (feature, weight) in name.features.iter().zip(weights) {
                let Some(at) = self.features.get(&feature.key) else { continue };
                let (from, to) = (self.starts[*at as usize], self.starts[*at as usize + 1]);
                for posting in &self.postings[from as usize..to as usize] {
                    let sum = &mut scratch.sums[posting.document as usize];
                    if *sum == 0.0 {
                        scratch.touched.push(posting.document);
                    }
                    *sum += posting.weight * weight;
                }
            }
            let floor = floor(scratch, most);
            for document in scratch.touched.drain(..) {
                let sum = std::mem::take(&mut scratch.sums[document as usize]);
                if sum >= floor {
                    let best = documents.entry(document).or_insert(sum);
                    *best = best.max(sum);
                }
            }
        }
        let mut documents: Vec<(u32, f32)> = documents.into_iter().collect();
        documents.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut seen: HashSet<u32> = HashSet::new();
        let mut hits: Vec<Hit> = Vec::new();
        for (document, similarity) in documents {
            if hits.len() >= most {
                break;
            }
            let (from, to) = (self.owned[document as usize], self.owned[document as usize + 1]);
            for entry in &self.owners[from as usize..to as usize] {
                if seen.insert(*entry) {
                    hits.push(Hit { entry: *entry, similarity });
                }
            }
        }
        hits
    }
}

/// An entry may bear several names: four times as many names as entries wanted are let through.
fn floor(scratch: &Scratch, most: usize) -> f32 {
    let wanted = most.saturating_mul(4);
    if scratch.touched.len() <= wanted {
        return 0.0;
    }
    let mut sums: Vec<f32> =
        scratch.touched.iter().map(|document| scratch.sums[*document as usize]).collect();
    let (_, nth, _) = sums.select_nth_unstable_by(wanted, |a, b| b.total_cmp(a));
    *nth
}

/// The weights of a name's features: each space a unit vector, scaled by the root of its share.
fn weighed(name: &Name, rarity: impl Fn(&Feature) -> f32) -> Vec<f32> {
    let raw: Vec<f32> = name.features.iter().map(|f| f.weight * rarity(f)).collect();
    let mut norms = [0.0_f32; 2];
    for (feature, weight) in name.features.iter().zip(&raw) {
        norms[usize::from(feature.canonical)] += weight * weight;
    }
    name.features
        .iter()
        .zip(raw)
        .map(|(feature, weight)| {
            let norm = norms[usize::from(feature.canonical)].sqrt();
            if norm > 0.0 { weight / norm * feature.share().sqrt() } else { 0.0 }
        })
        .collect()
}
