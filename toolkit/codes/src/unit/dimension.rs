//! What kind of quantity a unit measures: exponents of base units, and labels for scales that meet nothing else.

/// A base unit. Activity, equivalents and osmoles are kept apart from amount: chemistry joins them, arithmetic does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Gram.
    Mass,
    /// Metre.
    Length,
    /// Second.
    Time,
    /// Mole.
    Amount,
    /// Kelvin.
    Temperature,
    /// Enzyme or international unit, U = IU.
    Activity,
    /// Equivalent.
    Equivalent,
    /// Osmole.
    Osmole,
}

const BASES: [(&str, Base); 8] = [
    ("g", Base::Mass),
    ("m", Base::Length),
    ("s", Base::Time),
    ("mol", Base::Amount),
    ("K", Base::Temperature),
    ("U", Base::Activity),
    ("Eq", Base::Equivalent),
    ("osm", Base::Osmole),
];

/// The label of a ratio of amounts: `mmol/mol` is no percentage (HbA1c).
const AMOUNT_RATIO: &str = "mol/mol";
/// No unit of a laboratory has a higher power; a bound keeps exponents of hostile text from overflowing.
const HIGHEST: i8 = 24;

/// Exponents of the base units, and of labels. Two units convert by a factor where their dimensions are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dimension {
    exponents: [i8; 8],
    labels: Vec<(Box<str>, i8)>,
}

impl Dimension {
    /// A plain number.
    pub fn is_number(&self) -> bool {
        *self == Self::default()
    }

    /// The exponent of one base unit.
    pub const fn exponent(&self, base: Base) -> i8 {
        self.exponents[base as usize]
    }

    /// Labels and their exponents, sorted: scales such as `INR` or `HPF` that are comparable with themselves only.
    pub fn labels(&self) -> &[(Box<str>, i8)] {
        &self.labels
    }

    /// Read `g.m-1.s-2`, `1`, `label:INR`, `g.label:Cr`. `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut dimension = Self::default();
        let mut rest = text;
        loop {
            if let Some(label) = rest.strip_prefix("label:") {
                dimension.labels.push((label.into(), 1));
                return Some(dimension);
            }
            let (part, after) = rest.split_once('.').unwrap_or((rest, ""));
            if part != "1" {
                let letters = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
                let exponent = &part[letters.len()..];
                let (_, base) = BASES.iter().find(|(name, _)| *name == letters)?;
                dimension.exponents[*base as usize] +=
                    if exponent.is_empty() { 1 } else { exponent.parse().ok()? };
            }
            if after.is_empty() {
                return Some(dimension);
            }
            rest = after;
        }
    }

    /// The product with `other` to the power `exponent`; `None` where a power is out of all reason.
    pub(super) fn times(&self, other: &Self, exponent: i8) -> Option<Self> {
        let mut product = self.clone();
        let amount = Base::Amount as usize;
        for (place, power) in product.exponents.iter_mut().zip(other.exponents) {
            *place = power.checked_mul(exponent).and_then(|p| place.checked_add(p))?;
            if place.abs() > HIGHEST {
                return None;
            }
        }
        for (label, power) in &other.labels {
            product.label(label, power.checked_mul(exponent)?)?;
        }
        if self.exponents[amount] != 0
            && other.exponents[amount] != 0
            && product.exponents[amount] == 0
        {
            product.label(AMOUNT_RATIO, 1)?;
        }
        Some(product)
    }

    /// The same with `from` (exponent 1) counted as `to`; `None` unless `from` stands there once and `to` not at all.
    pub(super) fn exchanged(&self, from: Base, to: Base) -> Option<Self> {
        let mut exchanged = self.clone();
        (self.exponent(from) == 1 && self.exponent(to) == 0).then(|| {
            exchanged.exponents[from as usize] = 0;
            exchanged.exponents[to as usize] = 1;
            exchanged
        })
    }

    /// The same with the label `name` (exponent 1) counted as `to`.
    pub(super) fn relabelled(&self, name: &str, to: Base) -> Option<Self> {
        let at = self.labels.iter().position(|(label, power)| &**label == name && *power == 1)?;
        let mut exchanged = self.clone();
        exchanged.labels.remove(at);
        exchanged.exponents[to as usize] += 1;
        Some(exchanged)
    }

    fn label(&mut self, name: &str, power: i8) -> Option<()> {
        match self.labels.binary_search_by(|(label, _)| (**label).cmp(name)) {
            Ok(at) => {
                self.labels[at].1 = self.labels[at].1.checked_add(power)?;
                if self.labels[at].1 == 0 {
                    self.labels.remove(at);
                }
            }
            Err(at) => self.labels.insert(at, (name.into(), power)),
        }
        Some(())
    }
}
