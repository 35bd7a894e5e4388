//! Fields that several rows of the route table take.

use crate::input::{Field, Kind};

/// A field that must be filled in.
pub(crate) const fn must(name: &'static str, ja: &'static str, kind: Kind) -> Field {
    Field { name, ja, kind, required: true }
}
/// A field that may be left open.
pub(crate) const fn may(name: &'static str, ja: &'static str, kind: Kind) -> Field {
    Field { name, ja, kind, required: false }
}

/// Why.
pub(crate) const REASON: Field = must("reason", "理由", Kind::Text(2_000));
/// The number that a patient holds.
pub(crate) const NUMBER: Field = must("number", "受付番号", Kind::Line(40));
/// How a dataset goes.
pub(crate) const ROUTES_OUT: &[&str] =
    &["sealed_transfer", "producer_environment", "sealed_medium"];

/// What an authenticator answers, each part base64url.
pub(crate) const PRESENTED: &[Field] = &[
    must("credential", "パスキーの識別子", Kind::Line(1_400)),
    may("user", "使用者", Kind::Line(100)),
    must("client_data", "画面の情報", Kind::Line(8_000)),
    must("authenticator_data", "端末の情報", Kind::Line(8_000)),
    must("signature", "署名", Kind::Line(2_000)),
];
/// How a provider sends a visitor back (OAuth 2.0; what some add beside it is taken and not read).
pub(crate) const PROVIDER_ANSWER: &[Field] = &[
    may("state", "問いの番号", Kind::Line(200)),
    may("code", "認可コード", Kind::Line(4_000)),
    may("iss", "認証基盤", Kind::Line(400)),
    may("error", "認証基盤の回答", Kind::Line(200)),
    may("error_description", "認証基盤の説明", Kind::Text(2_000)),
    may("error_uri", "認証基盤の説明の場所", Kind::Line(2_000)),
    may("session_state", "認証基盤の状態", Kind::Line(2_000)),
    may("scope", "範囲", Kind::Line(2_000)),
    may("authuser", "認証基盤の利用者", Kind::Line(200)),
    may("prompt", "認証基盤の画面", Kind::Line(200)),
    may("hd", "認証基盤の領域", Kind::Line(400)),
];
/// An identity of a provider.
pub(crate) const PROVIDER_BIND: &[Field] = &[
    must("provider", "認証基盤", Kind::Line(20)),
    must("subject", "認証基盤での識別子（sub）", Kind::Line(255)),
];
/// A new passkey, each part base64url.
pub(crate) const CREATED: &[Field] = &[
    must("client_data", "画面の情報", Kind::Line(8_000)),
    must("object", "新しいパスキー", Kind::Line(40_000)),
];

/// Fields of an application; a draft may leave any of them open.
pub(crate) const APPLICATION: &[Field] = &[
    may("product", "情報の種類", Kind::Choice(&["anonymized", "pseudonymized"])),
    may("title", "研究の題名", Kind::Line(200)),
    may("responsible_name", "研究責任者の氏名", Kind::Line(100)),
    may("responsible_affiliation", "研究責任者の所属", Kind::Line(200)),
    may("handlers", "取扱者（1行に1人、氏名／所属）", Kind::Text(4_000)),
    may("purpose", "利用目的", Kind::Text(4_000)),
    may("method", "研究の方法", Kind::Text(4_000)),
    may("items", "データ項目（1行に1つ、表.列）", Kind::Lines(8_000)),
    may("population", "対象集団", Kind::Text(2_000)),
    may("data_from", "対象期間の始め", Kind::Day),
    may("data_until", "対象期間の終わり", Kind::Day),
    may("minimality", "必要最小限であることの説明", Kind::Text(4_000)),
    may("place", "利用場所", Kind::Text(1_000)),
    may("environment", "利用環境", Kind::Text(2_000)),
    may("security", "安全管理措置", Kind::Text(4_000)),
    may("co_users", "共同利用者", Kind::Lines(40)),
    may("trustees", "受託者", Kind::Lines(40)),
    may("interested", "利害関係のある事業者", Kind::Lines(40)),
    may("publication", "公表計画", Kind::Text(2_000)),
    may("funding", "資金", Kind::Text(1_000)),
    may("conflicts", "利益相反", Kind::Text(2_000)),
    may("use_from", "利用期間の始め", Kind::Day),
    may("use_until", "利用期間の終わり", Kind::Day),
];

/// A file of an application.
pub(crate) const ATTACHMENT: &[Field] = &[
    must("name", "ファイル名", Kind::Line(120)),
    must("file", "ファイル", Kind::File(kiban_journeys::LARGEST_ATTACHMENT)),
];
/// A report of erasure.
pub(crate) const PROOF: &[Field] = &[
    must("method", "消去の方法", Kind::Text(1_000)),
    must("name", "ファイル名", Kind::Line(120)),
    must("file", "証拠のファイル", Kind::File(kiban_journeys::LARGEST_ATTACHMENT)),
];
/// A proof that somebody else's copy is erased.
pub(crate) const COPY_PROOF: &[Field] = &[
    must("organization", "写しを持つ事業者", Kind::Line(40)),
    must("method", "消去の方法", Kind::Text(1_000)),
    must("name", "ファイル名", Kind::Line(120)),
    must("file", "証拠のファイル", Kind::File(kiban_journeys::LARGEST_ATTACHMENT)),
];
/// A file that is to be taken out of the producer's environment.
pub(crate) const OUTPUT: &[Field] = &[
    must("dataset", "データセット", Kind::Line(40)),
    must("title", "出力の名前", Kind::Line(200)),
    must("context", "内容と作り方", Kind::Text(4_000)),
    may("exception", "例外を求める理由", Kind::Text(2_000)),
    must("name", "ファイル名", Kind::Line(120)),
    must("file", "ファイル", Kind::File(kiban_journeys::LARGEST_ATTACHMENT)),
];
/// Another version of it.
pub(crate) const OUTPUT_AGAIN: &[Field] = &[
    must("context", "内容と作り方", Kind::Text(4_000)),
    may("exception", "例外を求める理由", Kind::Text(2_000)),
    must("name", "ファイル名", Kind::Line(120)),
    must("file", "ファイル", Kind::File(kiban_journeys::LARGEST_ATTACHMENT)),
];
/// A checker's vote on an output.
pub(crate) const OUTPUT_CHECK: &[Field] =
    &[must("verdict", "検査の結果", Kind::Choice(&["release", "return", "refuse"])), REASON];
/// A dataset for a regulator.
pub(crate) const SUBMISSION: &[Field] = &[
    must("dataset", "データセット", Kind::Line(40)),
    must("regulator", "提出先", Kind::Line(40)),
    must("purpose", "提出の目的", Kind::Text(4_000)),
];
/// A regulator's question.
pub(crate) const ENQUIRY: &[Field] = &[
    must("question", "照会の内容", Kind::Text(4_000)),
    must("rows", "照会する行（1行に1つ、表の名前と行の番号）", Kind::Lines(2_000)),
];
/// The answer to it.
pub(crate) const ENQUIRY_ANSWER: &[Field] = &[
    must("text", "回答", Kind::Text(4_000)),
    may("charts", "提供元に診療録の確認を求める", Kind::Tick),
];
/// An incident.
pub(crate) const INCIDENT: &[Field] = &[
    must("kind", "種類", Kind::Choice(&["leak", "loss", "damage", "misuse"])),
    must("noticed_on", "知った日", Kind::Day),
    may("malicious", "不正の目的のおそれ", Kind::Tick),
    may("dataset", "データセットの番号", Kind::Line(40)),
    must("summary", "概要", Kind::Text(4_000)),
];

/// A local code, and where it is looked for.
pub(crate) const MAPPING_FOR: &[Field] = &[
    must("system", "標準のコード体系", Kind::Choice(SYSTEMS)),
    must("holder", "医療機関・市町村", Kind::Line(40)),
    must("local", "院内コード", Kind::Line(400)),
];
/// Standard code systems.
pub(crate) const SYSTEMS: &[&str] = &["jlac10", "jlac11", "yj", "hot", "receipt-drug", "icd10"];
/// A mapping to propose.
pub(crate) const MAPPING: &[Field] = &[
    must("system", "標準のコード体系", Kind::Choice(SYSTEMS)),
    must("holder", "医療機関・市町村", Kind::Line(40)),
    must("local", "院内コード", Kind::Line(400)),
    must("code", "標準コード", Kind::Line(40)),
    may("unit_from", "元の単位", Kind::Line(40)),
    may("unit_to", "標準の単位", Kind::Line(40)),
    must("from", "適用する最初の日", Kind::Day),
    may("until", "適用する最後の日", Kind::Day),
    may("replaces", "置き換える対応付けの番号", Kind::Number),
];

/// Under which regime.
pub(crate) const REGIME: Field = may("regime", "制度", Kind::Choice(&["anon52", "pseudo57"]));
/// A reader's answer to a pair.
pub(crate) const LINK_ANSWER: &[Field] =
    &[must("answer", "回答", Kind::Choice(&["same", "different", "unsure"])), REASON];
/// A decision on a pair taken back.
pub(crate) const LINK_UNDO: &[Field] =
    &[REASON, must("confirm", "確認のための番号", Kind::Line(40))];
/// Two sources.
pub(crate) const LINK_PAIR: &[Field] = &[
    must("holder_1", "一つ目の提供元", Kind::Line(40)),
    must("local_1", "一つ目の患者番号", Kind::Line(64)),
    must("holder_2", "二つ目の提供元", Kind::Line(40)),
    must("local_2", "二つ目の患者番号", Kind::Line(64)),
];
/// One person to be looked up.
pub(crate) const LOOK_UP: &[Field] = &[
    must("holder", "医療機関・市町村", Kind::Line(40)),
    must("local_id", "患者番号", Kind::Line(64)),
    must("purpose", "目的", Kind::Choice(&["complaint", "call", "stop_desk", "inspection"])),
    must("reference", "受付簿の番号", Kind::Line(60)),
    may("on", "記録の日付", Kind::Day),
    may("kana", "カナ氏名", Kind::Line(100)),
    may("birth", "生年月日", Kind::Day),
    may("sex", "性別", Kind::Choice(&["1", "2"])),
];
/// Keys to be made.
pub(crate) const LINK_KEY: &[Field] = &[
    must("profile", "定義", Kind::Line(40)),
    must("regime", "制度", Kind::Choice(&["anon52", "pseudo57"])),
    must("recipient", "提供先", Kind::Line(40)),
    must("provision", "提供の名", Kind::Line(40)),
];
/// The answer of the insured-number history.
pub(crate) const HISTORY_ANSWER: &[Field] = &[
    may("name", "ファイル名", Kind::Line(120)),
    must("file", "回答のファイル", Kind::File(crate::screens::link_history::LARGEST)),
];

/// Fields of a patient's request.
pub(crate) const STOP_WHO: &[Field] = &[
    may("holder", "医療機関・市町村", Kind::Line(40)),
    may("requester", "求める方", Kind::Choice(&["person", "guardian", "bereaved_family"])),
];
pub(crate) const STOP: &[Field] = &[
    must("holder", "医療機関・市町村", Kind::Line(40)),
    must("requester", "求める方", Kind::Choice(&["person", "guardian", "bereaved_family"])),
    must("name", "患者さんの氏名", Kind::Line(100)),
    must("birth", "患者さんの生年月日", Kind::Line(40)),
    may("local_id", "診察券などの番号", Kind::Line(64)),
    must("contact", "連絡先", Kind::Line(200)),
    must("regimes", "止める範囲", Kind::Choice(&["both", "anon52", "pseudo57"])),
    may("electronic", "書面の電子交付への同意", Kind::Tick),
];
