//! Link a person list:
//! `cargo run --release -p kiban-linkage --example link -- --data persons.csv --out clusters.csv [--pairs pairs.csv]
//! [--report R.json] [--model M.json] [--map MAP.json] [--threads N] [--why ID1,ID2]`.
//! A model file that exists is used; else the fitted model is written there.

use std::{
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use kiban_linkage::{ColumnMap, Model, tool};

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = tool::Options::default();
    let (mut data, mut out, mut pairs, mut report, mut model) = (None, None, None, None, None);
    let mut why = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--data" => data = Some(value),
            "--out" => out = Some(value),
            "--pairs" => pairs = Some(value),
            "--report" => report = Some(value),
            "--model" => model = Some(value),
            "--map" => {
                options.map =
                    ColumnMap::from_json(&fs::read_to_string(value)?).ok_or("not a mapping")?;
            }
            "--threads" => options.threads = Some(value.parse()?),
            "--why" => why.push(value),
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    if let Some(path) = model.as_ref().filter(|p| Path::new(p).exists()) {
        options.model = Some(Model::from_json(&fs::read_to_string(path)?)?);
    }
    let data = File::open(data.ok_or("--data is missing")?)?;
    let run = tool::link(data, &options, &|_| {})?;
    run.write_clusters(BufWriter::new(File::create(out.ok_or("--out is missing")?)?))?;
    if let Some(path) = pairs {
        run.write_pairs(BufWriter::new(File::create(path)?))?;
    }
    if let Some(path) = report {
        fs::write(path, serde_json::to_string_pretty(&run.report())?)?;
    }
    if let Some(path) = model.filter(|_| options.model.is_none()) {
        fs::write(path, run.model().to_json())?;
    }
    let mut stdout = std::io::stdout();
    for pair in why {
        let (a, b) = pair.split_once(',').ok_or("--why ID1,ID2")?;
        if let Some((reasons, score)) = run.why(a, b) {
            for r in reasons {
                let name = r.variable.map_or("", |v| v.id());
                writeln!(stdout, "{:+8.2} {name} {}", r.bits, r.level)?;
            }
            writeln!(stdout, "{score:+8.2} = score")?;
        }
    }
    Ok(())
}
