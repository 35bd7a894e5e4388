//! Idempotency keys: a program that is not sure whether its act arrived sends it again under the same key and gets the
//! first answer; another act under the same key is refused.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::StatusCode;
use kiban_kernel::{Digest, Timestamp};

use crate::fault::Fault;

/// Seconds for which a key is remembered.
const KEPT: i64 = 24 * 60 * 60;
/// Most keys remembered.
const MOST: usize = 10_000;

struct Kept {
    act: Digest,
    at: Timestamp,
    /// None while the act is under way.
    answer: Option<(StatusCode, String)>,
}

/// The keys of the process.
#[derive(Default)]
pub(crate) struct Once(Mutex<HashMap<Digest, Kept>>);

/// What is to be done with a request under a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is the first: do it, and say how it went under this name.
    Do(Digest),
    /// It was done: this is the answer.
    Done(StatusCode, String),
}

impl Once {
    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begin, or get the first answer.
    ///
    /// # Errors
    /// The key is malformed, stands for another act, or its act is under way.
    pub(crate) fn begin(
        &self,
        visitor: &str,
        key: &str,
        act: &[u8],
        now: Timestamp,
    ) -> Result<Turn, Fault> {
        let fits = (1..=100).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            return Err(Fault::malformed("Idempotency-Key は100字以内の英数字・記号です。"));
        }
        let name = Digest::of(format!("{visitor}\n{key}").as_bytes());
        let act = Digest::of(act);
        let mut kept = self.kept();
        kept.retain(|_, k| now.duration_since(k.at).as_secs() < KEPT);
        match kept.get(&name) {
            Some(k) if k.act != act => {
                Err(Fault::refused("この Idempotency-Key は別の操作に使われています。"))
            }
            Some(Kept { answer: Some((status, body)), .. }) => {
                Ok(Turn::Done(*status, body.clone()))
            }
            Some(_) => Err(Fault::refused("同じ Idempotency-Key の操作が処理中です。")),
            None if kept.len() >= MOST => Err(Fault::too_often(60)),
            None => {
                kept.insert(name, Kept { act, at: now, answer: None });
                Ok(Turn::Do(name))
            }
        }
    }

    /// How it went. An act that was not done is forgotten, so that it can be tried again.
    pub(crate) fn end(&self, name: Digest, status: StatusCode, body: &str) {
        let mut kept = self.kept();
        if !status.is_success() {
            kept.remove(&name);
        } else if let Some(k) = kept.get_mut(&name) {
            k.answer = Some((status, body.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_act_is_answered_once_and_another_under_its_key_is_refused() {
        let once = Once::default();
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let Ok(Turn::Do(name)) = once.begin("v", "k", b"act", at(0)) else { panic!("first") };
        assert!(once.begin("v", "k", b"act", at(1)).is_err(), "under way");
        once.end(name, StatusCode::OK, "{}");
        let done = Turn::Done(StatusCode::OK, "{}".to_owned());
        assert_eq!(once.begin("v", "k", b"act", at(2)), Ok(done));
        assert!(once.begin("v", "k", b"other", at(3)).is_err());
        assert!(matches!(once.begin("w", "k", b"other", at(3)), Ok(Turn::Do(_))));
        assert!(matches!(once.begin("v", "k", b"other", at(KEPT)), Ok(Turn::Do(_))), "forgotten");
        let Ok(Turn::Do(name)) = once.begin("v", "f", b"act", at(0)) else { panic!("first") };
        once.end(name, StatusCode::INTERNAL_SERVER_ERROR, "");
        assert!(matches!(once.begin("v", "f", b"act", at(1)), Ok(Turn::Do(_))), "tried again");
        assert!(
            once.begin("v", "", b"", at(0)).is_err() && once.begin("v", "あ", b"", at(0)).is_err()
        );
    }
}
