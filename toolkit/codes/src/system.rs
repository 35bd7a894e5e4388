//! What sources call the code systems.

use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::shipped;

/// Name and system, as the table has them.
static IN_ORDER: LazyLock<Vec<[String; 2]>> = LazyLock::new(|| {
    shipped::rows(include_str!("../data/systems.csv"))
        .filter_map(|row| <[String; 2]>::try_from(row).ok())
        .collect()
});

static NAMES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    IN_ORDER.iter().map(|[name, system]| (name.as_str(), system.as_str())).collect()
});

/// The code system of this crate (`jlac10`, `yj`, `icd10` …) that a source's name of a system stands for; `None` for a
/// local one. Names are compared as they are, without blanks at the ends (HL7 v2 table 0396, FHIR URIs, OIDs).
///
/// ```
/// assert_eq!(kiban_codes::system_of("JC10"), Some("jlac10"));
/// assert_eq!(kiban_codes::system_of("99LAB"), None);
/// ```
pub fn system_of(name: &str) -> Option<&'static str> {
    NAMES.get(name.trim()).copied()
}

/// The names by which sources call a code system of this crate, in the table's order.
///
/// ```
/// assert!(kiban_codes::names_of("disease").eq(["receipt-disease"]));
/// ```
pub fn names_of(system: &str) -> impl Iterator<Item = &'static str> {
    IN_ORDER.iter().filter(move |[_, of]| of == system).map(|[name, _]| name.as_str())
}
