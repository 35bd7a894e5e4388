//! The element tables of JLAC: a code's parts looked up, named and joined to an item.

use hashbrown::HashMap;

use super::{Entry, Jlac10, Jlac11, Master};
use crate::unit::Unit;

/// A part of a JLAC code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// 分析物 (JLAC10) or 測定物 (JLAC11).
    Analyte,
    /// 識別.
    Identification,
    /// 材料.
    Material,
    /// 測定法.
    Method,
    /// 結果識別 (JLAC10) or 結果単位 (JLAC11).
    Result,
}

impl Part {
    /// All parts, in the order of the code.
    pub const ALL: [Self; 5] =
        [Self::Analyte, Self::Identification, Self::Material, Self::Method, Self::Result];

    /// The Japanese term.
    pub const fn japanese(self) -> &'static str {
        match self {
            Self::Analyte => "分析物（測定物）",
            Self::Identification => "識別",
            Self::Material => "材料",
            Self::Method => "測定法",
            Self::Result => "結果識別（結果単位）",
        }
    }
}

/// A part that no loaded table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown(pub Part);

impl Unknown {
    /// The sentence shown to staff.
    pub fn japanese(&self) -> String {
        format!("{}コードが要素表にありません。", self.0.japanese())
    }
}

/// The operator's element tables of one system. A table that is not loaded is not checked.
#[derive(Clone, Debug, Default)]
pub struct JlacTables {
    tables: [Option<HashMap<String, Vec<String>>>; 5],
}

impl JlacTables {
    /// No table yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Load an element table, read with a layout `jlac10-analyte` … `jlac11-unit`.
    #[must_use]
    pub fn with(mut self, part: Part, table: &Master) -> Self {
        let names = table.entries().iter().map(|e| (e.code.clone(), e.names.clone())).collect();
        self.tables[part as usize] = Some(names);
        self
    }

    /// The name of a part's code.
    pub fn name(&self, part: Part, code: &str) -> Option<&str> {
        self.tables[part as usize].as_ref()?.get(code)?.first().map(String::as_str)
    }

    /// Parts of a JLAC10 code that the loaded tables do not hold. A result code specific to one analyte is looked up under
    /// the last two characters alone and behind its analyte.
    pub fn check10(&self, code: &Jlac10) -> Vec<Unknown> {
        let result = code.result.as_deref();
        self.check([
            Some(&code.analyte),
            Some(&code.identification),
            Some(&code.material),
            Some(&code.method),
            result,
        ])
    }

    /// Parts of a JLAC11 code that the loaded tables do not hold.
    pub fn check11(&self, code: &Jlac11) -> Vec<Unknown> {
        self.check([
            Some(&code.measurand),
            Some(&code.identification),
            Some(&code.material),
            Some(&code.method),
            Some(&code.unit),
        ])
    }

    fn check(&self, parts: [Option<&str>; 5]) -> Vec<Unknown> {
        Part::ALL
            .into_iter()
            .zip(parts)
            .filter(|(part, code)| match (&self.tables[*part as usize], code) {
                (Some(table), Some(code)) => !table.contains_key(*code),
                _ => false,
            })
            .map(|(part, _)| Unknown(part))
            .collect()
    }

    /// Items for codes that only the element tables name: an entry per code, with the names of its parts. Codes that are no
    /// code of `system` (`jlac10` or `jlac11`) or whose analyte is unknown are left out.
    pub fn items<'a>(
        &self,
        system: &str,
        edition: &str,
        codes: impl IntoIterator<Item = &'a str>,
    ) -> Master {
        let mut entries = Vec::new();
        for (at, text) in codes.into_iter().enumerate() {
            let parts = if system == "jlac11" {
                Jlac11::parse(text)
                    .map(|c| (c.compact(), c.measurand, c.material, c.method, c.unit))
            } else {
                Jlac10::parse(text).map(|c| {
                    (c.compact(), c.analyte, c.material, c.method, c.result.unwrap_or_default())
                })
            };
            let Some((code, analyte, material, method, result)) = parts else { continue };
            let names = self.tables[Part::Analyte as usize].as_ref().and_then(|t| t.get(&analyte));
            let Some(names) = names else { continue };
            let named = |part, code: &str| self.name(part, code).map(str::to_owned);
            let unit = (system == "jlac11").then(|| named(Part::Result, &result)).flatten();
            entries.push(Entry {
                code,
                names: names.clone(),
                kana: None,
                parsed_unit: unit.as_deref().and_then(Unit::parse),
                unit,
                specimen: named(Part::Material, &material),
                method: named(Part::Method, &method),
                links: Vec::new(),
                from: None,
                until: None,
                line: at as u64 + 1,
            });
        }
        Master::new(system, edition, entries)
    }

    /// A master whose entries without specimen, method or unit get them from the parts of their codes.
    #[must_use]
    pub fn complete(&self, master: &Master) -> Master {
        let entries = master.entries().iter().cloned().map(|mut entry| {
            let named = |part, code: &str| self.name(part, code).map(str::to_owned);
            if entry.code.len() >= 15 {
                let (material, method) = (entry.code.get(9..12), entry.code.get(12..15));
                entry.specimen =
                    entry.specimen.or_else(|| material.and_then(|c| named(Part::Material, c)));
                entry.method = entry.method.or_else(|| method.and_then(|c| named(Part::Method, c)));
            }
            if master.system() == "jlac11" && entry.unit.is_none() {
                entry.unit = entry.code.get(15..).and_then(|c| named(Part::Result, c));
                entry.parsed_unit = entry.unit.as_deref().and_then(Unit::parse);
            }
            entry
        });
        Master::new(master.system(), master.edition(), entries.collect())
    }
}
