//! Every function of ours that the engine runs, in one list.
//!
//! Enters: columns as Arrow arrays (texts of any kind, numbers, dates), parameters as literals of the plan.
//! Leaves: columns of the same length. Refuses: parameters of another type than documented; a *value* that a
//! function cannot make sense of becomes empty, never passes unchanged.
//!
//! Two kinds: [`scalar`] lists the functions that need nothing but their arguments; they are registered in every
//! session. [`keyed`], [`counted`] and `standard` make function instances for one run that hold a key, what was counted
//! from the data, or the signed mappings of codes: such material never stands in a plan as a literal, and its `Debug` shows a name only.

mod base;
mod codes;
pub mod counted;
mod dates;
pub mod keyed;
mod newest;
mod numbers;
mod region;
mod region_table;
pub(crate) mod standard;
pub(crate) mod state;
mod texts;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
pub use region_table::PREFECTURES;

pub use codes::{category, code_parent, parent};
pub use dates::{DatePad, as_day, date_padding, truncate_date};
pub use newest::newest_known;
pub use numbers::{NumberRange, as_number, band, bounds, format_number, number_of, range_of};
pub use region::{Level, municipality_of, prefecture_of, region};
pub use standard::{UNCODED, local_code, standard_value};
pub use texts::as_text;

/// Our scalar functions that need nothing but their arguments.
pub fn scalar() -> Vec<ScalarUDF> {
    [
        &*codes::CATEGORY,
        &*codes::CODE_PARENT,
        &*dates::TRUNCATE_DATE,
        &*dates::DATE_PADDING,
        &*numbers::BAND,
        &*numbers::BOUNDS,
        &*region::REGION,
        &*texts::AS_TEXT,
        &*numbers::AS_NUMBER,
        &*dates::AS_DAY,
    ]
    .into_iter()
    .map(|f| f.as_ref().clone())
    .collect()
}

/// Our aggregate functions.
pub fn aggregate() -> Vec<AggregateUDF> {
    Vec::new()
}

#[cfg(test)]
mod tests;
