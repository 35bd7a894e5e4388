//! The question and the answer: models, measure, limits; levels, classes, score.

use crate::check::{Problem, Work};
use crate::group::Classes;
use crate::measure::{Aggregate, Measure};
use crate::model::{Compiled, Model, ModelError};
use crate::search::{Control, Found, Point, Starts, heuristic, optimal};
use crate::table::{Table, with_bottom};

/// How the lattice is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SearchKind {
    /// Optimal up to [`OPTIMAL_NODES`] nodes, heuristic above.
    #[default]
    Automatic,
    /// As automatic, but the heuristic goes on until it is told to stop or finds nothing new.
    Anytime,
    /// The best of all nodes.
    Optimal,
    /// At most so many nodes are checked, and at least one.
    Heuristic {
        /// Most nodes to check.
        checks: u64,
    },
}

/// Lattices up to this size can be searched as a whole (memory: about 10 bytes per node and attribute).
pub const OPTIMAL_NODES: u128 = 4_000_000;

/// Checks of a heuristic search that was not told otherwise.
pub const DEFAULT_CHECKS: u64 = 10_000;

/// How records are generalised.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Recoding {
    /// All values of an attribute to the same level.
    #[default]
    FullDomain,
    /// The search is repeated on the suppressed records, each time with its own levels.
    Local {
        /// The gs-factor is raised by so much when a pass frees nothing.
        step: f64,
        /// Most passes.
        passes: u32,
    },
}

impl Recoding {
    /// Local recoding as ARX's users run it: gs-factor raised by 0.05, at most 100 passes.
    pub const LOCAL: Self = Self::Local { step: 0.05, passes: 100 };
}

/// The question.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What every release must fulfil.
    pub models: Vec<Model>,
    /// Share of the rows that may be suppressed, 0 to 1.
    pub suppression: f64,
    /// What is minimised.
    pub measure: Measure,
    /// How attributes are put together.
    pub aggregate: Aggregate,
    /// Weight of generalisation against suppression: 0 favours suppression, 1 generalisation.
    pub gs_factor: f64,
    /// How the lattice is searched.
    pub search: SearchKind,
    /// How records are generalised.
    pub recoding: Recoding,
}

impl Settings {
    /// Loss, geometric mean, gs-factor 0.5, full domain, automatic search.
    pub fn new(models: Vec<Model>, suppression: f64) -> Self {
        Self {
            models,
            suppression,
            measure: Measure::Loss,
            aggregate: Aggregate::GeometricMean,
            gs_factor: 0.5,
            search: SearchKind::Automatic,
            recoding: Recoding::FullDomain,
        }
    }
}

/// Why a table could not be anonymized.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnonymizeError {
    /// A model was refused.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The table has no rows.
    #[error("the table has no rows")]
    Empty,
    /// A setting is out of its range.
    #[error("{setting} is out of range")]
    Range {
        /// Name of the setting.
        setting: &'static str,
    },
    /// No node fulfils the models, not even the most general one.
    #[error(
        "no generalisation fulfils the models: {suppressed} of {rows} rows would have to be suppressed even at the most general levels, {limit} may be"
    )]
    Impossible {
        /// Rows of the table.
        rows: u64,
        /// Rows suppressed at the most general levels.
        suppressed: u64,
        /// Rows that may be suppressed.
        limit: u64,
    },
    /// The lattice is too large to be searched as a whole.
    #[error("the lattice has {nodes} nodes, an optimal search takes at most {most}")]
    TooManyNodes {
        /// Nodes of the lattice.
        nodes: u128,
        /// Most nodes.
        most: u128,
    },
    /// The search was stopped before it found anything.
    #[error("the search was stopped before it found a solution")]
    Stopped,
}

impl AnonymizeError {
    /// The Japanese sentence for the person who asked.
    pub fn ja(&self) -> String {
        match self {
            Self::Model(error) => error.ja(),
            Self::Empty => "表に行がありません。".into(),
            Self::Range { setting } => format!("設定「{setting}」は0以上1以下で指定してください。"),
            Self::Impossible { rows, suppressed, limit } => format!(
                "どの一般化でも基準を満たせません。最も粗い段階でも{rows}行中{suppressed}行の削除が必要ですが、上限は{limit}行です。kを下げるか、削除の上限を上げてください。"
            ),
            Self::TooManyNodes { nodes, .. } => format!(
                "組合せが{nodes}通りあり、最適解の探索はできません。--search heuristic を指定してください。"
            ),
            Self::Stopped => {
                "解が見つかる前に中止されました。出力は書いていません。時間を延ばすか、--search heuristic を指定してください。".into()
            }
        }
    }
}

/// One pass: the levels that were chosen and what they kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// Level of each attribute.
    pub levels: Vec<usize>,
    /// The gs-factor of this pass.
    pub gs_factor: f64,
    /// Rows this pass kept.
    pub kept: u64,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Anonymized {
    /// The passes; one unless recoding is local.
    pub passes: Vec<Pass>,
    /// The score of the first pass.
    pub score: f64,
    /// The score of each attribute in the first pass.
    pub score_per_attribute: Vec<f64>,
    /// Rows suppressed in the end.
    pub suppressed: u64,
    /// Sizes of the classes that are kept, ascending, with their number.
    pub histogram: Vec<(u32, u64)>,
    /// Nodes of the lattice.
    pub lattice_nodes: u128,
    /// Nodes checked, over all passes.
    pub checked: u64,
    /// True if no full-domain solution is better (of the first pass).
    pub optimal: bool,
    /// A score that no full-domain solution undercuts (of the first pass): the score itself if it is optimal, none if
    /// the measure has no such bound.
    pub bound: Option<f64>,
    /// Solutions of the first pass: the risk-utility curve over what was checked.
    pub explored: Vec<Point>,
    /// The pass that kept each bottom class; `u16::MAX` = suppressed.
    pub(crate) pass_of_class: Vec<u16>,
}

impl Anonymized {
    /// Number of classes that are kept.
    pub fn classes(&self) -> u64 {
        self.histogram.iter().map(|(_, n)| n).sum()
    }

    /// Rows that are kept.
    pub fn kept(&self) -> u64 {
        self.histogram.iter().map(|(size, n)| u64::from(*size) * n).sum()
    }

    /// The labels of a row in the output, one per attribute; `None` if the row is suppressed. `row` counts from 0.
    pub fn labels<'a>(&self, table: &'a Table, row: usize) -> Option<Vec<&'a str>> {
        let class = table.class_of_row[row];
        (0..table.attributes.len()).map(|at| self.label(table, class, at)).collect()
    }

    /// The label of an attribute for the rows of a bottom class.
    pub(crate) fn label<'a>(&self, table: &'a Table, class: u32, at: usize) -> Option<&'a str> {
        let class = class as usize;
        let levels = &self.passes.get(usize::from(self.pass_of_class[class]))?.levels;
        let leaf = with_bottom!(&table.store, b => table.fields[at].get(&b.classes.keys[class]));
        let level = &table.attributes[at].hierarchy.levels[levels[at]];
        Some(&level.labels[level.of_leaf[leaf] as usize])
    }
}

/// Anonymize a table.
///
/// # Guarantee
/// - `anonymity.models-hold`: the kept rows fulfil every model.
/// - `anonymity.optimal`: with an optimal search no node scores less.
/// - `anonymity.deterministic`: the same answer for any number of threads.
///
/// # Errors
/// [`AnonymizeError`]; never carries a value.
pub fn anonymize(
    table: &Table,
    settings: &Settings,
    control: &dyn Control,
) -> Result<Anonymized, AnonymizeError> {
    let share = |value: f64, setting| {
        if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(AnonymizeError::Range { setting }) }
    };
    share(settings.suppression, "suppression")?;
    share(settings.gs_factor, "gs-factor")?;
    let compiled = Compiled::new(&settings.models, table)?;
    if table.rows == 0 {
        return Err(AnonymizeError::Empty);
    }
    if let Recoding::Local { step, .. } = settings.recoding {
        share(step, "step of local recoding")?;
        if let Some(model) = settings.models.iter().find(|m| !m.supports_local_recoding()) {
            return Err(ModelError::LocalRecoding { model: model.name() }.into());
        }
    }
    with_bottom!(&table.store, bottom => {
        crate::recode::run(table, &bottom.classes, &compiled, settings, control)
    })
}

/// Search once over some bottom classes.
pub(crate) fn search<const N: usize>(
    problem: &Problem<'_, N>,
    nodes: u128,
    kind: SearchKind,
    control: &dyn Control,
) -> Result<Found, AnonymizeError> {
    let kind = match kind {
        SearchKind::Automatic | SearchKind::Anytime if nodes <= OPTIMAL_NODES => {
            SearchKind::Optimal
        }
        SearchKind::Anytime => SearchKind::Heuristic { checks: u64::MAX },
        SearchKind::Automatic => SearchKind::Heuristic { checks: DEFAULT_CHECKS },
        kind => kind,
    };
    let starts = Starts::new(problem);
    match kind {
        SearchKind::Heuristic { checks } => {
            Ok(heuristic::search(problem, &starts, checks.max(1), control))
        }
        _ if nodes > OPTIMAL_NODES => {
            Err(AnonymizeError::TooManyNodes { nodes, most: OPTIMAL_NODES })
        }
        _ => {
            let checks = if nodes > 200 { 100.min(nodes as u64 / 20) } else { 0 };
            let (seed, seen) = heuristic::seed(problem, &starts, checks, control);
            Ok(optimal::search(problem, &starts, seed, &seen, control))
        }
    }
}

/// The score of one node, for comparisons.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The score.
    pub score: f64,
    /// The value of each attribute.
    pub values: Vec<f64>,
    /// Rows suppressed.
    pub suppressed: u64,
    /// Classes kept.
    pub classes: u64,
    /// True if no more rows are suppressed than may be.
    pub anonymous: bool,
}

/// Judge one node of the lattice.
pub fn judge(table: &Table, settings: &Settings, levels: &[usize]) -> Result<Node, AnonymizeError> {
    let compiled = Compiled::new(&settings.models, table)?;
    with_bottom!(&table.store, bottom => {
        let problem = problem(table, &bottom.classes, &compiled, settings, settings.gs_factor);
        let mut work = Work::default();
        let zero = vec![0; levels.len()];
        let verdict = problem.check(&bottom.classes, &zero, levels, None, &mut work);
        Ok(Node {
            score: verdict.score,
            values: work.values,
            suppressed: verdict.suppressed,
            classes: verdict.classes,
            anonymous: verdict.anonymous,
        })
    })
}

pub(crate) fn problem<'a, const N: usize>(
    table: &'a Table,
    base: &'a Classes<N>,
    compiled: &'a Compiled,
    settings: &Settings,
    gs_factor: f64,
) -> Problem<'a, N> {
    Problem::new(
        base,
        &table.fields,
        &table.attributes,
        compiled,
        settings.measure,
        settings.aggregate,
        gs_factor,
        settings.suppression,
    )
}
