//! The same specification on a plain table, outside any deployment.
//!
//! Enters: a specification with one table, a CSV (UTF-8) or Parquet file. Leaves: a file of the same kind or the
//! other, and a report. Refuses: what [`Spec::check_tool`] refuses, a declared column that the file lacks, a file
//! that is no such file. The output appears whole or not at all.

mod read;

use std::{
    fs,
    path::{Path, PathBuf},
};

use arrow::array::RecordBatch;
use kiban_kernel::{Date, Digest, Entropy, Product, Rules};
use kiban_lake::{
    Session,
    functions::keyed::{FixedOutcome, Keyed},
};

use crate::{
    acts::provenance,
    error::ProduceError,
    payload::{csv_bytes, parquet_bytes},
    produce::{self, Run, frame},
    product::Produced,
    spec::{CheckError, Spec, SpecError},
};

pub use read::ReadError;

/// What to do.
#[derive(Debug, Clone)]
pub struct Request {
    /// The specification's file.
    pub spec: PathBuf,
    /// Which product's rules.
    pub product: Product,
    /// `.csv` (UTF-8, a header line) or `.parquet`.
    pub input: PathBuf,
    /// `.csv` or `.parquet`.
    pub output: PathBuf,
    /// Where the report goes, as JSON.
    pub report: Option<PathBuf>,
    /// A file of at least 16 secret bytes: the same key gives the same pseudonyms. Random for this run without it.
    pub key_file: Option<PathBuf>,
    /// The only person's id, instead of the specification's `[fixed] id`.
    pub fixed_id: Option<String>,
    /// Days added to every shifted date, instead of the specification's `[fixed] date_offset_days`.
    pub fixed_offset: Option<i32>,
    /// Day whose rules are in force.
    pub on: Date,
}

/// Why the tool stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// A file cannot be read or written.
    #[error("{path}: cannot be {act}")]
    File {
        /// Which file.
        path: PathBuf,
        /// `read` or `written`.
        act: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The specification is not one.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The specification breaks the processing standard.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The specification is about several tables.
    #[error("a plain table needs a specification with exactly one table")]
    SeveralTables,
    /// The input is not a table.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The key is too short.
    #[error("the key file holds fewer than 16 bytes")]
    ShortKey,
    /// The product could not be made.
    #[error(transparent)]
    Produce(#[from] ProduceError),
}

impl ToolError {
    /// The Japanese sentence.
    pub fn ja(&self) -> String {
        match self {
            Self::File { path, act, .. } => {
                let act = if *act == "read" { "読めません" } else { "書けません" };
                format!("ファイル {} を{act}。場所と権限を確かめてください。", path.display())
            }
            Self::Spec(e) => e.ja(),
            Self::Check(e) => e.ja(),
            Self::SeveralTables => {
                "単一の表には、表が1つだけの加工仕様書が必要です（[tables.data] など）。".to_owned()
            }
            Self::Read(e) => e.ja(),
            Self::ShortKey => {
                "鍵ファイルが短すぎます。16バイト以上の乱数にしてください。".to_owned()
            }
            Self::Produce(e) => e.ja(),
        }
    }
}

/// Runs the tool.
///
/// # Errors
/// See [`ToolError`]; no output is left behind.
pub async fn deid(
    request: &Request,
    rules: &Rules,
    entropy: &dyn Entropy,
) -> Result<Produced, ToolError> {
    let read = |path: &Path| {
        fs::read(path).map_err(|source| ToolError::File {
            path: path.to_owned(),
            act: "read",
            source,
        })
    };
    let text = String::from_utf8(read(&request.spec)?).map_err(|e| ToolError::File {
        path: request.spec.clone(),
        act: "read",
        source: std::io::Error::new(std::io::ErrorKind::InvalidData, e.utf8_error()),
    })?;
    let spec = Spec::parse(&text)?;
    let secret = match &request.key_file {
        None => {
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes).map_err(ProduceError::from)?;
            bytes
        }
        Some(path) => {
            let bytes = read(path)?;
            if bytes.len() < 16 {
                return Err(ToolError::ShortKey);
            }
            *Digest::of(&bytes).as_bytes()
        }
    };
    let input = read(&request.input)?;
    let fixed =
        FixedOutcome { pseudonym: request.fixed_id.clone(), offset_days: request.fixed_offset };
    let batches = read::table(&request.input, input.clone())?;
    // The domain of an anonymized table is that table alone; of a pseudonymized one, whatever the key is used for.
    let domain = match request.product {
        Product::Anonymized => format!("tool/anonymized/{}", Digest::of(&input)),
        Product::Pseudonymized => "tool/pseudonymized".to_owned(),
    };
    drop(input);
    let produced =
        table(&spec, request.product, rules, request.on, batches, &secret, &domain, fixed).await?;
    let Some((name, rows)) = produced.tables.first() else { return Err(ToolError::SeveralTables) };
    write(&request.output, &file_bytes(&request.output, name, rows)?)?;
    if let Some(path) = &request.report {
        write(path, &report_bytes(&produced)?)?;
    }
    Ok(produced)
}

/// The same on batches in memory: one table, read as [`Request::input`] would be.
///
/// # Errors
/// See [`ToolError`].
#[expect(
    clippy::too_many_arguments,
    reason = "each is one fact of the run; the file-based form groups them"
)]
pub async fn table(
    spec: &Spec,
    product: Product,
    rules: &Rules,
    on: Date,
    batches: Vec<RecordBatch>,
    secret: &[u8; 32],
    domain: &str,
    fixed: FixedOutcome,
) -> Result<Produced, ToolError> {
    let checked = spec.check_tool(product, rules, on)?;
    let [table] = checked.tables() else { return Err(ToolError::SeveralTables) };
    let document = spec.document();
    let declared = document.fixed.as_ref();
    let fixed = FixedOutcome {
        pseudonym: fixed.pseudonym.or_else(|| declared.and_then(|f| f.id.clone())),
        offset_days: fixed.offset_days.or_else(|| declared.and_then(|f| f.date_offset_days)),
    };
    let is_fixed = fixed != FixedOutcome::default();
    let key: &[String] = document.person.as_ref().map_or(&[], |p| &p.key);
    let batches = read::with_person(&table.name, batches, key)?;
    let session = Session::detached().map_err(ProduceError::from)?;
    let frame = frame::of_table(&session, batches, &checked, table, key.is_empty()).await?;
    let run = Run {
        session: &session,
        checked: &checked,
        keyed: Keyed::with_fixed(secret, domain, fixed),
        decisions: &[],
        provenance: provenance(&checked, domain, None, "tool"),
        fixed: is_fixed,
    };
    Ok(produce::make(run, vec![(table, frame)]).await?)
}

fn file_bytes(path: &Path, table: &str, rows: &[RecordBatch]) -> Result<Vec<u8>, ToolError> {
    let Some(schema) = rows.first().map(RecordBatch::schema) else { return Ok(Vec::new()) };
    let bytes = if read::is_parquet(path) {
        parquet_bytes(table, &schema, rows)
    } else {
        csv_bytes(table, &schema, rows)
    };
    Ok(bytes.map_err(ProduceError::from)?)
}

fn report_bytes(produced: &Produced) -> Result<Vec<u8>, ToolError> {
    #[derive(serde::Serialize)]
    struct Report<'a> {
        provenance: &'a crate::Provenance,
        changes: &'a crate::report::ChangeReport,
        risk: &'a crate::report::RiskSummary,
        findings: &'a [crate::finding::Finding],
        dictionary: &'a [crate::report::DictionaryEntry],
    }
    let report = Report {
        provenance: &produced.provenance,
        changes: &produced.changes,
        risk: &produced.risk,
        findings: &produced.findings,
        dictionary: &produced.dictionary,
    };
    let mut bytes = serde_json::to_vec_pretty(&report)
        .map_err(|e| ProduceError::from(crate::payload::PayloadError::from(e)))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes beside the target and renames: whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ToolError> {
    let failed = |source| ToolError::File { path: path.to_owned(), act: "written", source };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let done = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    done.map_err(|source| {
        // Nothing half written stays; if even this fails, the first error is the one to show.
        let _ = fs::remove_file(&beside);
        failed(source)
    })
}
