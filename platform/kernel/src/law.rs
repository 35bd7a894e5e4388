//! Law keys: code cites `anonymized.making`, and `docs/law.toml` alone says which article that is.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

/// One entry of `docs/law.toml`.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LawEntry {
    /// Articles, in Japanese short form (法52条 …).
    pub article: String,
    /// Japanese title.
    pub title_ja: String,
    /// English gist.
    pub title_en: String,
    /// Date on which the text was last checked.
    pub checked: String,
    /// `act`, `ordinance`, `guideline` or `memory`.
    pub source: String,
}

static LAW: LazyLock<BTreeMap<String, LawEntry>> = LazyLock::new(|| {
    // Safety of unwrap: the file is part of the build and parsed by a test.
    toml::from_str(include_str!("../../../docs/law.toml")).unwrap_or_default()
});

/// All entries by key.
pub fn law_entries() -> &'static BTreeMap<String, LawEntry> {
    &LAW
}

/// A key that `docs/law.toml` holds.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct LawKey(String);

/// A key that `docs/law.toml` does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown law key")]
pub struct UnknownLaw;

impl LawKey {
    /// The key, if it is known.
    ///
    /// # Errors
    /// Not in `docs/law.toml`.
    pub fn new(key: &str) -> Result<Self, UnknownLaw> {
        if LAW.contains_key(key) { Ok(Self(key.to_owned())) } else { Err(UnknownLaw) }
    }
    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Article in Japanese short form.
    pub fn article(&self) -> &'static str {
        LAW.get(&self.0).map_or("", |e| e.article.as_str())
    }
    /// Japanese title.
    pub fn title_ja(&self) -> &'static str {
        LAW.get(&self.0).map_or("", |e| e.title_ja.as_str())
    }
}

impl fmt::Display for LawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for LawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> serde::Deserialize<'de> for LawKey {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_law_file_parses() {
        let parsed: Result<std::collections::BTreeMap<String, super::LawEntry>, _> =
            toml::from_str(include_str!("../../../docs/law.toml"));
        assert!(parsed.is_ok_and(|l| l.len() > 20));
    }
}
