//! What the product's reader and the committee are told: changes per rule, risk, utility, dictionary.

use kiban_kernel::{ColumnClass, LawKey};

use crate::spec::Withheld;

/// Rows through one table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TableCount {
    /// Table.
    pub table: String,
    /// Rows before.
    pub rows_in: u64,
    /// Rows after: `rows_in` minus all removals.
    pub rows_out: u64,
    /// Persons with a row after.
    pub persons_out: u64,
    /// Rows removed, by reason.
    pub removed: Vec<Removal>,
}

/// Rows removed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Removal {
    /// Why.
    pub reason: RemovalReason,
    /// How many rows.
    pub rows: u64,
}

/// Why a row is not in the output.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RemovalReason {
    /// Not cleared for the product's regime.
    NotCleared,
    /// Not yet linked to a person.
    NotLinked,
    /// Outside the specification's window.
    OutsideWindow,
    /// Several rows about one person became one.
    MergedIntoPerson,
    /// The person's class is smaller than k.
    SmallClass,
    /// A declared adversary would have found the person.
    Found,
}

impl RemovalReason {
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::NotCleared => "この根拠で利用できない記録",
            Self::NotLinked => "名寄せ前の記録",
            Self::OutsideWindow => "対象期間外",
            Self::MergedIntoPerson => "同一人の行の統合",
            Self::SmallClass => "k 未満の組に属する人の行",
            Self::Found => "想定した攻撃者に絞り込まれる人の行",
        }
    }
}

/// What one rule did to one column.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ColumnChange {
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// Its class.
    pub class: ColumnClass,
    /// Rule.
    pub rule: String,
    /// The provision.
    pub law: LawKey,
    /// Cells with a value before, among the rows that stay.
    pub cells: u64,
    /// Cells whose text changed, emptied ones included.
    pub changed: u64,
    /// Cells that were emptied: no sense could be made of the value, or a decision dropped it.
    pub emptied: u64,
    /// Cells that became the residual.
    pub residual: u64,
    /// Numbers before and after, where the column holds numbers of enough persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utility: Option<Utility>,
}

/// Numbers before and after.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Utility {
    /// Before.
    pub before: Numbers,
    /// After; a band counts as its middle, a bound as itself.
    pub after: Numbers,
}

/// Mean and inner quantiles; no extremes, which would name somebody.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Numbers {
    /// Cells that are numbers.
    pub count: u64,
    /// Mean.
    pub mean: f64,
    /// 5, 25, 50, 75, 95 %.
    pub quantiles: [f64; 5],
}

/// All changes.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, Default)]
pub struct ChangeReport {
    /// Rows through each table.
    pub tables: Vec<TableCount>,
    /// Columns by rule.
    pub columns: Vec<ColumnChange>,
    /// Columns that do not reach the output.
    pub withheld: Vec<Withheld>,
    /// Fixed id or offset was used: an example, not a product.
    pub fixed: bool,
    /// How common the commonest codes are, before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prevalence: Vec<Prevalence>,
}

/// The commonest codes of one column: shares of the persons who hold them.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Prevalence {
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// Code, share before, share after; the commonest first, at most twenty. Codes of too few persons are left out.
    pub codes: Vec<(String, f64, f64)>,
    /// The largest difference, as a share.
    pub largest_shift: f64,
}

/// A class size and how many classes have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SizeCount {
    /// Persons in a class.
    pub size: u64,
    /// Classes of this size.
    pub classes: u64,
}

/// How the rules of searched columns were chosen.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct SearchSummary {
    /// The models that had to hold.
    pub models: Vec<String>,
    /// The columns of the model, searched or not.
    pub columns: Vec<SearchedColumn>,
    /// What was minimised, over all columns: 0 is nothing lost, 1 everything (of measures that are shares).
    pub score: f64,
    /// Persons that may be suppressed.
    pub suppression_limit: u64,
    /// Persons suppressed because a model does not hold for their class.
    pub suppressed: u64,
    /// Combinations of levels.
    pub combinations: f64,
    /// Combinations that were looked at.
    pub checked: u64,
    /// No combination has a better score.
    pub optimal: bool,
    /// Combinations met on the way: what less risk costs.
    #[serde(default)]
    pub explored: Vec<SearchPoint>,
}

/// A combination of levels that the search met.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SearchPoint {
    /// Level of each column, in the order of the summary.
    pub levels: Vec<usize>,
    /// What it loses.
    pub score: f64,
    /// Persons suppressed.
    pub suppressed: u64,
    /// Highest chance to find a person who is kept: 1 / smallest class; 0 if nobody is.
    pub prosecutor: f64,
    /// Expected share of persons found: classes / persons kept.
    pub marketer: f64,
}

/// One column of the model after the search.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SearchedColumn {
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// The level that was chosen, from 0, the finest.
    pub level: usize,
    /// Levels to choose from.
    pub levels: usize,
    /// The rule of that level, as the specification writes it.
    pub rule: String,
    /// What the column loses.
    pub score: f64,
}

/// How far one declared adversary could get.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AdversaryRisk {
    /// Name in the specification.
    pub name: String,
    /// What he or she knows, in Japanese.
    pub label_ja: String,
    /// Columns that are known but not in the product: of no use.
    pub not_released: Vec<String>,
    /// With the data as they are.
    pub before: ExposureFigures,
    /// With the product.
    pub after: ExposureFigures,
    /// Limits of the specification that the product does not keep.
    pub exceeded: Vec<String>,
    /// Cells emptied because this adversary would have found persons by them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub local_suppression: Vec<LocalSuppression>,
    /// Persons left out because this adversary would have found them even so.
    #[serde(default)]
    pub left_out: u64,
}

/// Cells that were emptied for some persons.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LocalSuppression {
    /// The columns, as `table.column`.
    pub columns: Vec<String>,
    /// Of `columns`, those emptied only in the rows by which somebody is found, and in as many of the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<String>,
    /// Persons whom the adversary would have found.
    pub found: u64,
    /// Persons whose cells of these columns are empty now: those found, as far as this hides them, and others among whom
    /// they hide.
    pub persons: u64,
}

/// What an adversary can do to the persons of a table. The candidates of a person are the records that may be his or
/// hers by all that is known; where a part is known (two visits), the worst part counts.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ExposureFigures {
    /// Persons looked at.
    pub persons: u64,
    /// Records of persons that could be theirs.
    pub records: u64,
    /// All persons and all parts of the knowledge were looked at; else an estimate from a seeded sample.
    pub exact: bool,
    /// Fewest candidates of a person.
    pub smallest: u64,
    /// Prosecutor: highest chance to be right about a person.
    pub prosecutor: f64,
    /// Journalist, where the specification gives a population.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journalist: Option<f64>,
    /// Marketer: expected share of persons found, with its 95 % interval.
    pub marketer: [f64; 3],
    /// Persons with one candidate, who is the right one.
    pub singled_out: u64,
    /// Their share, with its 95 % interval.
    pub singled_out_share: [f64; 3],
    /// Persons whose own record is never among the candidates: a guess would name another.
    pub misled: u64,
    /// Persons by number of candidates: from, to (none: no bound), persons.
    pub histogram: Vec<(u64, Option<u64>, u64)>,
}

/// What an attacker achieved who tried the product before its release.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AttackFigures {
    /// Attempts of each kind; fewer where there are fewer persons.
    pub attempts: u64,
    /// Most that an attack may gain over its baseline.
    pub limit: f64,
    /// The kinds of attack.
    pub trials: Vec<AttackTrial>,
}

/// One kind of attack against its baseline. Shares come with their 95 % interval: value, low, high.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AttackTrial {
    /// What it is after, in Japanese.
    pub criterion: String,
    /// Short name.
    pub name: String,
    /// Which attack, in Japanese.
    pub label_ja: String,
    /// Attempts that succeeded.
    pub successes: u64,
    /// Attempts.
    pub trials: u64,
    /// Share that succeeded.
    pub attack: [f64; 3],
    /// Share that succeeds without the persons' data.
    pub baseline: [f64; 3],
    /// What the baseline is, in Japanese.
    pub baseline_ja: String,
    /// What is gained: (attack - baseline) / (1 - baseline).
    pub gain: [f64; 3],
    /// The attack cannot be told from its baseline.
    pub includes_baseline: bool,
    /// More is gained than may be; never set for the pseudonymized product.
    pub exceeded: bool,
}

/// The person-level risk of a product.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, Default)]
pub struct RiskSummary {
    /// The model's quasi-identifiers as `table.column`.
    pub quasi_identifiers: Vec<String>,
    /// Target; 1 where the product has none.
    pub target_k: u32,
    /// Persons before suppression.
    pub persons_in: u64,
    /// Persons suppressed because their class was smaller than the target.
    pub persons_suppressed: u64,
    /// Persons in the output.
    pub persons_out: u64,
    /// Persons in the smallest class of the output; 0 if it is empty.
    pub smallest_class: u64,
    /// Class sizes of the output, ascending.
    pub histogram: Vec<SizeCount>,
    /// Class sizes before suppression, ascending.
    pub histogram_before: Vec<SizeCount>,
    /// Highest chance of finding a person known to be in the data: 1 / smallest class.
    pub prosecutor_highest: f64,
    /// Expected share of persons found when all are sought: classes / persons.
    pub marketer: f64,
    /// Persons alone in their class.
    pub unique_persons: u64,
    /// How the levels were chosen; none if the specification leaves no choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchSummary>,
    /// The declared adversaries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adversaries: Vec<AdversaryRisk>,
    /// The attack before release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<AttackFigures>,
}

impl RiskSummary {
    /// A Japanese sentence for every limit of the specification that the product does not keep.
    pub fn over_limits_ja(&self) -> Vec<String> {
        let of = |adversary: &AdversaryRisk| {
            let figures = &adversary.after;
            let label = adversary.label_ja.clone();
            let sentence = move |limit: &String| {
                let figure = match limit.as_str() {
                    "max_risk" => format!("最も高い特定確率 {:.4}", figures.prosecutor),
                    "max_found" => format!("特定される人の割合の見込み {:.4}", figures.marketer[2]),
                    _ => format!("一人に絞られる人の割合 {:.4}", figures.singled_out_share[2]),
                };
                format!("攻撃者「{label}」：{figure} が上限（{limit}）を超えます。")
            };
            adversary.exceeded.iter().map(sentence).collect::<Vec<_>>()
        };
        let tried = self.attack.iter().flat_map(|a| a.trials.iter().map(move |t| (a.limit, t)));
        let gained = |(limit, t): (f64, &AttackTrial)| {
            format!(
                "攻撃「{}：{}」：{}回中{}回成功し、基準を上回る割合 {:.4} が上限 {limit} を超えます。",
                t.criterion, t.label_ja, t.trials, t.successes, t.gain[0]
            )
        };
        let attacks = tried.filter(|(_, t)| t.exceeded).map(gained);
        self.adversaries.iter().flat_map(of).chain(attacks).collect()
    }
}

/// One way of joining two products.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct JoinTrial {
    /// Which columns.
    pub name: String,
    /// The same, for a page.
    pub label_ja: String,
    /// Persons linked rightly.
    pub linked: u64,
    /// Persons tried.
    pub of: u64,
    /// Share linked rightly, with its 95 % interval.
    pub attack: [f64; 3],
    /// The same of links by chance.
    pub baseline: [f64; 3],
    /// Over the specification's limit.
    pub exceeded: bool,
}

/// Do two products about overlapping persons join?
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct JoinFigures {
    /// Persons of each.
    pub persons: [u64; 2],
    /// Persons in both.
    pub overlap: u64,
    /// Most that content may gain; none if the specification sets no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Identifying columns of either with values in common, and how many; must be empty.
    pub shared: Vec<(String, String, u64)>,
    /// Ways of joining by content, the most successful first.
    pub trials: Vec<JoinTrial>,
    /// The verdict, for a page.
    pub verdict_ja: String,
    /// The later product must not be released.
    pub exceeded: bool,
}

/// One column of the output, for its reader.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DictionaryEntry {
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// Type in Parquet.
    pub kind: String,
    /// Class; none for the id column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ColumnClass>,
    /// Rule that made its values.
    pub rule: String,
    /// The provision.
    pub law: LawKey,
    /// Japanese description.
    pub ja: String,
    /// English description.
    pub en: String,
}
