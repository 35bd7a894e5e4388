//! What the measurement of adversaries and the attacks cost: `attack_bench PERSONS [VISITS]`, simulated persons.

use kiban_anonymity::adversary::{Adversary, Effort, exposure};
use kiban_anonymity::attack::{Plan, attack};
use kiban_anonymity::holdings::{Compare, Facts, Holdings, HoldingsBuilder, Kind, Matches};
use std::io::Write;
use std::time::Instant;

struct Stream(u64);

impl Stream {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Sex, birth month (or half-decade), region, some of 2,000 codes (few are common), visits in ten years.
fn side(persons: u64, visits: u64, released: bool, coarse: bool) -> Holdings {
    let mut builder = HoldingsBuilder::new();
    let place = |b: &mut HoldingsBuilder, name, kind| b.attribute(name, kind).expect("new name");
    let sex = place(&mut builder, "sex", Kind::Single);
    let birth = place(&mut builder, "birth", Kind::Single);
    let region = place(&mut builder, "region", Kind::Single);
    let code = place(&mut builder, "code", Kind::Set);
    let visit = place(&mut builder, "visit", Kind::Dates);
    for number in 0..persons {
        let mut stream = Stream(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let person = builder.person(&number.to_string());
        builder.push(sex, person, if stream.below(2) == 0 { "F" } else { "M" });
        let (year, month) = (1930 + stream.below(80), 1 + stream.below(12));
        let half = year / 5 * 5;
        let born = if coarse { format!("{half}~{}", half + 5) } else { format!("{year}/{month}") };
        builder.push(birth, person, &born);
        builder.push(region, person, &stream.below(47).to_string());
        for _ in 0..=stream.below(10) {
            let wide = 1 + stream.below(2_000);
            builder.push(code, person, &format!("C{}", stream.below(wide)));
        }
        let shift = if released { stream.below(61) as i32 - 30 } else { 0 };
        for _ in 0..stream.below(visits * 2) {
            builder.push_day(visit, person, stream.below(3_650) as i32 + shift);
        }
    }
    builder.finish().expect("fits 32 bits")
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn main() {
    let mut out = std::io::stdout().lock();
    let mut arguments = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let persons: u64 = arguments.next().unwrap_or(100_000);
    let visits: u64 = arguments.next().unwrap_or(15);
    for coarse in [false, true] {
        let begun = Instant::now();
        let compare = [
            Compare::new("sex", Matches::Equal),
            Compare::new("birth", Matches::TruncatedDates),
            Compare::new("region", Matches::Equal),
            Compare::new("code", Matches::Equal).complete(),
            Compare::new("visit", Matches::Shifted { max_days: 30 }).complete(),
        ];
        let (inside, outside) =
            (side(persons, visits, false, false), side(persons, visits, true, coarse));
        let truth = (0..persons as u32).map(|p| (p, p));
        let facts = Facts::new(inside, outside, truth, &compare).expect("fits");
        let _ = writeln!(out, "coarse {coarse}: made in {:.1?}", begun.elapsed());
        let quasi = ["sex", "birth", "region"];
        for adversary in [
            Adversary::demographics(quasi),
            Adversary::items("code", 1),
            Adversary::items("code", 2),
            Adversary::visit_dates("visit", 2),
            Adversary::clinician(quasi, "visit", "code"),
        ] {
            let begun = Instant::now();
            let seen = exposure(&facts, &adversary, &Effort::default()).expect("known attributes");
            let (took, single) = (begun.elapsed(), seen.singled_out);
            let _ = writeln!(
                out,
                "  {}: {took:.1?}, {} persons, exact {}, singled out {:.3} ({:.3}~{:.3}), marketer {:.3}",
                seen.adversary,
                seen.persons,
                seen.exact,
                single.rate,
                single.low,
                single.high,
                seen.marketer.value
            );
        }
        let begun = Instant::now();
        let names: Vec<String> = quasi.map(String::from).to_vec();
        let plan = Plan::new(names, vec!["code".into()], vec![]);
        let report = attack(&facts, &plan).expect("known attributes");
        let _ = writeln!(out, "  attacks: {:.1?}", begun.elapsed());
        for trial in &report.trials {
            let _ = writeln!(out, "    {}", trial.sentence_ja());
        }
    }
}
