//! Rules that a file of this crate can break, each with the sentence shown to staff.

/// What a broken rule does to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The row is not used.
    RowDropped,
    /// The row is used without the field.
    FieldDropped,
    /// The row is used as it is; somebody should look.
    Kept,
}

/// Every rule of a row: id, effect, Japanese sentence.
pub const RULES: &[(&str, Effect, &str)] = &[
    (
        "master.not-decodable",
        Effect::RowDropped,
        "読めない文字を含む行のため取り込みませんでした。文字コードを確認してください。",
    ),
    (
        "master.row-short",
        Effect::RowDropped,
        "列数が足りない行のため取り込みませんでした。ファイルの種類を確認してください。",
    ),
    ("master.code-missing", Effect::RowDropped, "コードのない行のため取り込みませんでした。"),
    (
        "master.code-shape",
        Effect::RowDropped,
        "コードの桁数または文字種が規定と異なる行のため取り込みませんでした。",
    ),
    ("master.name-missing", Effect::RowDropped, "名称のない行のため取り込みませんでした。"),
    (
        "master.code-twice",
        Effect::RowDropped,
        "同じコードの行が先にあるため、後の行は取り込みませんでした。",
    ),
    (
        "master.link-shape",
        Effect::FieldDropped,
        "対応コードの桁数または文字種が規定と異なるため、その対応を取り込みませんでした。",
    ),
    (
        "master.check-digit",
        Effect::FieldDropped,
        "検査数字（チェックデジット）が合わないため、そのコードを取り込みませんでした。",
    ),
    (
        "master.date",
        Effect::FieldDropped,
        "年月日として読めないため、有効期間を取り込みませんでした。",
    ),
    ("master.period", Effect::Kept, "廃止日が収載日より前です。マスターの原本を確認してください。"),
    ("master.unknown-unit", Effect::Kept, "単位が単位表にありません。単位の照合には用いません。"),
    (
        "master.unstandardised",
        Effect::RowDropped,
        "未標準化コード（すべて9）は対応先にできないため取り込みませんでした。",
    ),
];

/// The effect and the sentence of a rule of [`RULES`].
pub fn rule(id: &str) -> Option<(Effect, &'static str)> {
    RULES.iter().find(|(known, ..)| *known == id).map(|(_, effect, sentence)| (*effect, *sentence))
}
