//! The rules a source can break, each with the Japanese sentence shown to staff.

/// Every rule id of this crate with its Japanese sentence.
pub const RULES: &[(&str, &str)] = &[
    (
        "my-number",
        "個人番号（マイナンバー）とみられる12桁の番号があるため隔離しました。番号を除いて再提出してください。",
    ),
    ("gaiji", "外字または代替文字を含みます。照合には使えません。"),
    (
        "ssmix2.name-malformed",
        "ファイル名がSS-MIX2の命名規則と異なるため隔離しました。ファイル名を確認してください。",
    ),
    (
        "ssmix2.too-short",
        "ファイルが短すぎてメッセージではないため隔離しました。再出力してください。",
    ),
    (
        "ssmix2.too-large",
        "メッセージが大きすぎるため隔離しました。複数のメッセージが連結されていないか確認してください。",
    ),
    (
        "ssmix2.no-header",
        "MSHセグメントで始まらないため隔離しました。出力プログラムを確認してください。",
    ),
    (
        "ssmix2.delimiters",
        "区切り文字が規定（|^~\\&）と異なるため隔離しました。出力設定を確認してください。",
    ),
    (
        "ssmix2.not-iso-2022-jp",
        "ISO-2022-JPとして読めない文字が多いため隔離しました。文字コードを確認してください。",
    ),
    (
        "ssmix2.replaced-characters",
        "読めない文字（補助漢字など）を置き換えました。件数を確認してください。",
    ),
    ("ssmix2.half-width-kana", "半角カナが使われています。全角に変換して出力してください。"),
    (
        "ssmix2.no-patient",
        "PID-3（患者番号）がないため隔離しました。出力プログラムを確認してください。",
    ),
    (
        "ssmix2.pid-mismatch",
        "パスまたはファイル名の患者番号とPID-3が一致しないため隔離しました。どちらが正しいか確認してください。",
    ),
    (
        "ssmix2.pid-zeros",
        "ファイル名の患者番号とPID-3は先頭のゼロの数が異なります。PID-3を用いました。",
    ),
    (
        "ssmix2.folder-mismatch",
        "フォルダの階層がファイル名と一致しません。格納場所を確認してください。",
    ),
    (
        "ssmix2.other-message",
        "データ種別とメッセージ型（MSH-9）が一致しないため隔離しました。格納場所を確認してください。",
    ),
    (
        "ssmix2.other-event",
        "MSH-9のイベントがデータ種別の規定と異なります。データ種別に従って読みました。",
    ),
    ("ssmix2.superseded", "コンディションフラグが1でないため履歴として扱いました。"),
    (
        "ssmix2.second-header",
        "1ファイルにMSHが複数あります。1ファイル1メッセージで出力してください。",
    ),
    (
        "ssmix2.segment-malformed",
        "セグメント名の形式が正しくありません。そのセグメントは読みませんでした。",
    ),
    ("ssmix2.empty-segment", "内容のないセグメントがあります。そのセグメントは読みませんでした。"),
    ("ssmix2.no-code", "コードのない項目があります。文字列のみ取り込みました。"),
    ("ssmix2.no-content", "読むべきセグメントが1つもありません。"),
    ("ssmix2.no-visit", "PV1セグメントがありません。受診・入退院として取り込めませんでした。"),
    ("ssmix2.not-a-number", "数値型（NM）の結果が数値ではありません。文字列として取り込みました。"),
    ("ssmix2.value-type", "OBX-2の型が規定にありません。文字列として取り込みました。"),
    ("fhir.not-utf8", "UTF-8として読めない行を隔離しました。文字コードを確認してください。"),
    ("fhir.not-json", "JSONとして読めない行を隔離しました。1行に1リソースで出力してください。"),
    ("fhir.too-large", "要素の数が多すぎる行を隔離しました。出力プログラムを確認してください。"),
    (
        "fhir.shape",
        "リソースの構造がFHIR R4と異なる行を隔離しました。出力プログラムを確認してください。",
    ),
    ("fhir.no-type", "resourceTypeのない行を隔離しました。"),
    ("fhir.no-person", "患者への参照（Patient/…）のないリソースを隔離しました。"),
    (
        "fhir.modifier",
        "意味を変える要素（modifierExtension、implicitRules）を含むため隔離しました。",
    ),
    (
        "fhir.bundle",
        "この種類のBundleは受け付けていないため隔離しました。文書（document）などで出力してください。",
    ),
    (
        "fhir.bundle-persons",
        "Bundleに複数の患者、または特定できない患者への参照があるため隔離しました。",
    ),
    ("fhir.bundle-entry", "Bundleの中に読めないリソースがあるため全体を隔離しました。"),
    ("fhir.no-code", "コードも名称もない項目があります。"),
    ("csv.not-utf8", "UTF-8として読めない行を隔離しました。文字コードを確認してください。"),
    ("csv.not-cp932", "CP932として読めない行を隔離しました。文字コードを確認してください。"),
    ("csv.quotes", "引用符が閉じていない行を隔離しました。セル内の改行にも対応していません。"),
    ("csv.columns", "列数が見出しと異なる行を隔離しました。"),
    ("csv.no-person", "宛名番号のない行を隔離しました。"),
    ("csv.no-birth", "生年月日がありません。"),
    ("csv.no-insurer", "保険者番号がありません。"),
    ("csv.no-date", "日付がありません。"),
    ("csv.no-item", "健診項目が1つもありません。"),
    (
        "uke.no-header",
        "先頭にIR・YK・HM・HIレコードのないレセプトを隔離しました。ファイルの先頭を確認してください。",
    ),
    ("uke.not-cp932", "CP932として読めないレセプトを隔離しました。文字コードを確認してください。"),
    ("uke.utf8", "文字コードが規定（CP932）と異なりUTF-8です。UTF-8として読みました。"),
    (
        "uke.no-claim",
        "REレコードのない行の集まりを隔離しました。レコードの順序を確認してください。",
    ),
    ("uke.second-claim", "1件の中にREレコードが複数あります。最初のものを用いました。"),
    (
        "uke.no-person",
        "患者を特定できる番号（カルテ番号、被保険者番号、受給者番号）のないレセプトを隔離しました。",
    ),
    ("uke.record-id", "レコード識別情報の形式が正しくない行があります。その行は読みませんでした。"),
    (
        "uke.month",
        "診療年月の形式（YYYYMMまたはGYYMM）が正しくありません。日付を付けられませんでした。",
    ),
    ("uke.claim-type", "レセプト種別が4桁の数字ではありません。"),
    ("uke.no-birth", "生年月日がありません。"),
    ("uke.no-code", "コードも名称もない行があります。"),
    (
        "uke.code-shape",
        "コードの桁数または形式が規定と異なります。値は保存し、診療行為等としては扱いませんでした。",
    ),
    (
        "uke.no-section",
        "診療識別のない行から摘要が始まっています。最初の算定単位として扱いました。",
    ),
    ("uke.not-a-number", "点数・回数・合計点数が整数ではありません。合計の検算をしませんでした。"),
    (
        "uke.total-differs",
        "摘要の点数の合計が請求の合計点数と一致しません。レセプトを確認してください。",
    ),
    ("uke.payers", "公費レコード（KO）が5つ以上あります。"),
    (
        "uke.payer-kind",
        "負担者種別に対応する保険者・公費のレコードがありません。その行は読みませんでした。",
    ),
    ("uke.donor", "臓器提供者の情報は別人のものであるため取り込みませんでした。"),
    ("uke.dpc-code", "診断群分類番号が14桁ではありません。"),
    ("uke.no-admission", "今回入院年月日がありません。"),
    (
        "uke.coding-duplicate",
        "同じコーディングデータが2回あります。2回目以降は重複として扱いました。",
    ),
    ("uke.no-date", "調剤月日がありません。"),
    ("uke.no-dispensing", "調剤（CZ）のない医薬品があります。調剤の記録としては扱いませんでした。"),
    (
        "uke.too-many-events",
        "1件の調剤の組合せが多すぎます。上限を超えた分は取り込みませんでした。",
    ),
    ("uke.totals-unreadable", "GOレコードの総件数または総合計点数が数値ではありません。"),
    (
        "uke.claims-differ",
        "GOレコードの総件数が実際の件数と一致しません。ファイルの欠落を確認してください。",
    ),
    (
        "uke.points-differ",
        "GOレコードの総合計点数が各レセプトの合計と一致しません。ファイルの欠落を確認してください。",
    ),
    (
        "dpc.not-cp932",
        "CP932またはUTF-8として読めない行があるため隔離しました。文字コードを確認してください。",
    ),
    ("dpc.no-person", "データ識別番号のない行を隔離しました。"),
    (
        "dpc.second-person",
        "1入院のまとまりに別のデータ識別番号の行があります。その行は読みませんでした。",
    ),
    ("dpc.columns", "列数が規定と異なる行があります。"),
    ("dpc.no-code", "コードのない行があります。"),
    (
        "dpc.code-shape",
        "レセプト電算コードが9桁の数字ではありません。値は保存し、診療行為等としては扱いませんでした。",
    ),
    ("dpc.no-birth", "様式1に生年月日がありません。"),
    ("jahis.no-header", "JAHISで始まる行のないデータを隔離しました。読み取り直してください。"),
    (
        "jahis.encoding",
        "CP932でもUTF-8でもないデータを隔離しました。文字コードを確認してください。",
    ),
    ("jahis.no-person", "患者の氏名も患者コードもないデータを隔離しました。"),
    ("jahis.second-person", "患者情報が2つあります。最初のものを用いました。"),
    ("jahis.record-no", "レコード番号の形式が正しくない行があります。その行は読みませんでした。"),
    ("jahis.no-birth", "生年月日がありません。"),
    ("jahis.no-date", "調剤年月日または処方箋交付年月日がありません。"),
    ("jahis.no-code", "薬品コード種別があるのに薬品コードがありません。"),
    ("jahis.no-drug", "薬品名称も薬品コードもない行があります。"),
    ("jahis.no-usage", "用法のない薬品があります。"),
    (
        "xml.encoding",
        "XMLの文字コードが宣言と異なるため隔離しました。文字コードを確認してください。",
    ),
    ("xml.dtd", "XMLに文書型宣言（DOCTYPE）があるため隔離しました。宣言を除いて出力してください。"),
    (
        "xml.entity",
        "XMLに未定義の実体参照があるため隔離しました。出力プログラムを確認してください。",
    ),
    ("xml.too-deep", "XMLの階層が深すぎるため隔離しました。出力プログラムを確認してください。"),
    ("xml.too-large", "XMLが大きすぎるため隔離しました。1人1ファイルで出力してください。"),
    ("xml.malformed", "XMLとして正しくないため隔離しました。出力プログラムを確認してください。"),
    ("checkup.root", "特定健診のXMLではないため隔離しました。ファイルの種類を確認してください。"),
    ("checkup.no-person", "保険者番号または被保険者番号がないため隔離しました。"),
    (
        "checkup.two-persons",
        "1ファイルに複数の受診者があるため隔離しました。1人1ファイルで出力してください。",
    ),
    ("checkup.no-birth", "受診者の生年月日がありません。"),
    ("checkup.no-date", "健診実施日がありません。"),
    ("checkup.no-item", "健診項目が1つもありません。"),
    ("checkup.no-code", "項目コードのない健診項目があります。"),
    ("checkup.no-value", "値も未実施の理由もない健診項目があります。"),
    ("checkup.item-unknown", "項目表にない項目コードがあります。年度の項目表を確認してください。"),
    ("checkup.unit", "健診項目の単位が項目表と異なります。単位を確認してください。"),
    ("checkup.value-type", "健診項目の値の型が項目表と異なります。文字列として取り込みました。"),
    (
        "care.unknown-record",
        "介護のレコード種別が不明のため隔離しました。データ種別を確認してください。",
    ),
    ("care.no-person", "保険者番号または被保険者番号がないため隔離しました。"),
    ("care.no-month", "サービス提供年月がありません。"),
    ("care.no-date", "認定申請日も認定有効期間もありません。"),
    ("mml.root", "MMLではないXMLのため隔離しました。ファイルの種類を確認してください。"),
    ("mml.no-person", "患者ID（masterId）がないため隔離しました。"),
    (
        "mml.two-persons",
        "1ファイルに複数の患者があるため隔離しました。1人1ファイルで出力してください。",
    ),
    ("mml.no-content", "MmlBodyがありません。"),
    ("mml.no-code", "コードも名称もない項目があります。"),
    ("csv.no-event", "異動事由がありません。"),
    ("csv.no-vaccine", "予防接種の種別もワクチン名もありません。"),
    ("mapped.no-person", "対応表が定める個人の番号がない行を隔離しました。"),
    ("mapped.date", "対応表の日付形式に合わない日付があります。文字列のまま取り込みました。"),
    ("mapped.code", "対応表にないコードがあります。コードのまま取り込みました。"),
    ("phr.malformed", "XMLとして読めない行があります。その行は読みませんでした。"),
    ("phr.too-long", "行が長すぎるため隔離しました。"),
    (
        "ssmix2.extended-name",
        "拡張ストレージのフォルダ名が命名規則と異なるため隔離しました。フォルダ名を確認してください。",
    ),
    ("ssmix2.empty-document", "内容のない文書があります。"),
];

/// The Japanese sentence of a rule: what is wrong and what to do. Holds no value.
pub fn rule_ja(rule: &str) -> &'static str {
    RULES
        .iter()
        .find(|(id, _)| *id == rule)
        .map_or("入力データに不備があります。提供元に確認してください。", |(_, ja)| ja)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every literal in the sources that looks like a rule id has a sentence, and every sentence is used.
    #[test]
    fn every_rule_has_a_sentence_and_every_sentence_a_rule() {
        let sources = [
            include_str!("ssmix2/mod.rs"),
            include_str!("ssmix2/visits.rs"),
            include_str!("ssmix2/problems.rs"),
            include_str!("ssmix2/orders.rs"),
            include_str!("ssmix2/lab.rs"),
            include_str!("fhir/mod.rs"),
            include_str!("fhir/read.rs"),
            include_str!("fhir/read/person.rs"),
            include_str!("fhir/bundle.rs"),
            include_str!("fhir/read/history.rs"),
            include_str!("fhir/read/imaging.rs"),
            include_str!("fhir/read/orders.rs"),
            include_str!("fhir/read/medication.rs"),
            include_str!("municipal/mod.rs"),
            include_str!("dpc/mod.rs"),
            include_str!("dpc/cost.rs"),
            include_str!("dpc/form1.rs"),
            include_str!("dpc/patient.rs"),
            include_str!("jahis/mod.rs"),
            include_str!("jahis/drugs.rs"),
            include_str!("jahis/person.rs"),
            include_str!("uke/mod.rs"),
            include_str!("uke/claim.rs"),
            include_str!("uke/dpc.rs"),
            include_str!("uke/items.rs"),
            include_str!("uke/person.rs"),
            include_str!("uke/pharmacy.rs"),
            include_str!("uke/totals.rs"),
            include_str!("municipal/row.rs"),
            include_str!("municipal/events.rs"),
            include_str!("mapped/mod.rs"),
            include_str!("phr.rs"),
            include_str!("ssmix2/allergies.rs"),
            include_str!("ssmix2/examinations.rs"),
            include_str!("ssmix2/extended.rs"),
            include_str!("xml/parse.rs"),
            include_str!("mml/mod.rs"),
            include_str!("mml/person.rs"),
            include_str!("mml/drugs.rs"),
            include_str!("mml/clinical.rs"),
            include_str!("care/mod.rs"),
            include_str!("care/certification.rs"),
            include_str!("checkup/mod.rs"),
            include_str!("checkup/person.rs"),
            include_str!("checkup/items.rs"),
        ]
        .concat();
        for (id, ja) in RULES {
            assert!(sources.contains(&format!("\"{id}\"")), "{id} is never given");
            assert!(ja.ends_with('。'), "{id}");
        }
        for prefix in [
            "ssmix2.", "fhir.", "csv.", "uke.", "dpc.", "jahis.", "xml.", "checkup.", "care.",
            "mml.", "mapped.", "phr.",
        ] {
            for found in sources.split(&format!("\"{prefix}")).skip(1) {
                let id = format!("{prefix}{}", found.split('"').next().unwrap());
                assert_ne!(rule_ja(&id), rule_ja(""), "{id} has no sentence");
            }
        }
    }
}
