//! The clock as a parameter. Instants are UTC; civil dates are Japan's (JST, +09:00, no summer time).

use std::sync::Mutex;

use jiff::{Timestamp, civil::Date, tz};

/// Who tells the time.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
    /// The present civil date in Japan.
    fn today(&self) -> Date {
        jst_date(self.now())
    }
}

/// The civil date in Japan at an instant.
pub fn jst_date(at: Timestamp) -> Date {
    tz::Offset::constant(9).to_datetime(at).date()
}

/// The beginning of a civil day in Japan; `None` outside the years that instants can name.
pub fn jst_midnight(day: Date) -> Option<Timestamp> {
    let midnight = day.to_datetime(jiff::civil::Time::midnight());
    tz::Offset::constant(9).to_timestamp(midnight).ok()
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one door to the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A clock that a script moves: each look advances it by a millisecond, so that events keep their
/// order, and [`ScriptedClock::set_date`] lets days pass.
#[derive(Debug)]
pub struct ScriptedClock(Mutex<Timestamp>);

impl ScriptedClock {
    /// A clock that starts at 09:00 JST of `date`.
    pub fn starting(date: Date) -> Self {
        Self(Mutex::new(nine_o_clock(date)))
    }
    /// Let seconds pass.
    pub fn pass(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(*now);
    }
    /// Move to 09:00 JST of `date`; a date in the clock's past leaves it where it is.
    pub fn set_date(&self, date: Date) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = (*now).max(nine_o_clock(date));
    }
}

impl Clock for ScriptedClock {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.saturating_add(jiff::SignedDuration::from_millis(1)).unwrap_or(*now);
        *now
    }
}

fn nine_o_clock(date: Date) -> Timestamp {
    tz::Offset::constant(9).to_timestamp(date.at(9, 0, 0, 0)).unwrap_or(Timestamp::UNIX_EPOCH)
}
