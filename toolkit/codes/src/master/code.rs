//! Shapes of codes, taken apart.
//!
//! Enters: text. Leaves: a code whose parts are named, or `None`. A well-shaped code need not exist: that is for the
//! operator's master to say.

use std::fmt;

/// A shape that a column of a master must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Date,
    Jlac10,
    Jlac11,
    Jlac10Analyte,
    Jlac10Result,
    Jlac11Measurand,
    Hot,
    Yj,
    ReceiptDrug,
    Disease,
    Medis,
    Exchange,
    Icd10,
    Gtin,
    Digits(u8),
    Alnum(u8),
}

impl Shape {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "date" => Self::Date,
            "jlac10" => Self::Jlac10,
            "jlac11" => Self::Jlac11,
            "jlac10-analyte" => Self::Jlac10Analyte,
            "jlac10-result" => Self::Jlac10Result,
            "jlac11-measurand" => Self::Jlac11Measurand,
            "hot" => Self::Hot,
            "yj" => Self::Yj,
            "receipt-drug" => Self::ReceiptDrug,
            "disease" => Self::Disease,
            "medis" => Self::Medis,
            "exchange" => Self::Exchange,
            "icd10" => Self::Icd10,
            "gtin" => Self::Gtin,
            _ => {
                let digits = |head| name.strip_prefix(head).and_then(|n: &str| n.parse().ok());
                digits("digits").map(Self::Digits).or_else(|| digits("alnum").map(Self::Alnum))?
            }
        })
    }

    /// The code in its one form, or the rule that it breaks.
    pub(super) fn check(self, text: &str) -> Result<String, &'static str> {
        let shaped = |ok: bool| if ok { Ok(text.to_owned()) } else { Err("master.code-shape") };
        match self {
            Self::Text | Self::Date => Ok(text.to_owned()),
            Self::Jlac10 => match Jlac10::parse(text) {
                Some(code) if code.is_unstandardised() => Err("master.unstandardised"),
                Some(code) => Ok(code.compact()),
                None => Err("master.code-shape"),
            },
            Self::Jlac11 => match Jlac11::parse(text) {
                Some(code) if code.is_unstandardised() => Err("master.unstandardised"),
                Some(code) => Ok(code.compact()),
                None => Err("master.code-shape"),
            },
            Self::Jlac10Analyte => shaped(jlac10_analyte(text)),
            Self::Jlac10Result => shaped(alnum(text, 2) || alnum(text, 4)),
            Self::Jlac11Measurand => {
                shaped(alnum(text, 5) && text.starts_with(|c: char| c.is_ascii_uppercase()))
            }
            Self::Hot => Hot::parse(text).map(|hot| hot.0).ok_or("master.code-shape"),
            Self::Yj => Yj::parse(text).map(|yj| yj.0).ok_or("master.code-shape"),
            Self::ReceiptDrug => shaped(digits(text, 9) && text.starts_with('6')),
            Self::Disease => shaped(digits(text, 7)),
            Self::Medis => shaped(digits(text, 8)),
            Self::Exchange => shaped(alnum(text, 4)),
            Self::Icd10 => Icd10::parse(text).map(|icd| icd.0).ok_or("master.code-shape"),
            Self::Gtin => match gtin(text) {
                Some(true) => Ok(text.to_owned()),
                Some(false) => Err("master.check-digit"),
                None => Err("master.code-shape"),
            },
            Self::Digits(n) => shaped(digits(text, usize::from(n))),
            Self::Alnum(n) => shaped(alnum(text, usize::from(n))),
        }
    }
}

fn digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

fn alnum(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

fn jlac10_analyte(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 5
        && bytes[0].is_ascii_digit()
        && bytes[1].is_ascii_uppercase()
        && bytes[2..].iter().all(u8::is_ascii_digit)
}

/// JAN, GTIN-13 or GTIN-14: `None` if it is none, else whether the check digit fits (GS1 General Specifications 7.9).
pub fn gtin(text: &str) -> Option<bool> {
    let length = text.len();
    if !matches!(length, 8 | 13 | 14) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let sum: u32 = text
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, b)| u32::from(b - b'0') * if at % 2 == 0 { 1 } else { 3 })
        .sum();
    Some(sum.is_multiple_of(10))
}

/// A JLAC10 code taken apart: analyte 5, identification 4, material 3, method 3, result 2.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Jlac10 {
    /// 分析物, a digit, a letter and three digits.
    pub analyte: String,
    /// 識別, four digits.
    pub identification: String,
    /// 材料, three digits.
    pub material: String,
    /// 測定法, three digits.
    pub method: String,
    /// 結果識別, two characters; absent in a 15-character order code.
    pub result: Option<String>,
}

impl Jlac10 {
    /// 17 characters, or 15 without the result; joined or with hyphens between the parts; letters in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let joined = joined(text, &[5, 4, 3, 3, 2])?;
        let all_nine = joined.bytes().all(|b| b == b'9') && joined.len() == 17;
        let well = jlac10_analyte(&joined[..5]) || all_nine;
        let middle = joined[5..15].bytes().all(|b| b.is_ascii_digit());
        (well && middle).then(|| Self {
            analyte: joined[..5].to_owned(),
            identification: joined[5..9].to_owned(),
            material: joined[9..12].to_owned(),
            method: joined[12..15].to_owned(),
            result: joined.get(15..).filter(|r| !r.is_empty()).map(str::to_owned),
        })
    }

    /// The 未標準化コード of the JP-CLINS guides: all nines.
    pub fn is_unstandardised(&self) -> bool {
        self.analyte == "99999"
    }

    /// The parts joined, 15 or 17 characters.
    pub fn compact(&self) -> String {
        let Self { analyte, identification, material, method, result } = self;
        let result = result.as_deref().unwrap_or_default();
        format!("{analyte}{identification}{material}{method}{result}")
    }
}

impl fmt::Display for Jlac10 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { analyte, identification, material, method, result } = self;
        write!(f, "{analyte}-{identification}-{material}-{method}")?;
        result.as_ref().map_or(Ok(()), |result| write!(f, "-{result}"))
    }
}

/// A JLAC11 code taken apart: measurand 5 (a letter first), identification 4, material 3, method 3, unit 2.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Jlac11 {
    /// 測定物, a letter first.
    pub measurand: String,
    /// 識別.
    pub identification: String,
    /// 材料.
    pub material: String,
    /// 測定法 (reagent or device).
    pub method: String,
    /// 結果単位.
    pub unit: String,
}

impl Jlac11 {
    /// 17 characters, joined or with hyphens. The system must be known: a JLAC10 code has the same length.
    pub fn parse(text: &str) -> Option<Self> {
        let joined = joined(text, &[5, 4, 3, 3, 2]).filter(|j| j.len() == 17)?;
        let all_nine = joined.bytes().all(|b| b == b'9');
        (joined.as_bytes()[0].is_ascii_uppercase() || all_nine).then(|| Self {
            measurand: joined[..5].to_owned(),
            identification: joined[5..9].to_owned(),
            material: joined[9..12].to_owned(),
            method: joined[12..15].to_owned(),
            unit: joined[15..].to_owned(),
        })
    }

    /// All nines.
    pub fn is_unstandardised(&self) -> bool {
        self.measurand == "99999"
    }

    /// The parts joined, 17 characters.
    pub fn compact(&self) -> String {
        let Self { measurand, identification, material, method, unit } = self;
        format!("{measurand}{identification}{material}{method}{unit}")
    }
}

impl fmt::Display for Jlac11 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measurand, identification, material, method, unit } = self;
        write!(f, "{measurand}-{identification}-{material}-{method}-{unit}")
    }
}

/// Capital letters and digits of all parts (the last may be missing), joined; hyphens only at their borders.
fn joined(text: &str, parts: &[usize]) -> Option<String> {
    let text = text.trim().to_ascii_uppercase();
    let whole: usize = parts.iter().sum();
    let shorter = whole - parts.last()?;
    let joined: String = if text.contains('-') {
        let pieces: Vec<&str> = text.split('-').collect();
        let fits = pieces.len() >= parts.len() - 1
            && pieces.len() <= parts.len()
            && pieces.iter().zip(parts).all(|(piece, length)| piece.len() == *length);
        fits.then(|| pieces.concat())?
    } else {
        text
    };
    let length = joined.len();
    (length == whole || length == shorter).then_some(())?;
    alnum(&joined, length).then_some(joined)
}

/// A HOT number of 7 (drug), 9 (with maker), 11 (dispensing) or 13 (package) digits. The publisher's check digit inside the
/// seventh digit is not verified: its rule is not published where we could read it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hot(String);

impl Hot {
    /// Seven, nine, eleven or thirteen digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let length = text.len();
        (matches!(length, 7 | 9 | 11 | 13) && digits(text, length)).then(|| Self(text.to_owned()))
    }

    /// The first `length` digits (7, 9, 11 or 13), where the number has them.
    pub fn prefix(&self, length: usize) -> Option<&str> {
        matches!(length, 7 | 9 | 11 | 13).then(|| self.0.get(..length)).flatten()
    }
}

/// A drug price list code or an individual drug code (YJ): 12 characters, taken apart by its prefixes. The check character is
/// not verified: its rule is not published where we could read it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Yj(String);

impl Yj {
    /// Four digits of the class, three of ingredient and route, a letter of form, strength, brand and check; or nine and `ZZZ`
    /// (generic name prescription). Letters in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let bytes = text.as_bytes();
        let well = alnum(&text, 12)
            && bytes[..7].iter().all(u8::is_ascii_digit)
            && bytes[7].is_ascii_uppercase()
            && (bytes[9..].iter().all(u8::is_ascii_digit)
                || &bytes[9..] == b"ZZZ"
                || bytes[11].is_ascii_digit());
        well.then_some(Self(text))
    }

    /// 薬効分類, four digits.
    pub fn class(&self) -> &str {
        &self.0[..4]
    }

    /// Ingredient and route: the first seven.
    pub fn ingredient(&self) -> &str {
        &self.0[..7]
    }

    /// Ingredient, form and strength: the first nine. Two brands of one strength share it.
    pub fn form(&self) -> &str {
        &self.0[..9]
    }

    /// All twelve: the brand.
    pub fn brand(&self) -> &str {
        &self.0
    }

    /// Whether it names no brand (`…ZZZ`).
    pub fn is_generic(&self) -> bool {
        self.0.ends_with("ZZZ")
    }
}

/// An ICD-10 code without its dot, in capitals.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Icd10(String);

impl Icd10 {
    /// A letter, two digits, up to four more characters; a dot after the third, a dagger or an asterisk at the end are read
    /// and left out.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let text = text.trim_end_matches(['†', '*', '＊', '+']);
        let bare = match text.split_once('.') {
            Some((head, tail)) if head.len() == 3 && !tail.is_empty() => format!("{head}{tail}"),
            Some(_) => return None,
            None => text.to_owned(),
        };
        let bytes = bare.as_bytes();
        let well = (3..=7).contains(&bare.len())
            && alnum(&bare, bare.len())
            && bytes[0].is_ascii_uppercase()
            && bytes[1].is_ascii_digit()
            && bytes[2].is_ascii_digit();
        well.then_some(Self(bare))
    }

    /// The category: three characters.
    pub fn category(&self) -> &str {
        &self.0[..3]
    }

    /// The code without a dot.
    pub fn compact(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Icd10 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            3 => f.write_str(&self.0),
            _ => write!(f, "{}.{}", &self.0[..3], &self.0[3..]),
        }
    }
}
