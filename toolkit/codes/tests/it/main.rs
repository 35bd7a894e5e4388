//! Codes, candidates, units and mappings, from outside.

mod candidate;
mod mapping;
mod master;
mod synthetic;
mod unit;

/// Samples that are read in place and never copied: `KIBAN_SAMPLES`, or `../shared/samples` beside the checkout.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the place of the samples is the test run's configuration; a test that did not run says so"
)]
fn samples() -> Option<std::path::PathBuf> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let place = std::env::var_os("KIBAN_SAMPLES")
        .map_or_else(|| root.join("../shared/samples"), std::path::PathBuf::from);
    if place.is_dir() {
        return Some(place);
    }
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "KIBAN_SAMPLES is missing and CI=true"
    );
    eprintln!("NOT RUN: KIBAN_SAMPLES is missing");
    None
}
