//! The table of atoms, from `data/units.csv`, read once.

use std::sync::OnceLock;

use hashbrown::HashMap;

use super::Dimension;
use crate::exact::Rational;

/// One atom: its UCUM code, its size in base units, what it measures.
#[derive(Debug)]
pub(super) struct Atom {
    pub(super) code: Box<str>,
    pub(super) factor: Rational,
    pub(super) dimension: Dimension,
    metric: bool,
}

/// Metric prefixes that laboratories write. Mega is left out on purpose: `MG/DL` means milligram.
const PREFIXES: [(&str, i32); 9] = [
    ("da", 1),
    ("k", 3),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
];

pub(super) struct Atoms {
    all: Vec<Atom>,
    exact: HashMap<Box<str>, usize>,
    folded: HashMap<Box<str>, usize>,
    /// Spellings that hold a divider or a digit and are tried before the text is cut, longest first.
    compound: Vec<(Box<str>, usize)>,
}

/// A token that was found: prefix, atom, and whether only regardless of case.
pub(super) struct Found<'a> {
    pub(super) prefix: &'static str,
    pub(super) power: i32,
    pub(super) atom: &'a Atom,
    pub(super) folded: bool,
}

pub(super) fn atoms() -> &'static Atoms {
    static ATOMS: OnceLock<Atoms> = OnceLock::new();
    // Safety of expect: the table is shipped with the crate and read by every test.
    ATOMS.get_or_init(|| Atoms::read(include_str!("../../data/units.csv")).expect("data/units.csv"))
}

/// `133.322`, `1/1000`: a decimal or a fraction of two decimals.
pub(super) fn number(text: &str) -> Option<Rational> {
    let exact = |t: &str| crate::exact::Decimal::parse(t)?.exact();
    match text.split_once('/') {
        Some((over, under)) => exact(over)?.over(exact(under)?),
        None => exact(text),
    }
}

impl Atoms {
    fn read(text: &str) -> Option<Self> {
        let mut table = Self {
            all: Vec::new(),
            exact: HashMap::new(),
            folded: HashMap::new(),
            compound: Vec::new(),
        };
        for row in crate::shipped::rows(text) {
            let [code, spellings, factor, dimension, metric, ..] = row.as_slice() else {
                return None;
            };
            let at = table.all.len();
            table.all.push(Atom {
                code: code.as_str().into(),
                factor: number(factor)?,
                dimension: Dimension::parse(dimension)?,
                metric: metric == "yes",
            });
            for spelling in std::iter::once(code.as_str()).chain(spellings.split_whitespace()) {
                let (plain, _) = super::spelling::plain(spelling);
                if plain.contains(['/', '.', '(']) || plain.contains(|c: char| c.is_ascii_digit()) {
                    table.compound.push((plain.as_str().into(), at));
                }
                table.folded.entry(fold(&plain).into()).or_insert(at);
                table.exact.entry(plain.into()).or_insert(at);
            }
        }
        table.compound.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        Some(table)
    }

    /// The atom that `token` names, with or without a prefix; as it stands first, then regardless of case.
    pub(super) fn find(&self, token: &str) -> Option<Found<'_>> {
        self.find_in(&self.exact, token, false)
            .or_else(|| self.find_in(&self.folded, &fold(token), true))
    }

    fn find_in<'a>(
        &'a self,
        names: &HashMap<Box<str>, usize>,
        token: &str,
        folded: bool,
    ) -> Option<Found<'a>> {
        if let Some(at) = names.get(token) {
            return Some(Found { prefix: "", power: 0, atom: &self.all[*at], folded });
        }
        PREFIXES.iter().find_map(|(prefix, power)| {
            let atom = &self.all[*names.get(token.strip_prefix(prefix)?)?];
            atom.metric.then_some(Found { prefix, power: *power, atom, folded })
        })
    }

    /// The longest spelling with dividers or digits at the head of `text` (letters of either case), and its length in bytes.
    pub(super) fn compound(&self, text: &str) -> Option<(Found<'_>, usize)> {
        let after = |prefix: &'static str, power: i32| {
            let rest = text.strip_prefix(prefix)?;
            let (spelling, at) = self.compound.iter().find(|(spelling, _)| {
                rest.get(..spelling.len()).is_some_and(|head| head.eq_ignore_ascii_case(spelling))
                    && (rest.len() == spelling.len()
                        || rest[spelling.len()..].starts_with(['/', '.', ')']))
            })?;
            let atom = &self.all[*at];
            let folded = !rest.starts_with(&**spelling);
            let found = Found { prefix, power, atom, folded };
            (prefix.is_empty() || atom.metric).then_some((found, prefix.len() + spelling.len()))
        };
        after("", 0).or_else(|| PREFIXES.iter().find_map(|(prefix, power)| after(prefix, *power)))
    }
}

fn fold(token: &str) -> String {
    token.to_lowercase()
}
