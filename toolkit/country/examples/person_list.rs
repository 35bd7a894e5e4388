//! Write a person list for record linkage with its truth:
//! `cargo run --release -p kiban-country --example person_list -- --records 100000 --seed 1 --profile base --out DIR`
//! (`--hard-pairs N`: N hard pairs of every class among the records, and `hard_pairs.csv`;
//! `--persons N` instead of `--records N`; profiles: base, sparse, clean).

use std::{io::Write, path::PathBuf};

use kiban_country::persons::{ListParams, ListProfile, ListSize, PersonList};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut params = ListParams::default();
    let mut out = None;
    let mut hard = 0;
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--records" => params.size = ListSize::Records(value.parse()?),
            "--persons" => params.size = ListSize::Persons(value.parse()?),
            "--seed" => params.seed = value.parse()?,
            "--profile" => {
                params.profile = ListProfile::from_name(&value).ok_or("base, sparse or clean?")?;
            }
            "--hard-pairs" => hard = value.parse()?,
            "--out" => out = Some(PathBuf::from(value)),
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    let out = out.ok_or("--out DIR is missing")?;
    let list = PersonList::new(params)?;
    let written = if hard > 0 { list.write_hard(&out, hard)? } else { list.write(&out)? };
    writeln!(
        std::io::stdout(),
        "{} records of {} people, {} true pairs",
        written.records,
        written.persons,
        written.pairs
    )?;
    Ok(())
}
