use kiban_govern::Employer;
use proptest::prelude::*;

use super::*;

fn who() -> Actor {
    Actor::new(Id::from_bytes([1; 16]), Id::from_bytes([2; 16]), Employer::Producer, [])
}

fn step(n: u8) -> Step {
    let session = Id::from_bytes([n; 16]);
    let reason = if n.is_multiple_of(2) { "理由".to_owned() } else { " ".to_owned() };
    match n % 10 {
        0 => Step::Draft { version: i64::from(n) },
        1 | 8 => Step::Submit { content: Digest::of(&[n]) },
        2 | 9 => Step::Screen,
        3 => Step::Advise { session, outcome: Outcome::Approve },
        4 => Step::Advise { session, outcome: Outcome::Reject },
        5 => Step::Accept { reason: "理由".into(), conditions: vec![] },
        6 => Step::Accept { reason, conditions: vec![] },
        _ => {
            if n < 100 {
                Step::Refuse { reason }
            } else {
                Step::Withdraw
            }
        }
    }
}

proptest! {
    /// release.decision: whatever is tried in whatever order, an accepted application was advised favourably, in the
    /// step before, on the content that was submitted last.
    #[test]
    fn nobody_accepts_what_was_not_advised(steps in prop::collection::vec(0_u8..200, 0..60)) {
        let mut state: Option<State> = None;
        let mut submitted = None;
        for n in steps {
            let taken = step(n);
            let before = state.clone();
            match State::after(state.as_ref(), &taken, &who(), Timestamp::UNIX_EPOCH) {
                Ok(after) => {
                    if let Step::Submit { content } = taken { submitted = Some(content); }
                    if let State::Accepted { content, session, .. } = &after {
                        let advised = matches!(
                            &before,
                            Some(State::Advised { outcome: Outcome::Approve, session: held, .. }) if held == session
                        );
                        prop_assert!(advised);
                        prop_assert_eq!(Some(*content), submitted);
                    }
                    state = Some(after);
                }
                Err(e) => {
                    prop_assert_eq!(e.from, before.as_ref().map_or("nothing", State::as_str));
                    prop_assert_eq!(e.who, who().account);
                    prop_assert!(!e.ja().is_empty() && e.law().is_some());
                }
            }
        }
    }
}

#[test]
fn nothing_follows_the_end() {
    for end in [
        State::Refused { by: who().account, at: Timestamp::UNIX_EPOCH },
        State::Withdrawn { by: who().account, at: Timestamp::UNIX_EPOCH },
    ] {
        for n in 0..200 {
            assert!(State::after(Some(&end), &step(n), &who(), Timestamp::UNIX_EPOCH).is_err());
        }
    }
}
