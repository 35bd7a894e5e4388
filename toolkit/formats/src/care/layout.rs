//! Record types of the care claims exchange file, as data: a wrong position is one line here.
//!
//! Source: the interface of the national federation for claims to long-term care insurance (介護給付費請求), as implemented
//! for services of fiscal years 2018 to 2021. A later revision adds fields at the end: they are named in `unread`.

use To::{
    Amount, Birth, EndReason, Ended, Insured, Insurer, Item, Kind, Level, Month, Provider, Sex,
    Skip, Started, Status, Text, Times, TotalUnits, Units, ValidFrom, ValidUntil, X,
};

/// Where a field goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    /// Not read: named where it holds something.
    X,
    /// Tells the record type, or is a running number: read, and nowhere kept.
    Skip,
    Month,
    Provider,
    Insurer,
    Insured,
    Birth,
    Sex,
    Level,
    ValidFrom,
    ValidUntil,
    Started,
    Ended,
    EndReason,
    Kind,
    Item,
    Units,
    Times,
    TotalUnits,
    Amount,
    Text,
    Status,
}

/// One record type.
#[derive(Debug)]
pub(super) struct Layout {
    /// First three characters of the exchange number (交換情報識別番号); empty fits all.
    pub prefixes: &'static [&'static str],
    /// Record type (レコード種別); empty where the exchange number alone tells it.
    pub record: &'static str,
    /// Name in `unread`.
    pub name: &'static str,
    /// `kind` of the canonical record.
    pub kind: &'static str,
    /// Does the fifth field have to be short? Tells two shapes of one record type apart.
    pub short_fifth: Option<bool>,
    /// Fields in their order: name, target.
    pub fields: &'static [(&'static str, To)],
}

/// Forms of services: 様式第二 to 第十, with the comprehensive services of municipalities.
const FORMS: &[&str] =
    &["713", "714", "715", "716", "717", "718", "719", "71A", "71R", "71S", "71T"];

// Every record of a form begins with these.
const H1: (&str, To) = ("交換情報識別番号", Skip);
const H2: (&str, To) = ("レコード種別", Skip);
const H3: (&str, To) = ("サービス提供年月", Month);
const H4: (&str, To) = ("事業所番号", Provider);
const H5: (&str, To) = ("証記載保険者番号", Insurer);
const H6: (&str, To) = ("被保険者番号", Insured);

/// A sum sheet or another record without a person: read by nobody, named.
pub(super) const IMPERSONAL: &[&str] = &["711", "811"];

pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        prefixes: FORMS,
        record: "01",
        name: "基本情報",
        kind: "base",
        short_fifth: None,
        fields: &[
            H1,
            H2,
            H3,
            H4,
            H5,
            H6,
            ("公費1負担者番号", X),
            ("公費1受給者番号", X),
            ("公費2負担者番号", X),
            ("公費2受給者番号", X),
            ("公費3負担者番号", X),
            ("公費3受給者番号", X),
            ("生年月日", Birth),
            ("性別", Sex),
            ("要介護状態区分", Level),
            ("旧措置入所者特例", X),
            ("認定有効期間開始", ValidFrom),
            ("認定有効期間終了", ValidUntil),
            ("居宅サービス計画作成区分", X),
            ("居宅サービス計画事業所", X),
            ("開始年月日", Started),
            ("中止年月日", Ended),
            ("中止理由", EndReason),
            ("入所年月日", Started),
            ("退所年月日", Ended),
            ("入所実日数", Times),
            ("外泊日数", X),
            ("退所後の状態", EndReason),
            ("保険給付率", X),
            ("公費1給付率", X),
            ("公費2給付率", X),
            ("公費3給付率", X),
            ("サービス単位数", TotalUnits),
            ("請求額", Amount),
            ("利用者負担額", X),
            ("緊急時施設療養費請求額", X),
            ("特定診療費請求額", X),
            ("特定入所者介護サービス費等請求額", X),
        ],
    },
    Layout {
        prefixes: FORMS,
        record: "02",
        name: "明細",
        kind: "service",
        short_fifth: None,
        fields: &[
            H1,
            H2,
            H3,
            H4,
            H5,
            H6,
            ("サービス種類", Kind),
            ("サービス項目", Item),
            ("単位数", Units),
            ("日数回数", Times),
            ("公費1対象日数回数", X),
            ("公費2対象日数回数", X),
            ("公費3対象日数回数", X),
            ("サービス単位数", TotalUnits),
            ("公費1対象単位数", X),
            ("公費2対象単位数", X),
            ("公費3対象単位数", X),
            ("摘要", Text),
        ],
    },
    Layout {
        prefixes: FORMS,
        record: "03",
        name: "緊急時施設療養",
        kind: "emergency",
        short_fifth: None,
        fields: &[
            H1,
            H2,
            H3,
            H4,
            H5,
            H6,
            ("緊急時傷病名1", Text),
            ("緊急時傷病名2", X),
            ("緊急時傷病名3", X),
            ("緊急時治療開始1", Started),
            ("緊急時治療開始2", X),
            ("緊急時治療開始3", X),
            ("往診日数", Times),
        ],
    },
    Layout {
        prefixes: FORMS,
        record: "04",
        name: "特定診療費",
        kind: "special",
        short_fifth: None,
        fields: &[
            H1,
            H2,
            H3,
            H4,
            H5,
            H6,
            ("順次番号", Skip),
            ("傷病名", Text),
            ("識別番号", Item),
            ("単位数", Units),
            ("保険回数", Times),
            ("保険サービス単位数", TotalUnits),
        ],
    },
    Layout {
        prefixes: FORMS,
        record: "05",
        name: "食事費用",
        kind: "meal-room",
        short_fifth: None,
        fields: &[H1, H2, H3, H4, H5, H6],
    },
    Layout {
        prefixes: FORMS,
        record: "10",
        name: "集計",
        kind: "total",
        short_fifth: None,
        fields: &[
            H1,
            H2,
            H3,
            H4,
            H5,
            H6,
            ("サービス種類", Kind),
            ("サービス実日数", Times),
            ("計画単位数", X),
            ("限度額管理対象単位数", X),
            ("限度額管理対象外単位数", X),
            ("短期入所計画日数", X),
            ("短期入所実日数", X),
            ("単位数合計", TotalUnits),
            ("単位数単価", X),
            ("請求額", Amount),
            ("利用者負担額", X),
        ],
    },
    Layout {
        prefixes: FORMS,
        record: "11",
        name: "特定入所者介護サービス費用",
        kind: "meal-room",
        short_fifth: None,
        fields: &[
            H1,
            H2,
            H3,
            H4,
            H5,
            H6,
            ("順次番号", Skip),
            ("サービス種類", Kind),
            ("サービス項目", Item),
            ("費用単価", Units),
            ("負担限度額", X),
            ("日数", Times),
        ],
    },
    Layout {
        prefixes: FORMS,
        record: "12",
        name: "社会福祉法人軽減",
        kind: "reduction",
        short_fifth: None,
        fields: &[H1, H2, H3, H4, H5, H6],
    },
    Layout {
        prefixes: FORMS,
        record: "14",
        name: "住所地特例明細",
        kind: "service",
        short_fifth: None,
        fields: &[
            H1,
            H2,
            H3,
            H4,
            H5,
            H6,
            ("サービス種類", Kind),
            ("サービス項目", Item),
            ("単位数", Units),
            ("日数回数", Times),
            ("公費1対象日数回数", X),
            ("公費2対象日数回数", X),
            ("公費3対象日数回数", X),
            ("サービス単位数", TotalUnits),
            ("公費1対象単位数", X),
            ("公費2対象単位数", X),
            ("公費3対象単位数", X),
            ("施設所在保険者番号", X),
            ("摘要", Text),
        ],
    },
    Layout {
        prefixes: FORMS,
        record: "16",
        name: "基本摘要",
        kind: "note",
        short_fifth: None,
        fields: &[H1, H2, H3, H4, H5, H6, ("摘要種類", Item), ("内容", Text)],
    },
    // Two shapes are in use: with and without the class of the provider in front of the insurer.
    Layout {
        prefixes: &["812"],
        record: "",
        name: "居宅サービス計画費",
        kind: "plan",
        short_fifth: Some(false),
        fields: &[
            H1,
            H2,
            H3,
            H4,
            H5,
            H6,
            ("公費負担者番号", X),
            ("公費受給者番号", X),
            ("生年月日", Birth),
            ("性別", Sex),
            ("要介護状態区分", Level),
            ("認定有効期間開始", ValidFrom),
            ("認定有効期間終了", ValidUntil),
        ],
    },
    Layout {
        prefixes: &["812"],
        record: "",
        name: "居宅サービス計画費",
        kind: "plan",
        short_fifth: Some(true),
        fields: &[
            H1,
            H2,
            H3,
            H4,
            ("指定基準該当等事業所区分", X),
            H5,
            H6,
            ("公費負担者番号", X),
            ("公費受給者番号", X),
            ("生年月日", Birth),
            ("性別", Sex),
            ("要介護状態区分", Level),
            ("認定有効期間開始", ValidFrom),
            ("認定有効期間終了", ValidUntil),
        ],
    },
    Layout {
        prefixes: &["822"],
        record: "",
        name: "給付管理票",
        kind: "schedule",
        short_fifth: None,
        fields: &[
            H1,
            ("対象年月", Month),
            ("証記載保険者番号", Insurer),
            ("居宅介護支援事業所番号", X),
            ("給付管理票情報作成区分", Status),
            ("給付管理票作成年月日", X),
            ("給付管理票種別区分", X),
            ("給付管理票明細行番号", Skip),
            ("被保険者番号", Insured),
            ("生年月日", Birth),
            ("性別", Sex),
            ("要介護状態区分", Level),
            ("限度額適用期間開始", X),
            ("限度額適用期間終了", X),
            ("居宅介護支給限度額", X),
            ("居宅サービス計画作成区分", X),
            ("サービス事業所番号", Provider),
            ("指定基準該当等サービス区分", X),
            ("サービス種類", Kind),
            ("計画単位数", TotalUnits),
        ],
    },
];

/// The layout of an exchange record.
pub(super) fn of(number: &str, record: &str, fifth: &str) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|l| {
        number.len() == 4
            && l.prefixes.iter().any(|p| number.starts_with(p))
            && (l.record.is_empty() || l.record == record)
            && l.short_fifth.is_none_or(|short| (fifth.len() <= 2) == short)
    })
}
