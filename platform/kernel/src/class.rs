//! Classes of columns and the two products, as the table of house rule 4 names them.

/// What a column is, legally. Decides what each product must do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnClass {
    /// Name, kana, phone, street address …
    DirectIdentifier,
    /// Insurer symbol and number, My Number, genome … (個人識別符号)
    IndividualIdCode,
    /// Patient id, claim key, management id (連結する符号).
    LinkingCode,
    /// Account, card.
    FinancialDamage,
    /// Birth, sex, region, facility, occupation …
    QuasiIdentifier,
    /// Laboratory value, diagnosis, drug …
    SensitiveValue,
    /// A date of an event.
    Date,
    /// Text a person wrote.
    FreeText,
    /// Nothing of the above.
    Insensitive,
}

impl ColumnClass {
    /// All classes.
    pub const ALL: [Self; 9] = [
        Self::DirectIdentifier,
        Self::IndividualIdCode,
        Self::LinkingCode,
        Self::FinancialDamage,
        Self::QuasiIdentifier,
        Self::SensitiveValue,
        Self::Date,
        Self::FreeText,
        Self::Insensitive,
    ];
    /// Text form, as in a specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DirectIdentifier => "direct_identifier",
            Self::IndividualIdCode => "individual_id_code",
            Self::LinkingCode => "linking_code",
            Self::FinancialDamage => "financial_damage",
            Self::QuasiIdentifier => "quasi_identifier",
            Self::SensitiveValue => "sensitive_value",
            Self::Date => "date",
            Self::FreeText => "free_text",
            Self::Insensitive => "insensitive",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::DirectIdentifier => "直接識別子",
            Self::IndividualIdCode => "個人識別符号",
            Self::LinkingCode => "連結符号",
            Self::FinancialDamage => "財産的被害のおそれのある項目",
            Self::QuasiIdentifier => "準識別子",
            Self::SensitiveValue => "要配慮の値",
            Self::Date => "日付",
            Self::FreeText => "自由記述",
            Self::Insensitive => "その他",
        }
    }
}

/// What the producer makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// 匿名加工医療情報
    Anonymized,
    /// 仮名加工医療情報
    Pseudonymized,
}

impl Product {
    /// The regime under which its records must be cleared.
    pub fn regime(self) -> crate::Regime {
        match self {
            Self::Anonymized => crate::Regime::Anon52,
            Self::Pseudonymized => crate::Regime::Pseudo57,
        }
    }
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anonymized => "anonymized",
            Self::Pseudonymized => "pseudonymized",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Anonymized => "匿名加工医療情報",
            Self::Pseudonymized => "仮名加工医療情報",
        }
    }
}
