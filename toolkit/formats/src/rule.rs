//! The rules a source can break, each with the Japanese sentence shown to staff.

/// Every rule id of this crate with its Japanese sentence.
pub const RULES: &[(&str, &str)] = &[];

/// The Japanese sentence of a rule: what is wrong and what to do. Holds no value.
pub fn rule_ja(rule: &str) -> &'static str {
    RULES
        .iter()
        .find(|(id, _)| *id == rule)
        .map_or("入力データに不備があります。提供元に確認してください。", |(_, ja)| ja)
}
