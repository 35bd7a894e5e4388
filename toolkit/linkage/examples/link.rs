//! Links a person list from the command line: `link DATA.csv CLUSTERS.csv [PAIRS.csv]`.
use std::{error::Error, fs::File, io::{BufReader, BufWriter, Write}};
use kiban_linkage::{ColumnMap, tool};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let progress = |stage| {
        if !matches!(stage, kiban_linkage::Stage::Read(_)) {
            let _ = writeln!(std::io::stderr(), "{stage:?} cpu {}", std::fs::read_to_string("/proc/self/stat").unwrap_or_default().split(' ').skip(13).take(2).filter_map(|t| t.parse::<u32>().ok()).sum::<u32>());
        }
    };
    let run = tool::run(BufReader::new(File::open(&args[1])?), &ColumnMap::default(), None, &kiban_linkage::Settings::default(), &progress)?;
    run.write_clusters(BufWriter::new(File::create(&args[2])?))?;
    let _ = writeln!(std::io::stderr(), "{}", run.debug());
    for pair in args[3..].chunks(2) {
        let _ = writeln!(std::io::stdout(), "{}", run.explain(&pair[0], &pair[1]));
    }
    Ok(())
}
