//! Words that mean one thing, from `data/synonyms.csv`: concepts, specimens, methods, spellings, noise.

use std::sync::OnceLock;

use hashbrown::HashMap;

use super::fold;

/// The kind of names that are compared; it chooses the rows of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// Laboratory items: specimen and method words are taken out of names and compared on their own.
    Laboratory,
    /// Drugs.
    Drug,
    /// Diseases.
    Disease,
}

impl Domain {
    /// The domain of a shipped code system; others are read as drugs are, without specimen and method words.
    pub fn of_system(system: &str) -> Self {
        match system {
            s if s.starts_with("jlac") => Self::Laboratory,
            "disease" | "medis-disease" | "icd10" => Self::Disease,
            _ => Self::Drug,
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Laboratory => "lab",
            Self::Drug => "drug",
            Self::Disease => "disease",
        }
    }
}

/// What a variant stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Symbol {
    Concept(u16),
    Specimen(u16),
    Method(u16),
    Noise,
}

/// The table for one domain.
pub(super) struct Lexicon {
    variants: HashMap<Box<[char]>, Symbol>,
    /// The longest variant that begins with a character.
    longest: HashMap<char, usize>,
    /// Spellings and what they are written as, longest first.
    spellings: Vec<(String, String)>,
    keys: Vec<Box<str>>,
}

pub(super) fn lexicon(domain: Domain) -> &'static Lexicon {
    static ALL: OnceLock<[Lexicon; 3]> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        [Domain::Laboratory, Domain::Drug, Domain::Disease].map(|domain| {
            // Safety of expect: the table is shipped with the crate and read by every test.
            Lexicon::read(include_str!("../../data/synonyms.csv"), domain).expect("synonyms.csv")
        })
    });
    &all[domain as usize]
}

impl Lexicon {
    fn read(text: &str, domain: Domain) -> Option<Self> {
        let rows: Vec<Vec<String>> = crate::shipped::rows(text)
            .filter(|row| row[0] == "any" || row[0] == domain.column())
            .collect();
        let mut lexicon = Self {
            variants: HashMap::new(),
            longest: HashMap::new(),
            spellings: Vec::new(),
            keys: Vec::new(),
        };
        for row in rows.iter().filter(|row| row[1] == "spelling") {
            let [_, _, key, variants] = row.as_slice() else { return None };
            for variant in variants.split('|') {
                lexicon.spellings.push((variant.to_owned(), key.clone()));
            }
        }
        lexicon.spellings.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        for row in rows.iter().filter(|row| row[1] != "spelling") {
            let [_, kind, key, variants] = row.as_slice() else { return None };
            let at = u16::try_from(lexicon.keys.len()).ok()?;
            lexicon.keys.push(key.as_str().into());
            let symbol = match kind.as_str() {
                "concept" => Symbol::Concept(at),
                "specimen" => Symbol::Specimen(at),
                "method" => Symbol::Method(at),
                "noise" => Symbol::Noise,
                _ => return None,
            };
            for variant in variants.split('|').filter(|v| !v.is_empty()) {
                let compact: Box<[char]> =
                    fold::letters(variant, &lexicon).iter().map(|l| l.c).collect();
                let longest = lexicon.longest.entry(*compact.first()?).or_insert(0);
                *longest = compact.len().max(*longest);
                lexicon.variants.entry(compact).or_insert(symbol);
            }
        }
        Some(lexicon)
    }

    pub(super) fn spellings(&self) -> &[(String, String)] {
        &self.spellings
    }

    /// The length of the longest variant that may begin with `c`.
    pub(super) fn longest(&self, c: char) -> usize {
        self.longest.get(&c).copied().unwrap_or(0)
    }

    pub(super) fn symbol(&self, letters: &[char]) -> Option<Symbol> {
        self.variants.get(letters).copied()
    }

    /// The key of a symbol, for explanations.
    pub(super) fn key(&self, at: u16) -> &str {
        &self.keys[usize::from(at)]
    }

    /// Whether two specimens are kinds of blood.
    pub(super) fn both_blood(&self, a: u16, b: u16) -> bool {
        let blood = |at| matches!(self.key(at), "serum" | "plasma" | "blood");
        blood(a) && blood(b)
    }

    /// The specimen of this key.
    pub(super) fn specimen(&self, key: &str) -> Option<u16> {
        self.keys.iter().position(|k| &**k == key).and_then(|at| u16::try_from(at).ok())
    }
}
