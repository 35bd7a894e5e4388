//! Sizes, names, law keys and loose ends in source files.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::Remark;

const WARN_LINES: usize = 400;
const FAIL_LINES: usize = 1_000;
const BANNED_FILES: &[&str] = &["utils.rs", "util.rs", "common.rs", "misc.rs", "helpers.rs"];
const BANNED_TYPE_ENDS: &[&str] = &["Manager", "Helper", "Info", "Util", "Utils"];

/// Returns the number of files looked at and the remarks.
pub(crate) fn check(root: &Path) -> anyhow::Result<(usize, Vec<Remark>)> {
    let law: toml::Table = fs::read_to_string(root.join("docs/law.toml"))?.parse()?;
    let keys: BTreeSet<&str> = law.keys().map(String::as_str).collect();
    let mut files = Vec::new();
    for room in
        ["toolkit", "platform", "apps", "testkit", "xtask", "benches", "rules", "spec", "schemas"]
    {
        walk(&root.join(room), &mut files)?;
    }
    let mut remarks = Vec::new();
    for path in &files {
        let Ok(text) = fs::read_to_string(path) else { continue };
        match path.extension().and_then(|e| e.to_str()) {
            Some("rs") => rust(path, &text, &keys, &mut remarks),
            Some("toml") => law_in_toml(path, &text, &keys, &mut remarks),
            _ => {}
        }
    }
    Ok((files.len(), remarks))
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if path.is_dir() && !["target", "node_modules", "zz-hack"].contains(&name) {
            walk(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn rust(path: &Path, text: &str, keys: &BTreeSet<&str>, remarks: &mut Vec<Remark>) {
    let lines = text.lines().count();
    if lines > FAIL_LINES {
        remarks.push(Remark::fail(
            path,
            lines,
            format!("{lines} lines: split the file by what it does"),
        ));
    } else if lines > WARN_LINES {
        remarks.push(Remark::warn(path, lines, format!("{lines} lines")));
    }
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    if BANNED_FILES.contains(&name) {
        remarks.push(Remark::fail(path, 1, "a drawer for everything: name the concept"));
    }
    let mut in_law = false;
    for (i, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let doc = code.strip_prefix("///").or_else(|| code.strip_prefix("//!")).map(str::trim);
        match doc {
            Some(d) if d.starts_with("# ") => in_law = d == "# Law",
            Some(d) if in_law => {
                for key in d.split('`').skip(1).step_by(2) {
                    if !keys.contains(key) {
                        remarks.push(Remark::fail(path, i + 1, format!("unknown law key `{key}`")));
                    }
                }
            }
            Some(_) => {}
            None => in_law = false,
        }
        banned_names(path, i + 1, code, remarks);
        let todo = ["TO", "DO"].concat();
        if code.contains(&format!("{todo}:")) || code.contains(&format!("{todo} ")) {
            remarks.push(Remark::fail(path, i + 1, "a loose end needs an issue, not a remark"));
        }
    }
}

fn banned_names(path: &Path, line: usize, code: &str, remarks: &mut Vec<Remark>) {
    let after = |word: &str| {
        let at = code.find(word)?;
        let name =
            code[at + word.len()..].split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        (!name.is_empty()).then_some(name)
    };
    if code.starts_with("//") {
        return;
    }
    if code.starts_with("pub") && after("fn ").is_some_and(|n| n.starts_with("get_")) {
        remarks.push(Remark::fail(path, line, "no `get_` in names"));
    }
    for word in ["struct ", "enum ", "trait "] {
        let starts =
            code.starts_with(word) || code.starts_with("pub") && code.contains(&format!(" {word}"));
        if let Some(name) = after(word).filter(|_| starts)
            && BANNED_TYPE_ENDS.iter().any(|end| name.ends_with(end))
        {
            remarks.push(Remark::fail(
                path,
                line,
                format!("`{name}` says nothing: name what it is"),
            ));
        }
    }
}

fn law_in_toml(path: &Path, text: &str, keys: &BTreeSet<&str>, remarks: &mut Vec<Remark>) {
    if path.components().any(|c| c.as_os_str() == "broken") {
        return;
    }
    for (i, line) in text.lines().enumerate() {
        let Some(rest) = line.trim().strip_prefix("law = \"") else { continue };
        let key = rest.split('"').next().unwrap_or_default();
        if !keys.contains(key) {
            remarks.push(Remark::fail(path, i + 1, format!("unknown law key `{key}`")));
        }
    }
}
