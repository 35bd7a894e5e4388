//! The formats against data that nobody here wrote.

mod arena;
mod by_hand;
mod conformance;
mod counted;
mod defects;
mod fhir;
mod fuzz;
mod fuzz_b;
mod jahis;
mod kinds;
mod mml;
mod out;
mod out_fhir;
mod out_omop;
mod out_xport;
mod reading;
mod ssmix2;
mod uke;

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// An arena that is never given back: tests keep what they read.
fn lasting() -> &'static kiban_formats::Arena {
    Box::leak(Box::default())
}

/// Where the sample data stand; says loudly what is not run without them, and fails in CI.
fn samples(test: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "where tests find the sample data")]
    let (place, ci) = (std::env::var("KIBAN_SAMPLES"), std::env::var("CI"));
    let place = place.map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples"),
        PathBuf::from,
    );
    if place.is_dir() {
        return Some(place);
    }
    assert!(ci.as_deref() != Ok("true"), "CI needs the sample data for {test}");
    #[expect(clippy::print_stderr, reason = "a test that does not run says so")]
    {
        eprintln!("NOT RUN: {test} needs the sample data (KIBAN_SAMPLES)");
    }
    None
}

/// The files of a `.tar.xz`, by path.
fn unpack(archive: &Path) -> BTreeMap<String, Vec<u8>> {
    let file = fs::File::open(archive).unwrap();
    let mut tar = tar::Archive::new(xz2::read::XzDecoder::new(file));
    let mut files = BTreeMap::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(path, bytes);
        }
    }
    files
}

/// The files below a folder, by path from there.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The text of a `.xz` file.
fn plain(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    xz2::read::XzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Value of a column of a record.
fn get<'r>(record: &'r kiban_formats::Record<'_>, column: &str) -> Option<&'r str> {
    let mut found = None;
    record.for_each(|name, value| {
        if name == column {
            found = value;
        }
    });
    found
}
