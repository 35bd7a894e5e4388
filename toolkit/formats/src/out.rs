//! The output side: canonical rows as OMOP CDM 5.4, FHIR R4 NDJSON, or SAS transport files in the manner of SDTM.
//!
//! Enters: canonical rows with the key of their person, twice in the same order: first into a [`Survey`] (people and
//! visits), then into an [`Out`]. Leaves: bytes in the files a [`Sinks`] opens, and a [`Summary`] in which every row is
//! carried or left out by a [`Reason`]. Refuses: nothing silently; invents nothing: concepts without a vocabulary are 0,
//! a day that must be completed is counted. No file system, no clock.
//!
//! ```
//! use kiban_formats::{Arena, municipal, out};
//! let header = "宛名番号,氏名カナ,生年月日,性別,住所,死亡年月日";
//! let (reader, _) = municipal::Reader::find([header.as_bytes()])?;
//! let arena = Arena::new();
//! let parsed = reader.parse_row("1,,19500102,1,,20240301".as_bytes(), 2, &arena);
//! let rows = || parsed.records.iter().map(|r| (parsed.person.unwrap_or(""), r));
//! let mut survey = out::Survey::default();
//! for (person, record) in rows() {
//!     survey.note(person, record);
//! }
//! let options = out::Options { released_on: "2024-04-01", ..out::Options::default() };
//! let mut sinks = |_file: &str| Ok(std::io::sink());
//! let mut writer = out::Out::new(out::Target::Omop, survey, options, &mut sinks)?;
//! for (person, record) in rows() {
//!     writer.push(person, record)?;
//! }
//! let summary = writer.finish()?;
//! assert_eq!(summary.rows_out["person"], 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod fhir;
mod moment;
pub mod omop;
mod stands;
mod summary;
mod survey;
pub mod xport;

use std::io::{self, Write};

pub use self::{
    moment::Moment, omop::Omop, stands::Reason, summary::Summary, survey::Survey, xport::Xport,
};
use crate::record::Record;

/// Where output files go: opens the sink of a file by its name (`person.csv`).
pub trait Sinks {
    /// The sink of one file.
    type File: Write;
    /// Opens a file; each name is opened once.
    ///
    /// # Errors
    /// As the place says.
    fn open(&mut self, name: &str) -> io::Result<Self::File>;
}

impl<W: Write, F: FnMut(&str) -> io::Result<W>> Sinks for F {
    type File = W;
    fn open(&mut self, name: &str) -> io::Result<W> {
        self(name)
    }
}

/// In what the rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// OMOP CDM 5.4 as CSV files.
    Omop,
    /// FHIR R4 as NDJSON, a file per type of resource.
    Fhir,
    /// SAS transport files (XPORT version 5), a file per domain of SDTM.
    Xport,
}

impl Target {
    /// All targets.
    pub const ALL: [Self; 3] = [Self::Omop, Self::Fhir, Self::Xport];
    /// Text form, as on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Omop => "omop",
            Self::Fhir => "fhir",
            Self::Xport => "xport",
        }
    }
    /// The target of a text form.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == name)
    }
}

/// Encoding of text in SAS transport files, which do not say it themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8: SAS must be told so (`encoding='utf-8'`).
    #[default]
    Utf8,
    /// Windows-31J (`encoding='shift-jis'`).
    Cp932,
}

/// Tells the standard concept of a source's code: code system as the source names it, code -> concept id.
pub type Vocabulary<'v> = dyn Fn(&str, &str) -> Option<i32> + 'v;

/// What the caller decides.
#[derive(Clone, Copy)]
pub struct Options<'v> {
    /// Name of the data (OMOP `cdm_source_name`; XPORT `STUDYID`).
    pub source_name: &'v str,
    /// Short name, at most 25 characters (OMOP), eight for the header of transport files.
    pub source_abbreviation: &'v str,
    /// Who holds the data.
    pub holder: &'v str,
    /// Day of the release, `YYYY-MM-DD`: there is no clock here.
    pub released_on: &'v str,
    /// Version of the vocabulary, `none` without one.
    pub vocabulary_version: &'v str,
    /// Concepts of codes; without one they are 0.
    pub vocabulary: Option<&'v Vocabulary<'v>>,
    /// Are names, addresses, telephone numbers, card numbers and staff written?
    pub identifiers: bool,
    /// Is free text written?
    pub texts: bool,
    /// Encoding of transport files.
    pub encoding: Encoding,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            source_name: "kiban",
            source_abbreviation: "KIBAN",
            holder: "kiban",
            released_on: "1970-01-01",
            vocabulary_version: "none",
            vocabulary: None,
            identifiers: false,
            texts: false,
            encoding: Encoding::Utf8,
        }
    }
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Options(identifiers {}, texts {})", self.identifiers, self.texts)
    }
}

/// Why output cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutError {
    /// Writing failed.
    #[error("cannot write the output")]
    Io(#[from] io::Error),
    /// A row of a person whom the first pass did not see.
    #[error("the second pass brought a person the first did not")]
    UnknownPerson,
    /// More rows than 32-bit keys.
    #[error("more rows than the target has keys for")]
    TooMany,
    /// The day of the release is no day.
    #[error("the day of the release is no day")]
    Release,
}

impl OutError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> &'static str {
        match self {
            Self::Io(_) => "出力先に書き込めません。空き容量と権限を確認してください。",
            Self::UnknownPerson => {
                "1回目と2回目の読み取りで人が一致しません。読み取り中に元のファイルが変わっていないか確認してください。"
            }
            Self::TooMany => "行数が出力先の番号の上限（32ビット）を超えました。分割してください。",
            Self::Release => "公開日の指定が日付（YYYY-MM-DD）ではありません。",
        }
    }
}

/// A writer of any target.
pub enum Out<'v, S: Sinks> {
    /// OMOP.
    Omop(Box<Omop<'v, S>>),
    /// FHIR.
    Fhir(Box<fhir::Fhir<'v, S>>),
    /// XPORT.
    Xport(Box<Xport<'v, S>>),
}

impl<S: Sinks> std::fmt::Debug for Out<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Omop(_) => "Out(omop)",
            Self::Fhir(_) => "Out(fhir)",
            Self::Xport(_) => "Out(xport)",
        })
    }
}

impl<'v, S: Sinks> Out<'v, S> {
    /// Begins the second pass.
    ///
    /// # Errors
    /// A file cannot be opened; the options are not as they must be.
    pub fn new(
        target: Target,
        survey: Survey,
        options: Options<'v>,
        sinks: S,
    ) -> Result<Self, OutError> {
        Ok(match target {
            Target::Omop => {
                Self::Omop(Box::new(Omop::new(survey, omop::Ids::default(), options, sinks)?))
            }
            Target::Fhir => Self::Fhir(Box::new(fhir::Fhir::new(survey, options, sinks)?)),
            Target::Xport => Self::Xport(Box::new(Xport::new(survey, options, sinks)?)),
        })
    }
    /// Writes a row.
    ///
    /// # Errors
    /// Writing failed; the person is unknown.
    pub fn push(&mut self, person: &str, record: &Record<'_>) -> Result<(), OutError> {
        match self {
            Self::Omop(out) => out.push(person, record),
            Self::Fhir(out) => out.push(person, record),
            Self::Xport(out) => out.push(person, record),
        }
    }
    /// Closes the files.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(self) -> Result<Summary, OutError> {
        match self {
            Self::Omop(out) => out.finish().map(|(summary, _)| summary),
            Self::Fhir(out) => out.finish(),
            Self::Xport(out) => out.finish(),
        }
    }
}
