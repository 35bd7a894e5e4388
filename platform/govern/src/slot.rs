//! The delivery slot of a holder: open under a regime while a filing and a notice are in force, locked otherwise.
//!
//! Enters: the filing that decides and the days from which versions of the notice are given. Leaves: per regime,
//! open or the first lock. Decided by the same code at the holder, before anything is sealed, and at the
//! producer, before anything is read. What one person's items need beside it is the [`gate`](crate::gate)'s.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`

use kiban_kernel::{Date, LawKey, Regime, Rules};

use crate::{gate::FilingFact, law_key};

/// What is known of a holder under one regime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlotFacts {
    /// The filing that decides on the day.
    pub filing: Option<FilingFact>,
    /// The best of the holder's versions of the notice.
    pub notice: NoticeState,
}

/// How far a holder is with its notice under one regime, the furthest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum NoticeState {
    /// There is no version of the notice.
    #[default]
    None,
    /// There is one, but it lists no item.
    ListsNothing,
    /// There is one, but no day from which it is given.
    Undated,
    /// It is given later.
    From(std::cmp::Reverse<Date>),
    /// It is given.
    InForce,
}

impl NoticeState {
    /// The state of one version on a day: whether it lists an item, and its first day.
    pub fn of(lists_items: bool, from: Option<Date>, on: Date) -> Self {
        match from {
            _ if !lists_items => Self::ListsNothing,
            None => Self::Undated,
            Some(from) if on < from => Self::From(std::cmp::Reverse(from)),
            Some(_) => Self::InForce,
        }
    }
}

/// What locks a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lock {
    /// The regime itself is not in force on the day.
    #[error("the regime is not in force on this day")]
    RegimeNotInForce,
    /// Nothing was filed under the regime.
    #[error("there is no filing under this regime")]
    NoFiling,
    /// The filing takes effect later.
    #[error("the filing takes effect on {from}")]
    FilingNotYet {
        /// First day in effect.
        from: Date,
    },
    /// The filing ended.
    #[error("the filing ended on {on}")]
    FilingEnded {
        /// First day no longer in effect.
        on: Date,
    },
    /// There is no version of the notice.
    #[error("there is no version of the notice")]
    NoNotice,
    /// No version of the notice lists an item.
    #[error("no version of the notice lists an item")]
    NoticeListsNothing,
    /// No version of the notice says from when it is given.
    #[error("no version of the notice has a first day")]
    NoticeUndated,
    /// The notice is given later.
    #[error("the notice is given from {from}")]
    NoticeNotYet {
        /// First day.
        from: Date,
    },
}

impl Lock {
    /// Machine-readable code, stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RegimeNotInForce => "regime_not_in_force",
            Self::NoFiling => "no_filing",
            Self::FilingNotYet { .. } => "filing_not_yet",
            Self::FilingEnded { .. } => "filing_ended",
            Self::NoNotice => "no_notice",
            Self::NoticeListsNothing => "notice_lists_nothing",
            Self::NoticeUndated => "notice_undated",
            Self::NoticeNotYet { .. } => "notice_not_yet",
        }
    }

    /// What is missing and what to do about it.
    pub fn ja(&self) -> String {
        match self {
            Self::RegimeNotInForce => "その日はまだ制度が施行されていません。".to_owned(),
            Self::NoFiling => {
                "主務大臣への届出がありません。届出を済ませ、登録してください。".to_owned()
            }
            Self::FilingNotYet { from } => {
                format!("届出の効力がまだ生じていません。{from}から送付できます。")
            }
            Self::FilingEnded { on } => {
                format!("届出の効力が{on}に終了しています。届出をやり直し、登録してください。")
            }
            Self::NoNotice => {
                "本人への通知文書の版がありません。通知文書を作成し、登録してください。".to_owned()
            }
            Self::NoticeListsNothing => {
                "通知文書に提供する医療情報の項目が登録されていません。項目を登録してください。"
                    .to_owned()
            }
            Self::NoticeUndated => {
                "通知文書の通知開始日が登録されていません。通知を始めた日を登録してください。"
                    .to_owned()
            }
            Self::NoticeNotYet { from } => {
                format!(
                    "通知文書による通知は{from}から始まります。通知と待機期間の後に送付してください。"
                )
            }
        }
    }

    /// Law key; the regime tells Art. 52 from Art. 57.
    pub fn law(&self, regime: Regime) -> Option<LawKey> {
        law_key(match regime {
            Regime::Anon52 => "notice.anonymized",
            Regime::Pseudo57 => "notice.pseudonymized",
        })
    }
}

/// A holder's slot on a day: per regime, in [`Regime::ALL`]'s order, open or what locks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot([Result<(), Lock>; 2]);

impl Slot {
    /// Judges the facts of both regimes, in [`Regime::ALL`]'s order.
    pub fn judge(facts: [SlotFacts; 2], on: Date, rules: &Rules) -> Self {
        let mut slot = [Ok(()); 2];
        for ((slot, facts), regime) in slot.iter_mut().zip(facts).zip(Regime::ALL) {
            *slot = judge(facts, regime, on, rules);
        }
        Self(slot)
    }
    /// May anything be delivered at all: under one regime at least?
    pub fn is_open(&self) -> bool {
        self.0.iter().any(Result::is_ok)
    }
    /// Each regime with what locks it, if something does.
    pub fn regimes(&self) -> impl Iterator<Item = (Regime, Option<Lock>)> {
        Regime::ALL.into_iter().zip(self.0).map(|(regime, slot)| (regime, slot.err()))
    }
    /// What is missing under each locked regime, for the user.
    pub fn ja(&self) -> String {
        let parts: Vec<String> = self
            .regimes()
            .filter_map(|(regime, lock)| Some(format!("{}：{}", regime.label_ja(), lock?.ja())))
            .collect();
        parts.join("")
    }
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (regime, lock) in self.regimes() {
            match lock {
                None => write!(f, "{regime} open; ")?,
                Some(lock) => write!(f, "{regime} locked ({lock}); ")?,
            }
        }
        Ok(())
    }
}

fn judge(facts: SlotFacts, regime: Regime, on: Date, rules: &Rules) -> Result<(), Lock> {
    let in_force = match regime {
        Regime::Anon52 => "regime.anon52",
        Regime::Pseudo57 => "regime.pseudo57",
    };
    if rules.flag(in_force, on) != Ok(true) {
        return Err(Lock::RegimeNotInForce);
    }
    let filing = facts.filing.ok_or(Lock::NoFiling)?;
    if on < filing.effective_from {
        return Err(Lock::FilingNotYet { from: filing.effective_from });
    }
    if let Some(ended) = filing.ended.filter(|ended| *ended <= on) {
        return Err(Lock::FilingEnded { on: ended });
    }
    match facts.notice {
        NoticeState::InForce => Ok(()),
        NoticeState::None => Err(Lock::NoNotice),
        NoticeState::ListsNothing => Err(Lock::NoticeListsNothing),
        NoticeState::Undated => Err(Lock::NoticeUndated),
        NoticeState::From(std::cmp::Reverse(from)) => Err(Lock::NoticeNotYet { from }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn each_lack_locks_by_itself_and_one_regime_is_enough() {
        let (rules, on) = (Rules::built_in().unwrap(), day("2026-06-01"));
        let filing = FilingFact { effective_from: day("2026-06-01"), ended: None, wait_days: None };
        let open = SlotFacts {
            filing: Some(filing),
            notice: NoticeState::of(true, Some(day("2026-06-01")), on),
        };
        let locks = [
            (SlotFacts { filing: None, ..open }, "no_filing"),
            (
                SlotFacts {
                    filing: Some(FilingFact { effective_from: day("2026-06-02"), ..filing }),
                    ..open
                },
                "filing_not_yet",
            ),
            (
                SlotFacts { filing: Some(FilingFact { ended: Some(on), ..filing }), ..open },
                "filing_ended",
            ),
            (SlotFacts { notice: NoticeState::None, ..open }, "no_notice"),
            (
                SlotFacts { notice: NoticeState::of(false, Some(on), on), ..open },
                "notice_lists_nothing",
            ),
            (SlotFacts { notice: NoticeState::of(true, None, on), ..open }, "notice_undated"),
            (
                SlotFacts { notice: NoticeState::of(true, Some(day("2026-06-02")), on), ..open },
                "notice_not_yet",
            ),
        ];
        assert!(Slot::judge([open; 2], on, &rules).is_open());
        for (facts, code) in locks {
            let slot = Slot::judge([facts; 2], on, &rules);
            assert!(!slot.is_open(), "{code}");
            assert!(slot.regimes().all(|(_, lock)| lock.is_some_and(|l| l.code() == code)));
            assert!(slot.ja().contains("法"), "{}", slot.ja());
            assert!(Slot::judge([facts, open], on, &rules).is_open());
        }
        let before = day("2010-01-01");
        let slot = Slot::judge([open; 2], before, &rules);
        assert!(slot.regimes().all(|(_, l)| l == Some(Lock::RegimeNotInForce)));
    }

    #[test]
    fn of_two_notices_given_later_the_earlier_counts() {
        let on = day("2026-06-01");
        let state = |from: &str| NoticeState::of(true, Some(day(from)), on);
        assert_eq!(state("2026-08-01").max(state("2026-07-01")), state("2026-07-01"));
        assert_eq!(state("2026-05-01").max(state("2026-07-01")), NoticeState::InForce);
    }
}
