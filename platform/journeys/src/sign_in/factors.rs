//! Did a provider see two factors? By what its token says: the methods (`amr`, RFC 8176) and the context (`acr`).

use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Factor {
    Knowledge,
    Possession,
    Inherence,
}

/// The kind of factor of a method; `None` for one that is none by itself (`geo`, `rba`, `wia`, an unknown word).
fn factor(method: &str) -> Option<Factor> {
    match method {
        "pwd" | "pin" | "kba" => Some(Factor::Knowledge),
        "hwk" | "swk" | "sc" | "otp" | "sms" | "tel" | "pop" => Some(Factor::Possession),
        "face" | "fpt" | "iris" | "retina" | "vbm" => Some(Factor::Inherence),
        _ => None,
    }
}

/// Two factors: the token says so (`mfa`), or names methods of two kinds, or a context that the settings trust.
pub(super) fn are_two(methods: &[&str], context: Option<&str>, trusted: &[String]) -> bool {
    let kinds: BTreeSet<Factor> = methods.iter().filter_map(|m| factor(m)).collect();
    methods.contains(&"mfa")
        || kinds.len() >= 2
        || context.is_some_and(|c| trusted.iter().any(|t| t == c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_kinds_make_two_factors_and_two_methods_of_one_kind_do_not() {
        let two = |methods: &[&str]| are_two(methods, None, &[]);
        assert!(
            two(&["mfa"]) && two(&["pwd", "otp"]) && two(&["fpt", "hwk"]) && two(&["pwd", "mfa"])
        );
        for one in [&["pwd"][..], &["pwd", "pin"], &["otp", "sms"], &["user"], &["geo", "rba"], &[]]
        {
            assert!(!two(one), "{one:?}");
        }
        let trusted = ["urn:example:gold".to_owned()];
        assert!(are_two(&["pwd"], Some("urn:example:gold"), &trusted));
        assert!(!are_two(&["pwd"], Some("urn:example:silver"), &trusted));
        assert!(!are_two(&["pwd"], Some(""), &[]) && !are_two(&[], None, &trusted));
    }
}
