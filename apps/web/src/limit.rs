//! Slowing down whoever tries many times: a bucket of tokens per address and kind of act.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use kiban_kernel::Timestamp;

/// How often one address may do something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Times in one go.
    pub(crate) burst: u32,
    /// Seconds for one more.
    pub(crate) seconds: u32,
}

/// Most addresses remembered; when full, those that have rested are forgotten first.
const MOST: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// The buckets.
#[derive(Debug, Default)]
pub(crate) struct Limiter(Mutex<HashMap<(IpAddr, &'static str), Bucket>>);

impl Limiter {
    /// Take one token, or say after how many seconds there is one.
    pub(crate) fn take(
        &self,
        who: IpAddr,
        what: &'static str,
        pace: Pace,
        now: Timestamp,
    ) -> Result<(), u64> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = f64::from(pace.burst);
        let rate = 1.0 / f64::from(pace.seconds.max(1));
        if buckets.len() >= MOST {
            buckets.retain(|_, b| b.tokens + passed(b.at, now) * rate < full);
            if buckets.len() >= MOST {
                return Err(u64::from(pace.seconds));
            }
        }
        let bucket = buckets.entry((who, what)).or_insert(Bucket { tokens: full, at: now });
        bucket.tokens = (bucket.tokens + passed(bucket.at, now) * rate).min(full);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            Ok(())
        } else {
            Err(((1.0 - bucket.tokens) / rate).ceil() as u64)
        }
    }
}

fn passed(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_by_one_and_others_are_not_held_up() {
        let limiter = Limiter::default();
        let (a, b) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let pace = Pace { burst: 3, seconds: 10 };
        let at = |s: i64| Timestamp::from_second(1_000 + s).unwrap();
        for _ in 0..3 {
            assert_eq!(limiter.take(a, "x", pace, at(0)), Ok(()));
        }
        assert_eq!(limiter.take(a, "x", pace, at(0)), Err(10));
        assert_eq!(limiter.take(b, "x", pace, at(0)), Ok(()));
        assert_eq!(limiter.take(a, "y", pace, at(0)), Ok(()));
        assert_eq!(limiter.take(a, "x", pace, at(10)), Ok(()));
        assert_eq!(limiter.take(a, "x", pace, at(11)), Err(9));
        // A clock that goes back gives nothing.
        assert!(limiter.take(a, "x", pace, at(0)).is_err());
    }
}
