//! The stored tables, read from `schemas/v1/*.toml`: columns, types, classes, names in two languages.
//!
//! Enters: the files, at build time. Leaves: [`TableSchema`], its Arrow schema, the data dictionary.

use std::{collections::BTreeSet, fmt::Write as _, sync::LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use kiban_kernel::ColumnClass;

use crate::DataClass;

/// Column by which rows are bucketed and erased; every table has it.
pub const PERSON_COLUMN: &str = "person_source";

/// How a column is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Text.
    Utf8,
    /// Small number without sign.
    Uint8,
    /// Whole number.
    Int64,
    /// Number.
    Float64,
    /// Yes or no.
    Bool,
    /// Day.
    Date,
    /// Microseconds, wall clock of Japan.
    Timestamp,
}

impl ColumnType {
    /// The Arrow type.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Utf8 => DataType::Utf8,
            Self::Uint8 => DataType::UInt8,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }

    fn label_ja(self) -> &'static str {
        match self {
            Self::Utf8 => "文字列",
            Self::Uint8 | Self::Int64 => "整数",
            Self::Float64 => "数値",
            Self::Bool => "真偽",
            Self::Date => "日付",
            Self::Timestamp => "日時",
        }
    }
}

/// A column of a stored table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Name, as everywhere.
    pub name: String,
    /// Type on disk.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// May it be empty?
    pub nullable: bool,
    /// What it is, legally, unless a specification says more.
    pub class: ColumnClass,
    /// Japanese description.
    pub ja: String,
    /// English description.
    pub en: String,
}

/// A stored table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSchema {
    /// Name, as everywhere.
    pub name: String,
    /// Version of the columns.
    pub version: u32,
    /// Prefix and key it is stored under.
    pub data_class: DataClass,
    /// Japanese name.
    pub ja: String,
    /// English name.
    pub en: String,
    /// Columns in order.
    #[serde(rename = "column")]
    pub columns: Vec<Column>,
    /// Columns that are not stored: made when rows are read for a product, see [`crate::CodeMap`].
    #[serde(default)]
    pub derived: Vec<Column>,
}

impl TableSchema {
    /// The Arrow schema: the same names, in order.
    pub fn arrow(&self) -> SchemaRef {
        let fields: Vec<_> =
            self.columns.iter().map(|c| Field::new(&c.name, c.kind.arrow(), c.nullable)).collect();
        SchemaRef::new(Schema::new(fields))
    }

    /// A stored column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// A column by name, stored or derived.
    pub fn described(&self, name: &str) -> Option<&Column> {
        self.columns.iter().chain(&self.derived).find(|c| c.name == name)
    }
}

macro_rules! files { ($($name:literal),+ $(,)?) => {
    &[$(include_str!(concat!("../../../schemas/v1/", $name, ".toml"))),+]
} }

const FILES: &[&str] = files![
    "person",
    "encounter",
    "condition",
    "medication",
    "procedure",
    "measurement",
    "note",
    "coverage",
    "checkup",
    "claim",
    "claim_payer",
    "claim_item",
    "dpc_stay",
    "survey",
    "death",
    "care_service",
    "care_certification",
    "vaccination",
    "allergy",
    "imaging_study",
    "family_history",
    "service_order",
    "residency",
    "document",
    "person_link",
    "person_notice",
    "source_segment",
    "record_version",
];

static TABLES: LazyLock<Vec<TableSchema>> = LazyLock::new(|| {
    // Safety of unwrap_or_default: the files are part of the build, and a test parses each.
    FILES.iter().map(|text| parse(text)).collect::<Result<_, _>>().unwrap_or_default()
});

fn parse(text: &str) -> Result<TableSchema, SchemaError> {
    let table: TableSchema = toml::from_str(text).map_err(SchemaError::Parse)?;
    let names: BTreeSet<_> = table.columns.iter().chain(&table.derived).map(|c| &c.name).collect();
    if names.len() != table.columns.len() + table.derived.len() {
        return Err(SchemaError::Twice);
    }
    match table.column(PERSON_COLUMN) {
        Some(c) if c.kind == ColumnType::Utf8 && !c.nullable => Ok(table),
        _ => Err(SchemaError::NoPerson),
    }
}

#[derive(Debug, thiserror::Error)]
enum SchemaError {
    #[error("the file does not parse")]
    Parse(#[source] toml::de::Error),
    #[error("a column is declared twice")]
    Twice,
    #[error("there is no person column")]
    NoPerson,
}

/// All stored tables: the canonical ones, then those of custody.
pub fn tables() -> &'static [TableSchema] {
    &TABLES
}

/// A stored table by name.
pub fn table(name: &str) -> Option<&'static TableSchema> {
    TABLES.iter().find(|t| t.name == name)
}

/// The data dictionary, in Japanese, as Markdown.
pub fn dictionary_markdown() -> String {
    let mut out = String::from(
        "# データ辞書\n\n<!-- schemas/v1/*.toml から生成。手で直さず、`cargo test -p kiban-lake -- --ignored write_dictionary` を実行する。 -->\n\n\
         原文の値は `…_text` 列に元のまま、解釈できた値だけを型のある列に持つ。区分は仕様書で宣言がないときの既定値である。\n\
         「算出」の列は保存されない：加工のときに、署名済みのコードの対応付けから作られる。\n",
    );
    for table in tables() {
        let _ = write!(
            out,
            "\n## {}: {}\n\n{}. 保管区分 `{}`、版 {}。\n\n| 列 | 型 | 空 | 区分 | 説明 | Description |\n|---|---|---|---|---|---|\n",
            table.name,
            table.ja,
            table.en,
            table.data_class.as_str(),
            table.version
        );
        for c in table.columns.iter().chain(&table.derived) {
            let derived = table.derived.iter().any(|d| d.name == c.name);
            let empty = match (derived, c.nullable) {
                (true, _) => "算出",
                (false, true) => "可",
                (false, false) => "",
            };
            let _ = writeln!(
                out,
                "| `{}` | {} | {empty} | {} | {} | {} |",
                c.name,
                c.kind.label_ja(),
                c.class.label_ja(),
                c.ja,
                c.en
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const DICTIONARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/data-dictionary.md");

    #[test]
    fn every_file_parses_and_describes_each_column() {
        for text in FILES {
            let table = parse(text).unwrap();
            assert!(!table.ja.is_empty() && !table.en.is_empty());
            assert!(
                table.columns.iter().all(|c| !c.ja.is_empty() && !c.en.is_empty()),
                "{}",
                table.name
            );
        }
        assert_eq!(tables().len(), 28);
        let canonical = tables().iter().filter(|t| t.data_class == DataClass::Identified);
        let common = [
            "person_source",
            "bases",
            "holder",
            "delivery",
            "segment",
            "source_file",
            "position",
            "parser",
        ];
        for table in canonical {
            assert!(common.iter().all(|c| table.column(c).is_some()), "{}", table.name);
            for c in
                table.columns.iter().filter(|c| c.name.ends_with("_on") || c.name.ends_with("_at"))
            {
                assert!(
                    table.column(&format!("{}_text", c.name)).is_some(),
                    "{}.{}",
                    table.name,
                    c.name
                );
            }
        }
    }

    #[test]
    fn a_table_that_could_not_be_erased_is_refused() {
        let text = "name='x'\nversion=1\ndata_class='identified'\nja='x'\nen='x'\n\
            [[column]]\nname='a'\ntype='utf8'\nnullable=false\nclass='date'\nja='x'\nen='x'\n";
        assert!(matches!(parse(text), Err(SchemaError::NoPerson)));
        assert!(matches!(parse("name='x'"), Err(SchemaError::Parse(_))));
    }

    #[test]
    fn the_dictionary_is_current() {
        let current =
            std::fs::read_to_string(DICTIONARY).unwrap_or_default() == dictionary_markdown();
        assert!(current, "run: cargo test -p kiban-lake --lib -- --ignored write_dictionary");
    }

    #[test]
    #[ignore = "writes docs/data-dictionary.md"]
    fn write_dictionary() {
        std::fs::write(DICTIONARY, dictionary_markdown()).unwrap();
    }
}
