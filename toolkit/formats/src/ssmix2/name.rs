//! Names of files in an SS-MIX2 tree.
//!
//! Enters: a path. Leaves: its seven parts. Refuses: a name of another shape, without quoting it.
//!
//! A name is taken apart from both ends, because the patient's number itself may hold `_`.

use std::fmt;

/// `PID_診療日_データ種別_特定キー_発生日時_診療科_コンディションフラグ`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FileName<'a> {
    /// Patient's number.
    pub patient: &'a str,
    /// Day of care `YYYYMMDD`, or `-`.
    pub day: &'a str,
    /// Data type, `OML-11`.
    pub data_type: &'a str,
    /// Order number, or all nines.
    pub key: &'a str,
    /// When the message arose, 14 to 17 digits.
    pub arisen: &'a str,
    /// Department, or `-`; some extended storages leave it out.
    pub department: Option<&'a str>,
    /// `1` valid, `0` no longer valid; some vendors use `2`.
    pub flag: &'a str,
}

/// Why a name is no SS-MIX2 name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Too few parts.
    #[error("the file name has fewer than six parts")]
    Parts,
    /// No part is a time of 14 to 17 digits at its place.
    #[error("the file name holds no time of 14 to 17 digits")]
    Time,
    /// The day is neither eight digits nor `-`.
    #[error("the day in the file name is neither eight digits nor a hyphen")]
    Day,
    /// Patient, data type or key is empty, or the flag is not one digit.
    #[error("a part of the file name is empty or of another shape")]
    Part,
}

impl NameError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        let what = match self {
            Self::Parts => "区切り（_）の数が足りません",
            Self::Time => "発生日時（14〜17桁）がありません",
            Self::Day => "診療日が8桁の数字でも「-」でもありません",
            Self::Part => "空の項目、または形式の異なる項目があります",
        };
        format!("SS-MIX2のファイル名の{what}。命名規則を確認してください。")
    }
}

fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

impl<'a> FileName<'a> {
    /// Takes a file name (without folders) apart.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn parse(name: &'a str) -> Result<Self, NameError> {
        let (rest, flag) = name.rsplit_once('_').ok_or(NameError::Parts)?;
        let (before, last) = rest.rsplit_once('_').ok_or(NameError::Parts)?;
        let (rest, arisen, department) = match before.rsplit_once('_') {
            Some((rest, time)) if digits(time, 14..=17) => (rest, time, Some(last)),
            _ if digits(last, 14..=17) => (before, last, None),
            Some(_) => return Err(NameError::Time),
            None => return Err(NameError::Parts),
        };
        let (rest, key) = rest.rsplit_once('_').ok_or(NameError::Parts)?;
        let (rest, data_type) = rest.rsplit_once('_').ok_or(NameError::Parts)?;
        let (patient, day) = rest.rsplit_once('_').ok_or(NameError::Parts)?;
        if day != "-" && !digits(day, 8..=8) {
            return Err(NameError::Day);
        }
        let empty = [patient, data_type, key].iter().any(|part| part.is_empty());
        if empty || !digits(flag, 1..=1) || department == Some("") {
            return Err(NameError::Part);
        }
        Ok(Self { patient, day, data_type, key, arisen, department, flag })
    }

    /// Is the content still valid? Otherwise it is history.
    pub fn is_current(&self) -> bool {
        self.flag == "1"
    }

    /// What a newer file of the same order replaces: patient, day, data type, key.
    pub fn natural_key(&self) -> (&'a str, &'a str, &'a str, &'a str) {
        (self.patient, self.day, self.data_type, self.key)
    }
}

impl fmt::Display for FileName<'_> {
    /// Writes the name as it was read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}_{}_{}_{}_{}_",
            self.patient, self.day, self.data_type, self.key, self.arisen
        )?;
        if let Some(department) = self.department {
            write!(f, "{department}_")?;
        }
        f.write_str(self.flag)
    }
}

impl fmt::Debug for FileName<'_> {
    /// Without the patient's and the order's number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileName({}, flag {})", self.data_type, self.flag)
    }
}

/// The folders above a file, as far as the path has them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Folders<'a> {
    pub(crate) patient: Option<&'a str>,
    pub(crate) day: Option<&'a str>,
    pub(crate) data_type: Option<&'a str>,
    pub(crate) first: Option<&'a str>,
    pub(crate) second: Option<&'a str>,
}

/// Splits a path into its folders and the file's name.
pub(crate) fn split_path(path: &str) -> (Folders<'_>, &str) {
    let mut parts = path.rsplit(['/', '\\']).filter(|p| !p.is_empty() && *p != ".");
    let name = parts.next().unwrap_or("");
    let folders = Folders {
        data_type: parts.next(),
        day: parts.next(),
        patient: parts.next(),
        second: parts.next(),
        first: parts.next(),
    };
    (folders, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: &str = "9999013_20110701_OMP-01_000000011000185_20110701224603984_01_1";

    #[test]
    fn names_are_taken_apart_from_both_ends() {
        let name = FileName::parse(NAME).unwrap();
        assert_eq!(
            (name.patient, name.data_type, name.department),
            ("9999013", "OMP-01", Some("01"))
        );
        let odd = "A_1_x_-_ADT-00_999999999999999_20111220224447339_-_0";
        let name = FileName::parse(odd).unwrap();
        assert_eq!((name.patient, name.day, name.flag), ("A_1_x", "-", "0"));
        assert!(!name.is_current());
        let short = "1_20200101_^a^^1-2^b^LN_5_20200101120000000_1";
        assert_eq!(FileName::parse(short).unwrap().department, None);
        assert_eq!(FileName::parse(short).unwrap().to_string(), short);
    }

    #[test]
    fn other_names_are_refused_with_the_reason() {
        for (name, error) in [
            ("", NameError::Parts),
            ("README.md", NameError::Parts),
            ("1_20200101_OMP-01_5_2020_01_1", NameError::Time),
            ("1_2020_OMP-01_5_20200101120000000_01_1", NameError::Day),
            ("1_20200101_OMP-01_5_20200101120000000_01_x", NameError::Part),
            ("_20200101_OMP-01_5_20200101120000000_01_1", NameError::Part),
        ] {
            assert_eq!(FileName::parse(name).err(), Some(error), "{name}");
            assert!(error.ja().ends_with('。'));
        }
    }

    proptest! {
        #[test]
        fn a_name_that_parses_is_written_back(name in "[a_-]{0,6}_?(-|[0-9]{8})_[A-Z-]{0,6}_[0-9]{0,5}_[0-9]{13,18}(_[0-9-]{0,2})?_[012]?") {
            if let Ok(parsed) = FileName::parse(&name) {
                prop_assert_eq!(parsed.to_string(), name);
            }
        }
    }
}
