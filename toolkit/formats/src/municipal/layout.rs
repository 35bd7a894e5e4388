//! Which columns a file has, told by its header alone.

use std::borrow::Cow;

/// What a municipal file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// 住民: residents.
    Persons,
    /// 健診: check-ups, one column per 17-digit item code.
    Checkup,
    /// 資格: insurance.
    Coverage,
    /// 死亡: deaths, also as 死亡票 with a number of its own.
    Death,
    /// 予防接種: vaccinations, also as exported by the vaccination record system (VRS).
    Vaccination,
    /// 異動: events of residency.
    Residency,
    /// 介護被保険者: the register of the insured under long-term care insurance.
    CareInsured,
}

/// A column this crate reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Column {
    Key,
    NameKanji,
    NameKana,
    Birth,
    Sex,
    PostalCode,
    Address,
    Phone,
    Occupation,
    Moved,
    Died,
    InsurerNo,
    InsurerName,
    Symbol,
    Number,
    Branch,
    Relation,
    From,
    To,
    Examined,
    Institution,
    CauseCode,
    CauseText,
    Place,
    CardNo,
    InsuredNo,
    VaccineCode,
    VaccineText,
    Vaccinated,
    DoseNumber,
    Performed,
    Facility,
    Lot,
    Dose,
    Maker,
    Event,
    Notified,
    Kin,
    Area,
    CareLevel,
    ValidFrom,
    ValidTo,
    CertificateNo,
    /// A 17-digit item code.
    Item,
    /// Named in `unread` where it holds something.
    Unknown,
}

/// Header texts, without blanks, of any width. Vendors differ; a new spelling is one line here.
const NAMES: &[(&str, Column)] = &[
    ("宛名番号", Column::Key),
    ("個人番号(宛名番号)", Column::Key),
    ("氏名漢字", Column::NameKanji),
    ("漢字氏名", Column::NameKanji),
    ("氏名", Column::NameKanji),
    ("氏名カナ", Column::NameKana),
    ("カナ氏名", Column::NameKana),
    ("生年月日", Column::Birth),
    ("性別", Column::Sex),
    ("郵便番号", Column::PostalCode),
    ("住所", Column::Address),
    ("電話番号", Column::Phone),
    ("職業", Column::Occupation),
    ("異動年月日", Column::Moved),
    ("死亡年月日", Column::Died),
    ("保険者番号", Column::InsurerNo),
    ("保険者名", Column::InsurerName),
    ("記号", Column::Symbol),
    ("被保険者証記号", Column::Symbol),
    ("番号", Column::Number),
    ("被保険者証番号", Column::Number),
    ("枝番", Column::Branch),
    ("本人家族区分", Column::Relation),
    ("資格取得年月日", Column::From),
    ("資格喪失年月日", Column::To),
    ("実施年月日", Column::Examined),
    ("機関番号", Column::Institution),
    ("死因コード", Column::CauseCode),
    ("死因コード(ICD-10)", Column::CauseCode),
    ("死因", Column::CauseText),
    ("死亡場所", Column::Place),
    ("場所種別", Column::Place),
    ("原死因", Column::CauseCode),
    ("原死因コード", Column::CauseCode),
    ("死亡票番号", Column::CertificateNo),
    ("死亡票整理番号", Column::CertificateNo),
    ("被保険者番号", Column::InsuredNo),
    ("介護被保険者番号", Column::InsuredNo),
    ("証記載保険者番号", Column::InsurerNo),
    ("接種券番号", Column::CardNo),
    ("予防接種種別コード", Column::VaccineCode),
    ("予防接種種別", Column::VaccineCode),
    ("予防接種コード", Column::VaccineCode),
    ("種別", Column::VaccineCode),
    ("ワクチン名", Column::VaccineText),
    ("ワクチン名称", Column::VaccineText),
    ("製品", Column::VaccineText),
    ("接種年月日", Column::Vaccinated),
    ("接種日", Column::Vaccinated),
    ("回数", Column::DoseNumber),
    ("接種回", Column::DoseNumber),
    ("接種回数", Column::DoseNumber),
    ("実施区分", Column::Performed),
    ("医療機関", Column::Facility),
    ("医療機関名", Column::Facility),
    ("接種会場", Column::Facility),
    ("医療機関コード", Column::Facility),
    ("ロット番号", Column::Lot),
    ("ロット", Column::Lot),
    ("製造番号", Column::Lot),
    ("接種量", Column::Dose),
    ("メーカー", Column::Maker),
    ("異動事由", Column::Event),
    ("異動事由コード", Column::Event),
    ("異動日", Column::Moved),
    ("届出年月日", Column::Notified),
    ("届出日", Column::Notified),
    ("続柄", Column::Kin),
    ("住所コード", Column::Area),
    ("市区町村コード", Column::Area),
    ("要介護状態区分", Column::CareLevel),
    ("要介護状態区分コード", Column::CareLevel),
    ("要介護度", Column::CareLevel),
    ("認定有効期間開始年月日", Column::ValidFrom),
    ("認定有効期間開始", Column::ValidFrom),
    ("認定有効期間終了年月日", Column::ValidTo),
    ("認定有効期間終了", Column::ValidTo),
    ("受診年月日", Column::Examined),
    ("健診実施年月日", Column::Examined),
    ("健診受診日", Column::Examined),
    ("健診機関番号", Column::Institution),
    ("健診機関コード", Column::Institution),
    ("資格取得日", Column::From),
    ("資格喪失日", Column::To),
];

/// Full-width made narrow, blanks taken out: header texts are compared so.
pub(crate) fn plain(header: &str) -> String {
    header.chars().filter(|c| !c.is_whitespace()).map(crate::text::narrow).collect()
}

/// Recognises a header cell. `性別(1男2女)` and the like carry a note in brackets.
pub(super) fn column(header: &str) -> Column {
    let header = plain(header);
    if header.len() == 17 && header.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
        return Column::Item;
    }
    let find = |text: &str| NAMES.iter().find(|(name, _)| *name == text).map(|(_, c)| *c);
    let bare = header.split('(').next().unwrap_or("");
    find(&header).or_else(|| find(bare)).unwrap_or(Column::Unknown)
}

impl Layout {
    /// All layouts, the more particular first.
    pub const ALL: [Self; 7] = [
        Self::Checkup,
        Self::Vaccination,
        Self::Residency,
        Self::Death,
        Self::CareInsured,
        Self::Coverage,
        Self::Persons,
    ];

    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Persons => "住民",
            Self::Checkup => "健診",
            Self::Coverage => "資格",
            Self::Death => "死亡",
            Self::Vaccination => "予防接種",
            Self::Residency => "異動",
            Self::CareInsured => "介護被保険者",
        }
    }

    /// The header this crate's own files carry, without item codes.
    pub fn header(self) -> &'static [&'static str] {
        match self {
            Self::Persons => &[
                "宛名番号",
                "氏名漢字",
                "氏名カナ",
                "生年月日",
                "性別",
                "郵便番号",
                "住所",
                "電話番号",
                "職業",
                "異動年月日",
                "死亡年月日",
            ],
            Self::Coverage => &[
                "宛名番号",
                "保険者番号",
                "保険者名",
                "記号",
                "番号",
                "枝番",
                "本人家族区分",
                "資格取得年月日",
                "資格喪失年月日",
            ],
            Self::Checkup => {
                &["宛名番号", "氏名カナ", "生年月日", "性別", "実施年月日", "機関番号"]
            }
            Self::Death => &["宛名番号", "死亡年月日", "死因コード", "死因", "死亡場所"],
            Self::Vaccination => &[
                "宛名番号",
                "予防接種種別コード",
                "ワクチン名",
                "接種年月日",
                "回数",
                "実施区分",
                "医療機関",
                "ロット番号",
                "接種量",
            ],
            Self::Residency => {
                &["宛名番号", "異動事由", "異動年月日", "届出年月日", "続柄", "住所コード"]
            }
            Self::CareInsured => &[
                "証記載保険者番号",
                "被保険者番号",
                "氏名カナ",
                "生年月日",
                "性別",
                "資格取得年月日",
                "資格喪失年月日",
                "要介護状態区分",
                "認定有効期間開始年月日",
                "認定有効期間終了年月日",
            ],
        }
    }

    /// What a header must have for the layout, beside the person's key.
    fn needs(self) -> &'static [Column] {
        match self {
            Self::Checkup => &[Column::Examined, Column::Item],
            Self::Vaccination => &[Column::Vaccinated],
            Self::Residency => &[Column::Event, Column::Moved],
            Self::Death => &[Column::Died, Column::CauseCode],
            Self::CareInsured => &[Column::InsuredNo, Column::ValidFrom],
            Self::Coverage => &[Column::InsurerNo, Column::From],
            Self::Persons => &[Column::Birth, Column::Address],
        }
    }

    /// Columns that together are the person's key, the best choice first.
    pub(super) fn keys(self) -> &'static [&'static [Column]] {
        const CARD: &[Column] =
            &[Column::InsurerNo, Column::Symbol, Column::Number, Column::Branch];
        const SHORT_CARD: &[Column] = &[Column::InsurerNo, Column::Number];
        const INSURED: &[Column] = &[Column::InsurerNo, Column::InsuredNo];
        match self {
            Self::CareInsured => &[&[Column::Key], INSURED],
            Self::Checkup | Self::Coverage => &[&[Column::Key], CARD, SHORT_CARD, INSURED],
            Self::Vaccination => {
                &[&[Column::Key], &[Column::Area, Column::CardNo], &[Column::CardNo]]
            }
            Self::Death => &[&[Column::Key], &[Column::CertificateNo]],
            Self::Persons | Self::Residency => &[&[Column::Key]],
        }
    }

    pub(super) fn of(columns: &[Column]) -> Option<Self> {
        let has = |all: &[Column]| all.iter().all(|n| columns.contains(n));
        let fits = |l: &Self| has(l.needs()) && l.keys().iter().any(|k| has(k));
        Self::ALL.into_iter().find(fits)
    }
}

/// The name of a column that is not read, if it is a harmless one: headers are words, not values.
pub(super) fn unread_name(layout: Layout, header: &str, index: usize) -> Cow<'static, str> {
    let name = plain(header);
    let harmless = (1..=40).contains(&name.chars().count())
        && name.chars().filter(char::is_ascii_digit).count() < 5;
    if harmless {
        Cow::Owned(format!("{}.{name}", layout.label_ja()))
    } else {
        Cow::Owned(format!("{}.column {}", layout.label_ja(), index + 1))
    }
}
