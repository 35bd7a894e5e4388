//! A simulated country: people with households, illnesses and deaths, the files in which a hospital,
//! another hospital and a municipality know them, and the truth about who is who.
//!
//! Enters: [`Params`] (a seed, a number of residents, a calendar) and two hospitals' records made by
//! other people's generators, which the crate carries. Leaves: a folder with `holders/<id>/source/...`
//! in the holders' real formats, their lists of notices and stops, and `truth/*.csv`. Refuses:
//! parameters out of range, a folder that already holds a country, archives that leave their folder.
//!
//! All people are made up; house numbers (99丁目) and telephone numbers do not exist.
//!
//! # Guarantee
//! - The same parameters give the same bytes.
//! - No two people share kanji or kana name, birth date and sex, unless planted and recorded in
//!   `truth/planted.csv`.
//! - Every record's fate in each product follows from its notices, stops and death, and stands in
//!   `truth/regimes.csv`.
//! - Two records of one person share an exact key where `truth/pairs.csv` says so, and nowhere else.

mod chance;
mod country;
mod day;
mod details;
mod error;
mod file;
pub mod fixtures;
mod health;
mod hospital;
mod kana;
mod municipality;
mod params;
mod people;
pub mod persons;
pub mod predecessor;
mod progress;
mod specialist;
mod standing;
mod table;
mod truth;
mod write;

pub use country::{Country, Holder, Pair, Situation};
pub use error::{ArchiveRefusal, CountryError};
pub use health::CHECKUP_ITEMS;
pub use municipality::MunicipalRows;
pub use params::{Calendar, Fixtures, MAX_PERSONS, MIN_PERSONS, Params, Shares, Specialist};
pub use progress::{NoProgress, Progress, Stage};
pub use standing::{Group, Regime, StopPhase};
pub use write::Written;
