//! How an application is reviewed: at a meeting, on paper, or expedited; which of them is open to it, and the day clock.
//!
//! The track changes when and how the members look at an application, never who must agree: composition, quorum and
//! majority are those of [`crate::committee`] on every track.
//!
//! # Law
//! `committee`

use jiff::Span;
use kiban_kernel::{Date, Product, RuleError, Rules};

/// How the committee reviews.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// At a meeting.
    Meeting,
    /// On paper: the documents go round.
    Paper,
    /// On paper at once, with a short clock; low risk and small amendments alone.
    Expedited,
}

impl Track {
    /// All.
    pub const ALL: [Self; 3] = [Self::Meeting, Self::Paper, Self::Expedited];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Meeting => "meeting",
            Self::Paper => "paper",
            Self::Expedited => "expedited",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Meeting => "会議審査",
            Self::Paper => "書面審査",
            Self::Expedited => "迅速審査",
        }
    }
    fn rule(self) -> &'static str {
        match self {
            Self::Meeting => "review.meeting_days",
            Self::Paper => "review.paper_days",
            Self::Expedited => "review.expedited_days",
        }
    }
}

/// What decides which tracks are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// For which product.
    pub product: Product,
    /// Others use it jointly.
    pub joint_use: bool,
    /// Others handle it for the user.
    pub entrusted: bool,
    /// Changes to what was approved before; none for a first application.
    pub amendment: Option<Amended>,
}

/// How far an amendment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amended {
    /// Items that were added.
    pub items_added: u64,
    /// Something else than items, periods, handlers, place, publication and funding changed.
    pub heavy: bool,
}

/// Why an application is not expedited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotExpedited {
    /// A first application for pseudonymized data.
    #[error("a first application for pseudonymized data is not expedited")]
    Pseudonymized,
    /// A first application with joint use.
    #[error("a first application with joint use is not expedited")]
    JointUse,
    /// A first application with trustees.
    #[error("a first application with trustees is not expedited")]
    Entrusted,
    /// An amendment that adds too many items.
    #[error("an amendment that adds {0} items is not expedited")]
    Items(u64),
    /// An amendment of purpose, method, population, parties or safeguards.
    #[error("an amendment of the substance is not expedited")]
    Substance,
}

impl NotExpedited {
    /// Sentence for the user.
    pub fn ja(self) -> String {
        match self {
            Self::Pseudonymized => "仮名加工医療情報の最初の申請は、迅速審査にできません。".into(),
            Self::JointUse => "共同利用のある最初の申請は、迅速審査にできません。".into(),
            Self::Entrusted => "取扱いを委託する最初の申請は、迅速審査にできません。".into(),
            Self::Items(n) => format!("項目を{n}個追加する変更は、迅速審査にできません。"),
            Self::Substance => {
                "目的、方法、対象集団、関係者、安全管理などの変更は、迅速審査にできません。".into()
            }
        }
    }
}

/// May the application be reviewed on the expedited track?
///
/// # Guarantee
/// `govern.expedited-low-risk`: what adds persons, parties or purposes to what the committee saw is never expedited.
/// # Errors
/// Everything that stands against it; or no rule is in force.
pub fn expedited(
    facts: &Facts,
    rules: &Rules,
    on: Date,
) -> Result<Result<(), Vec<NotExpedited>>, RuleError> {
    let mut against = Vec::new();
    if let Some(amended) = facts.amendment {
        let most = rules.int("review.expedited_items_added", on)?;
        if i64::try_from(amended.items_added).unwrap_or(i64::MAX) > most {
            against.push(NotExpedited::Items(amended.items_added));
        }
        if amended.heavy {
            against.push(NotExpedited::Substance);
        }
    } else {
        if facts.product == Product::Pseudonymized {
            against.push(NotExpedited::Pseudonymized);
        }
        if facts.joint_use {
            against.push(NotExpedited::JointUse);
        }
        if facts.entrusted {
            against.push(NotExpedited::Entrusted);
        }
    }
    Ok(if against.is_empty() { Ok(()) } else { Err(against) })
}

/// Where a review stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Days since it began: 0 on the day itself.
    pub day: i64,
    /// Last day.
    pub due: Date,
    /// The last day has passed.
    pub overdue: bool,
}

/// The clock of a track that began on a day.
///
/// # Errors
/// No rule is in force.
pub fn clock(track: Track, begun: Date, today: Date, rules: &Rules) -> Result<Clock, RuleError> {
    let days = rules.int(track.rule(), begun)?;
    let due = begun.saturating_add(Span::new().try_days(days).unwrap_or_default());
    let day = begun.until(today).map(|span| i64::from(span.get_days())).unwrap_or_default();
    Ok(Clock { day, due, overdue: today > due })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn judged(facts: Facts) -> Vec<NotExpedited> {
        let rules = Rules::built_in().unwrap();
        expedited(&facts, &rules, day("2026-04-01")).unwrap().err().unwrap_or_default()
    }

    const FIRST: Facts =
        Facts { product: Product::Anonymized, joint_use: false, entrusted: false, amendment: None };

    #[test]
    fn low_risk_and_small_amendments_are_expedited_and_nothing_else() {
        assert!(judged(FIRST).is_empty());
        let pseudo = Facts { product: Product::Pseudonymized, ..FIRST };
        assert_eq!(judged(pseudo), [NotExpedited::Pseudonymized]);
        let joint = Facts { joint_use: true, entrusted: true, ..FIRST };
        assert_eq!(judged(joint), [NotExpedited::JointUse, NotExpedited::Entrusted]);
        let small = Some(Amended { items_added: 1, heavy: false });
        assert!(judged(Facts { amendment: small, ..pseudo }).is_empty());
        let big = Some(Amended { items_added: 2, heavy: true });
        let against = [NotExpedited::Items(2), NotExpedited::Substance];
        assert_eq!(judged(Facts { amendment: big, ..FIRST }), against);
    }

    #[test]
    fn the_clock_runs_from_day_0_to_the_last_day() {
        let rules = Rules::built_in().unwrap();
        let begun = day("2026-03-30");
        let at = |today| clock(Track::Expedited, begun, day(today), &rules).unwrap();
        let due = day("2026-04-03");
        assert_eq!(at("2026-03-30"), Clock { day: 0, due, overdue: false });
        assert_eq!(at("2026-04-03"), Clock { day: 4, due, overdue: false });
        assert_eq!(at("2026-04-04"), Clock { day: 5, due, overdue: true });
        let meeting = clock(Track::Meeting, begun, begun, &rules).unwrap();
        assert_eq!(meeting.due, day("2026-04-29"));
    }
}
