//! Unit text to a unit: UCUM's grammar, and what Japanese systems write beside it.

use super::{Dimension, Unit, spelling, table};
use crate::exact::Rational;

/// Longer text is no unit.
const LONGEST: usize = 64;
/// Deeper brackets are no unit.
const DEEPEST: u8 = 4;
/// Larger powers of ten are no multiplier.
const LARGEST_TENS: i32 = 24;
/// Larger powers of an atom are no unit.
const LARGEST_POWER: i32 = 9;

/// How a unit was read where it was not written as the table has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reading {
    /// Found only regardless of case (`MG/DL`): mega is never read.
    pub case_folded: bool,
    /// A power of ten was read where its superscript was lost (`×104/μL`).
    pub lost_superscript: bool,
}

/// Units that are read as a whole before the grammar is tried, after plain spelling, in lower case.
const WHOLE: [(&str, &str); 7] = [
    ("k/ul", "10*3/uL"),
    ("m/ul", "10*6/uL"),
    ("/cmm", "/uL"),
    ("e.u./dl", "{Ehrlich}/dL"),
    ("logiu/ml", "{log_IU}/mL"),
    ("logcopies/ml", "{log_copies}/mL"),
    ("lc/ml", "{log_copies}/mL"),
];

struct Parser<'a> {
    rest: &'a str,
    reading: Reading,
    depth: u8,
}

/// A factor in the making: its size, what it measures, its code.
struct Part {
    factor: Rational,
    dimension: Dimension,
    code: String,
}

pub(super) fn parse(text: &str) -> Option<Unit> {
    if text.len() > LONGEST {
        return None;
    }
    let (plain, lost_superscript) = spelling::plain(text);
    let lower = plain.to_lowercase();
    let whole = WHOLE.iter().find(|(written, _)| *written == lower).map(|(_, code)| *code);
    let mut parser = Parser {
        rest: whole.unwrap_or(&plain),
        reading: Reading { case_folded: false, lost_superscript },
        depth: 0,
    };
    if parser.rest.is_empty() {
        return None;
    }
    let part = parser.term()?;
    parser.rest.is_empty().then_some(Unit {
        factor: part.factor,
        dimension: part.dimension,
        code: part.code,
        reading: parser.reading,
    })
}

impl Parser<'_> {
    fn term(&mut self) -> Option<Part> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut product =
            Part { factor: Rational::ONE, dimension: Dimension::default(), code: String::new() };
        let mut sign = if self.take("/") { -1 } else { 1 };
        loop {
            let part = self.component()?;
            product.factor = product.factor.times(part.factor.power(i32::from(sign))?)?;
            product.dimension = product.dimension.times(&part.dimension, sign)?;
            if !part.code.is_empty() {
                match (sign, product.code.is_empty()) {
                    (1, true) => {}
                    (1, false) => product.code.push('.'),
                    _ => product.code.push('/'),
                }
                product.code.push_str(&part.code);
            }
            if self.take("/") {
                sign = -1;
            } else if self.take(".") {
                sign = 1;
            } else if self.rest.is_empty() || self.rest.starts_with(')') {
                self.depth -= 1;
                return Some(product);
            } else {
                return None;
            }
        }
    }

    fn take(&mut self, mark: &str) -> bool {
        self.rest.strip_prefix(mark).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn component(&mut self) -> Option<Part> {
        if let Some((found, length)) = table::atoms().compound(self.rest) {
            self.rest = &self.rest[length..];
            return Self::powered(found, 1);
        }
        if self.take("(") {
            let inner = self.term()?;
            if !self.take(")") {
                return None;
            }
            let code = if inner.code.contains(['/', '.']) {
                format!("({})", inner.code)
            } else {
                inner.code
            };
            return Some(Part { code, ..inner });
        }
        let number = if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            self.number()?
        } else if let Some(multiplier) =
            self.rest.chars().next().filter(|c| "万千百億".contains(*c))
        {
            let length = multiplier.len_utf8();
            let found = table::atoms().find(&self.rest[..length])?;
            self.rest = &self.rest[length..];
            Self::powered(found, 1)?
        } else {
            return self.atom();
        };
        if self.rest.is_empty() || self.rest.starts_with(['/', '.', ')', '(']) {
            return Some(number);
        }
        // `万個/uL`, `mg/24h`, `/100WBC`: a number right before a unit binds tighter than any sign.
        let unit = self.component_behind()?;
        Some(Part {
            factor: number.factor.times(unit.factor)?,
            dimension: unit.dimension,
            code: format!("({}.{})", number.code, unit.code),
        })
    }

    /// What stands behind a number: a unit, no second number.
    fn component_behind(&mut self) -> Option<Part> {
        if let Some((found, length)) = table::atoms().compound(self.rest) {
            self.rest = &self.rest[length..];
            return Self::powered(found, 1);
        }
        self.atom()
    }

    fn number(&mut self) -> Option<Part> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        let plain = Rational::new(digits.parse().ok()?, 1)?;
        if plain == Rational::ZERO {
            return None;
        }
        let mut code = digits.to_owned();
        let mut factor = plain;
        if self.take("*") || self.take("^") {
            let sign = usize::from(self.rest.starts_with('-'));
            let end = self.rest[sign..]
                .find(|c: char| !c.is_ascii_digit())
                .map_or(self.rest.len(), |at| at + sign);
            let exponent: i32 = self.rest[..end].parse().ok()?;
            if exponent.abs() > LARGEST_TENS {
                return None;
            }
            code = format!("{digits}*{}", &self.rest[..end]);
            self.rest = &self.rest[end..];
            factor = plain.power(exponent)?;
        }
        Some(Part { factor, dimension: Dimension::default(), code })
    }

    fn atom(&mut self) -> Option<Part> {
        let mut end = 0;
        let (mut curly, mut square) = (false, false);
        for (at, c) in self.rest.char_indices() {
            match c {
                '{' => curly = true,
                '}' => curly = false,
                '[' => square = true,
                ']' => square = false,
                '/' | '.' | '(' | ')' if !curly && !square => break,
                _ => {}
            }
            end = at + c.len_utf8();
        }
        let token = &self.rest[..end];
        if token.is_empty() {
            return None;
        }
        let atoms = table::atoms();
        if let Some(found) = atoms.find(token) {
            self.rest = &self.rest[end..];
            self.reading.case_folded |= found.folded;
            return Self::powered(found, 1);
        }
        // An annotation behind a unit says what is counted and changes nothing: `mg{protein}`.
        if let Some(open) = token.find('{')
            && open > 0
            && token.ends_with('}')
        {
            let found = atoms.find(&token[..open])?;
            self.rest = &self.rest[end..];
            self.reading.case_folded |= found.folded;
            return Self::powered(found, 1);
        }
        if token.starts_with('{') && token.ends_with('}') && token.len() > 2 {
            // An annotation of its own that the table does not know: comparable with itself only.
            let label = &token[1..token.len() - 1];
            self.rest = &self.rest[end..];
            return Some(Part {
                factor: Rational::ONE,
                dimension: Dimension::parse(&format!("label:{label}"))?,
                code: token.to_owned(),
            });
        }
        // `m2`, `m^2`, `s-1`.
        let letters = token.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &token[letters.len()..];
        let (letters, minus) = match letters.strip_suffix('-') {
            Some(letters) => (letters, true),
            None => (letters, false),
        };
        let letters = letters.strip_suffix(['^', '*']).unwrap_or(letters);
        let exponent: i8 =
            digits.parse().ok().filter(|e| (1..=LARGEST_POWER).contains(&i32::from(*e)))?;
        let found = atoms.find(letters)?;
        self.rest = &self.rest[end..];
        self.reading.case_folded |= found.folded;
        Self::powered(found, if minus { -exponent } else { exponent })
    }

    fn powered(found: table::Found<'_>, exponent: i8) -> Option<Part> {
        let size = found.atom.factor.times(Rational::power_of_ten(found.power)?)?;
        let code = format!("{}{}", found.prefix, found.atom.code);
        Some(Part {
            factor: size.power(i32::from(exponent))?,
            dimension: Dimension::default().times(&found.atom.dimension, exponent)?,
            code: if exponent == 1 { code } else { raised(&code, exponent)? },
        })
    }
}

/// The code of `code` to a power: `m` to the second is `m2`, `mm3` to the second `mm6`, `10*4` to the second `10*8`.
/// `None` where the power is one that [`Parser`] does not read.
fn raised(code: &str, exponent: i8) -> Option<String> {
    let letters = code.trim_end_matches(|c: char| c.is_ascii_digit());
    let own: i32 = match &code[letters.len()..] {
        "" => 1,
        digits => digits.parse().ok()?,
    };
    let power = own * i32::from(exponent);
    let most = if letters == "10*" { LARGEST_TENS } else { LARGEST_POWER };
    (power.abs() <= most).then(|| format!("{letters}{power}"))
}
