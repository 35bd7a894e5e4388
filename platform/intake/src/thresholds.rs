//! Thresholds of the quality grid: how many defects of a kind somebody answers for, and what the grid comes to under them.
//!
//! Cells are counted once, when a delivery is received; they are judged whenever somebody looks. A new threshold changes
//! the verdict and nothing else. Thresholds are never overwritten: the newest for a scope holds, the others are history.

use kiban_kernel::{Id, Timestamp, kinds};

use crate::quality::{Aspect, Context, GridCell};

/// Which cells a threshold is about: a holder or all, a table or all, a check or all, always one aspect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// One holder; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Id<kinds::Organization>>,
    /// A canonical table; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// A column or the rule of a plausibility check; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The question.
    pub aspect: Aspect,
    /// What the cells are held against.
    #[serde(default, skip_serializing_if = "Context::is_verification")]
    pub context: Context,
}

impl Scope {
    /// Is a cell of a holder's delivery in it?
    fn holds(&self, holder: Id<kinds::Organization>, cell: &GridCell) -> bool {
        self.holder.is_none_or(|h| h == holder)
            && self.table.as_ref().is_none_or(|t| *t == cell.table)
            && self.check.as_ref().is_none_or(|c| *c == cell.check)
            && self.aspect == cell.aspect
            && self.context == cell.context
    }

    /// The narrower scope wins: check before table before holder.
    fn narrow(&self) -> (bool, bool, bool) {
        (self.check.is_some(), self.table.is_some(), self.holder.is_some())
    }
}

/// How much may fail. Both hold where both are given.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Highest share of the checked, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Most in number: a hundred bad rows are a hundred, however many rows there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl Limit {
    /// Does it say anything, and can it be kept?
    pub fn is_sound(&self) -> bool {
        (self.share.is_some() || self.count.is_some())
            && self.share.is_none_or(|s| (0.0..=1.0).contains(&s))
    }

    /// The limit in words.
    pub fn ja(&self) -> String {
        let share = self.share.map(|s| format!("{} % 以下", s * 100.0));
        let count = self.count.map(|n| format!("{n} 件以下"));
        [share, count].into_iter().flatten().collect::<Vec<_>>().join("かつ")
    }

    fn is_kept(&self, cell: &GridCell) -> bool {
        // A share of whole numbers, without rounding: failed <= share x checked.
        self.share.is_none_or(|s| cell.failed as f64 <= s * cell.checked as f64)
            && self.count.is_none_or(|n| cell.failed <= n)
    }
}

/// A threshold that somebody answers for.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// What it is about.
    pub scope: Scope,
    /// The limit; none: from here on these cells are not judged by this scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Who answers for it.
    pub owner: String,
    /// Why this much.
    pub reason: String,
    /// Who set it.
    pub set_by: Id<kinds::Account>,
    /// When.
    pub set_at: Timestamp,
}

/// Why a threshold cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// No limit, or a share that is none.
    #[error("a threshold needs a share from 0 to 1, a count, or both")]
    Limit,
    /// A table or check whose name none can have.
    #[error("a table or check is named as the report names it")]
    Scope,
    /// Nobody answers for it, or it has no reason.
    #[error("a threshold needs an owner and a reason")]
    Owner,
}

impl ThresholdError {
    /// The sentence shown to staff.
    pub fn ja(self) -> String {
        match self {
            Self::Limit => "閾値には、割合（0から1まで）か件数、またはその両方を指定してください。",
            Self::Scope => "表と検査は、検収報告にある名（英数字）で指定してください。",
            Self::Owner => "閾値には、責任者と理由を書いてください。",
        }
        .to_owned()
    }
}

impl Threshold {
    /// May it be set?
    ///
    /// # Errors
    /// It has no sound limit, no owner or no reason, or names what no report does.
    pub fn check(&self) -> Result<(), ThresholdError> {
        if self.limit.is_some_and(|l| !l.is_sound()) {
            return Err(ThresholdError::Limit);
        }
        let named = |name: &String| {
            (1..=100).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
        };
        let names = self.scope.table.iter().chain(&self.scope.check);
        if !names.into_iter().all(named) {
            return Err(ThresholdError::Scope);
        }
        if self.owner.trim().is_empty() || self.reason.trim().is_empty() {
            return Err(ThresholdError::Owner);
        }
        Ok(())
    }
}

/// What a cell comes to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was there to check: neither good nor bad.
    NotApplicable,
    /// No threshold is about it.
    NotJudged,
    /// The limit is kept.
    Kept,
    /// It is not.
    Exceeded,
}

impl Verdict {
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::NotApplicable => "対象なし",
            Self::NotJudged => "閾値なし",
            Self::Kept => "適合",
            Self::Exceeded => "超過",
        }
    }
}

/// A cell with its verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged<'a> {
    /// The counts.
    pub cell: &'a GridCell,
    /// What they come to.
    pub verdict: Verdict,
    /// The threshold that decided.
    pub by: Option<&'a Threshold>,
}

/// Judges the cells of a holder's delivery under the thresholds on record, in the order given. Of those about a cell the
/// narrowest scope decides (a check before a table before a holder), and of one scope the newest.
pub fn judge<'a>(
    holder: Id<kinds::Organization>,
    grid: &'a [GridCell],
    thresholds: &'a [Threshold],
) -> Vec<Judged<'a>> {
    let one = |cell: &'a GridCell| {
        let by = thresholds
            .iter()
            .filter(|t| t.scope.holds(holder, cell))
            .max_by_key(|t| (t.scope.narrow(), t.set_at));
        let verdict = match by.and_then(|t| t.limit) {
            _ if cell.checked == 0 => Verdict::NotApplicable,
            None => Verdict::NotJudged,
            Some(limit) if limit.is_kept(cell) => Verdict::Kept,
            Some(_) => Verdict::Exceeded,
        };
        Judged { cell, verdict, by }
    };
    grid.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(table: &str, check: &str, checked: u64, failed: u64) -> GridCell {
        GridCell {
            table: table.into(),
            check: check.into(),
            aspect: Aspect::Plausibility,
            context: Context::Verification,
            checked,
            failed,
        }
    }

    fn threshold(scope: [Option<&str>; 2], holder: bool, limit: Limit, second: i64) -> Threshold {
        Threshold {
            scope: Scope {
                holder: holder.then(|| Id::from_bytes([7; 16])),
                table: scope[0].map(str::to_owned),
                check: scope[1].map(str::to_owned),
                aspect: Aspect::Plausibility,
                context: Context::Verification,
            },
            limit: Some(limit),
            owner: "品質管理責任者".into(),
            reason: "過去1年の実績".into(),
            set_by: Id::from_bytes([1; 16]),
            set_at: Timestamp::from_second(second).unwrap(),
        }
    }

    fn share(share: f64) -> Limit {
        Limit { share: Some(share), count: None }
    }

    fn verdicts(grid: &[GridCell], thresholds: &[Threshold]) -> Vec<Verdict> {
        judge(Id::from_bytes([7; 16]), grid, thresholds).iter().map(|j| j.verdict).collect()
    }

    #[test]
    fn nothing_checked_is_not_a_pass_and_no_threshold_is_no_verdict() {
        let grid = [cell("encounter", "a", 0, 0), cell("encounter", "b", 10, 0)];
        assert_eq!(verdicts(&grid, &[]), [Verdict::NotApplicable, Verdict::NotJudged]);
        let all = [threshold([None, None], false, share(0.0), 0)];
        assert_eq!(verdicts(&grid, &all), [Verdict::NotApplicable, Verdict::Kept]);
    }

    #[test]
    fn the_narrowest_scope_decides_and_of_one_scope_the_newest() {
        let grid = [cell("encounter", "a", 1_000, 37)];
        let mut on_record = vec![threshold([None, None], false, share(0.01), 9)];
        assert_eq!(verdicts(&grid, &on_record), [Verdict::Exceeded]);
        on_record.push(threshold([None, None], true, share(0.05), 1));
        assert_eq!(verdicts(&grid, &on_record), [Verdict::Kept], "the holder's own");
        on_record.push(threshold([Some("encounter"), None], false, share(0.01), 2));
        assert_eq!(verdicts(&grid, &on_record), [Verdict::Exceeded], "the table's");
        on_record.push(threshold([None, Some("a")], false, share(0.037), 3));
        assert_eq!(verdicts(&grid, &on_record), [Verdict::Kept], "the check's: 37 of 1,000");
        on_record.push(threshold([None, Some("a")], false, share(0.036), 4));
        assert_eq!(verdicts(&grid, &on_record), [Verdict::Exceeded], "the newer one");
        // Withdrawn: nothing wider takes its place, the scope is no longer judged.
        let mut gone = threshold([None, Some("a")], false, share(0.0), 5);
        gone.limit = None;
        on_record.push(gone);
        assert_eq!(verdicts(&grid, &on_record), [Verdict::NotJudged]);
    }

    #[test]
    fn a_count_holds_however_small_the_share() {
        let grid = [cell("encounter", "a", 10_000_000, 100)];
        let limit = Limit { share: Some(0.001), count: Some(99) };
        assert_eq!(
            verdicts(&grid, &[threshold([None, None], false, limit, 0)]),
            [Verdict::Exceeded]
        );
    }

    #[test]
    fn a_threshold_has_a_limit_an_owner_and_a_reason() {
        let good = threshold([None, None], false, share(0.5), 0);
        assert_eq!(good.check(), Ok(()));
        for limit in [Limit { share: None, count: None }, share(1.5), share(f64::NAN)] {
            let bad = Threshold { limit: Some(limit), ..good.clone() };
            assert_eq!(bad.check(), Err(ThresholdError::Limit));
        }
        let mut bad = good.clone();
        bad.scope.table = Some("受診".into());
        assert_eq!(bad.check(), Err(ThresholdError::Scope));
        let bad = Threshold { reason: " ".into(), ..good };
        assert_eq!(bad.check(), Err(ThresholdError::Owner));
    }
}
