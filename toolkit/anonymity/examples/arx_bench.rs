//! Times of the engine on the reference sets: `cargo run -p kiban-anonymity --example arx_bench -- FOLDER SET
//! [CONFIGURATION...]`. Prints wall and CPU seconds, peak memory, nodes checked and rows per second.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures")]

use kiban_anonymity::{
    Attribute, Distance, Hierarchy, Model, Recoding, SearchKind, Sensitive, Settings, Table,
    TableBuilder, ToTheEnd, anonymize,
};
use std::path::Path;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

fn text(path: &Path) -> Result<String, Failure> {
    if path.exists() {
        return Ok(std::fs::read_to_string(path)?);
    }
    let packed = std::fs::File::open(path.with_extension("csv.zst"))?;
    Ok(String::from_utf8(zstd::decode_all(packed)?)?)
}

/// CPU seconds of this process so far.
fn cpu() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after = stat.rsplit(')').next().ok_or("no statistics")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}

fn peak_mib() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no peak")?;
    Ok(line.split_whitespace().nth(1).ok_or("no peak")?.parse::<f64>()? / 1024.0)
}

fn table(
    folder: &Path,
    set: &str,
    sensitive: Option<&str>,
    times: usize,
) -> Result<Table, Failure> {
    let data = text(&folder.join(format!("data/{set}/{set}.csv")))?;
    let mut lines = data.lines();
    let header: Vec<&str> = lines.next().ok_or("empty")?.split(';').collect();
    let hierarchy = |name: &str| -> Result<Hierarchy, Failure> {
        let file = folder.join(format!("data/{set}/hierarchies/{name}.csv"));
        Ok(Hierarchy::parse(&text(&file)?, ';')?)
    };
    let mut attributes = Vec::new();
    let mut places = Vec::new();
    for (at, name) in header.iter().enumerate() {
        if Some(*name) != sensitive {
            attributes.push(Attribute::new(*name, hierarchy(name)?));
            places.push(at);
        }
    }
    let protected: Vec<Sensitive> = match sensitive {
        Some(name) => vec![Sensitive::new(name, Some(hierarchy(name)?))],
        None => Vec::new(),
    };
    let guarded = header.iter().position(|name| Some(*name) == sensitive);
    let mut table = TableBuilder::new(attributes, protected)?;
    let rows: Vec<&str> = lines.collect();
    for _ in 0..times {
        for line in &rows {
            let cells: Vec<&str> = line.split(';').collect();
            let quasi: Vec<&str> = places.iter().map(|at| cells[*at]).collect();
            let secret: Vec<&str> = guarded.iter().map(|at| cells[*at]).collect();
            table.push(&quasi, &secret)?;
        }
    }
    Ok(table.finish())
}

/// Prints how far the search is.
struct Steps(Instant);

impl kiban_anonymity::Control for Steps {
    fn progress(&self, checked: u64, best: f64) {
        println!("  {:.4} s: {checked} checked, best {best:.6}", self.0.elapsed().as_secs_f64());
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(arguments.first().ok_or("which folder?")?);
    let set = arguments.get(1).map_or("adult", String::as_str);
    let wanted = &arguments[2.min(arguments.len())..];
    let secret = if set == "fars" { "istatenum" } else { "occupation" };
    let attribute = || secret.to_owned();
    let k = Model::KAnonymity { k: 5 };
    let mut runs: Vec<(String, Option<&str>, Settings)> = Vec::new();
    for limit in [0.0, 0.05, 1.0] {
        runs.push((format!("k5_supp{limit}"), None, Settings::new(vec![k.clone()], limit)));
        let l3 = [
            Model::DistinctDiversity { attribute: attribute(), l: 3 },
            Model::EntropyDiversity { attribute: attribute(), l: 3.0 },
            Model::RecursiveDiversity { attribute: attribute(), c: 4.0, l: 3 },
            Model::Closeness { attribute: attribute(), t: 0.2, distance: Distance::Equal },
            Model::Closeness { attribute: attribute(), t: 0.2, distance: Distance::Hierarchical },
        ];
        for (at, model) in l3.into_iter().enumerate().filter(|_| limit > 0.0) {
            let name = ["distinct", "entropy", "recursive", "t_equal", "t_hierarchical"][at];
            let settings = Settings::new(vec![k.clone(), model], limit);
            runs.push((format!("{name}_supp{limit}"), Some(secret), settings));
        }
    }
    let mut local = Settings::new(vec![k.clone()], 1.0);
    local.gs_factor = 0.05;
    local.recoding = Recoding::LOCAL;
    runs.push(("local".into(), None, local));
    for checks in [1_000, 20_000] {
        let mut heuristic = Settings::new(vec![k.clone()], 1.0);
        heuristic.search = SearchKind::Heuristic { checks };
        runs.push((format!("heuristic{checks}"), None, heuristic));
    }
    println!("run\twall s\tCPU s\tpeak MiB\tchecked\tscore\tsuppressed\trows");
    let times: usize = std::env::var("TIMES").map_or(Ok(1), |times| times.parse())?;
    for (name, secret, settings) in runs {
        if !wanted.contains(&name) {
            continue;
        }
        let (start, before) = (Instant::now(), cpu()?);
        let table = table(folder, set, secret, times)?;
        println!("load\t{:.4}\t{:.2}", start.elapsed().as_secs_f64(), cpu()? - before);
        if std::env::var("STEPS").is_ok() {
            anonymize(&table, &settings, &Steps(Instant::now()))?;
        }
        for _ in 0..3 {
            let (start, before) = (Instant::now(), cpu()?);
            let answer = anonymize(&table, &settings, &ToTheEnd)?;
            println!(
                "{name}\t{:.4}\t{:.2}\t{:.1}\t{}\t{:.10}\t{}\t{}",
                start.elapsed().as_secs_f64(),
                cpu()? - before,
                peak_mib()?,
                answer.checked,
                answer.score,
                answer.suppressed,
                table.rows(),
            );
        }
    }
    Ok(())
}
