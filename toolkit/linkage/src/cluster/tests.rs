use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::{Identity, Member, RawIdentity, Sex, exact};

#[derive(Clone, Copy)]
struct P<'a> {
    holder: u32,
    kana: &'a str,
    kanji: Option<&'a str>,
    address: Option<&'a str>,
    coverage: Option<(&'a str, &'a str)>,
}

fn member(p: &P<'_>) -> Member {
    let raw = RawIdentity {
        name_kana: Some(p.kana),
        name_kanji: p.kanji,
        birth_on: Some(date(1950, 3, 4)),
        sex: Some(Sex::Male),
        address: p.address,
        insurer_no: p.coverage.map(|_| "138057"),
        insured_symbol: p.coverage.map(|_| "1"),
        insured_number: p.coverage.map(|c| c.0),
        insured_branch: p.coverage.map(|c| c.1),
        ..RawIdentity::default()
    };
    Member { holder: p.holder, identities: vec![Identity::normalise(&raw)] }
}

fn link(list: &[P<'_>]) -> Clusters {
    let members: Vec<Member> = list.iter().map(member).collect();
    let holders: Vec<u32> = members.iter().map(|m| m.holder).collect();
    clusters(&holders, &exact::pairs(&members))
}

const P0: P<'static> =
    P { holder: 0, kana: "サトウ イチロウ", kanji: None, address: None, coverage: None };

#[test]
fn the_same_name_at_two_holders_is_one_person() {
    let got = link(&[P { kanji: Some("佐藤一郎"), ..P0 }, P { holder: 1, kana: "ｻﾄｳｲﾁﾛｰ", ..P0 }]);
    assert_eq!(got.persons, [[0, 1]]);
    assert_eq!(got.edges[0].rule, KeyRule::Name);
}

#[test]
fn disagreeing_kanji_need_a_place_in_common() {
    let a = P { kanji: Some("佐藤一郎"), address: Some("千代田区霞が関1-2-3"), ..P0 };
    let elsewhere =
        P {
            holder: 1, kanji: Some("佐東市郎"), address: Some("大阪市北区梅田4-5-6"), ..P0
        };
    let got = link(&[a, elsewhere]);
    assert_eq!(got.persons.len(), 2);
    assert_eq!(got.kept[0].reason, KeptReason::KanjiAndAddressDiffer);
    let got = link(&[a, P { address: None, ..elsewhere }]);
    assert_eq!(got.kept[0].reason, KeptReason::KanjiDiffersUnsupported);
    assert_eq!(link(&[a, P { address: a.address, ..elsewhere }]).persons.len(), 1);
    assert_eq!(link(&[a, P { kanji: Some("佐藤一〓"), ..elsewhere }]).persons.len(), 1);
}

#[test]
fn coverage_joins_over_a_changed_name_and_branches_keep_twins_apart() {
    let a = P { coverage: Some(("777", "1")), ..P0 };
    let renamed =
        P { holder: 1, kana: "タナカ イチロウ", coverage: Some(("777", "01")), ..P0 };
    assert_eq!(link(&[a, renamed]).persons.len(), 1);
    let twin = P { holder: 1, coverage: Some(("777", "2")), ..P0 };
    let got = link(&[a, twin]);
    assert_eq!(got.persons.len(), 2);
    assert_eq!(got.kept[0].reason, KeptReason::OtherBranch);
}

#[test]
fn two_records_of_one_holder_need_the_coverage_key() {
    let got = link(&[P0, P0]);
    assert_eq!(got.persons.len(), 2);
    assert_eq!(got.kept[0].reason, KeptReason::OneHolder);
    let covered = P { coverage: Some(("777", "1")), ..P0 };
    assert_eq!(link(&[covered, covered]).persons.len(), 1);
}

#[test]
fn homonyms_of_one_holder_are_told_apart_by_address_or_not_linked() {
    let tokyo = Some("千代田区霞が関1-2-3");
    let osaka = Some("大阪市北区梅田4-5-6");
    let got = link(&[
        P { address: tokyo, ..P0 },
        P { address: osaka, ..P0 },
        P { holder: 1, address: osaka, ..P0 },
    ]);
    assert_eq!(got.persons, [vec![0], vec![1, 2]]);
    let got =
        link(&[P { address: tokyo, ..P0 }, P { address: osaka, ..P0 }, P { holder: 1, ..P0 }]);
    assert_eq!(got.persons.len(), 3);
    assert!(got.kept.iter().all(|k| k.reason == KeptReason::OneHolder));
}

#[test]
fn a_chain_over_coverage_and_name_is_one_person() {
    // hospital before marriage - insurer - clinic after marriage
    let got = link(&[
        P { coverage: Some(("777", "1")), ..P0 },
        P { holder: 1, kana: "タナカ イチロウ", coverage: Some(("777", "1")), ..P0 },
        P { holder: 2, kana: "タナカ イチロウ", ..P0 },
    ]);
    assert_eq!(got.persons, [[0, 1, 2]]);
}

fn arbitrary() -> impl Strategy<Value = Vec<Member>> {
    let one = (0..3_u32, 0..3_usize, 0..4_usize, 0..4_usize, 0..4_usize, any::<bool>());
    proptest::collection::vec(one, 0..14).prop_map(|list| {
        list.into_iter()
            .map(|(holder, kana, kanji, place, cov, two)| {
                let p = P {
                    holder,
                    kana: ["サトウ イチロウ", "タナカ イチロウ", "不明"][kana],
                    kanji: [None, Some("佐藤一郎"), Some("佐東市郎"), Some("佐藤〓郎")][kanji],
                    address: [
                        None,
                        Some("千代田区霞が関1-2-3"),
                        Some("大阪市北区梅田4-5-6"),
                        Some("千代田区"),
                    ][place],
                    coverage: [None, Some(("777", "1")), Some(("777", "2")), Some(("888", "1"))]
                        [cov],
                };
                let mut m = member(&p);
                if two {
                    m.identities.extend(member(&P { kana: "タナカ イチロウ", ..p }).identities);
                }
                m
            })
            .collect()
    })
}

fn persons_by_label(order: &[usize], got: &Clusters) -> BTreeSet<BTreeSet<usize>> {
    got.persons.iter().map(|p| p.iter().map(|i| order[*i as usize]).collect()).collect()
}

proptest! {
    // linkage.order-free
    #[test]
    fn order_does_not_matter(members in arbitrary(), seed in any::<u64>()) {
        let n = members.len();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|i| (*i as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let shuffled: Vec<Member> = order
            .iter()
            .map(|i| {
                let mut m = members[*i].clone();
                m.identities.reverse();
                m
            })
            .collect();
        let holders = |m: &[Member]| m.iter().map(|m| m.holder).collect::<Vec<_>>();
        let straight: Vec<usize> = (0..n).collect();
        let a = clusters(&holders(&members), &exact::pairs(&members));
        let mut pairs = exact::pairs(&shuffled);
        pairs.edges.reverse();
        let b = clusters(&holders(&shuffled), &pairs);
        prop_assert_eq!(persons_by_label(&straight, &a), persons_by_label(&order, &b));
    }

    // linkage.one-holder, linkage.homonyms
    #[test]
    fn one_holder_meets_through_sure_edges_only(members in arbitrary()) {
        let holders: Vec<u32> = members.iter().map(|m| m.holder).collect();
        let pairs = exact::pairs(&members);
        let got = clusters(&holders, &pairs);
        let mut sure = Union::new(holders.len());
        for e in pairs.edges.iter().filter(|e| e.strength == Strength::Sure) {
            sure.join(e.a, e.b);
        }
        for person in &got.persons {
            for a in person {
                for b in person {
                    if holders[*a as usize] == holders[*b as usize] {
                        prop_assert_eq!(sure.root(*a), sure.root(*b));
                    }
                }
            }
        }
        let total: usize = got.persons.iter().map(Vec::len).sum();
        prop_assert_eq!(total, members.len());
    }
}
