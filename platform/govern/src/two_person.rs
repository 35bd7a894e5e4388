//! The two-person rule: as many distinct natural persons of the producer's own staff as the rule asks.
//!
//! # Law
//! `security`

use kiban_kernel::{Date, LawKey, RuleError, Rules};

use crate::{Act, Actor, HandlerNo, Refusal, law_key, permit};

/// Proof that enough distinct persons approved. Made by [`check`] alone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Approvers(Vec<Actor>);

impl Approvers {
    /// Who, in the order given.
    pub fn actors(&self) -> &[Actor] {
        &self.0
    }
}

/// Why the approvals do not suffice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TwoPersonError {
    /// The table refuses one of them.
    #[error("approval {position} is refused")]
    Refused {
        /// Which, from 1.
        position: usize,
        /// Why.
        #[source]
        source: Refusal,
    },
    /// The account is not bound to a person on the list of notified handlers.
    #[error("approval {position} is of an account not bound to a notified handler")]
    PersonUnknown {
        /// Which, from 1.
        position: usize,
    },
    /// The same account twice.
    #[error("approvals {first} and {second} are of the same account")]
    SameAccount {
        /// The earlier, from 1.
        first: usize,
        /// The later.
        second: usize,
    },
    /// The same natural person under two accounts.
    #[error("approvals {first} and {second} are of the same person under two accounts")]
    SamePerson {
        /// The earlier, from 1.
        first: usize,
        /// The later.
        second: usize,
    },
    /// Too few.
    #[error("{have} of {need} approvals")]
    TooFew {
        /// Approvals given.
        have: usize,
        /// Approvals needed.
        need: usize,
    },
    /// No rule says how many.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

impl TwoPersonError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Refused { position, source } => format!("{position}人目の承認：{}", source.ja()),
            Self::PersonUnknown { position } => format!(
                "{position}人目の承認者のアカウントが届出済取扱者に結び付いていません。安全管理責任者に確認してください。"
            ),
            Self::SameAccount { first, second } => {
                format!(
                    "{first}人目と{second}人目の承認が同じアカウントです。別の承認者が承認してください。"
                )
            }
            Self::SamePerson { first, second } => format!(
                "{first}人目と{second}人目の承認は、アカウントは異なりますが同一人物です。別の承認者が承認してください。"
            ),
            Self::TooFew { have, need } => {
                format!("承認が{have}人です。{need}人の承認が必要です。")
            }
            Self::Rule(_) => "承認者数の規則がその日に効力を持っていません。".to_owned(),
        }
    }
    /// Law key.
    pub fn law(&self) -> Option<LawKey> {
        law_key("security")
    }
}

/// May `next` be added to the approvals given so far? Distinctness and permission only.
///
/// # Errors
/// The first thing that stands against it; positions count from 1.
pub fn admit(act: Act, given: &[Actor], next: &Actor) -> Result<(), TwoPersonError> {
    let position = given.len() + 1;
    permit(next, act).map_err(|source| TwoPersonError::Refused { position, source })?;
    let handler = person(next).ok_or(TwoPersonError::PersonUnknown { position })?;
    for (i, earlier) in given.iter().enumerate() {
        if earlier.account == next.account {
            return Err(TwoPersonError::SameAccount { first: i + 1, second: position });
        }
        if person(earlier) == Some(handler) {
            return Err(TwoPersonError::SamePerson { first: i + 1, second: position });
        }
    }
    Ok(())
}

fn person(actor: &Actor) -> Option<&HandlerNo> {
    actor.handler.as_ref()
}

/// Are these approvals enough for `act` on a day (rule `release.approvers`)?
///
/// # Errors
/// The first approval that does not count, or too few.
pub fn check(
    act: Act,
    actors: &[Actor],
    rules: &Rules,
    on: Date,
) -> Result<Approvers, TwoPersonError> {
    for i in 0..actors.len() {
        admit(act, &actors[..i], &actors[i])?;
    }
    // The rule may ask for more than two, never for fewer.
    let need = usize::try_from(rules.int("release.approvers", on)?).unwrap_or(2).max(2);
    if actors.len() < need {
        return Err(TwoPersonError::TooFew { have: actors.len(), need });
    }
    Ok(Approvers(actors.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Employer, Role};
    use kiban_kernel::Id;

    fn approver(account: u8, handler: &str) -> Actor {
        Actor::new(
            Id::from_bytes([account; 16]),
            Id::from_bytes([9; 16]),
            Employer::Producer,
            [Role::ReleaseApprover],
        )
        .with_handler(HandlerNo::new(handler).unwrap())
    }

    #[test]
    fn two_distinct_persons_and_nobody_else() {
        let rules = Rules::built_in().unwrap();
        let on = Date::constant(2026, 4, 1);
        let go = |actors: &[Actor]| check(Act::ApproveRelease, actors, &rules, on);
        assert!(go(&[approver(1, "H-1"), approver(2, "H-2")]).is_ok());
        assert_eq!(go(&[approver(1, "H-1")]), Err(TwoPersonError::TooFew { have: 1, need: 2 }));
        assert_eq!(
            go(&[approver(1, "H-1"), approver(1, "H-1")]),
            Err(TwoPersonError::SameAccount { first: 1, second: 2 })
        );
        assert_eq!(
            go(&[approver(1, "H-1"), approver(2, " H-1 ")]),
            Err(TwoPersonError::SamePerson { first: 1, second: 2 })
        );
        let mut trustee = approver(2, "H-2");
        trustee.employer = Employer::Trustee;
        let refused = go(&[approver(1, "H-1"), trustee]).unwrap_err();
        assert!(matches!(refused, TwoPersonError::Refused { position: 2, .. }));
        assert!(refused.ja().contains("受託事業者"));
        let mut unknown = approver(2, "H-2");
        unknown.handler = None;
        assert_eq!(
            go(&[approver(1, "H-1"), unknown]),
            Err(TwoPersonError::PersonUnknown { position: 2 })
        );
        assert!(law_key("security").is_some());
    }
}
