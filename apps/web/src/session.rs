//! Sessions: a random token in a cookie, what it stands for here. A visitor who is not signed in has a token too, so
//! that forms can be tied to it; the token is another one after every sign-in and sign-out.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use kiban_kernel::{Digest, Entropy, EntropyError, Id, Timestamp, kinds};
use sha2::Sha256;

/// Seconds without a request after which a session is over.
const IDLE: i64 = 30 * 60;
/// Seconds after which a session is over in any case.
const LONGEST: i64 = 10 * 60 * 60;

/// Seconds for which it is enough to have shown who sits there.
const CONFIRMED: i64 = 5 * 60;

/// A visitor's token; never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes)?;
        Ok(Self(hex::encode(bytes)))
    }

    /// From a cookie; anything but 64 hexadecimal digits is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a session stands for.
#[derive(Debug, Clone)]
struct Entry {
    account: Id<kinds::Account>,
    begun: Timestamp,
    last: Timestamp,
    /// When it was last shown who sits there.
    confirmed: Timestamp,
    /// What the next page shows once.
    /// The user's organization was certified at the last request.
    certified: bool,
    said: Option<String>,
}

/// All sessions of the process; they end with it.
pub(crate) struct Sessions {
    key: Hmac<Sha256>,
    entries: Mutex<HashMap<Digest, Entry>>,
}

impl Sessions {
    pub(crate) fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut key = [0; 32];
        entropy.fill(&mut key)?;
        // Safety of unwrap: HMAC takes a key of any length.
        let key = Hmac::new_from_slice(&key).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        Ok(Self { key, entries: Mutex::default() })
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token that forms of this visitor carry.
    pub(crate) fn form_token(&self, token: &Token) -> String {
        let mut mac = self.key.clone();
        mac.update(token.as_str().as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// Is it the token of this visitor's forms? Compared in constant time.
    pub(crate) fn is_form_token(&self, token: &Token, given: &str) -> bool {
        let Ok(given) = hex::decode(given) else { return false };
        let mut mac = self.key.clone();
        mac.update(token.as_str().as_bytes());
        mac.verify_slice(&given).is_ok()
    }

    /// Who is signed in under a token.
    pub(crate) fn account(&self, token: &Token, now: Timestamp) -> Option<Id<kinds::Account>> {
        let mut entries = self.entries();
        let name = name(token);
        let entry = entries.get_mut(&name)?;
        let over = seconds(entry.last, now) > IDLE || seconds(entry.begun, now) > LONGEST;
        if over {
            entries.remove(&name);
            return None;
        }
        entry.last = now;
        Some(entry.account)
    }

    /// Sign in: always under a new token, and the old one stands for nothing any more.
    pub(crate) fn begin(
        &self,
        old: Option<&Token>,
        account: Id<kinds::Account>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Token, EntropyError> {
        let token = Token::new(entropy)?;
        let mut entries = self.entries();
        if let Some(old) = old {
            entries.remove(&name(old));
        }
        entries.retain(|_, e| seconds(e.last, now) <= IDLE && seconds(e.begun, now) <= LONGEST);
        entries.insert(
            name(&token),
            Entry { account, begun: now, last: now, confirmed: now, certified: false, said: None },
        );
        Ok(token)
    }

    /// It was shown again who sits there.
    pub(crate) fn confirm(&self, token: &Token, now: Timestamp) {
        if let Some(entry) = self.entries().get_mut(&name(token)) {
            entry.confirmed = now;
        }
    }

    /// Was it shown within the last minutes?
    pub(crate) fn is_confirmed(&self, token: &Token, now: Timestamp) -> bool {
        let entries = self.entries();
        let entry = entries.get(&name(token));
        entry.is_some_and(|e| (0..=CONFIRMED).contains(&seconds(e.confirmed, now)))
    }

    /// Does a session go on, now that its user is certified or not? One that began while the user was certified ends when
    /// the certification does.
    pub(crate) fn is_still(&self, token: &Token, certified: bool) -> bool {
        let mut entries = self.entries();
        let name = name(token);
        let Some(entry) = entries.get_mut(&name) else { return false };
        if entry.certified && !certified {
            entries.remove(&name);
            return false;
        }
        entry.certified = certified;
        true
    }

    /// End all sessions of an account.
    pub(crate) fn end_of(&self, account: Id<kinds::Account>) {
        self.entries().retain(|_, e| e.account != account);
    }

    /// Sign out.
    pub(crate) fn end(&self, token: &Token) {
        self.entries().remove(&name(token));
    }

    /// Remember a sentence for the next page.
    pub(crate) fn say(&self, token: &Token, what: &str) {
        if let Some(entry) = self.entries().get_mut(&name(token)) {
            entry.said = Some(what.to_owned());
        }
    }

    /// The sentence for this page.
    pub(crate) fn said(&self, token: &Token) -> Option<String> {
        self.entries().get_mut(&name(token))?.said.take()
    }
}

/// What is kept of a token: whoever reads the memory of the map cannot sign in with it.
fn name(token: &Token) -> Digest {
    Digest::of(token.as_str().as_bytes())
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiban_kernel::OsEntropy;

    #[test]
    fn a_session_has_a_new_token_ends_and_its_forms_are_its_own() {
        let sessions = Sessions::new(&OsEntropy).unwrap();
        let at = |s: i64| Timestamp::from_second(10_000 + s).unwrap();
        let account = Id::from_bytes([7; 16]);
        let planted = Token::new(&OsEntropy).unwrap();
        let token = sessions.begin(Some(&planted), account, at(0), &OsEntropy).unwrap();
        assert!(token != planted && sessions.account(&planted, at(0)).is_none());
        assert_eq!(sessions.account(&token, at(60)), Some(account));
        assert!(sessions.is_form_token(&token, &sessions.form_token(&token)));
        assert!(!sessions.is_form_token(&planted, &sessions.form_token(&token)));
        assert!(!sessions.is_form_token(&token, "zz"));
        sessions.say(&token, "済み");
        assert_eq!(sessions.said(&token).as_deref(), Some("済み"));
        assert_eq!(sessions.said(&token), None);
        assert!(sessions.is_confirmed(&token, at(CONFIRMED)));
        assert!(!sessions.is_confirmed(&token, at(CONFIRMED + 1)));
        sessions.confirm(&token, at(CONFIRMED + 1));
        assert!(sessions.is_confirmed(&token, at(CONFIRMED + 2)));
        assert!(!sessions.is_confirmed(&planted, at(0)));
        // Idle for too long.
        assert_eq!(sessions.account(&token, at(60 + IDLE + 1)), None);
        // Used all the time, and still over after the longest time.
        let token = sessions.begin(None, account, at(0), &OsEntropy).unwrap();
        let mut now = 0;
        while now <= LONGEST {
            assert!(sessions.account(&token, at(now)).is_some());
            now += IDLE;
        }
        assert!(sessions.account(&token, at(LONGEST + 1)).is_none());
        assert!(Token::parse("x").is_none() && Token::parse(token.as_str()).is_some());
    }
}
