//! Measures of the platform's hot paths: `cargo run --release --locked -p kiban-benches -- WORKLOAD [--size N]`.
//!
//! Not tests: nothing passes or fails. Each workload builds its input from the shipped fixtures or from a
//! seed, then measures one path and prints a line per stage.

mod deid;
mod deployment;
mod fixtures;
mod generated;
mod holder;
mod intake;
mod measure;
mod parse;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::generated::Kind;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// SS-MIX2 messages in memory to records.
    Ssmix2Parse,
    /// A sealed SS-MIX2 delivery: seal verified, rows and source bytes in the vault, committed.
    Ssmix2Intake,
    /// FHIR lines in memory to records.
    FhirParse,
    /// A sealed FHIR delivery, as above.
    FhirIntake,
    /// Claims in memory to records.
    UkeParse,
    /// A joined EF file in memory to records.
    EfParse,
    /// A D file in memory to records.
    DParse,
    /// Check-up files in memory to records.
    CheckupParse,
    /// A sealed claims file, as above.
    UkeIntake,
    /// A sealed EF file, as above.
    EfIntake,
    /// A sealed D file, as above.
    DIntake,
    /// Sealed check-up files, as above.
    CheckupIntake,
    /// Ten rules on a flat table: in memory, CSV to CSV, Parquet to Parquet.
    DeidFlat,
    /// All of them, each in its usual size.
    All,
}

#[derive(Debug, Parser)]
#[command(about = "Measures of the platform's hot paths")]
struct Arguments {
    /// What to measure.
    workload: Workload,
    /// Messages (SS-MIX2), rows (flat table) or MB (all others).
    #[arg(long)]
    size: Option<u64>,
    /// Seed of generated values.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave what was written on disk, and say where. A file system may remember for minutes what was deleted, and be slow
    /// meanwhile to make new files (ext4 looks at each such entry again): who measures in a row keeps, and removes in the end.
    #[arg(long)]
    keep: bool,
    /// Only the holder's part of a delivery, in this folder: how the program runs itself.
    #[arg(long, hide = true)]
    seal_in: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { workload, size, seed, keep, seal_in } = Arguments::parse();
    if let Some(folder) = seal_in {
        return intake::seal(workload, size, seed, &folder);
    }
    measure::machine(seed)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let all = Workload::value_variants().iter().filter(|w| **w != Workload::All);
    let chosen: Vec<Workload> =
        if workload == Workload::All { all.copied().collect() } else { vec![workload] };
    for workload in chosen {
        match workload {
            Workload::UkeParse => {
                parse::generated("uke-parse", Kind::Uke, size.unwrap_or(200), seed)?;
            }
            Workload::EfParse => parse::generated("ef-parse", Kind::Ef, size.unwrap_or(200), seed)?,
            Workload::DParse => parse::generated("d-parse", Kind::D, size.unwrap_or(200), seed)?,
            Workload::CheckupParse => {
                parse::generated("checkup-parse", Kind::Checkup, size.unwrap_or(200), seed)?;
            }
            Workload::UkeIntake
            | Workload::EfIntake
            | Workload::DIntake
            | Workload::CheckupIntake
            | Workload::Ssmix2Intake
            | Workload::FhirIntake => runtime.block_on(intake::run(workload, size, seed, keep))?,
            Workload::Ssmix2Parse => parse::ssmix2(size.unwrap_or(200_000))?,
            Workload::FhirParse => parse::fhir(size.unwrap_or(400))?,
            Workload::DeidFlat => runtime.block_on(deid::flat(size.unwrap_or(1_000_000), seed))?,
            Workload::All => {}
        }
    }
    Ok(())
}
