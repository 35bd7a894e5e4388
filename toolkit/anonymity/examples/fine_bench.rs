//! Times on a table of fine codes: 63,000 synthetic rows, eight quasi-identifiers (a diagnosis code of four levels, a
//! municipality, birth month, age, two visit months, a procedure code, sex). `cargo run --release -p kiban-anonymity
//! --example fine_bench [-- ROWS]`. Prints wall and CPU seconds, combinations, nodes, nodes checked, score, suppressed.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures")]

use kiban_anonymity::{
    Attribute, Hierarchy, Model, Settings, Table, TableBuilder, ToTheEnd, anonymize,
};
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

/// SplitMix64: the same rows in every run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    /// Few are common, most are rare.
    fn skewed(&mut self, n: u64) -> u64 {
        let (a, b) = (self.below(n) + 1, self.below(n) + 1);
        a * b / (n + 1)
    }
}

fn row(draws: &mut Draws) -> [String; 8] {
    let diagnosis = draws.skewed(1_800);
    let letter = char::from(b'A' + (diagnosis / 90) as u8);
    let (birth, visit) = (draws.below(1_080), draws.skewed(48));
    let month = |n: u64| format!("{}-{:02}", 1930 + n / 12, n % 12 + 1);
    [
        format!("{letter}{:02}.{}", diagnosis / 10 % 9 + 10, diagnosis % 10),
        format!("{:05}", 1_000 * (draws.skewed(47) + 1) + draws.skewed(40)),
        month(birth),
        format!("{}", 95 - birth / 12),
        month(visit + 1_100),
        month((visit + draws.below(6)).min(47) + 1_100),
        format!("K{:03}", draws.skewed(900)),
        ["1", "2"][draws.below(2) as usize].to_owned(),
    ]
}

fn table(rows: usize) -> Result<Table, Failure> {
    let names = ["diagnosis", "municipality", "birth", "age", "first", "last", "procedure", "sex"];
    let mut draws = Draws(7);
    let rows: Vec<[String; 8]> = (0..rows).map(|_| row(&mut draws)).collect();
    let attributes = names.iter().enumerate().map(|(at, name)| {
        let values = rows.iter().map(|row| row[at].as_str());
        let hierarchy = match *name {
            "diagnosis" => Hierarchy::prefixes(values, &[4, 3, 1]),
            "municipality" => Hierarchy::prefixes(values, &[2]),
            "birth" | "first" | "last" => Hierarchy::prefixes(values, &[4, 3]),
            "age" => Hierarchy::intervals(values, 0, &[5, 10, 20]),
            "procedure" => Hierarchy::prefixes(values, &[3, 2, 1]),
            _ => Hierarchy::suppression(values),
        };
        Ok(Attribute::new(*name, hierarchy?))
    });
    let mut builder = TableBuilder::new(attributes.collect::<Result<_, Failure>>()?, Vec::new())?;
    for row in &rows {
        builder.push(&row.each_ref().map(String::as_str), &[])?;
    }
    Ok(builder.finish())
}

/// CPU seconds of this process so far.
fn cpu() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> =
        stat.rsplit(')').next().ok_or("no statistics")?.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}

fn main() -> Result<(), Failure> {
    let rows = std::env::args().nth(1).map_or(Ok(63_000), |rows| rows.parse())?;
    let table = table(rows)?;
    println!("rows {rows}, combinations {}, nodes {}", table.combinations(), table.nodes());
    println!("suppression\twall s\tCPU s\tchecked\tscore\tsuppressed");
    for limit in [0.0, 0.05, 1.0] {
        let settings = Settings::new(vec![Model::KAnonymity { k: 5 }], limit);
        let (start, before) = (Instant::now(), cpu()?);
        let answer = anonymize(&table, &settings, &ToTheEnd)?;
        println!(
            "{limit}\t{:.3}\t{:.2}\t{}\t{:.10}\t{}",
            start.elapsed().as_secs_f64(),
            cpu()? - before,
            answer.checked,
            answer.score,
            answer.suppressed,
        );
    }
    Ok(())
}
