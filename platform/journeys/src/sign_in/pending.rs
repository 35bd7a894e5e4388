//! What visitors were asked and have not answered yet. It lives in memory: a challenge is good for minutes.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kiban_kernel::{Digest, Entropy as _, Id, OsEntropy, Timestamp, kinds};

use super::SignInRefused;
use crate::Error;

/// Seconds for which an answer is awaited.
const SECONDS: i64 = 5 * 60;
/// Most visitors asked at once.
const MOST: usize = 10_000;

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A new passkey for the account of an invitation.
    Enrol {
        account: Id<kinds::Account>,
        /// Digest of the code.
        code: String,
    },
    /// To sign in.
    SignIn,
    /// To show again who sits there.
    Confirm(Id<kinds::Account>),
    /// To show the second factor, after a provider showed the first.
    Second(Id<kinds::Account>),
}

struct Asked {
    purpose: Purpose,
    challenge: [u8; 32],
    at: Timestamp,
}

/// At most one question per visitor; a later one replaces it.
#[derive(Default)]
pub(super) struct Pending(Mutex<HashMap<Digest, Asked>>);

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({})", self.asked().len())
    }
}

impl Pending {
    fn asked(&self) -> MutexGuard<'_, HashMap<Digest, Asked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ask a visitor: a fresh challenge. Challenges are a secret's kin and never come from a seeded source.
    pub(super) fn ask(
        &self,
        visitor: &str,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<[u8; 32], Error> {
        let mut challenge = [0; 32];
        OsEntropy.fill(&mut challenge)?;
        let mut asked = self.asked();
        let visitor = Digest::of(visitor.as_bytes());
        if asked.len() >= MOST && !asked.contains_key(&visitor) {
            asked.retain(|_, a| live(a, now));
            if asked.len() >= MOST {
                return Err(SignInRefused::Crowded.into());
            }
        }
        asked.insert(visitor, Asked { purpose, challenge, at: now });
        Ok(challenge)
    }

    /// What the visitor was asked. It is asked no more, whatever the answer turns out to be.
    pub(super) fn take(
        &self,
        visitor: &str,
        now: Timestamp,
        wanted: impl Fn(&Purpose) -> bool,
    ) -> Result<(Purpose, [u8; 32]), SignInRefused> {
        let found = self.asked().remove(&Digest::of(visitor.as_bytes()));
        let found = found.filter(|a| live(a, now) && wanted(&a.purpose));
        found.map(|a| (a.purpose, a.challenge)).ok_or(SignInRefused::NotAsked)
    }
}

fn live(asked: &Asked, now: Timestamp) -> bool {
    (0..=SECONDS).contains(&now.duration_since(asked.at).as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_the_visitors_own_for_its_purpose_in_time_and_once() {
        let pending = Pending::default();
        let at = |s: i64| Timestamp::from_second(1_000_000 + s).unwrap();
        let sign_in = |p: &Purpose| *p == Purpose::SignIn;
        let ask = |who: &str| pending.ask(who, Purpose::SignIn, at(0)).unwrap();
        let (a, b) = (ask("a"), ask("b"));
        assert_ne!(a, b);
        assert_eq!(pending.take("c", at(1), sign_in), Err(SignInRefused::NotAsked));
        assert_eq!(pending.take("a", at(1), sign_in), Ok((Purpose::SignIn, a)));
        assert_eq!(pending.take("a", at(1), sign_in), Err(SignInRefused::NotAsked), "once");
        let confirm = |p: &Purpose| matches!(p, Purpose::Confirm(_));
        assert_eq!(pending.take("b", at(1), confirm), Err(SignInRefused::NotAsked));
        assert_eq!(pending.take("b", at(1), sign_in), Err(SignInRefused::NotAsked), "it is gone");
        ask("a");
        let second = ask("a");
        assert_eq!(pending.take("a", at(SECONDS), sign_in), Ok((Purpose::SignIn, second)));
        ask("a");
        assert_eq!(pending.take("a", at(SECONDS + 1), sign_in), Err(SignInRefused::NotAsked));
    }

    #[test]
    fn a_crowd_is_refused_until_some_have_given_up() {
        let pending = Pending::default();
        let at = |s: i64| Timestamp::from_second(1_000_000 + s).unwrap();
        for n in 0..MOST {
            pending.ask(&n.to_string(), Purpose::SignIn, at(0)).unwrap();
        }
        assert!(pending.ask("one more", Purpose::SignIn, at(1)).is_err());
        assert!(pending.ask("7", Purpose::SignIn, at(1)).is_ok(), "again");
        assert!(pending.ask("one more", Purpose::SignIn, at(SECONDS + 1)).is_ok());
    }
}
