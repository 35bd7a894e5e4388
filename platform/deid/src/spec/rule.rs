//! The rules a specification may name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of a column. A rule without parameters is a word (`"drop"`), one with parameters a table with
/// one key (`{ band = { width = 5 } }`).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Not in the output.
    Drop,
    /// Not in the output until a later tool can clear it (free text).
    Withhold,
    /// Unchanged.
    Keep,
    /// Replaced by a keyed code, stable inside the product's domain, unrelated across domains.
    Pseudonym,
    /// A date cut to year, month, half-decade or decade.
    TruncateDate(TruncateDate),
    /// A date moved by the person's own number of days: intervals stay.
    ShiftDate(ShiftDate),
    /// A number as its half-open band: `[50,55)` prints `50~55`.
    Band(Band),
    /// A number at or over a threshold as `201以上`.
    TopCode(TopCode),
    /// A number at or under a threshold as `50以下`.
    BottomCode(BottomCode),
    /// Both ends.
    Bounds(Bounds),
    /// Both ends, found so that at least so many persons stand beyond each, per group of the named columns.
    Extremes(Extremes),
    /// A value that few persons hold, or that is rare in the population, as the residual.
    RareToResidual(RareToResidual),
    /// A code cut to its first characters (ICD-10: 3).
    CodeToParent(CodeToParent),
    /// An address or postal code as prefecture or municipality.
    Region(Region),
    /// Only the listed values; any other becomes the residual.
    Category(Category),
    /// One of these rules, from fine to coarse: the search chooses (see [`super::Search`]). `drop` may stand last.
    Levels(Vec<Rule>),
}

impl Rule {
    /// Name as in a specification.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Withhold => "withhold",
            Self::Keep => "keep",
            Self::Pseudonym => "pseudonym",
            Self::TruncateDate(_) => "truncate_date",
            Self::ShiftDate(_) => "shift_date",
            Self::Band(_) => "band",
            Self::TopCode(_) => "top_code",
            Self::BottomCode(_) => "bottom_code",
            Self::Bounds(_) => "bounds",
            Self::Extremes(_) => "extremes",
            Self::RareToResidual(_) => "rare_to_residual",
            Self::CodeToParent(_) => "code_to_parent",
            Self::Region(_) => "region",
            Self::Category(_) => "category",
            Self::Levels(_) => "levels",
        }
    }
    /// As a specification writes it, in the notation of JSON.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| self.name().to_owned())
    }
    /// The rules that may make the column: those to choose from, or the rule itself.
    pub fn candidates(&self) -> &[Rule] {
        match self {
            Self::Levels(levels) => levels,
            other => std::slice::from_ref(other),
        }
    }
    /// Does the column leave no trace in the output?
    pub fn removes(&self) -> bool {
        matches!(self, Self::Drop | Self::Withhold)
    }
    /// Does the rule make values coarser, so that persons share them?
    pub fn generalises(&self) -> bool {
        self.candidates()
            .iter()
            .all(|r| !matches!(r, Self::Keep | Self::Pseudonym | Self::ShiftDate(_)))
    }
    /// Is the outcome a number, or a range of numbers in words?
    pub fn is_numeric(&self) -> bool {
        matches!(
            self,
            Self::Band(_)
                | Self::TopCode(_)
                | Self::BottomCode(_)
                | Self::Bounds(_)
                | Self::Extremes(_)
        )
    }
}

/// Precision of a truncated date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateUnit {
    /// `2003/7`
    Month,
    /// `2003`
    Year,
    /// `2000~2005`
    HalfDecade,
    /// `2000~2010`
    Decade,
}

impl DateUnit {
    /// As the engine's function names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
            Self::HalfDecade => "half_decade",
            Self::Decade => "decade",
        }
    }
}

/// See [`Rule::TruncateDate`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TruncateDate {
    /// Precision.
    pub to: DateUnit,
    /// Years up to this one print as `1930以前`, so that the very old share a value.
    #[serde(default)]
    pub earliest: Option<i16>,
}

/// See [`Rule::ShiftDate`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftDate {
    /// The offset lies in `-max_days..=max_days` and is never 0. One offset per person and dataset: all shifted
    /// columns must name the same number.
    pub max_days: u16,
    /// Keep the time of day of a date with a time; without this line it is dropped.
    #[serde(default)]
    pub keep_time: bool,
}

/// See [`Rule::Band`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Width of a band; bands start at multiples of it.
    pub width: f64,
    /// Under this: `30未満`.
    #[serde(default)]
    pub low: Option<f64>,
    /// At or over this: `150以上`.
    #[serde(default)]
    pub high: Option<f64>,
}

/// See [`Rule::TopCode`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopCode {
    /// Threshold, inclusive.
    pub at: f64,
    /// Why the other end needs no bound; needed for a sensitive value of the anonymized product.
    #[serde(default)]
    pub other_end: Option<String>,
}

/// See [`Rule::BottomCode`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BottomCode {
    /// Threshold, inclusive.
    pub at: f64,
    /// Why the other end needs no bound; needed for a sensitive value of the anonymized product.
    #[serde(default)]
    pub other_end: Option<String>,
}

/// See [`Rule::Bounds`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// At or under this: `50以下`.
    pub low: f64,
    /// At or over this: `201以上`.
    pub high: f64,
}

/// See [`Rule::Extremes`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extremes {
    /// At least so many persons stand at or beyond each bound; a group with fewer than twice as many is emptied.
    pub persons: u32,
    /// Columns whose combination is one group (code and unit of a laboratory test).
    #[serde(default)]
    pub by: Vec<String>,
}

/// See [`Rule::RareToResidual`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RareToResidual {
    /// A value held by fewer persons becomes the residual; 1 counts nobody out (the list alone decides).
    pub min_persons: u32,
    /// Lists of what is rare in the population, whatever the data count.
    #[serde(default)]
    pub lists: Vec<String>,
    /// The residual's label.
    #[serde(default = "default_residual")]
    pub residual: String,
    /// First cut the code to so many characters.
    #[serde(default)]
    pub parent: Option<u8>,
}

/// See [`Rule::CodeToParent`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeToParent {
    /// Characters that stay; a dot is not counted and a dot at the end is cut.
    pub characters: u8,
}

/// How fine a region may be.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RegionLevel {
    /// One of 47.
    Prefecture,
    /// City, ward, town, village, with its prefecture.
    Municipality,
}

impl RegionLevel {
    /// Name as in a specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prefecture => "prefecture",
            Self::Municipality => "municipality",
        }
    }
    /// The level a dated rule names.
    pub fn named(text: &str) -> Option<Self> {
        [Self::Prefecture, Self::Municipality].into_iter().find(|l| l.as_str() == text)
    }
}

/// See [`Rule::Region`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// How fine.
    pub to: RegionLevel,
}

/// See [`Rule::Category`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Values that stay as they are.
    pub values: Vec<String>,
    /// What any other value becomes.
    #[serde(default = "default_residual")]
    pub residual: String,
}

fn default_residual() -> String {
    RESIDUAL.to_owned()
}

/// The usual label of a residual.
pub const RESIDUAL: &str = "その他";
