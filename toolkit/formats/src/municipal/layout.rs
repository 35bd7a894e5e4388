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
    /// 死亡: deaths.
    Death,
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
    pub const ALL: [Self; 4] = [Self::Checkup, Self::Death, Self::Coverage, Self::Persons];

    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Persons => "住民",
            Self::Checkup => "健診",
            Self::Coverage => "資格",
            Self::Death => "死亡",
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
        }
    }

    /// What a header must have for the layout.
    fn needs(self) -> &'static [Column] {
        match self {
            Self::Checkup => &[Column::Key, Column::Examined, Column::Item],
            Self::Death => &[Column::Key, Column::Died, Column::CauseCode],
            Self::Coverage => &[Column::Key, Column::InsurerNo, Column::From],
            Self::Persons => &[Column::Key, Column::Birth, Column::Address],
        }
    }

    pub(super) fn of(columns: &[Column]) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.needs().iter().all(|n| columns.contains(n)))
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
