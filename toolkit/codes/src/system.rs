//! What sources call the code systems.

use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::shipped;

static NAMES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    shipped::rows(include_str!("../data/systems.csv"))
        .filter_map(|row| <[String; 2]>::try_from(row).ok())
        .map(|[name, system]| (name, system))
        .collect()
});

/// The code system of this crate (`jlac10`, `yj`, `icd10` …) that a source's name of a system stands for; `None` for a
/// local one. Names are compared as they are, without blanks at the ends (HL7 v2 table 0396, FHIR URIs, OIDs).
///
/// ```
/// assert_eq!(kiban_codes::system_of("JC10"), Some("jlac10"));
/// assert_eq!(kiban_codes::system_of("99LAB"), None);
/// ```
pub fn system_of(name: &str) -> Option<&'static str> {
    NAMES.get(name.trim()).map(String::as_str)
}
