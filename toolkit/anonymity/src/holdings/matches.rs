//! When an original value may have become a released label.

use crate::Hierarchy;
use std::fmt;

/// The labels an original value may have become.
pub type LabelRule = Box<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// The rule between values and labels of one attribute.
#[non_exhaustive]
pub enum Matches {
    /// The label is the value.
    Equal,
    /// The label is the value, or stands above it in the hierarchy.
    Hierarchy(Hierarchy),
    /// The caller's rule: the labels a value may have become (the same rule applied, for example).
    Labels(LabelRule),
    /// Numbers and what Kiban prints for them: `50~55` (half-open), `201以上`, `50以下`, `30未満`. What is no number
    /// must be equal.
    Numbers,
    /// Dates (as text) and what Kiban prints for them: `2003/7`, `2003`, `2000~2005` (half-open), `1930以前`. What is
    /// no date must be equal.
    TruncatedDates,
    /// Days that were moved together, per person, by at most so many days; 0: not moved. Gaps stay.
    Shifted {
        /// Most days.
        max_days: u16,
    },
}

impl fmt::Debug for Matches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "Equal",
            Self::Hierarchy(_) => "Hierarchy",
            Self::Labels(_) => "Labels",
            Self::Numbers => "Numbers",
            Self::TruncatedDates => "TruncatedDates",
            Self::Shifted { .. } => "Shifted",
        })
    }
}

/// How one attribute is compared.
#[derive(Debug)]
pub struct Compare {
    /// Name of the attribute, on both sides.
    pub attribute: String,
    /// The rule.
    pub matches: Matches,
    /// Labels that any value may have become.
    pub residuals: Vec<String>,
    /// A released person with an empty value may have had any; of dates, one without any. Say `false` where the rules
    /// take no value away: then its absence counts against the person.
    pub missing: bool,
    /// A released person without even an empty value may have had any. Say `false` where rules empty cells and leave the
    /// rows: who has no row had no value.
    pub absent: bool,
}

impl Compare {
    /// With the residuals `その他` and `*`; missing values may have been any.
    pub fn new(attribute: impl Into<String>, matches: Matches) -> Self {
        Self {
            attribute: attribute.into(),
            matches,
            residuals: vec!["その他".into(), "*".into()],
            missing: true,
            absent: true,
        }
    }

    /// A released person without a value had none.
    pub fn complete(mut self) -> Self {
        (self.missing, self.absent) = (false, false);
        self
    }
}
