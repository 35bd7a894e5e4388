//! What every other crate of the platform stands on: ids, dates, clock, chance, law keys, dated rules.
//!
//! Enters: text. Leaves: typed values. Refuses: everything that does not parse, without quoting it.
//! No I/O and no async; the only exceptions are [`SystemClock`] and [`OsEntropy`], the two doors to
//! the machine's clock and random numbers.

mod class;
mod date;
mod digest;
mod entropy;
mod id;
mod law;
mod regime;
mod rules;
mod steps;
mod time;

pub use class::{ColumnClass, Product};
pub use date::{DateError, Era, Moment, PartialDate, parse_date, parse_moment, parse_partial};
pub use digest::Digest;
pub use entropy::{Entropy, EntropyError, OsEntropy};
pub use id::{Id, IdError, Kind, kinds};
pub use jiff::Timestamp;
pub use jiff::civil::Date;
pub use law::{LawEntry, LawKey, UnknownLaw, law_entries};
pub use regime::{Bases, Regime, UnknownRegime};
pub use rules::{Confidence, Rule, RuleError, RuleValue, Rules};
pub use steps::{NoSteps, Steps};
pub use time::{Clock, FixedClock, ScriptedClock, SystemClock, jst_date, jst_midnight};
