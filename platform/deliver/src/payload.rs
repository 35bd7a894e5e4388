//! The payload: the plain files of a package. The same files give the same digest.

use std::{collections::BTreeSet, fmt::Write as _};

use kiban_kernel::{Date, Digest, Product};
use kiban_release::{
    Manifest,
    manifest::{FileFact, payload_digest},
};

use crate::PayloadError;

/// Path of the manifest inside a package; no payload file may have it.
pub(crate) const MANIFEST: &str = "manifest.note";
const DICTIONARY: &str = "dictionary.csv";
const LICENCE: &str = "licence.txt";
const NEEDED: [&str; 4] = ["changes.csv", DICTIONARY, LICENCE, "risk.json"];

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadFile {
    /// Path inside the package, parts joined by `/`.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// What the licence says about one dataset.
#[derive(Debug, Clone, Copy)]
pub struct Licence<'a> {
    /// Which product.
    pub product: Product,
    /// Text of the contract.
    pub contract: &'a str,
    /// Conditions of the producer's decision.
    pub conditions: &'a [String],
    /// Last day of use.
    pub use_until: Date,
}

/// The files of a package, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    files: Vec<PayloadFile>,
}

/// Is the path plain: relative, forward slashes, no empty, `.` or `..` part, no control or reserved character?
pub(crate) fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 240
        && !path.chars().any(|c| c.is_control() || "\\:*?\"<>|".contains(c))
        && path.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with(['.', ' '])
                && part.len() <= 120
        })
}

impl Payload {
    /// From the files of a product; `licence.txt` and `README.txt` are added.
    ///
    /// # Errors
    /// A path is not allowed or stands twice, a file every package needs is missing, or a column is not in the
    /// dictionary.
    pub fn assemble(
        mut files: Vec<PayloadFile>,
        licence: &Licence<'_>,
    ) -> Result<Self, PayloadError> {
        files.push(PayloadFile { path: LICENCE.into(), bytes: licence.text().into_bytes() });
        let readme = readme(licence.product, &files);
        files.push(PayloadFile { path: "README.txt".into(), bytes: readme.into_bytes() });
        Self::from_files(files)
    }

    /// From all files, licence included: as read back from a rebuild.
    ///
    /// # Errors
    /// As [`Payload::assemble`].
    pub fn from_files(mut files: Vec<PayloadFile>) -> Result<Self, PayloadError> {
        for (i, file) in files.iter().enumerate() {
            if !is_plain(&file.path) || file.path == MANIFEST {
                return Err(PayloadError::Path { position: i + 1 });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(pair) = files.windows(2).find(|w| w[0].path == w[1].path) {
            return Err(PayloadError::Twice { path: pair[0].path.clone() });
        }
        let this = Self { files };
        if let Some(path) = NEEDED.into_iter().find(|path| this.file(path).is_none()) {
            return Err(PayloadError::Missing { path });
        }
        this.dictionary_covers()?;
        Ok(this)
    }

    /// The files, sorted by path.
    pub fn files(&self) -> &[PayloadFile] {
        &self.files
    }
    /// A file by path.
    pub fn file(&self, path: &str) -> Option<&PayloadFile> {
        self.files.iter().find(|f| f.path == path)
    }
    /// What the manifest says of the files.
    pub fn facts(&self) -> Vec<FileFact> {
        self.files
            .iter()
            .map(|f| FileFact {
                path: f.path.clone(),
                size: f.bytes.len() as u64,
                sha256: Digest::of(&f.bytes),
            })
            .collect()
    }
    /// The payload's digest; the seal has no part in it.
    pub fn digest(&self) -> Digest {
        payload_digest(&self.facts())
    }

    /// Is this the payload of the manifest?
    ///
    /// # Errors
    /// Names the first file that is not.
    pub fn is_of(&self, manifest: &Manifest) -> Result<(), PayloadError> {
        let (ours, theirs) = (self.facts(), &manifest.files);
        if let Some(other) = ours.iter().find(|f| !theirs.contains(f)) {
            return Err(PayloadError::NotApproved { path: other.path.clone() });
        }
        if let Some(absent) = theirs.iter().find(|f| !ours.contains(f)) {
            return Err(PayloadError::NotApproved { path: absent.path.clone() });
        }
        Ok(())
    }

    fn dictionary_covers(&self) -> Result<(), PayloadError> {
        let mut known = BTreeSet::new();
        for row in read_csv(self.file(DICTIONARY), false)? {
            if let (Some(table), Some(column)) = (row.get(0), row.get(1)) {
                known.insert((table.to_owned(), column.to_owned()));
            }
        }
        let mut missing = Vec::new();
        for file in &self.files {
            let Some(name) = file.path.rsplit('/').next().and_then(|n| n.strip_suffix(".csv"))
            else {
                continue;
            };
            if !file.path.starts_with("data/") {
                continue;
            }
            for column in read_csv(Some(file), true)?.iter().flatten() {
                let key = (name.to_owned(), column.to_owned());
                if !known.contains(&key) {
                    missing.push(key);
                }
            }
        }
        let count = missing.len();
        match missing.into_iter().next() {
            None => Ok(()),
            Some((table, column)) => Err(PayloadError::Dictionary { table, column, count }),
        }
    }
}

fn read_csv(
    file: Option<&PayloadFile>,
    head_only: bool,
) -> Result<Vec<csv::StringRecord>, PayloadError> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let failed = || PayloadError::Csv { path: file.path.clone() };
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(&file.bytes[..])
        .into_records()
        .take(if head_only { 1 } else { usize::MAX })
        .map(|r| r.map_err(|_| failed()))
        .collect()
}

impl Licence<'_> {
    fn text(&self) -> String {
        let mut out = format!("{} 利用条件\n\n", self.product.label_ja());
        let duties: &[&str] = match self.product {
            Product::Anonymized => &[
                "本人を識別する目的で、削除された記述等・加工の方法に関する情報を取得し、又は他の情報と照合してはなりません（法30条）。",
                "契約に定める範囲を超えて、利用し、又は第三者に提供してはなりません。",
            ],
            Product::Pseudonymized => &[
                "本人を識別する目的で、削除された記述等・個人識別符号・加工の方法に関する情報を取得し、又は他の情報と照合してはなりません（法42条・43条）。",
                "本人への連絡に利用してはなりません。",
                "法令に基づく場合、承認審査等のための提出、事業の承継、認定仮名加工医療情報利用事業者間の共同利用を除き、第三者に提供してはなりません（法43条）。",
                "分析成果物の持出しは、個人単位の情報を含まないことの確認を経てください。",
            ],
        };
        for (i, duty) in duties.iter().enumerate() {
            let _ = writeln!(out, "{}. {duty}", i + 1);
        }
        let _ = writeln!(
            out,
            "{}. 安全管理措置を講じ、漏えい等が生じたときは直ちに作成事業者に報告してください。",
            duties.len() + 1
        );
        let _ = writeln!(
            out,
            "{}. 利用期間は{}までです。終了後は復元できない方法で消去し、作成事業者に報告してください。",
            duties.len() + 2,
            self.use_until
        );
        if !self.conditions.is_empty() {
            out.push_str("\n提供の条件\n");
            for condition in self.conditions {
                let _ = writeln!(out, "- {}", condition.trim());
            }
        }
        let _ = write!(out, "\n契約\n{}\n", self.contract.trim_end());
        out
    }
}

fn readme(product: Product, files: &[PayloadFile]) -> String {
    let mut out = format!("{}\n\n", product.label_ja());
    out.push_str(
        "data/ の各表は Parquet と CSV（UTF-8、LF、1行目は列名）の二通りで同じ内容です。\n\n",
    );
    let notes = [
        (DICTIONARY, "データ辞書：全ての列の型・区分・加工規則・根拠"),
        ("changes.csv", "加工報告：規則ごとの件数と根拠条文"),
        ("risk.json", "個人単位のリスクの要約"),
        (LICENCE, "利用条件"),
        (MANIFEST, "署名付き目録：作成の元になったものと全ファイルのダイジェスト"),
    ];
    for (path, note) in notes {
        let _ = writeln!(out, "{path}  {note}");
    }
    let mut tables: Vec<_> =
        files.iter().filter(|f| f.path.starts_with("data/")).map(|f| &f.path).collect();
    tables.sort();
    for path in tables {
        let _ = writeln!(out, "{path}");
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn files() -> Vec<PayloadFile> {
        let file = |path: &str, text: &str| PayloadFile { path: path.into(), bytes: text.into() };
        vec![
            file("data/person.csv", "id,sex\nA,女\n"),
            file("data/person.parquet", "PAR1"),
            file("dictionary.csv", "表,列,型\nperson,id,utf8\nperson,sex,utf8\n"),
            file("changes.csv", "規則\n"),
            file("risk.json", "{}\n"),
        ]
    }
    fn licence() -> Licence<'static> {
        let use_until = Date::constant(2028, 3, 31);
        Licence { product: Product::Anonymized, contract: "契約", conditions: &[], use_until }
    }

    /// deliver.payload
    #[test]
    fn the_order_of_files_does_not_matter_and_every_byte_does() {
        let payload = Payload::assemble(files(), &licence()).unwrap();
        let mut reversed = files();
        reversed.reverse();
        let same = Payload::assemble(reversed, &licence()).unwrap();
        // README lists the tables sorted, so even it is the same
        assert_eq!(payload, same);
        assert_eq!(payload.digest(), same.digest());
        let mut other = files();
        other[1].bytes[0] ^= 1;
        assert_ne!(Payload::assemble(other, &licence()).unwrap().digest(), payload.digest());
        assert!(payload.file("README.txt").is_some() && payload.file("licence.txt").is_some());
    }

    #[test]
    fn a_payload_that_lacks_something_is_refused_by_name() {
        let assemble = |files| Payload::assemble(files, &licence()).unwrap_err();
        let without =
            |path: &str| files().into_iter().filter(|f| f.path != path).collect::<Vec<_>>();
        assert_eq!(assemble(without("risk.json")), PayloadError::Missing { path: "risk.json" });
        let mut wide = files();
        wide[0].bytes = "id,sex,height,weight\n".into();
        assert_eq!(
            assemble(wide),
            PayloadError::Dictionary { table: "person".into(), column: "height".into(), count: 2 }
        );
        let mut twice = files();
        twice.push(files()[1].clone());
        assert!(matches!(assemble(twice), PayloadError::Twice { .. }));
    }

    #[test]
    fn paths_that_could_leave_the_folder_are_refused() {
        for path in [
            "",
            "/etc/x",
            "../x",
            "a/../x",
            "a//b",
            "./a",
            "a\\b",
            "c:x",
            "a/.hidden",
            "manifest.note",
            "a\nb",
            "a.",
        ] {
            let mut bad = files();
            bad[0].path = path.into();
            let e = Payload::assemble(bad, &licence()).unwrap_err();
            assert_eq!(e, PayloadError::Path { position: 1 }, "{path:?}");
            assert!(!e.ja().is_empty());
        }
    }

    proptest! {
        #[test]
        fn a_plain_path_stays_inside(path in "[a-z./\\\\:~ ]{0,12}") {
            if is_plain(&path) {
                let joined = std::path::Path::new("/base").join(&path);
                prop_assert!(joined.starts_with("/base"));
                prop_assert!(joined.components().all(|c| !matches!(c, std::path::Component::ParentDir)));
            }
        }
    }
}
