//! Times of the heavier methods on made-up data: `cargo run -p kiban-anonymity --example perturb_bench`.

use kiban_anonymity::dp::{Gaussian, Laplace, Noise, release_counts, safe_k};
use kiban_anonymity::perturb::{mdav, microaggregate_sorted, rank_swap, suppress_to_k};
use kiban_anonymity::setvalued::{ItemSets, KmSettings, anonymize_km, check_km};
use kiban_anonymity::{Chance, Keys};

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures and shows")]
fn timed<T>(name: &str, run: impl FnOnce() -> T) -> T {
    let begun = std::time::Instant::now();
    let result = run();
    println!("{name}: {:.3} s", begun.elapsed().as_secs_f64());
    result
}

#[expect(clippy::print_stdout, reason = "it measures and shows")]
fn main() {
    let mut stream = Chance::numbered(1).stream();
    let mut normals = |n: usize| (0..n).map(|_| stream.normal()).collect::<Vec<f64>>();
    let (a, b, c) = (normals(100_000), normals(100_000), normals(100_000));
    timed("mdav, 20,000 rows x 3, k = 5", || {
        mdav(&[&a[..20_000], &b[..20_000], &c[..20_000]], 5).map(|groups| groups.sizes.len())
    })
    .ok();
    let large = normals(1_000_000);
    timed("sorted groups, 1,000,000 rows, k = 5", || microaggregate_sorted(&large, 5)).ok();
    timed("rank swap, 1,000,000 rows, 5 %", || {
        rank_swap(&large, 5.0, Keys::Rows, &Chance::numbered(2))
    })
    .ok();
    let mut stream = Chance::numbered(3).stream();
    let mut skewed = |kinds: f64| {
        let unit = stream.unit();
        (kinds * unit * unit * unit) as u32
    };
    let columns: Vec<Vec<Option<u32>>> = [90.0, 2.0, 47.0, 9.0, 16.0, 5.0]
        .iter()
        .map(|kinds| (0..100_000).map(|_| Some(skewed(*kinds))).collect())
        .collect();
    let views: Vec<&[Option<u32>]> = columns.iter().map(Vec::as_slice).collect();
    if let Ok(done) = timed("local suppression, 100,000 rows x 6, k = 5", || {
        suppress_to_k(&views, &[0, 1, 2, 3, 4, 5], 5)
    }) {
        println!("  risky {}, cells {:?}", done.risky, done.suppressed);
    }
    let pairs: Vec<(u32, u32)> = (0..100_000)
        .flat_map(|person| (0..20).map(move |_| person))
        .map(|p| (p, skewed(2_000.0)))
        .collect();
    let Ok(sets) = ItemSets::new(100_000, 2_000, pairs) else { return };
    for m in 1..=3 {
        if let Ok(report) =
            timed(&format!("k^m check, {} pairs, k = 5, m = {m}", sets.pairs()), || {
                check_km(&sets, 5, m)
            })
        {
            let found: Vec<u64> = report.sizes.iter().map(|size| size.minimal_violators).collect();
            println!("  minimal violators {found:?}, persons at risk {}", report.persons_at_risk);
        }
    }
    let names: Vec<Box<str>> = (0..2_000_u32).map(|n| n.to_string().into()).collect();
    let settings = KmSettings { k: 5, m: 2, hierarchy: None, suppress: true, residual: false };
    if let Ok(answer) =
        timed("k^m by suppression, k = 5, m = 2", || anonymize_km(&sets, &names, &settings))
    {
        println!("  loss {:.4}, items {}", answer.loss, answer.suppressed_items);
    }
    for (name, noise) in [
        ("discrete Laplace, 1,000,000 draws", Laplace::new(0.1, 1).map(Noise::Laplace)),
        ("discrete Gaussian, 1,000,000 draws", Gaussian::new(200.0).map(Noise::Gaussian)),
    ] {
        if let Ok(noise) = noise {
            timed(name, || release_counts(&vec![0; 1_000_000], noise, &Chance::numbered(4)));
        }
    }
    if let Ok(k) = timed("k of SafePub, epsilon 0.1, delta 1e-9", || safe_k(0.1, 0.095, 1e-9)) {
        println!("  k = {k}");
    }
}
