use kiban_kernel::{Date, Id, Rules};
use proptest::prelude::*;

use super::*;

const ON: Date = Date::constant(2026, 4, 1);
const PRODUCER: u8 = 200;
const TRUSTEE: u8 = 201;
const FOREIGN_TRUSTEE: u8 = 202;

fn org(n: u8) -> Organization {
    Id::from_bytes([n; 16])
}
fn acc(n: u8) -> Account {
    Id::from_bytes([n; 16])
}
fn rules() -> Rules {
    Rules::built_in().unwrap()
}
fn bodies() -> Bodies {
    Bodies { producer: org(PRODUCER), trustees: BTreeSet::from([org(TRUSTEE)]) }
}
fn member(n: u8, category: Category, sex: Sex, employer: u8, office: Office) -> Member {
    Member {
        account: acc(n),
        categories: BTreeSet::from([category]),
        sex,
        employers: BTreeSet::from([org(employer)]),
        officer_of: BTreeSet::new(),
        office,
        from: Date::constant(2025, 4, 1),
        until: None,
    }
}

/// The roster published in the seed: five ①④ (chair and vice-chair among them), one ② of the producer itself,
/// one ②④, one ③④ who works for a trustee of another producer.
fn roster() -> Vec<Member> {
    use Category::{General, Humanities, NaturalScience};
    use Office::{Chair, Member as Plain, ViceChair};
    use Sex::{Female, Male};
    vec![
        member(1, NaturalScience, Male, 11, Chair),
        member(2, NaturalScience, Female, 12, ViceChair),
        member(3, NaturalScience, Male, 13, Plain),
        member(4, NaturalScience, Male, 14, Plain),
        member(5, NaturalScience, Female, 15, Plain),
        member(6, Humanities, Male, PRODUCER, Plain),
        member(7, Humanities, Female, 17, Plain),
        member(8, General, Female, FOREIGN_TRUSTEE, Plain),
    ]
}
fn all() -> Vec<Account> {
    (1..=8).map(acc).collect()
}
fn hold(attendance: &[Account], interests: &Interests) -> Result<Session, CompositionError> {
    session(&roster(), &bodies(), attendance, interests, &rules(), ON)
}

#[test]
fn the_seeds_roster_can_advise() {
    assert_eq!(composition(&roster(), &bodies(), &rules(), ON), Ok(()));
    let outsiders = roster().iter().filter(|m| m.is_outsider(&bodies())).count();
    assert_eq!(outsiders, 7, "all but the producer's own lawyer");
    let held = hold(&all(), &Interests::default()).unwrap();
    assert_eq!(held.presiding(), acc(1));
    assert_eq!(held.entitled().len(), 8);
}

#[test]
fn an_employee_of_another_producers_trustee_is_an_outsider_and_of_ours_is_not() {
    let general = &roster()[7];
    assert!(general.is_outsider(&bodies()));
    let ours = Bodies {
        producer: org(PRODUCER),
        trustees: BTreeSet::from([org(TRUSTEE), org(FOREIGN_TRUSTEE)]),
    };
    assert!(!general.is_outsider(&ours));
    let mut officer = general.clone();
    officer.officer_of.insert(org(TRUSTEE));
    assert!(!officer.is_outsider(&bodies()));
}

#[test]
fn without_the_only_general_member_nothing_opens_and_the_error_says_who_is_missing() {
    let without: Vec<_> = roster().into_iter().take(7).collect();
    let e = composition(&without, &bodies(), &rules(), ON).unwrap_err();
    assert_eq!(e.lacks, [Lack::Category(Category::General)]);
    assert!(e.ja().contains("③"));
    // on the roster, but absent
    let absent: Vec<_> = (1..=7).map(acc).collect();
    let e = hold(&absent, &Interests::default()).unwrap_err();
    assert_eq!(
        (e.stage, &e.lacks[..]),
        (Stage::Attendance, &[Lack::Category(Category::General)][..])
    );
    // on the roster and present, but recused
    let interests =
        Interests { organizations: BTreeSet::from([org(FOREIGN_TRUSTEE)]), ..Interests::default() };
    let e = hold(&all(), &interests).unwrap_err();
    assert_eq!((e.stage, &e.lacks[..]), (Stage::Base, &[Lack::Category(Category::General)][..]));
    assert!(e.ja().contains("利益相反") && e.law().is_some());
}

#[test]
fn recused_members_leave_the_base_of_the_quorum() {
    // eight entitled: five needed
    let four = [1, 6, 7, 8].map(acc);
    let e = hold(&four, &Interests::default()).unwrap_err();
    assert_eq!(e.lacks, [Lack::Quorum { present: 4, entitled: 8, need: 5 }]);
    // two of them recused: six entitled, four needed, and the same four suffice
    let interests = Interests { members: BTreeSet::from([acc(3), acc(4)]), ..Interests::default() };
    let held = hold(&four, &interests).unwrap();
    assert_eq!((held.entitled().len(), held.present().len(), held.recused().len()), (6, 4, 2));
    // a recused member's presence does not count
    let e = hold(&[1, 3, 4, 7, 8].map(acc), &interests).unwrap_err();
    assert_eq!(e.lacks, [Lack::Quorum { present: 3, entitled: 6, need: 4 }]);
}

#[test]
fn the_vice_chair_presides_for_a_recused_chair_and_somebody_must() {
    let interests = |n: &[u8]| Interests {
        members: n.iter().map(|n| acc(*n)).collect(),
        ..Interests::default()
    };
    assert_eq!(hold(&all(), &interests(&[1])).unwrap().presiding(), acc(2));
    assert_eq!(hold(&all(), &interests(&[1, 2])).unwrap_err().lacks, [Lack::Chair]);
}

#[test]
fn a_composition_names_all_it_lacks() {
    let few: Vec<_> =
        roster().into_iter().filter(|m| m.sex == Sex::Male && m.office != Office::Chair).collect();
    let e = composition(&few, &bodies(), &rules(), ON).unwrap_err();
    assert!(e.lacks.contains(&Lack::Members { have: 3, need: 5 }));
    assert!(e.lacks.contains(&Lack::OneSexOnly) && e.lacks.contains(&Lack::Chair));
    assert!(e.lacks.contains(&Lack::Category(Category::General)));
    let mut ended = roster();
    ended[7].until = Some(ON);
    assert!(composition(&ended, &bodies(), &rules(), ON).is_err());
    let mut twice = roster();
    twice.push(roster()[0].clone());
    assert_eq!(composition(&twice, &bodies(), &rules(), ON).unwrap_err().lacks, [Lack::Twice]);
}

#[test]
fn a_stranger_cannot_attend() {
    let mut attendance = all();
    attendance.push(acc(99));
    let e = hold(&attendance, &Interests::default()).unwrap_err();
    assert_eq!(e.lacks, [Lack::NotAMember { position: 9 }]);
}

fn ballots(votes: &[(u8, Outcome)]) -> BTreeMap<Account, Ballot> {
    let ballot = |vote| Ballot { vote, reason: "理由".into(), conditions: vec!["条件".into()] };
    votes.iter().map(|(n, v)| (acc(*n), ballot(*v))).collect()
}

#[test]
fn votes_climb_the_ladder_of_majorities() {
    use Outcome::{Approve, ApproveWithConditions, Reject, Revise};
    let held = hold(&all(), &Interests::default()).unwrap();
    let outcome = |v: [Outcome; 8]| {
        let votes: Vec<_> = (1..=8).zip(v).collect();
        held.close(&ballots(&votes)).unwrap().outcome()
    };
    assert_eq!(
        outcome([Approve, Approve, Approve, Approve, Approve, Reject, Reject, Reject]),
        Approve
    );
    // four of eight is no majority
    assert_eq!(
        outcome([Approve, Approve, Approve, Approve, Reject, Reject, Reject, Reject]),
        Reject
    );
    assert_eq!(
        outcome([
            Approve,
            Approve,
            Approve,
            Approve,
            ApproveWithConditions,
            Reject,
            Reject,
            Reject
        ]),
        ApproveWithConditions
    );
    assert_eq!(
        outcome([Approve, Approve, Approve, Approve, Revise, Reject, Reject, Reject]),
        Revise
    );
}

#[test]
fn only_present_unrecused_members_vote_with_reasons() {
    let interests = Interests { members: BTreeSet::from([acc(3)]), ..Interests::default() };
    let held = hold(&[1, 2, 3, 4, 6, 7, 8].map(acc), &interests).unwrap();
    let good: Vec<_> = [1, 2, 4, 6, 7, 8].map(|n| (n, Outcome::Approve)).to_vec();
    assert_eq!(held.close(&ballots(&good)).unwrap().tally().approve, 6);
    let mut recused = good.clone();
    recused.push((3, Outcome::Approve));
    assert_eq!(held.close(&ballots(&recused)), Err(VoteError::Recused { position: 3 }));
    let mut absent = good.clone();
    absent.push((5, Outcome::Approve));
    assert_eq!(held.close(&ballots(&absent)), Err(VoteError::NotPresent { position: 4 }));
    let mut silent = ballots(&good);
    for ballot in silent.values_mut() {
        ballot.reason = " ".into();
    }
    assert_eq!(held.close(&silent), Err(VoteError::NoReason { position: 1 }));
    assert_eq!(
        held.close(&ballots(&good[..3])),
        Err(VoteError::TooFewVotes { cast: 3, present: 6 })
    );
}

proptest! {
    /// govern.committee
    #[test]
    fn whoever_comes_and_goes_a_session_holds_its_conditions(here in 0_u8..=255, away in 0_u8..=255) {
        let pick = |mask: u8| (1..=8_u8).filter(move |n| mask & (1 << (n - 1)) != 0).map(acc);
        let attendance: Vec<_> = pick(here).collect();
        let interests = Interests { members: pick(away).collect(), ..Interests::default() };
        if let Ok(held) = hold(&attendance, &interests) {
            prop_assert!(held.present().len() * 2 > held.entitled().len());
            prop_assert!(held.present().is_disjoint(held.recused()));
            let who: Vec<_> = roster().into_iter().filter(|m| held.present().contains(&m.account)).collect();
            for category in Category::ALL {
                prop_assert!(who.iter().any(|m| m.categories.contains(&category)));
            }
            prop_assert!(who.iter().filter(|m| m.is_outsider(&bodies())).count() >= 2);
            prop_assert!(held.present().contains(&held.presiding()));
        } else {
            // refused for a reason: with everybody there and nobody recused it is held
            prop_assert!(here != 255 || away != 0);
        }
    }
}
