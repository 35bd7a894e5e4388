//! Lists of values that are rare in the population, whatever the data count.
//!
//! A specialist hospital may hold 300 persons of one designated disease: in its data the disease is common,
//! in the population it names somebody. Such lists are data files with source and confidence.

use std::{collections::BTreeMap, sync::LazyLock};

use kiban_kernel::{Confidence, LawKey};

use super::{Document, InlineList};

/// One rare thing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListEntry {
    /// Japanese name; a text that contains it is rare.
    pub name: String,
    /// ICD-10 codes without a dot; a code that begins with one of them is rare.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Own confidence, if it differs from the list's.
    #[serde(default)]
    pub confidence: Option<Confidence>,
}

/// A list of rare things.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RareList {
    /// Name used in specifications.
    pub name: String,
    /// Japanese title.
    pub title_ja: String,
    /// Where it comes from.
    pub source: String,
    /// How sure we are of it.
    pub confidence: Confidence,
    /// The provision it serves.
    pub law: LawKey,
    /// Its entries.
    pub entry: Vec<ListEntry>,
}

/// A list's file does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the list of rare values does not parse: {message}")]
pub struct ListError {
    /// The parser's words; lists hold no personal data.
    pub message: String,
}

impl RareList {
    /// Reads a list.
    ///
    /// # Errors
    /// Its text does not parse.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        toml::from_str(text).map_err(|e| ListError { message: e.message().to_owned() })
    }
}

const FILES: [&str; 3] = [
    include_str!("../../../../rules/lists/designated_intractable.toml"),
    include_str!("../../../../rules/lists/orphan_drugs.toml"),
    include_str!("../../../../rules/lists/rare_procedures.toml"),
];

static BUILT_IN: LazyLock<BTreeMap<String, RareList>> = LazyLock::new(|| {
    // A file that does not parse is left out and every specification that names it is refused; a test
    // parses all of them.
    FILES
        .iter()
        .filter_map(|text| RareList::parse(text).ok())
        .map(|l| (l.name.clone(), l))
        .collect()
});

/// The lists shipped with this version, by name.
pub fn rare_lists() -> &'static BTreeMap<String, RareList> {
    &BUILT_IN
}

/// The list of diseases that are rare in the population.
pub(crate) fn built_in_disease_list() -> &'static str {
    "designated_intractable"
}

pub(super) fn built_in(name: &str) -> Option<&'static RareList> {
    BUILT_IN.get(name)
}

/// Matches values against several lists at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matcher {
    codes: Vec<String>,
    names: Vec<String>,
}

impl Matcher {
    /// The named lists of a specification.
    pub(crate) fn new(spec: &Document, lists: &[String]) -> Self {
        let mut out = Self::default();
        for name in lists {
            if let Some(InlineList { codes, names, .. }) = spec.lists.get(name) {
                out.codes.extend(codes.iter().map(|c| code_key(c)));
                out.names.extend(names.iter().map(|n| name_key(n)));
            } else if let Some(list) = built_in(name) {
                for entry in &list.entry {
                    out.codes.extend(entry.codes.iter().map(|c| code_key(c)));
                    out.names.push(name_key(&entry.name));
                }
            }
        }
        out.codes.retain(|c| !c.is_empty());
        out.names.retain(|n| !n.is_empty());
        out.codes.sort_unstable();
        out.codes.dedup();
        out.names.sort_unstable();
        out.names.dedup();
        out
    }

    /// Is the value rare in the population?
    pub(crate) fn is_rare(&self, value: &str) -> bool {
        let code = code_key(value);
        let name = name_key(value);
        self.codes.iter().any(|c| code.starts_with(c.as_str()))
            || self.names.iter().any(|n| name.contains(n.as_str()))
    }
}

/// `G12.2` and `g122` are one code.
fn code_key(value: &str) -> String {
    value
        .chars()
        .map(half_width)
        .filter(|c| c.is_ascii_alphanumeric())
        .collect::<String>()
        .to_ascii_uppercase()
}

/// Width, case, blanks and the various middle dots and hyphens do not make another name.
fn name_key(value: &str) -> String {
    value
        .chars()
        .map(half_width)
        .filter(|c| !c.is_whitespace() && !matches!(c, '・' | '･' | '-' | '‐' | '－'))
        .flat_map(char::to_lowercase)
        .collect()
}

fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_list_parses_and_holds_the_ministrys_example() {
        assert_eq!(rare_lists().len(), FILES.len(), "every file parses");
        let list = &rare_lists()["designated_intractable"];
        assert!(list.entry.len() > 100);
        assert_eq!(list.confidence, Confidence::Memory);
        let spec: Document =
            toml::from_str("specification = { name = \"t\" }\ntables = {}").unwrap();
        let matcher = Matcher::new(&spec, &["designated_intractable".to_owned()]);
        for rare in
            ["膵島細胞症(希少疾患)", "G12.2", "Ｇ１２２", "k51.9", "シャルコーマリートゥース病"]
        {
            assert!(matcher.is_rare(rare), "{rare}");
        }
        for common in ["I10", "高血圧症", "E11.9", "", "2型糖尿病"] {
            assert!(!matcher.is_rare(common), "{common}");
        }
    }
}
