//! Which column of a file holds which value.

use serde::Deserialize;
use std::collections::BTreeMap;

/// What a column of a person list may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Names the record; every one once.
    RecordId,
    /// Who wrote the record.
    SourceId,
    /// When it was written.
    RecordedOn,
    /// Kanji name, family name first.
    NameKanji,
    /// Kana name, family name first.
    NameKana,
    /// Family name in kanji alone.
    FamilyKanji,
    /// Given name in kanji alone.
    GivenKanji,
    /// Family name in kana or in Latin letters alone.
    FamilyKana,
    /// Given name in kana or in Latin letters alone.
    GivenKana,
    /// Sex.
    Sex,
    /// Birth date.
    BirthDate,
    /// Postal code.
    PostalCode,
    /// Street address; several columns are joined by a blank.
    Address,
    /// Town or suburb, where it stands in a column of its own.
    Town,
    /// Telephone number.
    Phone,
    /// Insurer number (保険者番号).
    InsurerNo,
    /// Symbol of the insured (記号).
    Symbol,
    /// Number of the insured (番号).
    Number,
    /// Branch number (枝番).
    Branch,
    /// A number that is a person's own (social security number).
    PersonNo,
}

impl Field {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 20] = [
        Self::RecordId,
        Self::SourceId,
        Self::RecordedOn,
        Self::NameKanji,
        Self::NameKana,
        Self::FamilyKanji,
        Self::GivenKanji,
        Self::FamilyKana,
        Self::GivenKana,
        Self::Sex,
        Self::BirthDate,
        Self::PostalCode,
        Self::Address,
        Self::Town,
        Self::Phone,
        Self::InsurerNo,
        Self::Symbol,
        Self::Number,
        Self::Branch,
        Self::PersonNo,
    ];

    /// Id in mappings and reports.
    pub fn id(self) -> &'static str {
        match self {
            Self::RecordId => "record_id",
            Self::SourceId => "source_id",
            Self::RecordedOn => "recorded_on",
            Self::NameKanji => "name_kanji",
            Self::NameKana => "name_kana",
            Self::FamilyKanji => "family_kanji",
            Self::GivenKanji => "given_kanji",
            Self::FamilyKana => "family_kana",
            Self::GivenKana => "given_kana",
            Self::Sex => "sex",
            Self::BirthDate => "birth_date",
            Self::PostalCode => "postal_code",
            Self::Address => "address",
            Self::Town => "town",
            Self::Phone => "phone",
            Self::InsurerNo => "insurer_no",
            Self::Symbol => "symbol",
            Self::Number => "number",
            Self::Branch => "branch",
            Self::PersonNo => "person_no",
        }
    }

    /// Column names that are understood without a mapping.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::RecordId => &["record_id", "rec_id", "unique_id", "id"],
            Self::SourceId => &["source_id", "source", "source_dataset"],
            Self::RecordedOn => &["recorded_on", "record_date"],
            Self::NameKanji => &["name_kanji", "kanji_name", "氏名", "漢字氏名"],
            Self::NameKana => &["name_kana", "kana_name", "カナ氏名", "氏名カナ"],
            Self::FamilyKanji => &["family_kanji", "family_name_kanji", "姓"],
            Self::GivenKanji => &["given_kanji", "given_name_kanji", "名"],
            Self::FamilyKana => {
                &["family_kana", "family_name_kana", "surname", "family_name", "last_name"]
            }
            Self::GivenKana => &["given_kana", "given_name_kana", "given_name", "first_name"],
            Self::Sex => &["sex", "gender", "性別"],
            Self::BirthDate => &["birth_date", "date_of_birth", "dob", "生年月日"],
            Self::PostalCode => {
                &["postal_code", "postcode", "postcode_fake", "zip", "zip_code", "郵便番号"]
            }
            Self::Address => &["address", "street_number", "address_1", "住所"],
            Self::Town => &["town", "suburb", "city", "birth_place"],
            Self::Phone => &["phone", "telephone", "phone_number", "電話番号"],
            Self::InsurerNo => &["insurer_no", "insurer_number", "保険者番号"],
            Self::Symbol => &["symbol", "insured_symbol", "記号"],
            Self::Number => &["number", "insured_number", "番号"],
            Self::Branch => &["branch", "insured_branch", "枝番"],
            Self::PersonNo => &["person_no", "soc_sec_id", "ssn"],
        }
    }
}

/// The columns of each field, by name. As JSON: `{"columns": {"record_id": "rec_id", "family_kana": "surname",
/// "address": ["street_number", "address_1"]}}`; a field that is not named is looked for under its usual names
/// unless `"only": true`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMap {
    /// Fields with their columns.
    #[serde(default)]
    pub columns: BTreeMap<Field, Names>,
    /// No other field is read.
    #[serde(default)]
    pub only: bool,
}

/// One column name or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// One.
    One(String),
    /// Several, joined by a blank in this order.
    Many(Vec<String>),
}

impl ColumnMap {
    /// Reads a mapping from JSON; `None` if it is none, or names a field that there is not.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The places of each field's columns in a header, in the order of [`Field::ALL`]; or the name of a column that
    /// the mapping wants and the header lacks.
    pub(crate) fn places(&self, header: &[String]) -> Result<Vec<Vec<usize>>, String> {
        let place = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
        let mut out = Vec::with_capacity(Field::ALL.len());
        for field in Field::ALL {
            out.push(match self.columns.get(&field) {
                Some(Names::One(name)) => vec![place(name).ok_or_else(|| name.clone())?],
                Some(Names::Many(names)) => names
                    .iter()
                    .map(|n| place(n).ok_or_else(|| n.clone()))
                    .collect::<Result<_, _>>()?,
                None if self.only => Vec::new(),
                None if field == Field::Address => {
                    field.names().iter().filter_map(|n| place(n)).collect()
                }
                None => field.names().iter().find_map(|n| place(n)).into_iter().collect(),
            });
        }
        Ok(out)
    }
}
