//! Times of the engine on the reference sets, beside ARX's: `cargo run --release -p kiban-anonymity --example arx_bench
//! -- FOLDER SET [CONFIGURATION...]`, where FOLDER is that of the reference results and `all` (or no name) means every
//! configuration that both engines answer. Prints the least wall and CPU seconds of some runs, peak memory, nodes checked,
//! score, suppressed rows, ARX's seconds and how many times those are ours.
//!
//! ARX's seconds: its CPU in the reference results, scaled to a quiet machine by the ratio of the k-anonymity runs, whose
//! quiet wall seconds are known. `TIMES=n` repeats the rows, `RUNS=n` the search (3), `STEPS=1` prints the way of a search.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures")]

use kiban_anonymity::{
    Aggregate, Attribute, Distance, Hierarchy, Measure, Model, Recoding, Rule, SearchKind,
    Sensitive, Settings, Table, TableBuilder, ToTheEnd, anonymize,
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

/// CPU seconds of all threads of this process so far.
fn cpu() -> Result<f64, Failure> {
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().ok_or("no statistics")?.parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
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

/// A configuration: its name, ARX's name of it, the sensitive attribute, the question.
struct Run {
    name: String,
    arx: String,
    sensitive: Option<&'static str>,
    settings: Settings,
}

fn runs(set: &str) -> Vec<Run> {
    let secret = if set == "fars" { "istatenum" } else { "occupation" };
    let attribute = || secret.to_owned();
    let k = |k| Model::KAnonymity { k };
    let mut runs: Vec<Run> = Vec::new();
    let mut add = |name: String, arx: String, sensitive, settings: Settings| {
        runs.push(Run { name, arx, sensitive, settings });
    };
    for limit in [0.0, 0.05, 1.0] {
        let arx = format!("k5_supp{limit:.2}_loss_gm");
        add(format!("k5_supp{limit}"), arx, None, Settings::new(vec![k(5)], limit));
        let closeness = |distance| Model::Closeness { attribute: attribute(), t: 0.2, distance };
        let guarded = [
            ("distinct_l3", "_loss_gm", Model::DistinctDiversity { attribute: attribute(), l: 3 }),
            ("entropy_l3", "_loss_gm", Model::EntropyDiversity { attribute: attribute(), l: 3.0 }),
            (
                "recursive_c4_l3",
                "_loss_gm",
                Model::RecursiveDiversity { attribute: attribute(), c: 4.0, l: 3 },
            ),
            ("t_equal_0.2", "_loss_gm", closeness(Distance::Equal)),
            ("t_hierarchical_0.2", "_loss_gm", closeness(Distance::Hierarchical)),
            (
                "basic_beta1",
                "",
                Model::BetaLikeness { attribute: attribute(), beta: 1.0, enhanced: false },
            ),
            (
                "enhanced_beta1",
                "",
                Model::BetaLikeness { attribute: attribute(), beta: 1.0, enhanced: true },
            ),
            (
                "delta_disclosure1",
                "",
                Model::DeltaDisclosure { attribute: attribute(), delta: 1.0 },
            ),
        ];
        for (name, measure, model) in guarded.into_iter().filter(|_| limit > 0.0) {
            let arx = format!("k5+{name}_supp{limit:.2}{measure}");
            let short = name.trim_end_matches("_0.2").trim_end_matches("_l3");
            let settings = Settings::new(vec![k(5), model], limit);
            add(
                format!("{}_supp{limit}", short.trim_end_matches("_c4")),
                arx,
                Some(secret),
                settings,
            );
        }
    }
    for (name, model) in [
        ("k2_supp0.05_loss_gm", k(2)),
        ("k100_supp0.05_loss_gm", k(100)),
        ("avg_reid_risk_0.01_supp0.05", Model::AverageRisk { threshold: 0.01 }),
        ("sample_uniqueness_0.01_supp0.05", Model::SampleUniqueness { threshold: 0.01 }),
        (
            "population_uniqueness_0.001_dankar_usa_supp0.05",
            Model::PopulationUniqueness {
                threshold: 0.001,
                population: 317_238_626,
                rule: Rule::Dankar,
            },
        ),
        (
            "kmap_3_sig0.01_usa_supp0.05",
            Model::KMapEstimated { k: 3, population: 317_238_626, significance: 0.01 },
        ),
    ] {
        add(name.into(), name.into(), None, Settings::new(vec![model], 0.05));
    }
    let mut mean = Settings::new(vec![k(5)], 0.05);
    mean.aggregate = Aggregate::ArithmeticMean;
    add("k5_supp0.05_am".into(), "k5_supp0.05_loss_am".into(), None, mean);
    for limit in [0.0, 0.04] {
        let mut sizes = Settings::new(vec![k(5)], limit);
        sizes.measure = Measure::DiscernibilityMonotonic;
        let name = format!("k5_supp{limit:.2}_discernibility_monotonic");
        add(name.clone(), name, None, sizes);
    }
    let mut local = Settings::new(vec![k(5)], 1.0);
    local.gs_factor = 0.05;
    local.recoding = Recoding::LOCAL;
    let arx = |which: &str| format!("local_iterative_k5_supp1.00_{which}");
    add("local".into(), arx("allqi_gs0.05_100_0.05"), None, local.clone());
    let untyped = arx("gs0.05_100_0.05_sensitive_attr_untyped");
    add("local_without".into(), untyped, Some(secret), local);
    for checks in [1_000, 20_000] {
        let mut heuristic = Settings::new(vec![k(5)], 1.0);
        heuristic.search = SearchKind::Heuristic { checks };
        add(format!("heuristic{checks}"), String::new(), None, heuristic);
    }
    runs
}

/// ARX's CPU seconds for its configurations, scaled to a quiet machine.
struct Arx {
    results: Vec<serde_json::Value>,
    /// Quiet wall seconds over CPU seconds of k-anonymity, by suppression limit.
    scales: Vec<(&'static str, f64)>,
}

impl Arx {
    fn read(folder: &Path, set: &str) -> Result<Self, Failure> {
        let quiet = match set {
            "adult" => [("0.00", 0.04), ("0.05", 0.67), ("1.00", 2.3)],
            "fars" => [("0.00", 0.06), ("0.05", 1.85), ("1.00", 6.2)],
            _ => return Ok(Self { results: Vec::new(), scales: Vec::new() }),
        };
        let results = serde_json::from_str(&text(&folder.join(format!("{set}.json")))?)?;
        let mut arx = Self { results, scales: Vec::new() };
        for (limit, wall) in quiet {
            let name = format!("k5_supp{limit}_loss_gm");
            arx.scales.push((limit, wall / arx.cpu(&name).ok_or("no k-anonymity")?));
        }
        Ok(arx)
    }

    fn cpu(&self, name: &str) -> Option<f64> {
        let result = self.results.iter().find(|result| result["config"] == name)?;
        Some(result["cpu_anonymize_s"].as_f64()? + result["cpu_local_s"].as_f64().unwrap_or(0.0))
    }

    fn seconds(&self, name: &str) -> Option<f64> {
        let limit = name.split("_supp").nth(1)?.split('_').next()?;
        let scale = self.scales.iter().find(|(known, _)| *known == limit).or(self.scales.get(1))?;
        Some(self.cpu(name)? * scale.1)
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(arguments.first().ok_or("which folder?")?);
    let set = arguments.get(1).map_or("adult", String::as_str);
    let wanted = &arguments[2.min(arguments.len())..];
    let all = wanted.is_empty() || wanted.iter().any(|name| name == "all");
    let number = |name: &str, or: usize| std::env::var(name).map_or(Ok(or), |n| n.parse());
    let (times, repeat) = (number("TIMES", 1)?, number("RUNS", 3)?);
    let arx = Arx::read(folder, set)?;
    println!(
        "run\tload CPU s\twall s\tCPU s\tpeak MiB\tchecked\tscore\tsuppressed\tARX s\tby wall\tby CPU"
    );
    for Run { name, arx: theirs, sensitive, settings } in runs(set) {
        let theirs = arx.seconds(&theirs);
        if !(wanted.contains(&name) || all && theirs.is_some()) {
            continue;
        }
        let before = cpu()?;
        let table = table(folder, set, sensitive, times)?;
        let load = cpu()? - before;
        if std::env::var("STEPS").is_ok() {
            anonymize(&table, &settings, &Steps(Instant::now()))?;
        }
        let (mut wall, mut own) = (f64::INFINITY, f64::INFINITY);
        let mut last = None;
        for _ in 0..repeat.max(1) {
            let (start, before) = (Instant::now(), cpu()?);
            last = Some(anonymize(&table, &settings, &ToTheEnd)?);
            wall = wall.min(start.elapsed().as_secs_f64());
            own = own.min(cpu()? - before);
        }
        let answer = last.ok_or("no run")?;
        let times = |seconds: f64| theirs.map_or("-".into(), |t| format!("{:.1}", t / seconds));
        println!(
            "{name}\t{load:.2}\t{wall:.4}\t{own:.4}\t{:.1}\t{}\t{:.10}\t{}\t{}\t{}\t{}",
            peak_mib()?,
            answer.checked,
            answer.score,
            answer.suppressed,
            theirs.map_or("-".into(), |t| format!("{t:.2}")),
            times(wall),
            times(own),
        );
    }
    Ok(())
}
