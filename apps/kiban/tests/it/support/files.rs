//! Folders: copied, listed, digested; CSV files read.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use kiban_kernel::Digest;

/// Copies a folder's content into another.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file below a folder, in order of path.
pub(crate) fn walk(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// The first file below a folder whose path fits.
pub(crate) fn find(root: &Path, fits: impl Fn(&str) -> bool) -> PathBuf {
    let name = |p: &PathBuf| p.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    walk(root).into_iter().find(|p| fits(&name(p))).expect("such a file")
}

/// The first sealed delivery below a folder.
pub(crate) fn sealed(root: &Path) -> PathBuf {
    find(root, |p| Path::new(p).extension().is_some_and(|e| e == "kiban"))
}

/// Digest of every file that counts as committed state: not locks, nor what the database or the lake
/// keeps beside itself while it is open.
pub(crate) fn digests(root: &Path) -> BTreeMap<String, String> {
    let counts = |p: &str| {
        !p.ends_with("-shm") && !p.ends_with("-wal") && !p.contains("/.") && !p.starts_with('.')
    };
    walk(root)
        .into_iter()
        .map(|p| (p.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), p))
        .filter(|(name, _)| counts(name) && !name.starts_with("governance.sqlite"))
        .map(|(name, p)| (name, Digest::of(&fs::read(p).unwrap()).to_string()))
        .collect()
}

/// The rows of a CSV file, by column.
pub(crate) fn csv_rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let row = |r: csv::StringRecord| {
        header.iter().map(str::to_owned).zip(r.iter().map(str::to_owned)).collect()
    };
    reader.records().map(|r| row(r.unwrap())).collect()
}

/// Does `haystack` hold one of these values?
pub(crate) fn holds(haystack: &[u8], values: &aho_corasick::AhoCorasick) -> bool {
    values.is_match(haystack)
}

/// Every row of every table of a deployment's database, as text.
pub(crate) async fn database(dir: &Path) -> Vec<String> {
    use kiban_audit::{
        Db,
        sqlx::{self, Row as _},
    };
    let db = Db::open_file_read_only(&dir.join("governance.sqlite")).await.unwrap();
    let ask = async |query: String| -> Vec<String> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(db.pool()).await.unwrap();
        rows.iter().map(|row| row.try_get::<String, _>(0).unwrap()).collect()
    };
    let mut found = Vec::new();
    for table in
        ask("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name".to_owned()).await
    {
        let columns = ask(format!("SELECT name FROM pragma_table_info('{table}')")).await;
        let quoted: Vec<String> = columns.iter().map(|c| format!("quote(\"{c}\")")).collect();
        let text = quoted.join(" || '|' || ");
        for row in ask(format!("SELECT {text} FROM \"{table}\" ORDER BY 1")).await {
            found.push(format!("{table}: {row}"));
        }
    }
    db.close().await;
    found
}
