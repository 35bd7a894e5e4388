//! `cargo xtask tidy`: the house rules that a compiler does not check.

mod edges;
mod sources;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// One broken rule, or (with `warn`) one to think about.
pub(crate) struct Remark {
    path: PathBuf,
    line: usize,
    text: String,
    warn: bool,
}

impl Remark {
    pub(crate) fn fail(path: &Path, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, text: text.into(), warn: false }
    }
    pub(crate) fn warn(path: &Path, line: usize, text: impl Into<String>) -> Self {
        Self { warn: true, ..Self::fail(path, line, text) }
    }
}

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    match task.as_str() {
        "tidy" => match tidy() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(e) => say_failure(&format!("{e:#}")),
        },
        _ => say_failure("usage: cargo xtask tidy"),
    }
}

fn say_failure(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::FAILURE
}

fn tidy() -> anyhow::Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let mut remarks = edges::check(&root)?;
    let (files, found) = sources::check(&root)?;
    remarks.extend(found);
    let mut out = std::io::stdout().lock();
    for r in &remarks {
        let path = r.path.strip_prefix(&root).unwrap_or(&r.path).display();
        let kind = if r.warn { "warning" } else { "error" };
        writeln!(out, "{kind}: {path}:{}: {}", r.line, r.text)?;
    }
    let errors = remarks.iter().filter(|r| !r.warn).count();
    writeln!(out, "tidy: {files} files, {errors} errors, {} warnings", remarks.len() - errors)?;
    Ok(errors == 0)
}
