//! Link a person list:
//! `cargo run --release -p kiban-linkage --example link -- --data persons.csv --out clusters.csv [--pairs pairs.csv]
//! [--report R.json] [--model M.json] [--map MAP.json] [--threads N] [--why ID1,ID2]`.
//! A model file that exists is used; else the fitted model is written there. `--constraints C.csv`
//! (`record_id_l,record_id_r,kind,reason`), `--state-out S` (what can be added to), `--like S` (all that a state learnt).
//!
//! Change a linked list: `... --state S [--add NEW.csv] [--erase IDS.txt] --out clusters.csv [--state-out S2]`.

use std::{
    error::Error,
    fs::{self, File},
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
};

use kiban_linkage::{ColumnMap, Model, State, read_constraints, tool};

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = tool::Options::default();
    let (mut data, mut out, mut pairs, mut report, mut model) = (None, None, None, None, None);
    let (mut state, mut state_out, mut like, mut add, mut erase) = (None, None, None, None, None);
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
            "--constraints" => options.constraints = read_constraints(File::open(value)?)?,
            "--state" => state = Some(value),
            "--state-out" => state_out = Some(value),
            "--like" => like = Some(value),
            "--add" => add = Some(value),
            "--erase" => erase = Some(value),
            "--threads" => options.threads = Some(value.parse()?),
            "--why" => why.push(value),
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    if let Some(path) = model.as_ref().filter(|p| Path::new(p).exists()) {
        options.model = Some(Model::from_json(&fs::read_to_string(path)?)?);
    }
    let open = |path: String| -> Result<State, Box<dyn Error>> {
        Ok(State::read(BufReader::with_capacity(1 << 20, File::open(path)?))?)
    };
    let mut stdout = std::io::stdout();
    let run = if let Some(path) = state {
        let erase: Vec<String> = match erase {
            Some(path) => fs::read_to_string(path)?.lines().map(str::to_owned).collect(),
            None => Vec::new(),
        };
        let mut file = add.map(File::open).transpose()?;
        let add = file.as_mut().map(|f| f as &mut (dyn Read + Send));
        let tool::Updated { run, report } =
            tool::update(open(path)?, add, &erase, &options, &|_| {})?;
        writeln!(stdout, "{}", serde_json::to_string(&report)?)?;
        run
    } else {
        let data = File::open(data.ok_or("--data is missing")?)?;
        match like {
            Some(path) => tool::link_like(&open(path)?, data, &options, &|_| {})?,
            None => tool::link(data, &options, &|_| {})?,
        }
    };
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
    if let Some(path) = state_out {
        run.state().write(BufWriter::with_capacity(1 << 20, File::create(path)?))?;
    }
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
