//! What a file's rows are called in its own format.
//!
//! Enters: a segment's bytes and what reads them. Leaves: a name for each row: the record's id and its Japanese name
//! (`SI 診療行為`, `様式1 A006010`, `お薬手帳 201 薬品`), the data type of a message, the type of a resource. Refuses: nothing; a row
//! whose record is not known is `?`. No value is ever in a name: ids come from tables, or are letters and digits of a
//! record's own place.

use super::{
    lines::trim_end,
    raw::{Kind, SegmentParser},
};
use crate::{Format, dpc::File, jahis, row_view, ssmix2, xml};

/// Records of claims whose names are alike in all fee tables.
const CLAIMS: &[(&str, &str)] = &[
    ("BU", "診断群分類"),
    ("CD", "コーディングデータ"),
    ("CO", "コメント"),
    ("CZ", "調剤情報"),
    ("GA", "外泊"),
    ("GT", "合計調整"),
    ("HH", "包括評価"),
    ("HO", "保険者"),
    ("HS", "傷病名部位"),
    ("IY", "医薬品"),
    ("JD", "受診日等"),
    ("KI", "基本料・薬学管理料"),
    ("KK", "患者基礎"),
    ("KO", "公費"),
    ("MF", "窓口負担額"),
    ("RE", "レセプト共通"),
    ("SB", "傷病"),
    ("SH", "処方基本"),
    ("SI", "診療行為"),
    ("SJ", "症状詳記"),
    ("SK", "診療関連"),
    ("SN", "資格確認"),
    ("SS", "歯科診療行為"),
    ("ST", "分割技術料"),
    ("SY", "傷病名"),
    ("TI", "臓器提供医療機関情報"),
    ("TK", "摘要欄"),
    ("TO", "特定器材"),
    ("TR", "臓器提供者レセプト"),
    ("TS", "臓器提供者請求"),
];

/// Records of a notebook.
const NOTEBOOK: &[(&str, &str)] = &[
    ("1", "患者情報"),
    ("2", "患者特記"),
    ("3", "要指導医薬品・一般用医薬品服用"),
    ("4", "手帳メモ"),
    ("5", "調剤等年月日"),
    ("11", "調剤-医療機関等"),
    ("15", "調剤-医師・薬剤師"),
    ("31", "要指導医薬品・一般用医薬品成分"),
    ("51", "処方-医療機関"),
    ("55", "処方-医師"),
    ("201", "薬品"),
    ("281", "薬品補足"),
    ("291", "薬品服用注意"),
    ("301", "用法"),
    ("311", "用法補足"),
    ("391", "処方服用注意"),
    ("401", "服用注意"),
    ("411", "医療機関等提供情報"),
    ("421", "残薬確認"),
    ("501", "備考"),
    ("601", "患者等記入"),
    ("701", "かかりつけ薬剤師"),
    ("911", "分割制御"),
];

fn named(table: &[(&str, &str)], id: &str) -> Option<String> {
    table.iter().find(|(known, _)| *known == id).map(|(id, name)| format!("{id} {name}"))
}

impl SegmentParser {
    /// Calls `each` with the name of every row of a segment, in order.
    pub fn kinds(&self, bytes: &[u8], mut each: impl FnMut(&str)) {
        let rows = || {
            row_view::lines(bytes, 1)
                .map(|(_, line)| line)
                .filter(|line| !line.iter().all(|b| b.is_ascii_whitespace() || *b == 0x1A))
        };
        match self.kind() {
            Kind::Whole(format, path) => each(&whole(*format, path, bytes)),
            Kind::Ndjson => each(&resource(trim_end(bytes))),
            Kind::Municipal(reader) => each(reader.layout().label_ja()),
            Kind::Care(reader) => each(reader.record_name(trim_end(bytes)).unwrap_or("?")),
            Kind::Certified(_) => each("要介護認定"),
            Kind::Claims(reader) => {
                for line in rows() {
                    let id = first_cell(line);
                    let layout = reader.as_ref().and_then(|r| r.header().form.layout(id));
                    let id = layout.map_or("?", |layout| layout.id);
                    each(named(CLAIMS, id).as_deref().unwrap_or(id));
                }
            }
            Kind::Stays(reader) => {
                for line in rows() {
                    let file = reader.file();
                    let code = if file == File::Form1 { reader.form1_code(line) } else { None };
                    match code {
                        Some(code) => each(&format!("{} {code}", file.label_ja())),
                        None => each(file.label_ja()),
                    }
                }
            }
            Kind::Notebook => {
                let mut notebook = true;
                for line in rows() {
                    let id = first_cell(line);
                    if id.starts_with("JAHIS") {
                        notebook = id.starts_with("JAHISTC");
                        let kind = if notebook {
                            jahis::Kind::Notebook
                        } else {
                            jahis::Kind::Prescription
                        };
                        each(&format!("{} 版", kind.label_ja()));
                        continue;
                    }
                    let kind =
                        if notebook { jahis::Kind::Notebook } else { jahis::Kind::Prescription };
                    let id = kind.layout(id).map_or("?", |layout| layout.id);
                    let id = id.split('@').next().unwrap_or(id);
                    let name = if notebook { named(NOTEBOOK, id) } else { None };
                    let name = name.as_deref().unwrap_or(id);
                    each(&format!("{} {name}", if notebook { "お薬手帳" } else { "処方箋" }));
                }
            }
        }
    }
}

fn first_cell(line: &[u8]) -> &str {
    let stop = memchr::memchr(b',', line).unwrap_or(line.len());
    std::str::from_utf8(&line[..stop]).unwrap_or("?").trim_start_matches('\u{FEFF}')
}

fn whole(format: Format, path: &str, bytes: &[u8]) -> String {
    match format {
        Format::SsMix2 | Format::SsMix2Extended => {
            let (_, name) = ssmix2::split_path(path);
            let kind = ssmix2::FileName::parse(name).ok().map(|f| f.data_type.to_owned());
            kind.filter(|k| k.len() <= 80).unwrap_or_else(|| "?".to_owned())
        }
        Format::CheckupXml | Format::Mml => {
            let root = xml::root_name(bytes).unwrap_or_default();
            match root.as_str() {
                "ClinicalDocument" => "健診・保健指導結果（CDA）".to_owned(),
                "checkupClaim" => "特定健診決済情報".to_owned(),
                "guidanceClaim" => "特定保健指導決済情報".to_owned(),
                "index" => "交換用基本情報".to_owned(),
                "summary" => "集計情報".to_owned(),
                "Mml" => "MML".to_owned(),
                _ => "?".to_owned(),
            }
        }
        _ => resource(bytes),
    }
}

/// `resourceType` of a FHIR resource.
fn resource(bytes: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Typed<'a> {
        #[serde(rename = "resourceType", borrow)]
        kind: std::borrow::Cow<'a, str>,
    }
    let typed = serde_json::from_slice::<Typed<'_>>(bytes);
    let plain = |kind: &str| kind.len() <= 40 && kind.bytes().all(|b| b.is_ascii_alphabetic());
    typed.ok().map(|t| t.kind.into_owned()).filter(|k| plain(k)).unwrap_or_else(|| "?".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uke;

    #[test]
    fn every_named_record_has_a_layout() {
        for (id, _) in CLAIMS {
            assert!(uke::Form::ALL.iter().any(|f| f.layout(id).is_some()), "{id}");
        }
        for (id, _) in NOTEBOOK {
            assert!(jahis::Kind::Notebook.layout(id).is_some(), "{id}");
        }
    }
}
