//! Who may sign in at all: the account's person must be on the list of notified handlers, with training in date.

use jiff::Span;
use kiban_kernel::{Date, LawKey};

use crate::{Actor, Employer, Role, law_key};

/// What the register says of a notified handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handler {
    /// Day of the notification to the ministers.
    pub notified_on: Date,
    /// First day on which the person is off the list.
    pub ended_on: Option<Date>,
    /// Day of the last training completed.
    pub trained_on: Option<Date>,
}

/// Why nobody may sign in with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Barred {
    /// The account is the platform's own.
    #[error("the account is the platform's own")]
    Machine,
    /// The account is bound to nobody on the list.
    #[error("the account is bound to no notified handler")]
    NotBound,
    /// The person is not on the list today.
    #[error("the person is not on the list of notified handlers today")]
    NotNotified,
    /// The person's training is out of date, or there was none.
    #[error("the training is not in date")]
    Untrained {
        /// Last day on which it was.
        until: Option<Date>,
    },
}

impl Barred {
    /// Machine-readable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::NotBound => "not_bound",
            Self::NotNotified => "not_notified",
            Self::Untrained { .. } => "untrained",
        }
    }

    /// Sentence for the user.
    pub fn ja(&self) -> String {
        let ask = "安全管理責任者に連絡してください。";
        match self {
            Self::Machine => "自動処理のアカウントではサインインできません。".to_owned(),
            Self::NotBound => {
                format!(
                    "このアカウントは届出済みの取扱者に結び付いていないため、サインインできません。{ask}"
                )
            }
            Self::NotNotified => {
                format!("取扱者の名簿に今日の時点で載っていないため、サインインできません。{ask}")
            }
            Self::Untrained { until: Some(day) } => {
                format!(
                    "教育の有効期限（{day}）が過ぎているため、サインインできません。教育を受けてから{ask}"
                )
            }
            Self::Untrained { until: None } => {
                format!(
                    "取扱者としての教育の記録がないため、サインインできません。教育を受けてから{ask}"
                )
            }
        }
    }

    /// Law key.
    pub fn law(&self) -> Option<LawKey> {
        law_key("security")
    }
}

/// Must the account's person be a notified handler? Staff of the producer and of its trustees must, unless the
/// account only gives advice on the committee: such a member sees applications and never records.
pub fn must_be_handler(actor: &Actor) -> bool {
    let house = matches!(actor.employer, Employer::Producer | Employer::Trustee);
    house && actor.roles.iter().any(|r| *r != Role::CommitteeMember)
}

/// Last day on which a training of a day is in date, `months` by the rule `security.training_months`.
pub fn trained_until(trained_on: Date, months: i64) -> Date {
    Span::new().try_months(months).map_or(trained_on, |span| trained_on.saturating_add(span))
}

/// May the person behind an account sign in today? `handler` is what the register says of the number that the account
/// is bound to, `months` how long a training is in date. An account that need not be bound but is must keep what the
/// binding asks.
///
/// # Errors
/// Why not.
/// # Law
/// `security`
pub fn may_sign_in(
    actor: &Actor,
    handler: Option<&Handler>,
    months: i64,
    today: Date,
) -> Result<(), Barred> {
    if actor.has(Role::System) {
        return Err(Barred::Machine);
    }
    if actor.handler.is_none() {
        return if must_be_handler(actor) { Err(Barred::NotBound) } else { Ok(()) };
    }
    let handler = handler.ok_or(Barred::NotNotified)?;
    if today < handler.notified_on || handler.ended_on.is_some_and(|end| end <= today) {
        return Err(Barred::NotNotified);
    }
    let trained = handler.trained_on.filter(|day| *day <= today);
    let until = trained.map(|day| trained_until(day, months));
    if until.is_some_and(|day| today <= day) { Ok(()) } else { Err(Barred::Untrained { until }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HandlerNo;
    use kiban_kernel::Id;

    fn actor(employer: Employer, roles: &[Role], number: Option<&str>) -> Actor {
        let zero = Id::from_bytes([0; 16]);
        let actor = Actor::new(Id::from_bytes([1; 16]), zero, employer, roles.iter().copied());
        match number.and_then(HandlerNo::new) {
            Some(number) => actor.with_handler(number),
            None => actor,
        }
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn house_staff_must_be_notified_and_trained_to_the_day() {
        let staff = actor(Employer::Producer, &[Role::Processor], Some("1"));
        let listed = Handler {
            notified_on: day("2026-04-01"),
            ended_on: Some(day("2028-04-01")),
            trained_on: Some(day("2026-04-10")),
        };
        let judged =
            |handler: Option<&Handler>, on: &str| may_sign_in(&staff, handler, 12, day(on));
        assert_eq!(judged(None, "2026-05-01"), Err(Barred::NotNotified));
        assert_eq!(judged(Some(&listed), "2026-03-31"), Err(Barred::NotNotified));
        assert_eq!(judged(Some(&listed), "2026-04-09"), Err(Barred::Untrained { until: None }));
        assert_eq!(judged(Some(&listed), "2026-04-10"), Ok(()));
        assert_eq!(judged(Some(&listed), "2027-04-10"), Ok(()));
        let until = Some(day("2027-04-10"));
        assert_eq!(judged(Some(&listed), "2027-04-11"), Err(Barred::Untrained { until }));
        assert_eq!(judged(Some(&listed), "2028-04-01"), Err(Barred::NotNotified));
    }

    #[test]
    fn who_need_not_be_bound_may_be_and_is_then_judged() {
        let today = day("2026-05-01");
        let free = |a: &Actor| may_sign_in(a, None, 12, today);
        assert_eq!(free(&actor(Employer::Producer, &[Role::Auditor], None)), Err(Barred::NotBound));
        assert_eq!(
            free(&actor(Employer::Trustee, &[Role::Processor], None)),
            Err(Barred::NotBound)
        );
        assert_eq!(free(&actor(Employer::Producer, &[Role::CommitteeMember], None)), Ok(()));
        assert_eq!(free(&actor(Employer::User, &[Role::Researcher], None)), Ok(()));
        assert_eq!(free(&actor(Employer::Holder, &[Role::HolderStaff], None)), Ok(()));
        let bound = actor(Employer::User, &[Role::Researcher], Some("9"));
        assert_eq!(free(&bound), Err(Barred::NotNotified));
        let both = actor(Employer::Producer, &[Role::CommitteeMember, Role::Auditor], None);
        assert_eq!(free(&both), Err(Barred::NotBound));
        assert_eq!(free(&actor(Employer::Producer, &[Role::System], None)), Err(Barred::Machine));
    }
}
