//! SAS transport files (XPORT version 5) in the manner of SDTM, a file per domain (`lb.xpt`, `supplb.xpt`).
//!
//! Enters: a [`Survey`], then rows. Leaves: DM, SV, CM, MH, PR, LB, VS, DS as far as the canonical tables fill them, and
//! a `SUPP--` each with the codes of the source. Refuses: nothing silently. Rules:
//!
//! - `USUBJID` is `STUDYID-key`; `STUDYID` is [`Options::source_name`]. Dates are ISO 8601, as exact as the source.
//! - `--TESTCD` is no term of CDISC: `L00001` … by first appearance of a code; code, system and text stand beside it.
//! - A text of more bytes than its variable goes on in `SUPP--` (`LBORRES1` …), at most nine times, never cut.
//! - Text is UTF-8 or Windows-31J as [`Options::encoding`] says; the files have no place to say it. NUL cannot be written.
//! - Results are as sent in `--ORRES`, and in `--STRESC` too: nothing is converted. `--STRESN` is exact in 53 bits.
//! - Blanks at the end of a text are not kept by the format.

mod domains;
mod ibm;
mod layout;
mod transport;

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use encoding_rs::SHIFT_JIS;

pub use self::{
    ibm::to_ibm,
    layout::{DOMAINS, Domain, Variable},
};
use self::{layout::domain, transport::Transport};
use super::{Encoding, Moment, Options, OutError, Reason, Sinks, Summary, Survey, stands::stands};
use crate::record::Record;

/// Writes domains.
pub struct Xport<'v, S: Sinks> {
    survey: Survey,
    options: Options<'v>,
    released: Moment,
    sinks: S,
    files: BTreeMap<String, Transport<S::File>>,
    summary: Summary,
    /// Last sequence numbers, by domain and person.
    sequences: HashMap<(&'static str, u32), u32>,
    /// Short names of tests, by domain, system and code or text.
    tests: HashMap<(&'static str, String), usize>,
    last_test: HashMap<&'static str, usize>,
}

impl<S: Sinks> std::fmt::Debug for Xport<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Xport({:?})", self.survey)
    }
}

/// Values of a row before it is written.
#[derive(Default)]
struct Row<'r> {
    texts: Vec<(&'static str, Cow<'r, str>)>,
    numbers: Vec<(&'static str, f64)>,
    /// Name, label and value of what goes into `SUPP--`.
    extra: Vec<(&'static str, &'static str, Cow<'r, str>)>,
}

impl<'r> Row<'r> {
    fn text(mut self, name: &'static str, value: Option<&'r str>) -> Self {
        self.texts.extend(value.filter(|v| !v.is_empty()).map(|v| (name, Cow::Borrowed(v))));
        self
    }
    fn owned(mut self, name: &'static str, value: Option<String>) -> Self {
        self.texts.extend(value.map(|v| (name, Cow::Owned(v))));
        self
    }
    fn number(mut self, name: &'static str, value: Option<f64>) -> Self {
        self.numbers.extend(value.map(|v| (name, v)));
        self
    }
    fn extra(mut self, name: &'static str, label: &'static str, value: Option<&'r str>) -> Self {
        self.extra.extend(value.filter(|v| !v.is_empty()).map(|v| (name, label, Cow::Borrowed(v))));
        self
    }
}

impl<'v, S: Sinks> Xport<'v, S> {
    /// Begins; people, visits and deaths are written at once.
    ///
    /// # Errors
    /// A file cannot be opened or written; the day of the release is no day.
    pub fn new(mut survey: Survey, options: Options<'v>, sinks: S) -> Result<Self, OutError> {
        let released = Moment::read(options.released_on).filter(|m| m.day.is_some());
        let released = released.ok_or(OutError::Release)?;
        survey.close();
        let mut out = Self {
            survey,
            options,
            released,
            sinks,
            files: BTreeMap::new(),
            summary: Summary::default(),
            sequences: HashMap::new(),
            tests: HashMap::new(),
            last_test: HashMap::new(),
        };
        out.people()?;
        Ok(out)
    }

    /// Writes a row.
    ///
    /// # Errors
    /// Writing failed; the person is unknown to the survey.
    pub fn push(&mut self, person: &str, record: &Record<'_>) -> Result<(), OutError> {
        let at = self.survey.person(person).ok_or(OutError::UnknownPerson)?;
        let fate = match stands(record) {
            Ok(()) => self.row(at, record)?,
            Err(reason) => Err(reason),
        };
        self.summary.took(record.table(), fate);
        Ok(())
    }

    fn subject(&self, at: u32) -> String {
        format!("{}-{}", self.options.source_name, self.survey.persons[at as usize].key)
    }

    /// Bytes of a text in the encoding of the files.
    fn bytes(&self, text: &str) -> Result<Vec<u8>, Reason> {
        if text.contains('\0') {
            return Err(Reason::NotEncodable);
        }
        match self.options.encoding {
            Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
            Encoding::Cp932 => {
                let (bytes, _, lost) = SHIFT_JIS.encode(text);
                if lost { Err(Reason::NotEncodable) } else { Ok(bytes.into_owned()) }
            }
        }
    }

    /// The text in pieces of at most so many bytes, cut between characters.
    fn pieces(&self, text: &str, first: usize) -> Result<Vec<Vec<u8>>, Reason> {
        let whole = self.bytes(text)?;
        if whole.len() <= first {
            return Ok(vec![whole]);
        }
        let mut pieces = Vec::new();
        let mut piece = Vec::new();
        let mut limit = first;
        for c in text.chars() {
            let mut buffer = [0; 4];
            let bytes = self.bytes(c.encode_utf8(&mut buffer))?;
            if piece.len() + bytes.len() > limit {
                pieces.push(std::mem::take(&mut piece));
                limit = 200;
            }
            piece.extend(bytes);
        }
        pieces.push(piece);
        if pieces.len() > 10 { Err(Reason::TooLong) } else { Ok(pieces) }
    }

    fn file(&mut self, name: &str) -> Result<&mut Transport<S::File>, OutError> {
        if !self.files.contains_key(name) {
            let sink = self.sinks.open(&format!("{}.xpt", name.to_ascii_lowercase()))?;
            let file = Transport::new(name, domain(name), self.released, sink)?;
            self.files.insert(name.to_owned(), file);
        }
        self.files.get_mut(name).ok_or(OutError::TooMany)
    }

    fn next(&mut self, domain: &'static str, at: u32) -> u32 {
        let last = self.sequences.entry((domain, at)).or_default();
        *last += 1;
        *last
    }

    /// Short name of a test, the same for the same code.
    fn test(&mut self, domain: &'static str, letter: char, key: String) -> String {
        let last = self.last_test.entry(domain).or_default();
        let number = *self.tests.entry((domain, key)).or_insert_with(|| {
            *last += 1;
            *last
        });
        format!("{letter}{number:05}")
    }

    /// Writes a row of a domain and its supplements, or neither.
    fn put(
        &mut self,
        name: &'static str,
        at: u32,
        row: Row<'_>,
    ) -> Result<Result<(), Reason>, OutError> {
        let subject = self.subject(at);
        let study = self.options.source_name.to_owned();
        let mut texts = row.texts;
        texts.push(("STUDYID", Cow::Owned(study.clone())));
        texts.push(("DOMAIN", Cow::Borrowed(name)));
        texts.push(("USUBJID", Cow::Owned(subject.clone())));
        // Everything is encoded and measured before anything is written.
        let mut plain: Vec<(&'static str, Vec<u8>)> = Vec::new();
        let mut more: Vec<(String, String, Vec<u8>)> = Vec::new();
        for (variable, text) in &texts {
            let limit = self.file(name)?.length(variable);
            let pieces = match self.pieces(text, limit) {
                Ok(pieces) => pieces,
                Err(reason) => return Ok(Err(reason)),
            };
            let key = matches!(*variable, "STUDYID" | "DOMAIN" | "USUBJID" | "SUBJID");
            if key && pieces.len() > 1 {
                return Ok(Err(Reason::TooLong));
            }
            if pieces.len() > 1 {
                self.summary.shortened(name, variable);
            }
            let label = domain(name).variables.iter().find(|v| v.name == *variable);
            let label = label.map_or("", |v| v.label);
            for (number, piece) in pieces.into_iter().enumerate() {
                if number == 0 {
                    plain.push((variable, piece));
                } else {
                    let stem = &variable[..variable.len().min(7)];
                    more.push((format!("{stem}{number}"), label.to_owned(), piece));
                }
            }
        }
        for (qualifier, label, text) in &row.extra {
            let pieces = match self.pieces(text, 200) {
                Ok(pieces) => pieces,
                Err(reason) => return Ok(Err(reason)),
            };
            for (number, piece) in pieces.into_iter().enumerate() {
                let stem = &qualifier[..qualifier.len().min(7)];
                let own =
                    if number == 0 { (*qualifier).to_owned() } else { format!("{stem}{number}") };
                more.push((own, (*label).to_owned(), piece));
            }
        }
        let sequence = match name {
            "DM" | "SV" => None,
            _ => Some(self.next(name, at)),
        };
        let counter: &'static str = match name {
            "CM" => "CMSEQ",
            "MH" => "MHSEQ",
            "PR" => "PRSEQ",
            "LB" => "LBSEQ",
            "VS" => "VSSEQ",
            "DS" => "DSSEQ",
            "SV" => "VISITNUM",
            _ => "",
        };
        let file = self.file(name)?;
        file.drop_row();
        for (variable, bytes) in &plain {
            file.text(variable, bytes);
        }
        for (variable, value) in &row.numbers {
            file.number(variable, *value);
        }
        if let Some(sequence) = sequence {
            file.number(counter, sequence.into());
        }
        file.end()?;
        if more.is_empty() {
            return Ok(Ok(()));
        }
        let of_visit = row.numbers.iter().find(|(v, _)| *v == "VISITNUM").map(|(_, n)| *n as u32);
        let number = sequence.or(of_visit);
        let supplement = format!("SUPP{name}");
        let file = self.file(&supplement)?;
        for (qualifier, label, bytes) in more {
            file.text("STUDYID", study.as_bytes());
            file.text("RDOMAIN", name.as_bytes());
            file.text("USUBJID", subject.as_bytes());
            if let Some(number) = number {
                file.text("IDVAR", counter.as_bytes());
                file.text("IDVARVAL", number.to_string().as_bytes());
            }
            file.text("QNAM", qualifier.as_bytes());
            file.text("QLABEL", label.as_bytes());
            file.text("QVAL", &bytes);
            file.text("QORIG", b"eDT");
            file.end()?;
        }
        Ok(Ok(()))
    }

    /// Closes the files.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(mut self) -> Result<Summary, OutError> {
        for (name, file) in std::mem::take(&mut self.files) {
            let rows = file.finish()?;
            self.summary.wrote(&name.to_ascii_lowercase(), rows);
        }
        Ok(self.summary)
    }
}
