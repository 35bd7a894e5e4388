//! How long a bench of 100,000 rows takes for 5,000 local items: `cargo run --release -p kiban-codes --example speed`.

#[path = "../tests/it/synthetic/mod.rs"]
mod synthetic;

use std::{fmt::Write as _, io::Write as _};

use kiban_codes::candidate::{Bench, Domain, LocalItem};
use synthetic::{Chance, Error};

/// Seconds of processor time of this process so far, all threads (Linux; elsewhere zero): the wall clock of a busy machine
/// says nothing.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    // User and system time, in hundredths, are the 14th and 15th field; the name is the second.
    after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<f64>().unwrap_or(0.0))
        .sum::<f64>()
        / 100.0
}

fn main() -> std::io::Result<()> {
    let out = &mut std::io::stdout();
    let mut chance = Chance(77);
    let (laboratory, analytes) = synthetic::laboratory(11_112, 1);
    let (items, truths): (Vec<LocalItem>, Vec<Vec<String>>) = (0..5000)
        .map(|n| {
            let at = chance.below(analytes.len());
            let error = synthetic::ERRORS[n % synthetic::ERRORS.len()];
            synthetic::item(at, &analytes[at], error, &laboratory, &mut chance)
        })
        .unzip();
    let began = processor_seconds();
    let bench = Bench::new(&laboratory, Domain::Laboratory, &[], None);
    let built = processor_seconds() - began;
    let ranked = bench.rank_all(&items, 5);
    let within = |most: usize| {
        ranked
            .iter()
            .zip(&truths)
            .filter(|(found, truth)| found.iter().take(most).any(|c| truth.contains(&c.code)))
            .count()
    };
    writeln!(
        out,
        "laboratory: {} rows, built in {built:.1} s, {} items in {:.1} s of processor time; right at 1: {}, at 5: {}",
        laboratory.entries().len(),
        items.len(),
        processor_seconds() - began - built,
        within(1),
        within(5)
    )?;
    let drugs = synthetic::drugs(100_000, 2);
    let mut right: Vec<&str> = Vec::new();
    let items: Vec<LocalItem> = (0..5000)
        .map(|_| {
            let entry = chance.of(drugs.entries());
            right.push(&entry.names[0]);
            let name = synthetic::spoil(&entry.names[0], Error::Mixed, &[], &mut chance);
            LocalItem { names: vec![name], ..LocalItem::default() }
        })
        .collect();
    let began = processor_seconds();
    let bench = Bench::new(&drugs, Domain::Drug, &[], None);
    let built = processor_seconds() - began;
    let ranked = bench.rank_all(&items, 5);
    let elapsed = processor_seconds() - began - built;
    let hits = ranked.iter().zip(&right).filter(|(f, r)| f.first().is_some_and(|c| c.name == **r));
    writeln!(
        out,
        "drugs: {} rows, built in {built:.1} s, {} items in {elapsed:.1} s of processor time; right at 1: {}",
        drugs.entries().len(),
        items.len(),
        hits.count()
    )?;
    // For a peer: the same names, one task a line.
    if let Some(place) = std::env::args().nth(1) {
        let mut text = String::new();
        for entry in drugs.entries() {
            let _ = writeln!(text, "M\t{}", entry.names[0]);
        }
        for (item, right) in items.iter().zip(&right) {
            let _ = writeln!(text, "L\t{}\t{right}", item.names[0]);
        }
        std::fs::write(place, text)?;
    }
    Ok(())
}
