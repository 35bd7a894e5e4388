//! One value from one unit to another.

use super::{Analyte, Base, Confidence, Line, Unit};
use crate::exact::{Decimal, Rational};

/// The rule by which a value was converted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Conversion {
    /// Both units are the same; the value stands as written.
    Same,
    /// Same dimension: a factor.
    Factor,
    /// Through the molar mass, the valence or the katal of the analyte, and from one analyte of a family to another.
    Chemistry {
        /// The analyte whose row was used.
        analyte: &'static Analyte,
    },
    /// By a published straight line, or its inverse.
    Line {
        /// The line.
        line: &'static Line,
        /// Whether it was used from its `to` side.
        inverse: bool,
    },
}

impl PartialEq for Analyte {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        self.rule() == other.rule()
    }
}

impl Conversion {
    /// The id of the rule: `unit.same`, `unit.factor`, `unit.chemistry:glucose`, `unit.line:hba1c.ifcc-ngsp`.
    pub fn id(&self) -> String {
        match self {
            Self::Same => "unit.same".to_owned(),
            Self::Factor => "unit.factor".to_owned(),
            Self::Chemistry { analyte } => format!("unit.chemistry:{}", analyte.key()),
            Self::Line { line, .. } => format!("unit.line:{}", line.rule()),
        }
    }

    /// How sure the rule is.
    pub const fn confidence(&self) -> Confidence {
        match self {
            Self::Same | Self::Factor => Confidence::High,
            Self::Chemistry { analyte } => analyte.confidence(),
            Self::Line { line, .. } => line.confidence,
        }
    }
}

/// A value in two units: as it came, and as it was converted.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// The value's text as it came, never rewritten.
    pub original_value: String,
    /// The unit's text as it came.
    pub original_unit: String,
    /// A sign of comparison that stood before the number (`<`, `>`, `<=`, `>=`), kept.
    pub comparator: Option<&'static str>,
    /// The number in the target unit, written to [`Decimal::place`].
    pub value: Decimal,
    /// The number in the target unit, exactly.
    pub exact: Rational,
    /// The target unit's UCUM code.
    pub unit: String,
    /// The rule.
    pub rule: Conversion,
}

/// Why a value was left alone. The original stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeptReason {
    /// The unit of the value is not known; its text, for the list of units to be added.
    #[error("unknown unit")]
    UnknownUnit {
        /// The unit's text.
        unit: String,
    },
    /// The target unit is not known.
    #[error("unknown target unit")]
    UnknownTarget {
        /// The unit's text.
        unit: String,
    },
    /// The value is no decimal number (a text result, a range).
    #[error("the value is no number")]
    NotANumber,
    /// The units measure different things and no rule of the analyte joins them.
    #[error("no rule joins the two units")]
    NoRule,
    /// The exact result does not fit.
    #[error("the exact result does not fit")]
    TooLarge,
}

impl KeptReason {
    /// The id of the reason.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::UnknownUnit { .. } => "unit.unknown",
            Self::UnknownTarget { .. } => "unit.unknown-target",
            Self::NotANumber => "unit.not-a-number",
            Self::NoRule => "unit.no-rule",
            Self::TooLarge => "unit.too-large",
        }
    }

    /// The sentence shown to staff.
    pub const fn japanese(&self) -> &'static str {
        match self {
            Self::UnknownUnit { .. } => {
                "単位が単位表にないため換算していません。単位表への追加を検討してください。"
            }
            Self::UnknownTarget { .. } => "換算先の単位が単位表にないため換算していません。",
            Self::NotANumber => "数値でない結果のため換算していません。元の値を用います。",
            Self::NoRule => "二つの単位を結ぶ換算規則がないため換算していません。",
            Self::TooLarge => "換算結果が扱える桁数を超えるため換算していません。",
        }
    }
}

/// A line through the two units: `y = slope x + intercept`, and the rule.
struct Path {
    slope: Rational,
    intercept: Rational,
    rule: Conversion,
}

/// Convert `value` (text) from `unit` to `target` (text), for the analytes on both sides where chemistry is needed.
///
/// # Significant digits
/// The last place of the result is the largest power of ten that is not coarser than the last written place of the original,
/// seen in the target unit; halves go to the even digit. So a shift by a power of ten keeps the digits, and converting back
/// and rounding to the original's place gives the original number again. [`Converted::exact`] is not rounded.
///
/// # Errors
/// [`KeptReason`]: the value is to be left as it is.
/// ```
/// use kiban_codes::unit::{Analyte, convert};
/// let glucose = Analyte::of_key("glucose");
/// let converted = convert("100", "mg/dl", "mmol/L", glucose, glucose)?;
/// assert_eq!(converted.value.to_string(), "5.55");
/// assert_eq!(converted.rule.id(), "unit.chemistry:glucose");
/// # Ok::<(), kiban_codes::unit::KeptReason>(())
/// ```
pub fn convert(
    value: &str,
    unit: &str,
    target: &str,
    analyte: Option<&'static Analyte>,
    target_analyte: Option<&'static Analyte>,
) -> Result<Converted, KeptReason> {
    let from =
        Unit::parse(unit).ok_or_else(|| KeptReason::UnknownUnit { unit: unit.to_owned() })?;
    let to =
        Unit::parse(target).ok_or_else(|| KeptReason::UnknownTarget { unit: target.to_owned() })?;
    let (comparator, number) = compared(value);
    let number = Decimal::parse(number).ok_or(KeptReason::NotANumber)?;
    let path = path(&from, &to, analyte, target_analyte).ok_or(KeptReason::NoRule)?;
    let too_large = KeptReason::TooLarge;
    let x = number.exact().ok_or(too_large.clone())?;
    let exact =
        path.slope.times(x).and_then(|y| y.plus(path.intercept)).ok_or(too_large.clone())?;
    let decimal = if matches!(path.rule, Conversion::Same) {
        number
    } else {
        let place = Rational::power_of_ten(number.place())
            .and_then(|step| step.times(path.slope))
            .and_then(Rational::magnitude);
        place.and_then(|place| exact.rounded(place)).ok_or(too_large)?
    };
    Ok(Converted {
        original_value: value.to_owned(),
        original_unit: unit.to_owned(),
        comparator,
        value: decimal,
        exact,
        unit: to.code().to_owned(),
        rule: path.rule,
    })
}

/// The factor from one unit to another, where one exists without an intercept.
pub fn factor_between(
    from: &Unit,
    to: &Unit,
    analyte: Option<&'static Analyte>,
) -> Option<(Rational, Conversion)> {
    let path = path(from, to, analyte, analyte)?;
    (path.intercept == Rational::ZERO).then_some((path.slope, path.rule))
}

fn compared(value: &str) -> (Option<&'static str>, &str) {
    const SIGNS: [(&str, &str); 12] = [
        ("<=", "<="),
        (">=", ">="),
        ("=<", "<="),
        ("=>", ">="),
        ("≦", "<="),
        ("≧", ">="),
        ("≤", "<="),
        ("≥", ">="),
        ("<", "<"),
        (">", ">"),
        ("＜", "<"),
        ("＞", ">"),
    ];
    let value = value.trim();
    SIGNS
        .iter()
        .find_map(|(written, sign)| Some((Some(*sign), value.strip_prefix(written)?)))
        .unwrap_or((None, value))
}

fn path(
    from: &Unit,
    to: &Unit,
    analyte: Option<&'static Analyte>,
    target: Option<&'static Analyte>,
) -> Option<Path> {
    let straight = |slope, rule| Some(Path { slope, intercept: Rational::ZERO, rule });
    let same_analyte = match (analyte, target) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    if from.same(to) && same_analyte {
        return straight(Rational::ONE, Conversion::Same);
    }
    for line in Line::all() {
        let meets = |wanted: &str, given: Option<&Analyte>| {
            wanted == "*" || given.is_some_and(|a| a.key() == wanted)
        };
        if meets(&line.from_analyte, analyte)
            && meets(&line.to_analyte, target)
            && line.from.same(from)
            && line.to.same(to)
        {
            let rule = Conversion::Line { line, inverse: false };
            return Some(Path { slope: line.slope, intercept: line.intercept, rule });
        }
        if meets(&line.to_analyte, analyte)
            && meets(&line.from_analyte, target)
            && line.to.same(from)
            && line.from.same(to)
        {
            let slope = Rational::ONE.over(line.slope)?;
            let intercept = Rational::ZERO.minus(line.intercept.times(slope)?)?;
            return Some(Path { slope, intercept, rule: Conversion::Line { line, inverse: true } });
        }
    }
    if same_analyte && from.dimension() == to.dimension() {
        return straight(from.factor().over(to.factor())?, Conversion::Factor);
    }
    let (a, b) = (analyte?, target?);
    if a.family() != b.family() {
        return None;
    }
    // Both sides in moles of the family's molecule, or in U.
    let (from_factor, from_dimension) = molecules(from, a)?;
    let (to_factor, to_dimension) = molecules(to, b)?;
    if from_dimension != to_dimension {
        return None;
    }
    straight(from_factor.over(to_factor)?, Conversion::Chemistry { analyte: a })
}

fn molecules(unit: &Unit, analyte: &Analyte) -> Option<(Rational, super::Dimension)> {
    let dimension = unit.dimension();
    if let Some(exchanged) = dimension.exchanged(Base::Mass, Base::Amount) {
        return Some((unit.factor().over(analyte.molar_mass()?)?, exchanged));
    }
    if let Some(exchanged) = dimension.exchanged(Base::Equivalent, Base::Amount) {
        return Some((unit.factor().over(analyte.valence()?)?, exchanged));
    }
    if analyte.enzyme()
        && let Some(exchanged) = dimension.relabelled("kat", Base::Activity)
    {
        return Some((unit.factor(), exchanged));
    }
    Some((unit.factor(), dimension.clone()))
}
