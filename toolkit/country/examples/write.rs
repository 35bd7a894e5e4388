//! Make a country in a folder: `cargo run -p kiban-country --example write -- DIR [PERSONS] [SEED]`.

use std::path::PathBuf;

use kiban_country::{Country, NoProgress, Params, Specialist};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let dir = PathBuf::from(args.next().ok_or("which folder?")?);
    let mut params = Params { specialist: Some(Specialist::default()), ..Params::default() };
    if let Some(persons) = args.next() {
        params.persons = persons.parse()?;
    }
    if let Some(seed) = args.next() {
        params.seed = seed.parse()?;
    }
    Country::generate(&params)?.write(&dir, &mut NoProgress)?;
    Ok(())
}
