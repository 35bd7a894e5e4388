//! Who and what is sent, from what the gate says of each person.

use std::collections::BTreeMap;

use kiban_formats::Record;
use kiban_kernel::Regime;

use super::{
    facts::{Decided, Facts},
    sealing::{Gate, SealRequest},
};

/// Who and what is sent.
pub(super) struct Chosen {
    pub(super) persons: u64,
    pub(super) segments: u64,
    pub(super) bytes: u64,
    pub(super) withheld: BTreeMap<String, u64>,
    pub(super) withheld_by_regime: BTreeMap<Regime, BTreeMap<String, u64>>,
    pub(super) withheld_segments: BTreeMap<String, u64>,
    pub(super) items: Vec<String>,
    pub(super) notified: BTreeMap<String, u64>,
    pub(super) notices: Vec<usize>,
    /// Per file: segments and bytes to send.
    pub(super) per_file: Vec<(u64, u64)>,
}

pub(super) fn choose(request: &SealRequest, facts: &Facts, decided: &[Decided]) -> Chosen {
    let off = request.gate == Gate::Off;
    let mut sent = vec![false; decided.len()];
    let mut chosen = Chosen {
        persons: 0,
        segments: 0,
        bytes: 0,
        withheld: BTreeMap::new(),
        withheld_by_regime: BTreeMap::new(),
        withheld_segments: if off { BTreeMap::new() } else { facts.defective.clone() },
        items: Vec::new(),
        notified: BTreeMap::new(),
        notices: Vec::new(),
        per_file: Vec::with_capacity(facts.files.len()),
    };
    let mut all_kinds = 0;
    for file in &facts.files {
        let (mut segments, mut bytes) = if off { file.others } else { (0, 0) };
        for tally in &file.tallies {
            let d = &decided[tally.person as usize];
            if off || d.clears(tally.kinds) {
                segments += tally.segments;
                bytes += tally.bytes;
                sent[tally.person as usize] = true;
                all_kinds |= tally.kinds;
            } else if !d.is_withheld() {
                *chosen.withheld_segments.entry("item_not_listed".into()).or_default() +=
                    tally.segments;
            }
        }
        chosen.segments += segments;
        chosen.bytes += bytes;
        chosen.per_file.push((segments, bytes));
    }
    for (d, sent) in decided.iter().zip(&sent) {
        for (regime, reason) in Regime::ALL.iter().zip(&d.refused) {
            if let Some(reason) = reason {
                let by = chosen.withheld_by_regime.entry(*regime).or_default();
                *by.entry(reason.code().to_owned()).or_default() += 1;
            }
        }
        if *sent {
            chosen.persons += 1;
            chosen.notices.extend(&d.notices);
            for (regime, kinds) in Regime::ALL.iter().zip(d.kinds) {
                if kinds != 0 {
                    *chosen.notified.entry(regime.to_string()).or_default() += 1;
                }
            }
        } else {
            // A person all of whose segments hold an unlisted item is withheld for that reason.
            let code =
                d.reason().filter(|_| d.is_withheld()).map_or("item_not_listed", |r| r.code());
            *chosen.withheld.entry(code.to_owned()).or_default() += 1;
        }
    }
    chosen.items = Record::TABLES
        .iter()
        .enumerate()
        .filter(|(bit, _)| all_kinds & (1 << bit) != 0)
        .map(|(_, t)| (*t).to_owned())
        .collect();
    chosen
}
