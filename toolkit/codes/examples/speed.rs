//! How long a bench of 100,000 rows takes for 5,000 local items: `cargo run --release -p kiban-codes --example speed`.

#[path = "../tests/it/synthetic/mod.rs"]
mod synthetic;

use std::{fmt::Write as _, io::Write as _};

use kiban_codes::candidate::{Bench, Domain, LocalItem};
use synthetic::{Chance, Error};

#[expect(clippy::disallowed_methods, reason = "an example that measures")]
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
    let began = std::time::Instant::now();
    let bench = Bench::new(&laboratory, Domain::Laboratory, &[], None);
    let built = began.elapsed();
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
        "laboratory: {} rows, built in {built:?}, {} items in {:?}; right at 1: {}, at 5: {}",
        laboratory.entries().len(),
        items.len(),
        began.elapsed().saturating_sub(built),
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
    let began = std::time::Instant::now();
    let bench = Bench::new(&drugs, Domain::Drug, &[], None);
    let built = began.elapsed();
    let ranked = bench.rank_all(&items, 5);
    let elapsed = began.elapsed().saturating_sub(built);
    let hits = ranked.iter().zip(&right).filter(|(f, r)| f.first().is_some_and(|c| c.name == **r));
    writeln!(
        out,
        "drugs: {} rows, built in {built:?}, {} items in {elapsed:?}; right at 1: {}",
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
