//! Where the reference results are, and how they are read.

use kiban_anonymity::{Attribute, Hierarchy, Sensitive, Table, TableBuilder};
use serde_json::Value;
use std::path::PathBuf;

/// The folder of the reference results, or none with a loud note (a panic in CI).
#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "tests find shared data by it")]
pub(crate) fn folder() -> Option<PathBuf> {
    let given = std::env::var("KIBAN_ORACLES").map(PathBuf::from);
    let root = given.unwrap_or_else(|_| {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/oracles"))
    });
    let folder = root.join("anonymity");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "reference results are missing");
    eprintln!("NOT RUN: no reference results at {}", folder.display());
    None
}

pub(crate) fn json(folder: &std::path::Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A data set: header, rows, hierarchies.
pub(crate) struct Set {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) hierarchies: Vec<Hierarchy>,
}

fn text(path: &std::path::Path) -> String {
    if path.exists() {
        return std::fs::read_to_string(path).unwrap();
    }
    let packed = path.with_extension("csv.zst");
    let bytes = zstd::decode_all(std::fs::File::open(packed).unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn set(folder: &std::path::Path, name: &str) -> Set {
    let folder = folder.join("data").join(name);
    let data = text(&folder.join(format!("{name}.csv")));
    let mut lines = data.lines().map(|line| line.split(';').map(str::to_owned).collect());
    let header: Vec<String> = lines.next().unwrap();
    let hierarchies = header
        .iter()
        .map(|attribute| {
            let file = folder.join("hierarchies").join(format!("{attribute}.csv"));
            Hierarchy::parse(&text(&file), ';').unwrap()
        })
        .collect();
    Set { header, rows: lines.collect(), hierarchies }
}

impl Set {
    /// The table with these attributes as quasi-identifiers.
    pub(crate) fn table(&self, quasi: &[String], sensitive: Option<&str>) -> Table {
        let place = |name: &str| self.header.iter().position(|h| h == name).unwrap();
        let quasi: Vec<usize> = quasi.iter().map(|name| place(name)).collect();
        let sensitive: Vec<usize> = sensitive.iter().map(|name| place(name)).collect();
        let attributes = quasi
            .iter()
            .map(|at| Attribute::new(self.header[*at].clone(), self.hierarchies[*at].clone()))
            .collect();
        let protected = sensitive
            .iter()
            .map(|at| Sensitive::new(self.header[*at].clone(), Some(self.hierarchies[*at].clone())))
            .collect();
        let mut table = TableBuilder::new(attributes, protected).unwrap();
        for row in &self.rows {
            let pick = |of: &[usize]| of.iter().map(|at| row[*at].as_str()).collect::<Vec<_>>();
            table.push(&pick(&quasi), &pick(&sensitive)).unwrap();
        }
        table.finish()
    }
}
