//! What came of the attacks.

use super::Plan;
use crate::adversary::{Cases, Exposure};
use crate::holdings::Facts;
use crate::rate::{Gain, Rate};
use serde::Serialize;

/// What an attack is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// One person is told apart from all others.
    SinglingOut,
    /// Two data about a person are brought together.
    Linkability,
    /// A value of a person is found out.
    Inference,
    /// The record of a person of whom something is known is found.
    KnownFacts,
}

impl Criterion {
    /// Its name on pages.
    pub fn ja(self) -> &'static str {
        match self {
            Self::SinglingOut => "識別（一人の切り出し）",
            Self::Linkability => "連結",
            Self::Inference => "属性の推定",
            Self::KnownFacts => "既知の事実による特定",
        }
    }
}

/// One sort of attack against its baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// What it is after.
    pub criterion: Criterion,
    /// Which attack.
    pub name: String,
    /// The same, for a page.
    pub label_ja: String,
    /// Successes of the attack.
    pub attack: Rate,
    /// Successes of its baseline.
    pub baseline: Rate,
    /// What the baseline is, for a page.
    pub baseline_ja: String,
    /// What the attack gains over its baseline.
    pub gain: Gain,
    /// For inference: successes of always naming the commonest label.
    pub commonest: Option<Rate>,
    /// The interval of the attack reaches down to the baseline (or lies under it): nothing but chance.
    pub includes_baseline: bool,
    /// Most that may be gained.
    pub limit: f64,
    /// More is gained, and (but for known facts, which are counted and not estimated) not by chance alone.
    pub blocks: bool,
    /// Whom it hit.
    pub cases: Cases,
}

impl Trial {
    pub(super) fn of(
        (criterion, name, label_ja): (Criterion, String, String),
        (attack, baseline, baseline_ja): (Rate, Rate, &str),
        cases: Cases,
        limit: f64,
    ) -> Self {
        let gain = Gain::of(&attack, &baseline);
        let sure = criterion == Criterion::KnownFacts || gain.low > 0.0;
        Self {
            criterion,
            name,
            label_ja,
            attack,
            baseline,
            baseline_ja: baseline_ja.into(),
            gain,
            commonest: None,
            includes_baseline: attack.low <= baseline.high,
            limit,
            blocks: sure && gain.value > limit,
            cases,
        }
    }

    /// One sentence for a page.
    pub fn sentence_ja(&self) -> String {
        let percent = |x: f64| format!("{:.1}", x * 100.0);
        let rate = |r: &Rate| {
            let (rate, low, high) = (percent(r.rate), percent(r.low), percent(r.high));
            format!("{rate} %（95 % 区間 {low}～{high}）")
        };
        format!(
            "{}：{}。{}件中{}件成功、{}。基準（{}）は {}。{}",
            self.criterion.ja(),
            self.label_ja,
            self.attack.trials,
            self.attack.successes,
            rate(&self.attack),
            self.baseline_ja,
            rate(&self.baseline),
            if self.blocks {
                format!("上限 {} % を超えます。", percent(self.limit))
            } else if self.includes_baseline {
                "基準と区別できません。".into()
            } else {
                format!("基準を上回りますが、上限 {} % 以内です。", percent(self.limit))
            }
        )
    }
}

/// What came of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttackReport {
    /// Original persons.
    pub persons: u64,
    /// Released records.
    pub records: u64,
    /// Original persons with a released record.
    pub overlap: u64,
    /// Attacks of each sort that were asked for.
    pub attacks: u64,
    /// The seed.
    pub seed: u64,
    /// Most that may be gained.
    pub limit: f64,
    /// The attacks.
    pub trials: Vec<Trial>,
    /// Exposure to each adversary.
    pub exposures: Vec<Exposure>,
    /// The release must not go out.
    pub blocks: bool,
}

impl AttackReport {
    pub(super) fn of(
        facts: &Facts,
        plan: &Plan,
        trials: Vec<Trial>,
        exposures: Vec<Exposure>,
    ) -> Self {
        Self {
            persons: u64::from(facts.persons()),
            records: u64::from(facts.records()),
            overlap: facts.overlap(),
            attacks: plan.attacks as u64,
            seed: plan.seed,
            limit: plan.limit,
            blocks: trials.iter().any(|t| t.blocks),
            trials,
            exposures,
        }
    }

    /// The verdict, for a page.
    pub fn verdict_ja(&self) -> String {
        let over: Vec<&str> =
            self.trials.iter().filter(|t| t.blocks).map(|t| t.label_ja.as_str()).collect();
        if over.is_empty() {
            return format!("{}種類の攻撃はすべて上限以内でした。", self.trials.len());
        }
        format!("次の攻撃が上限を超えたため、提供できません：{}", over.join("、"))
    }
}
