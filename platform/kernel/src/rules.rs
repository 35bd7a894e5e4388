//! Dated rules: every number of the law is looked up at an instant, never written in code.
//!
//! Enters: the texts of `rules/*.toml`. Leaves: the [`Rule`] in force on a date, with its law key,
//! source and confidence. Refuses: overlapping periods, unknown law keys, unknown rules.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{Digest, LawKey};

/// How sure we are of a rule's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Read in the Act.
    Act,
    /// Read in another source.
    Source,
    /// Recalled, not verified: shown wherever the value is used.
    Memory,
    /// Recalled weakly.
    MemoryLow,
    /// Our own conclusion or choice.
    Inference,
}

impl Confidence {
    /// Japanese label, shown beside the value.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Act => "条文で確認",
            Self::Source => "資料で確認",
            Self::Memory => "未確認（要確認）",
            Self::MemoryLow => "未確認（確度低）",
            Self::Inference => "当方の解釈",
        }
    }
}

/// A rule's value.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum RuleValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number; its unit is in the rule's name (`…_days`, `…_years`).
    Int(i64),
    /// A text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
}

/// One dated rule.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Name, dotted: `notice.wait_days`.
    pub name: String,
    /// First day in force.
    pub from: Date,
    /// First day no longer in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// The value.
    pub value: RuleValue,
    /// Where the law says so.
    pub law: LawKey,
    /// Where we read it.
    pub source: String,
    /// How sure we are.
    pub confidence: Confidence,
}

/// Why rules could not be read or asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A pack does not parse.
    #[error("rule pack {pack} does not parse: {message}")]
    Parse {
        /// Which pack.
        pack: String,
        /// The parser's words (rule packs hold no personal data).
        message: String,
    },
    /// Two rules of one name overlap in time.
    #[error("rule {name} has overlapping periods")]
    Overlap {
        /// Which rule.
        name: String,
    },
    /// No rule of this name is in force on the date.
    #[error("no rule {name} is in force on {on}")]
    NotInForce {
        /// Which rule.
        name: String,
        /// When.
        on: Date,
    },
    /// The rule has another type of value.
    #[error("rule {name} has another type of value")]
    Type {
        /// Which rule.
        name: String,
    },
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Pack {
    rule: Vec<Rule>,
}

/// All rules, by name and period.
#[derive(Debug, Clone)]
pub struct Rules {
    by_name: BTreeMap<String, Vec<Rule>>,
    digest: Digest,
}

const BUILT_IN: &[(&str, &str)] = &[
    ("notice.toml", include_str!("../../../rules/notice.toml")),
    ("committee.toml", include_str!("../../../rules/committee.toml")),
    ("retention.toml", include_str!("../../../rules/retention.toml")),
    ("processing.toml", include_str!("../../../rules/processing.toml")),
    ("security.toml", include_str!("../../../rules/security.toml")),
    ("tariff.toml", include_str!("../../../rules/tariff.toml")),
    ("incident.toml", include_str!("../../../rules/incident.toml")),
    ("use.toml", include_str!("../../../rules/use.toml")),
];

impl Rules {
    /// The rule packs shipped with this version.
    ///
    /// # Errors
    /// Never, as a test parses them; typed so that a broken build says so.
    pub fn built_in() -> Result<Self, RuleError> {
        Self::from_packs(BUILT_IN)
    }

    /// Rules from packs of TOML text, each `(name, text)`.
    ///
    /// # Errors
    /// A pack does not parse, names an unknown law key, or periods overlap.
    pub fn from_packs(packs: &[(&str, &str)]) -> Result<Self, RuleError> {
        let mut by_name: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
        let mut all = String::new();
        for (pack, text) in packs {
            all.push_str(text);
            let parsed: Pack = toml::from_str(text).map_err(|e| RuleError::Parse {
                pack: (*pack).to_owned(),
                message: e.message().to_owned(),
            })?;
            for rule in parsed.rule {
                by_name.entry(rule.name.clone()).or_default().push(rule);
            }
        }
        for (name, rules) in &mut by_name {
            rules.sort_by_key(|r| r.from);
            let overlap = rules.windows(2).any(|w| w[0].until.is_none_or(|u| u > w[1].from));
            if overlap {
                return Err(RuleError::Overlap { name: name.clone() });
            }
        }
        Ok(Self { by_name, digest: Digest::of(all.as_bytes()) })
    }

    /// The rule in force on `on`.
    ///
    /// # Errors
    /// None is.
    pub fn get(&self, name: &str, on: Date) -> Result<&Rule, RuleError> {
        self.by_name
            .get(name)
            .and_then(|rules| rules.iter().find(|r| r.from <= on && r.until.is_none_or(|u| on < u)))
            .ok_or_else(|| RuleError::NotInForce { name: name.to_owned(), on })
    }

    /// A whole number in force on `on`.
    ///
    /// # Errors
    /// None in force, or another type.
    pub fn int(&self, name: &str, on: Date) -> Result<i64, RuleError> {
        match self.get(name, on)?.value {
            RuleValue::Int(v) => Ok(v),
            _ => Err(RuleError::Type { name: name.to_owned() }),
        }
    }

    /// A switch in force on `on`.
    ///
    /// # Errors
    /// None in force, or another type.
    pub fn flag(&self, name: &str, on: Date) -> Result<bool, RuleError> {
        match self.get(name, on)?.value {
            RuleValue::Flag(v) => Ok(v),
            _ => Err(RuleError::Type { name: name.to_owned() }),
        }
    }

    /// A list in force on `on`.
    ///
    /// # Errors
    /// None in force, or another type.
    pub fn list(&self, name: &str, on: Date) -> Result<&[String], RuleError> {
        match &self.get(name, on)?.value {
            RuleValue::List(v) => Ok(v),
            _ => Err(RuleError::Type { name: name.to_owned() }),
        }
    }

    /// Digest of all packs: part of every dataset's manifest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// All rules, by name, then date.
    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.by_name.values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn built_in_packs_parse_and_answer() {
        let rules = Rules::built_in().unwrap();
        assert_eq!(rules.int("notice.wait_days", date(2025, 4, 1)), Ok(30));
        assert!(matches!(
            rules.int("notice.wait_days", date(2017, 1, 1)),
            Err(RuleError::NotInForce { .. })
        ));
    }

    #[test]
    fn overlapping_periods_are_refused() {
        let text = r#"
            [[rule]]
            name = "a"
            from = "2020-01-01"
            value = 1
            law = "notice.anonymized"
            source = "x"
            confidence = "memory"
            [[rule]]
            name = "a"
            from = "2021-01-01"
            value = 2
            law = "notice.anonymized"
            source = "x"
            confidence = "memory"
        "#;
        let got = Rules::from_packs(&[("t", text)]);
        assert_eq!(got.err(), Some(RuleError::Overlap { name: "a".into() }));
        let dated = text.replacen("value = 1", "until = \"2021-01-01\"\nvalue = 1", 1);
        let rules = Rules::from_packs(&[("t", &dated)]).unwrap();
        assert_eq!(rules.int("a", date(2020, 12, 31)), Ok(1));
        assert_eq!(rules.int("a", date(2021, 1, 1)), Ok(2));
    }
}
