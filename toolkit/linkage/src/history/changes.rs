//! From persons and clusters to events.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::history::{Event, PersonId};

/// Who is who: of each cluster its person and whether it is a new one.
struct Matched {
    of: Vec<(PersonId, bool)>,
    created: u64,
}

/// Records by the person who had them, of each cluster; `None` had nobody.
type Shares<'a> = Vec<BTreeMap<Option<PersonId>, Vec<&'a str>>>;

fn matched(shares: &Shares<'_>, mut created: u64) -> Matched {
    let mut pairs: Vec<(usize, PersonId, usize)> = Vec::new();
    for (cluster, share) in shares.iter().enumerate() {
        pairs.extend(
            share.iter().filter_map(|(who, records)| Some((records.len(), (*who)?, cluster))),
        );
    }
    // most records in common, then the oldest person, then the first cluster
    pairs.sort_unstable_by_key(|(common, who, cluster)| (usize::MAX - common, *who, *cluster));
    let mut of: Vec<Option<PersonId>> = vec![None; shares.len()];
    let mut taken: HashMap<PersonId, usize> = HashMap::new();
    for (_, who, cluster) in pairs {
        if of[cluster].is_none() && !taken.contains_key(&who) {
            of[cluster] = Some(who);
            taken.insert(who, cluster);
        }
    }
    let of = of
        .into_iter()
        .map(|who| match who {
            Some(who) => (who, false),
            None => {
                created += 1;
                (PersonId(created), true)
            }
        })
        .collect();
    Matched { of, created }
}

fn owned(records: &[&str]) -> Vec<String> {
    records.iter().map(|r| (*r).to_owned()).collect()
}

/// The events that lead from persons to clusters (sorted, with sorted records), and how many persons were ever made.
pub(super) fn changes(
    old: &HashMap<&str, PersonId>,
    clusters: &[Vec<&str>],
    created: u64,
) -> (Vec<Event>, u64) {
    let mut left: BTreeMap<PersonId, (u64, u64)> = BTreeMap::new();
    for who in old.values() {
        left.entry(*who).or_default().0 += 1;
    }
    let mut shares: Shares<'_> = Vec::with_capacity(clusters.len());
    for cluster in clusters {
        let mut share: BTreeMap<Option<PersonId>, Vec<&str>> = BTreeMap::new();
        for record in cluster {
            let who = old.get(record).copied();
            if let Some(who) = who {
                left.entry(who).or_default().1 += 1;
            }
            share.entry(who).or_default().push(record);
        }
        shares.push(share);
    }
    let Matched { of, created } = matched(&shares, created);
    let mut out: Vec<Event> = left
        .iter()
        .filter(|(_, (had, has))| had > has)
        .map(|(who, (had, has))| Event::Erased { person: *who, count: had - has, gone: *has == 0 })
        .collect();

    let going_on: hashbrown::HashSet<PersonId> = of.iter().map(|(who, _)| *who).collect();
    // of a person who ends: where most of the records go
    let mut heirs: HashMap<PersonId, (usize, PersonId)> = HashMap::new();
    for (share, (into, _)) in shares.iter().zip(&of) {
        for (who, records) in share {
            if let Some(who) = who.filter(|w| !going_on.contains(w)) {
                let here = (records.len(), *into);
                let best = heirs.entry(who).or_insert(here);
                if (here.0, std::cmp::Reverse(here.1)) > (best.0, std::cmp::Reverse(best.1)) {
                    *best = here;
                }
            }
        }
    }
    for (share, (into, is_new)) in shares.iter().zip(&of) {
        let into = *into;
        // a new person splits off from whoever had most of it, the oldest at a tie
        let parent = share
            .iter()
            .filter_map(|(who, records)| Some((records.len(), (*who)?)))
            .max_by_key(|(n, who)| (*n, std::cmp::Reverse(*who)))
            .map(|(_, who)| who);
        let mut split = None;
        let mut rest = Vec::new();
        for (who, records) in share {
            let records = owned(records);
            match *who {
                None if *is_new && parent.is_none() => {
                    rest.push(Event::Created { person: into, records });
                }
                None => rest.push(Event::Joined { person: into, records }),
                Some(from) if from == into => {}
                Some(from) if *is_new && parent == Some(from) => {
                    split = Some(Event::Split { from, into, records });
                }
                Some(from) if heirs.get(&from).is_some_and(|heir| heir.1 == into) => {
                    rest.push(Event::Merged { from, into, records });
                }
                Some(from) => rest.push(Event::Moved { from, into, records }),
            }
        }
        out.extend(split);
        out.extend(rest);
    }
    (out, created)
}
