//! Candidates for a local item: the masters' entries, compared by name, unit, specimen, method, range and values.

use kiban_codes::candidate::{Bench, Candidate, Domain, Known};
use kiban_govern::{Act, Actor, permit};

use super::{CodeItem, MappedTable, masters};
use crate::{Deployment, Error};

/// The best candidates of a target system for local items, in their order, each best first. `peers`: the items of all
/// holders; those that are mapped already lend their names and values.
///
/// # Errors
/// The actor may not; no table takes the system; no master of it was imported; a stored master is damaged.
pub async fn candidates(
    on: &Deployment,
    actor: &Actor,
    system: &str,
    items: &[CodeItem],
    peers: &[CodeItem],
    most: usize,
) -> Result<Vec<Vec<Candidate>>, Error> {
    permit(actor, Act::SeeMappings)?;
    let masters = masters::serving(on, system).await?;
    let set = super::set(on, None).await?;
    let today = on.today();
    let mapped = |peer: &CodeItem| {
        let key = super::Key {
            system: system.to_owned(),
            holder: peer.holder.to_string(),
            local: peer.local.clone(),
        };
        let day = peer.days.map_or(today, |(_, last)| last);
        Some(Known {
            code: set.in_effect(&key, day)?.meaning.code.clone(),
            item: peer.item.clone(),
        })
    };
    let takes =
        |item: &CodeItem| MappedTable::of(item.table).is_some_and(|t| t.targets.contains(&system));
    let known: Vec<Known> = peers.iter().filter(|p| takes(p)).filter_map(mapped).collect();
    let mut out: Vec<Vec<Candidate>> = vec![Vec::new(); items.len()];
    let locals: Vec<_> = items.iter().map(|i| i.item.clone()).collect();
    for master in masters {
        let own = master.system() == system;
        let bench = Bench::new(
            &master,
            Domain::of_system(master.system()),
            if own { &known } else { &[] },
            Some(today),
        );
        for (found, out) in bench.rank_all(&locals, most).into_iter().zip(&mut out) {
            for mut candidate in found {
                let entry = master.find(&candidate.code);
                let code = entry.and_then(|e| masters::code_in(&master, e, system));
                let Some(code) = code else { continue };
                code.clone_into(&mut candidate.code);
                out.push(candidate);
            }
        }
    }
    for of in &mut out {
        let apart = |c: &Candidate| matches!(c.veto, Some(super::Veto::Apart { .. }));
        of.sort_by(|a, b| {
            apart(a).cmp(&apart(b)).then(b.score.cmp(&a.score)).then_with(|| a.code.cmp(&b.code))
        });
        // Several entries of one code: the best one speaks for it.
        let mut seen = std::collections::BTreeSet::new();
        of.retain(|c| seen.insert(c.code.clone()));
        of.truncate(most);
    }
    Ok(out)
}
