//! Files of any format as OMOP, FHIR or XPORT: `cargo run -p kiban-formats --example convert -- omop|fhir|xport OUT PATH…`
//! (folders are walked; `--texts` and `--identifiers` write those too). What the checkers in `fixtures/` are run on.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
};

use kiban_formats::{CutError, Piece, Record, Want, cut, detect, out};

fn files(path: &Path, into: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let mut inside: Vec<_> =
            fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path()).collect();
        inside.sort();
        for path in inside {
            files(&path, into);
        }
    } else {
        into.push(path.to_owned());
    }
}

type Failure = Box<dyn std::error::Error>;

fn each_row(
    paths: &[PathBuf],
    each: &mut dyn FnMut(&str, &Record<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for path in paths {
        let bytes = fs::read(path)?;
        let name = path.to_string_lossy();
        let Some(format) = detect(&name, &bytes[..bytes.len().min(65_536)]) else { continue };
        drop(bytes);
        let mut failed = None;
        let done = cut::<CutError>(
            format,
            &name,
            BufReader::new(File::open(path)?),
            64 << 20,
            Want::All,
            |piece| {
                if let Piece::Segment(unit) = piece {
                    let person = unit.parsed.person.as_deref().unwrap_or("");
                    for record in &unit.parsed.records {
                        if failed.is_none() {
                            failed = each(person, record).err();
                        }
                    }
                }
                Ok(())
            },
        );
        if let Some(e) = failed {
            return Err(e);
        }
        // A file that cannot be cut gives what it gave until then, in both passes.
        let _ = done;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command of the developers")]
fn main() -> Result<(), Failure> {
    let (flags, args): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let [target, folder, rest @ ..] = &args[..] else { return Err("TARGET OUT PATH…".into()) };
    let target = out::Target::of_name(target).ok_or("omop, fhir or xport")?;
    let mut paths = Vec::new();
    for path in rest {
        files(Path::new(path), &mut paths);
    }
    let mut survey = out::Survey::default();
    each_row(&paths, &mut |person, record| {
        survey.note(person, record);
        Ok(())
    })?;
    let options = out::Options {
        released_on: "2024-12-01",
        identifiers: flags.iter().any(|f| f == "--identifiers"),
        texts: flags.iter().any(|f| f == "--texts"),
        ..out::Options::default()
    };
    fs::create_dir_all(folder)?;
    let sinks = |name: &str| File::create(Path::new(folder).join(name)).map(BufWriter::new);
    let mut writer = out::Out::new(target, survey, options, sinks)?;
    each_row(&paths, &mut |person, record| Ok(writer.push(person, record)?))?;
    println!("{:#?}", writer.finish()?);
    Ok(())
}
