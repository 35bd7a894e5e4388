//! The item table of check-ups: what a 17-digit code stands for, its type and unit.
//!
//! Enters: the ministry's table (`XMLhc…tab.csv`), which every fiscal year has its own of, or the key items built in here.
//! Leaves: items by code, and defects of records that do not fit them. Refuses ([`ItemTableError`]) a file without
//! the columns of the table.

use std::{borrow::Cow, collections::HashMap};

use crate::record::{Parsed, Record};

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Japanese name.
    pub name: Cow<'static, str>,
    /// `PQ` number with unit, `CD` and `CO` code, `ST` text.
    pub kind: Cow<'static, str>,
    /// Unit in UCUM, empty without one.
    pub unit: Cow<'static, str>,
    /// Unit as shown, empty without one.
    pub shown_unit: Cow<'static, str>,
}

/// Items by code.
#[derive(Debug, Clone, Default)]
pub struct ItemTable {
    items: HashMap<String, Item>,
}

/// Why a file is no item table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ItemTableError {
    /// Neither UTF-8 nor CP932.
    #[error("the item table is neither UTF-8 nor CP932")]
    Encoding,
    /// No header with the columns `XMLITEM_17CODE`, `XMLITEM_NAME`, `XMLITEM_TYPE`.
    #[error("the item table has no header")]
    Header,
}

impl ItemTableError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Encoding => "項目表の文字コードがUTF-8でもCP932でもありません。".into(),
            Self::Header => "項目表にXMLITEM_17CODEなどの見出しがありません。厚生労働省の公表ファイルか確認してください。".into(),
        }
    }
}

impl ItemTable {
    /// The key items built into this crate ([`KEY_ITEMS`]).
    pub fn key_items() -> Self {
        let item = |(code, name, kind, unit): &(&str, &'static str, &'static str, &'static str)| {
            let [name, kind, unit] = [*name, *kind, *unit].map(Cow::Borrowed);
            ((*code).to_owned(), Item { name, kind, shown_unit: unit.clone(), unit })
        };
        Self { items: KEY_ITEMS.iter().map(item).collect() }
    }

    /// Reads the ministry's table.
    ///
    /// # Errors
    /// See [`ItemTableError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ItemTableError> {
        use crate::{
            arena::Arena,
            municipal::{Encoding, cells},
        };
        let encoding = Encoding::of_header(bytes);
        let text = encoding.decode(bytes).ok_or(ItemTableError::Encoding)?;
        let mut columns: Option<[usize; 5]> = None;
        let mut items = HashMap::new();
        let arena = Arena::new();
        for line in text.lines() {
            let Some(row) = cells(line, 100, &arena) else { continue };
            let cell = |n: usize| row.get(n).map_or("", |c| c.trim());
            match columns {
                None => {
                    let find = |name: &str| row.iter().position(|c| *c == name);
                    columns = find("XMLITEM_17CODE").and_then(|code| {
                        Some([
                            code,
                            find("XMLITEM_NAME")?,
                            find("XMLITEM_TYPE")?,
                            find("XMLITEM_UNIT")?,
                            find("XMLITEM_UNITNAME")?,
                        ])
                    });
                }
                Some([code, name, kind, unit, shown]) => {
                    let code = cell(code);
                    if !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric()) {
                        let own = |n: usize| Cow::Owned(cell(n).to_owned());
                        let item = Item {
                            name: own(name),
                            kind: own(kind),
                            unit: own(unit),
                            shown_unit: own(shown),
                        };
                        items.insert(code.to_owned(), item);
                    }
                }
            }
        }
        if columns.is_some() { Ok(Self { items }) } else { Err(ItemTableError::Header) }
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Is the table without items?
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The item of a code.
    pub fn get(&self, code: &str) -> Option<&Item> {
        self.items.get(code)
    }

    /// Notes check-up records whose code is not in the table (`checkup.item-unknown`), whose unit is another
    /// (`checkup.unit`), or whose value is of another type (`checkup.value-type`). Nothing is changed.
    pub fn check(&self, parsed: &mut Parsed<'_>) {
        let mut found = Vec::new();
        for record in &parsed.records {
            let Record::Checkup(r) = record else { continue };
            let Some(code) = &r.item_code else { continue };
            let Some(item) = self.get(code) else {
                found.push(("checkup.item-unknown", r.position));
                continue;
            };
            if let Some(unit) = &r.unit
                && ![&item.unit, &item.shown_unit].into_iter().any(|u| u.eq_ignore_ascii_case(unit))
            {
                found.push(("checkup.unit", r.position));
            }
            let number = r.value_text.is_none() || r.value_num.is_some();
            let wrong = match item.kind.as_ref() {
                "PQ" => !number || r.value_code.is_some(),
                "CD" | "CO" => r.value_text.is_some() && r.value_code.is_none() && r.unit.is_some(),
                _ => r.unit.is_some(),
            };
            if wrong {
                found.push(("checkup.value-type", r.position));
            }
        }
        for (rule, position) in found {
            parsed.note_issue(rule, position);
        }
    }
}

/// Key items: code, name, type, unit. The whole table is the operator's own download of the ministry's file.
pub const KEY_ITEMS: &[(&str, &str, &str, &str)] = &[
    ("9N001000000000001", "身長", "PQ", "cm"),
    ("9N006000000000001", "体重", "PQ", "kg"),
    ("9N011000000000001", "BMI", "PQ", "kg/m2"),
    ("9N016160100000001", "腹囲（実測）", "PQ", "cm"),
    ("9N016160200000001", "腹囲（自己測定）", "PQ", "cm"),
    ("9N016160300000001", "腹囲（自己申告）", "PQ", "cm"),
    ("9A751000000000001", "収縮期血圧（1回目）", "PQ", "mm[Hg]"),
    ("9A752000000000001", "収縮期血圧（2回目）", "PQ", "mm[Hg]"),
    ("9A755000000000001", "収縮期血圧（その他）", "PQ", "mm[Hg]"),
    ("9A761000000000001", "拡張期血圧（1回目）", "PQ", "mm[Hg]"),
    ("9A762000000000001", "拡張期血圧（2回目）", "PQ", "mm[Hg]"),
    ("9A765000000000001", "拡張期血圧（その他）", "PQ", "mm[Hg]"),
    ("9N141000000000011", "採血時間（食後）", "CD", ""),
    ("3F015000002327101", "空腹時中性脂肪（可視吸光光度法）", "PQ", "mg/dL"),
    ("3F015000002327201", "空腹時中性脂肪（紫外吸光光度法）", "PQ", "mg/dL"),
    ("3F015000002399901", "空腹時中性脂肪（その他）", "PQ", "mg/dL"),
    ("3F070000002327101", "HDLコレステロール（可視吸光光度法）", "PQ", "mg/dL"),
    ("3F070000002327201", "HDLコレステロール（紫外吸光光度法）", "PQ", "mg/dL"),
    ("3F070000002399901", "HDLコレステロール（その他）", "PQ", "mg/dL"),
    ("3F077000002327101", "LDLコレステロール（可視吸光光度法）", "PQ", "mg/dL"),
    ("3F077000002327201", "LDLコレステロール（紫外吸光光度法）", "PQ", "mg/dL"),
    ("3F077000002399901", "LDLコレステロール（その他）", "PQ", "mg/dL"),
    ("3F077000002391901", "LDLコレステロール（計算法）", "PQ", "mg/dL"),
    ("3F069000002391901", "non-HDLコレステロール", "PQ", "mg/dL"),
    ("3B035000002327201", "AST（GOT）（紫外吸光光度法）", "PQ", "U/L"),
    ("3B035000002399901", "AST（GOT）（その他）", "PQ", "U/L"),
    ("3B045000002327201", "ALT（GPT）（紫外吸光光度法）", "PQ", "U/L"),
    ("3B045000002399901", "ALT（GPT）（その他）", "PQ", "U/L"),
    ("3B090000002327101", "γ-GT（可視吸光光度法）", "PQ", "U/L"),
    ("3B090000002399901", "γ-GT（その他）", "PQ", "U/L"),
    ("3C015000002327101", "血清クレアチニン（可視吸光光度法）", "PQ", "mg/dL"),
    ("3C015000002399901", "血清クレアチニン（その他）", "PQ", "mg/dL"),
    ("8A065000002391901", "eGFR", "PQ", "ml/min/1.73m2"),
    ("3C020000002327101", "血清尿酸", "PQ", "mg/dL"),
    ("3D010000001926101", "空腹時血糖（電位差法）", "PQ", "mg/dL"),
    ("3D010000002227101", "空腹時血糖（可視吸光光度法）", "PQ", "mg/dL"),
    ("3D010000001927201", "空腹時血糖（紫外吸光光度法）", "PQ", "mg/dL"),
    ("3D010000001999901", "空腹時血糖（その他）", "PQ", "mg/dL"),
    ("3D046000001906202", "HbA1c（NGSP）（免疫学的方法）", "PQ", "%"),
    ("3D046000001920402", "HbA1c（NGSP）（HPLC）", "PQ", "%"),
    ("3D046000001927102", "HbA1c（NGSP）（酵素法）", "PQ", "%"),
    ("3D046000001999902", "HbA1c（NGSP）（その他）", "PQ", "%"),
    ("1A020000000191111", "尿糖（機械読み取り）", "CO", ""),
    ("1A020000000190111", "尿糖（目視法）", "CO", ""),
    ("1A010000000191111", "尿蛋白（機械読み取り）", "CO", ""),
    ("1A010000000190111", "尿蛋白（目視法）", "CO", ""),
    ("2A020000001930101", "赤血球数", "PQ", "10*4/mm3"),
    ("2A030000001930101", "血色素量", "PQ", "g/dL"),
    ("2A040000001930102", "ヘマトクリット値", "PQ", "%"),
    ("9A110160700000011", "心電図（所見の有無）", "CD", ""),
    ("9A110160800000049", "心電図所見", "ST", ""),
    ("9N501000000000011", "メタボリックシンドローム判定", "CD", ""),
    ("9N506000000000011", "保健指導レベル", "CD", ""),
    ("9N701000000000011", "服薬1（血圧）", "CD", ""),
    ("9N706000000000011", "服薬2（血糖）", "CD", ""),
    ("9N711000000000011", "服薬3（脂質）", "CD", ""),
    ("9N716000000000011", "既往歴1（脳血管）", "CD", ""),
    ("9N721000000000011", "既往歴2（心血管）", "CD", ""),
    ("9N726000000000011", "既往歴3（腎不全・人工透析）", "CD", ""),
    ("9N731000000000011", "貧血", "CD", ""),
    ("9N736000000000011", "喫煙", "CD", ""),
    ("9N741000000000011", "20歳からの体重変化", "CD", ""),
    ("9N746000000000011", "30分以上の運動習慣", "CD", ""),
    ("9N751000000000011", "歩行又は身体活動", "CD", ""),
    ("9N756000000000011", "歩行速度", "CD", ""),
    ("9N872000000000011", "咀嚼", "CD", ""),
    ("9N766000000000011", "食べ方1（早食い等）", "CD", ""),
    ("9N771000000000011", "食べ方2（就寝前）", "CD", ""),
    ("9N782000000000011", "食べ方3（間食）", "CD", ""),
    ("9N781000000000011", "食習慣（朝食）", "CD", ""),
    ("9N786000000000011", "飲酒", "CD", ""),
    ("9N791000000000011", "飲酒量", "CO", ""),
    ("9N796000000000011", "睡眠", "CD", ""),
    ("9N801000000000011", "生活習慣の改善", "CD", ""),
    ("9N808000000000011", "特定保健指導の受診歴", "CD", ""),
    ("9N511000000000049", "医師の診断（判定）", "ST", ""),
];
