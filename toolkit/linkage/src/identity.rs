//! What is known of a person in one record, raw and normalised.

use jiff::civil::Date;

use crate::{
    address::address,
    kana::name_kana,
    kanji::name_kanji,
    numbers::{branch, insurer_no, phones, postal_code, symbol_or_number},
    text::Normal,
};

/// Sex as recorded, where it says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
}

impl Sex {
    /// From the canonical code `M` or `F`; everything else says nothing.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "M" => Some(Self::Male),
            "F" => Some(Self::Female),
            _ => None,
        }
    }
    /// The canonical code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Male => "M",
            Self::Female => "F",
        }
    }
}

/// A person's identifying values as a source wrote them.
#[derive(Clone, Copy, Default)]
pub struct RawIdentity<'a> {
    /// Kanji name.
    pub name_kanji: Option<&'a str>,
    /// Kana name.
    pub name_kana: Option<&'a str>,
    /// Full birth date; a partly known one makes no key.
    pub birth_on: Option<Date>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Postal code.
    pub postal_code: Option<&'a str>,
    /// Address.
    pub address: Option<&'a str>,
    /// Telephone numbers joined by `;`.
    pub phone: Option<&'a str>,
    /// Insurer number.
    pub insurer_no: Option<&'a str>,
    /// Symbol of the insured.
    pub insured_symbol: Option<&'a str>,
    /// Number of the insured.
    pub insured_number: Option<&'a str>,
    /// Branch number.
    pub insured_branch: Option<&'a str>,
}

/// The same values in comparable form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Kanji name.
    pub kanji: Option<Normal>,
    /// Kana name.
    pub kana: Option<Normal>,
    /// Birth date.
    pub birth: Option<Date>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Postal code.
    pub postal: Option<Normal>,
    /// Address.
    pub address: Option<Normal>,
    /// Telephone numbers, sorted.
    pub phones: Vec<Normal>,
    /// Insurer number.
    pub insurer: Option<Normal>,
    /// Symbol.
    pub symbol: Option<Normal>,
    /// Number.
    pub number: Option<Normal>,
    /// Branch.
    pub branch: Option<Normal>,
}

impl Identity {
    /// Normalises every value.
    pub fn normalise(raw: &RawIdentity<'_>) -> Self {
        Self {
            kanji: raw.name_kanji.and_then(name_kanji),
            kana: raw.name_kana.and_then(name_kana),
            birth: raw.birth_on,
            sex: raw.sex,
            postal: raw.postal_code.and_then(postal_code),
            address: raw.address.and_then(address),
            phones: raw.phone.map(phones).unwrap_or_default(),
            insurer: raw.insurer_no.and_then(insurer_no),
            symbol: raw.insured_symbol.and_then(symbol_or_number),
            number: raw.insured_number.and_then(symbol_or_number),
            branch: raw.insured_branch.and_then(branch),
        }
    }

    /// Insurer, symbol and number without branch and birth: the household's coverage. Some insurers give
    /// no symbol.
    pub(crate) fn coverage(&self) -> Option<String> {
        let symbol = self.symbol.as_ref().map_or("", |s| s.text.as_str());
        Some(format!("{}|{symbol}|{}", self.insurer.as_ref()?.text, self.number.as_ref()?.text))
    }

    /// The branch number; of the late-stage elderly system (39…), whose number is a person's own, `""`.
    pub(crate) fn own_branch(&self) -> Option<&str> {
        match &self.branch {
            Some(b) => Some(&b.text),
            None => self
                .insurer
                .as_ref()
                .is_some_and(|i| i.text.len() == 8 && i.text.starts_with("39"))
                .then_some(""),
        }
    }

    /// K1: insurer, symbol, number, branch, birth date. `None` unless all but the symbol are known.
    pub fn key1(&self) -> Option<String> {
        Some(format!("{}|{}|{}", self.coverage()?, self.own_branch()?, self.birth?))
    }

    /// K2: kana name, birth date, sex. `None` unless all are known.
    pub fn key2(&self) -> Option<String> {
        Some(format!("{}|{}|{}", self.kana.as_ref()?.text, self.birth?, self.sex?.code()))
    }
}

/// One record to be linked: who holds it, and every identity that it showed over time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// The holder, as a number of the caller's.
    pub holder: u32,
    /// Identities; may be empty, then the record stays alone.
    pub identities: Vec<Identity>,
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn keys_need_all_their_parts() {
        let raw = RawIdentity {
            name_kana: Some("ヤマダ ハナコ"),
            birth_on: Some(date(1980, 1, 2)),
            sex: Some(Sex::Female),
            insurer_no: Some("00138057"),
            insured_symbol: Some("１２"),
            insured_number: Some("345"),
            ..RawIdentity::default()
        };
        let id = Identity::normalise(&raw);
        assert_eq!(id.key2().as_deref(), Some("ヤマダハナコ|1980-01-02|F"));
        assert_eq!(id.key1(), None, "no branch: twins share the rest");
        let id = Identity::normalise(&RawIdentity { insured_branch: Some("2"), ..raw });
        assert_eq!(id.key1().as_deref(), Some("138057|12|345|02|1980-01-02"));
        let elderly = RawIdentity { insurer_no: Some("39131234"), insured_symbol: None, ..raw };
        assert_eq!(
            Identity::normalise(&elderly).key1().as_deref(),
            Some("39131234||345||1980-01-02")
        );
        assert_eq!(Identity::normalise(&RawIdentity { birth_on: None, ..raw }).key2(), None);
        assert_eq!(Identity::normalise(&RawIdentity { sex: None, ..raw }).key2(), None);
    }
}
