//! Pairs by exact keys: K1 (insurer, symbol, number, branch, birth) and K2 (kana, birth, sex).

use std::collections::BTreeMap;

use crate::{
    address::{AddressMatch, compare_addresses},
    cluster::{Apart, ApartReason, Edge, Kept, KeptReason, KeyRule, Pairs, Strength},
    identity::{Identity, Member},
    kanji::names_agree,
};

/// A key shared by more records than this is no key: nobody is linked by it, and it is counted.
pub const MOST_PER_KEY: usize = 200;

/// All pairs that share an exact key, as edges or as pairs kept apart with the reason.
///
/// - K1 links, unless both sex and name speak against it.
/// - K2 links if the kanji names agree or one is missing. If they disagree, it links only where an
///   address, a telephone number or a postal code bears it out.
/// - The same coverage under two branch numbers is never one person by K2.
pub fn pairs(members: &[Member]) -> Pairs {
    let mut out = Pairs::default();
    let by_key1 = groups(members, Identity::key1);
    let by_key2 = groups(members, Identity::key2);
    for group in by_key1.values() {
        if too_many(group, KeyRule::Coverage, &mut out) {
            continue;
        }
        each_pair(group, |a, b| match coverage_link(&members[a as usize], &members[b as usize]) {
            Ok(()) => {
                out.edges.push(Edge { a, b, rule: KeyRule::Coverage, strength: Strength::Sure });
            }
            Err(reason) => out.kept.push(Kept { a, b, rule: KeyRule::Coverage, reason }),
        });
    }
    for group in by_key2.values() {
        if too_many(group, KeyRule::Name, &mut out) {
            continue;
        }
        each_pair(group, |a, b| match name_link(&members[a as usize], &members[b as usize]) {
            Ok(strength) => out.edges.push(Edge { a, b, rule: KeyRule::Name, strength }),
            Err(reason) => {
                if reason == KeptReason::OtherBranch {
                    out.apart.push(Apart { a, b, reason: ApartReason::OtherBranch });
                }
                out.kept.push(Kept { a, b, rule: KeyRule::Name, reason });
            }
        });
    }
    out.normalise();
    out
}

fn groups(members: &[Member], key: fn(&Identity) -> Option<String>) -> BTreeMap<String, Vec<u32>> {
    let mut out: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (i, member) in members.iter().enumerate() {
        for key in member.identities.iter().filter_map(key) {
            let group = out.entry(key).or_default();
            if group.last() != Some(&(i as u32)) {
                group.push(i as u32);
            }
        }
    }
    out.retain(|_, group| group.len() > 1);
    out
}

fn too_many(group: &[u32], rule: KeyRule, out: &mut Pairs) -> bool {
    let hot = group.len() > MOST_PER_KEY;
    if hot {
        *out.hot_keys.entry(rule).or_default() += 1;
    }
    hot
}

fn each_pair(group: &[u32], mut f: impl FnMut(u32, u32)) {
    for (i, a) in group.iter().enumerate() {
        for b in &group[i + 1..] {
            f(*a, *b);
        }
    }
}

/// Does any identity of one compare so with any of the other?
fn any(a: &Member, b: &Member, f: impl Fn(&Identity, &Identity) -> bool) -> bool {
    a.identities.iter().any(|x| b.identities.iter().any(|y| f(x, y)))
}

fn coverage_link(a: &Member, b: &Member) -> Result<(), KeptReason> {
    let sexes_meet = any(a, b, |x, y| x.sex.is_none() || y.sex.is_none() || x.sex == y.sex);
    let names_meet = any(a, b, |x, y| {
        let kana = matches!((&x.kana, &y.kana), (Some(x), Some(y)) if x.text == y.text);
        let kanji =
            matches!((&x.kanji, &y.kanji), (Some(x), Some(y)) if names_agree(&x.text, &y.text));
        kana || kanji
    });
    if sexes_meet || names_meet { Ok(()) } else { Err(KeptReason::SexAndNameDiffer) }
}

fn name_link(a: &Member, b: &Member) -> Result<Strength, KeptReason> {
    let other_branch = any(a, b, |x, y| {
        matches!((x.coverage(), y.coverage()), (Some(c), Some(d)) if c == d)
            && matches!((x.own_branch(), y.own_branch()), (Some(c), Some(d)) if c != d)
    });
    let same_coverage_key =
        any(a, b, |x, y| matches!((x.key1(), y.key1()), (Some(c), Some(d)) if c == d));
    if other_branch && !same_coverage_key {
        return Err(KeptReason::OtherBranch);
    }
    let supported = any(a, b, borne_out);
    let kanji_known = |m: &Member| m.identities.iter().any(|i| i.kanji.is_some());
    let kanji_disagree = kanji_known(a)
        && kanji_known(b)
        && !any(
            a,
            b,
            |x, y| matches!((&x.kanji, &y.kanji), (Some(x), Some(y)) if names_agree(&x.text, &y.text)),
        );
    match (kanji_disagree, supported) {
        (_, true) => Ok(Strength::Supported),
        (false, false) => Ok(Strength::Plain),
        (true, false) => Err(if places_differ(a, b) {
            KeptReason::KanjiAndAddressDiffer
        } else {
            KeptReason::KanjiDiffersUnsupported
        }),
    }
}

/// An address, a telephone number or a postal code in common.
fn borne_out(x: &Identity, y: &Identity) -> bool {
    let address = match (&x.address, &y.address) {
        (Some(x), Some(y)) => compare_addresses(&x.text, &y.text) == AddressMatch::Same,
        _ => false,
    };
    let postal = matches!((&x.postal, &y.postal), (Some(x), Some(y)) if x.text == y.text);
    let phone = x.phones.iter().any(|p| y.phones.iter().any(|q| p.text == q.text));
    address || postal || phone
}

fn places_differ(a: &Member, b: &Member) -> bool {
    any(a, b, |x, y| match (&x.address, &y.address) {
        (Some(x), Some(y)) => compare_addresses(&x.text, &y.text) == AddressMatch::Different,
        _ => matches!((&x.postal, &y.postal), (Some(x), Some(y)) if x.text != y.text),
    })
}
