//! The check of an output (出力検査): a file that somebody who works in the producer's environment wants to take out.
//!
//! Two checkers vote without knowing of each other. Both for release: it leaves. Both against: it stays. Anything else
//! goes back to who asked, whose turn it then is; a new file is voted on anew. Who asked for an output never checks it,
//! under whatever account.
//!
//! # Law
//! `security`

use crate::{
    Act, Actor,
    two_person::{self, TwoPersonError},
};

/// How many checkers vote.
pub const CHECKERS: usize = 2;

/// A checker's vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It may be taken out.
    Release,
    /// Something must be changed first.
    Return,
    /// It may not be taken out.
    Refuse,
}

impl Verdict {
    /// All.
    pub const ALL: [Self; 3] = [Self::Release, Self::Return, Self::Refuse];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Return => "return",
            Self::Refuse => "refuse",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Release => "持出しを認める",
            Self::Return => "差し戻す",
            Self::Refuse => "持出しを認めない",
        }
    }
    /// The verdict of a text form.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == text)
    }
}

/// The four states of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The checkers' turn.
    Checking,
    /// Back with who asked, whose turn it is.
    Returned,
    /// It may be taken out. Nobody's turn any more.
    Released,
    /// It may not be taken out. Nobody's turn any more.
    Refused,
}

impl State {
    /// All.
    pub const ALL: [Self; 4] = [Self::Checking, Self::Returned, Self::Released, Self::Refused];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Returned => "returned",
            Self::Released => "released",
            Self::Refused => "refused",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Checking => "検査中",
            Self::Returned => "差戻し",
            Self::Released => "持出し可",
            Self::Refused => "持出し不可",
        }
    }
    /// Whose turn it is.
    pub fn turn_ja(self) -> &'static str {
        match self {
            Self::Checking => "検査者",
            Self::Returned => "申請者",
            Self::Released | Self::Refused => "なし（終了）",
        }
    }
    /// The state of a text form.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
    /// Will nothing change it any more?
    pub fn is_final(self) -> bool {
        matches!(self, Self::Released | Self::Refused)
    }
}

/// What votes come to.
pub fn outcome(votes: &[Verdict]) -> State {
    match votes {
        [a, b, ..] if a == b => match a {
            Verdict::Release => State::Released,
            Verdict::Refuse => State::Refused,
            Verdict::Return => State::Returned,
        },
        [_, _, ..] => State::Returned,
        _ => State::Checking,
    }
}

/// Why somebody may not check an output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotChecker {
    /// He or she asked for it.
    #[error("who asked for an output does not check it")]
    Author,
    /// The table, or the other checker.
    #[error(transparent)]
    Person(#[from] TwoPersonError),
}

impl NotChecker {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Author => {
                "申請した人は、アカウントが異なっても、その出力を検査できません。別の検査者が検査します。".to_owned()
            }
            Self::Person(TwoPersonError::SameAccount { .. }) => {
                "この版は、既にあなたが検査しました。もう一人の検査者の判断を待っています。".to_owned()
            }
            Self::Person(TwoPersonError::SamePerson { .. }) => {
                "この版は、別のアカウントで既にあなたが検査しました。もう一人は別の人でなければなりません。".to_owned()
            }
            Self::Person(TwoPersonError::PersonUnknown { .. }) => {
                "あなたのアカウントが届出済取扱者に結び付いていないため、検査できません。安全管理責任者に確認してください。".to_owned()
            }
            Self::Person(e) => e.ja(),
        }
    }
}

/// May `next` check an output that `authors` asked for (all of them, over all its versions) and that `given` have voted
/// on?
///
/// # Errors
/// What stands against it.
pub fn admit(authors: &[Actor], given: &[Actor], next: &Actor) -> Result<(), NotChecker> {
    let same =
        |a: &Actor| a.account == next.account || a.handler.is_some() && a.handler == next.handler;
    if authors.iter().any(same) {
        return Err(NotChecker::Author);
    }
    Ok(two_person::admit(Act::CheckOutput, given, next)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Employer, HandlerNo, Role};
    use kiban_kernel::Id;

    fn person(account: u8, handler: &str) -> Actor {
        let id = Id::from_bytes([account; 16]);
        Actor::new(
            id,
            Id::from_bytes([9; 16]),
            Employer::Producer,
            [Role::Examiner, Role::Processor],
        )
        .with_handler(HandlerNo::new(handler).unwrap())
    }

    #[test]
    fn it_leaves_on_two_equal_votes_alone() {
        use Verdict::{Refuse, Release, Return};
        for (votes, state) in [
            (vec![], State::Checking),
            (vec![Release], State::Checking),
            (vec![Release, Release], State::Released),
            (vec![Refuse, Refuse], State::Refused),
            (vec![Return, Return], State::Returned),
        ] {
            assert_eq!(outcome(&votes), state);
        }
        for a in Verdict::ALL {
            for b in Verdict::ALL {
                assert_eq!(outcome(&[a, b]), outcome(&[b, a]));
                assert_eq!(outcome(&[a, b]) == State::Released, a == Release && b == Release);
            }
        }
        for state in State::ALL {
            assert_eq!(State::named(state.as_str()), Some(state));
        }
    }

    #[test]
    fn who_asked_never_checks_and_nobody_checks_twice() {
        let author = person(1, "H-1");
        let check =
            |given: &[Actor], next: &Actor| admit(std::slice::from_ref(&author), given, next);
        assert_eq!(check(&[], &author), Err(NotChecker::Author));
        // Under another account, too.
        assert_eq!(check(&[], &person(2, " H-1")), Err(NotChecker::Author));
        let first = person(3, "H-3");
        assert_eq!(check(&[], &first), Ok(()));
        assert!(matches!(check(std::slice::from_ref(&first), &first), Err(NotChecker::Person(_))));
        assert!(matches!(
            check(std::slice::from_ref(&first), &person(4, "H-3")),
            Err(NotChecker::Person(TwoPersonError::SamePerson { .. }))
        ));
        assert_eq!(check(std::slice::from_ref(&first), &person(4, "H-4")), Ok(()));
        let mut user = person(5, "H-5");
        user.employer = Employer::User;
        assert!(matches!(check(&[], &user), Err(NotChecker::Person(_))));
    }
}
