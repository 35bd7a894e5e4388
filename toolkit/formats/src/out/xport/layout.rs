//! Domains and their variables as data.

use std::sync::LazyLock;

/// A variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Name, at most eight characters.
    pub name: &'static str,
    /// A number? Else text.
    pub number: bool,
    /// Bytes.
    pub length: usize,
    /// Label, at most 40 characters.
    pub label: &'static str,
}

/// A domain.
#[derive(Debug)]
pub struct Domain {
    /// `DM`, `LB` …; `SUPP` for every `SUPP--`.
    pub name: &'static str,
    /// Variables in order.
    pub variables: Vec<Variable>,
}

/// The domains that are written.
pub static DOMAINS: LazyLock<Vec<Domain>> = LazyLock::new(|| {
    let mut domains: Vec<Domain> = Vec::new();
    for line in include_str!("../../../layouts/sdtm.csv").lines() {
        let mut cells = line.splitn(5, ',');
        let (Some(domain), Some(name), Some(kind), Some(length), Some(label)) =
            (cells.next(), cells.next(), cells.next(), cells.next(), cells.next())
        else {
            continue;
        };
        if line.starts_with('#') {
            continue;
        }
        let length = length.parse().unwrap_or(8);
        let variable = Variable { name, number: kind == "num", length, label };
        match domains.last_mut().filter(|d| d.name == domain) {
            Some(last) => last.variables.push(variable),
            None => domains.push(Domain { name: domain, variables: vec![variable] }),
        }
    }
    domains
});

/// The domain of a name; of a `SUPP--` the one all share.
pub(super) fn domain(name: &str) -> &'static Domain {
    let wanted = if name.starts_with("SUPP") { "SUPP" } else { name };
    DOMAINS.iter().find(|d| d.name == wanted).unwrap_or(&DOMAINS[0])
}
