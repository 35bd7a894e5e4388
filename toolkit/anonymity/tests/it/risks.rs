//! Risks against the reference results.

use crate::oracle::{folder, json};
use kiban_anonymity::{Estimate, Estimator, Population, population_risk, sample_risk};

fn run(name: &str) {
    let Some(folder) = folder() else { return };
    for expected in json(&folder, name) {
        let flat: Vec<u64> = expected["histogram_size_count"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_u64().unwrap())
            .collect();
        let histogram: Vec<(u32, u64)> =
            flat.chunks(2).map(|pair| (pair[0] as u32, pair[1])).collect();
        let risk = sample_risk(&histogram, 0.2);
        let sample = &expected["sample"];
        for (ours, theirs) in [
            (risk.prosecutor, "prosecutor_estimated"),
            (risk.journalist, "journalist_estimated"),
            (risk.marketer, "marketer_estimated"),
            (risk.marketer, "prosecutor_success_rate"),
            (risk.lowest, "lowest_risk"),
            (risk.prosecutor, "highest_risk"),
            (risk.records_highest as f64, "records_highest"),
            (risk.records_lowest as f64, "records_lowest"),
            (risk.unique_share, "unique_fraction"),
            (risk.unique as f64, "unique_records"),
            (risk.at_risk, "prosecutor_records_at_risk_t0.2"),
            (risk.classes as f64, "classes"),
            (risk.average_class, "avg_class_size"),
        ] {
            let want = sample[theirs].as_f64().unwrap();
            assert!((ours - want).abs() <= 1e-9, "{theirs}: {ours} not {want}");
        }
        for (model, want) in expected["models"].as_object().unwrap() {
            let population = match model.strip_prefix("sampling_fraction_") {
                Some(fraction) => Population::Fraction(fraction.parse().unwrap()),
                None => {
                    Population::Size(model.strip_prefix("population_").unwrap().parse().unwrap())
                }
            };
            let risk = population_risk(&histogram, population).unwrap();
            for (ours, theirs) in [(risk.pitman, "pitman"), (risk.zayatz, "zayatz")] {
                let want = want[theirs].as_f64().unwrap();
                let ours = ours.share().unwrap();
                assert!((ours - want).abs() <= 1e-3 * want, "{model} {theirs}: {ours} not {want}");
            }
            // ARX prints 0 where its solver failed.
            assert_eq!(risk.snb, Estimate::NotConverged, "{model}");
            let chosen = match risk.dankar.chosen {
                Estimator::Pitman => "PITMAN",
                Estimator::Zayatz => "ZAYATZ",
                Estimator::Snb => "SNB",
            };
            assert_eq!(want["model_used_by_dankar"], chosen);
        }
    }
}

#[test]
fn adult_risks_as_the_reference() {
    run("risk_adult.json");
}

#[test]
fn fars_risks_as_the_reference() {
    run("risk_fars.json");
}
