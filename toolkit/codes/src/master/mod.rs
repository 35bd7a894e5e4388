//! Code masters, read from the operator's own copies. Nothing of a licensed master ships with the crate.
//!
//! Enters: the bytes of one file and its [`Layout`]. Leaves: an [`Import`] with the [`Master`], and every defect by rule and
//! place. Refuses: files whose encoding or columns cannot be told; a row that breaks a rule is named, never repaired.

mod code;
mod jlac;
mod layout;
mod read;

pub use code::{Hot, Icd10, Jlac10, Jlac11, Yj, gtin};
pub use jlac::{JlacTables, Part, Unknown};
pub use layout::{Layout, LayoutError};
pub use read::{Defect, Encoding, Import, ImportError, read};

use hashbrown::HashMap;
use jiff::civil::Date;

use crate::unit::Unit;

/// One row of a master.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The code, in its one form.
    pub code: String,
    /// Names as the master writes them; the first is shown, all are compared. Never empty.
    pub names: Vec<String>,
    /// The name in kana.
    pub kana: Option<String>,
    /// Unit text.
    pub unit: Option<String>,
    /// Specimen (material) text.
    pub specimen: Option<String>,
    /// Method text; of a drug its strength (規格).
    pub method: Option<String>,
    /// Codes of other systems: kind (`yj`, `hot7`, `icd10`, `gs1` …) and code.
    pub links: Vec<(String, String)>,
    /// First day of use.
    pub from: Option<Date>,
    /// Last day of use.
    pub until: Option<Date>,
    /// 1-based line of the file.
    pub line: u64,
    pub(crate) parsed_unit: Option<Unit>,
}

impl Entry {
    /// Whether the code may be used on a day.
    pub fn in_force(&self, on: Date) -> bool {
        self.from.is_none_or(|from| from <= on) && self.until.is_none_or(|until| on <= until)
    }

    /// The unit, where the table of units knows it.
    pub const fn parsed_unit(&self) -> Option<&Unit> {
        self.parsed_unit.as_ref()
    }

    /// The first linked code of a kind.
    pub fn link(&self, kind: &str) -> Option<&str> {
        self.links.iter().find(|(known, _)| known == kind).map(|(_, code)| code.as_str())
    }
}

/// A code master: its entries in file order, each code once.
#[derive(Clone, Debug)]
pub struct Master {
    system: String,
    edition: String,
    entries: Vec<Entry>,
    by_code: HashMap<String, usize>,
}

impl Master {
    /// Entries of one system. Of entries with one code the first stays.
    pub fn new(system: &str, edition: &str, entries: Vec<Entry>) -> Self {
        let mut master = Self {
            system: system.to_owned(),
            edition: edition.to_owned(),
            entries: Vec::with_capacity(entries.len()),
            by_code: HashMap::with_capacity(entries.len()),
        };
        for entry in entries {
            let at = master.entries.len();
            if let hashbrown::hash_map::Entry::Vacant(vacant) =
                master.by_code.entry(entry.code.clone())
            {
                vacant.insert(at);
                master.entries.push(entry);
            }
        }
        master
    }

    /// The code system (`jlac10`, `hot`, `disease` …).
    pub fn system(&self) -> &str {
        &self.system
    }

    /// The edition, as the operator named it at import.
    pub fn edition(&self) -> &str {
        &self.edition
    }

    /// All entries, in file order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a code in its one form.
    pub fn find(&self, code: &str) -> Option<&Entry> {
        self.by_code.get(code).map(|at| &self.entries[*at])
    }

    /// The place of a code among [`Master::entries`].
    pub fn place(&self, code: &str) -> Option<usize> {
        self.by_code.get(code).copied()
    }

    /// Entries that link to a code of another system (all brands of one YJ prefix: `starts` = true).
    pub fn linked<'a>(
        &'a self,
        kind: &'a str,
        code: &'a str,
        starts: bool,
    ) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| {
            entry
                .links
                .iter()
                .any(|(k, c)| k == kind && if starts { c.starts_with(code) } else { c == code })
        })
    }
}
