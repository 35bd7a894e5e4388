//! What `kiban tool link` does, without files, clock or process.
//!
//! Enters: a person list as a stream, a mapping of its columns, perhaps a model. Leaves: `clusters.csv`, `pairs.csv`, a
//! report and the model. The outputs depend on the set of records only, not on their order nor on threads.

mod report;
mod update;

use std::io::{Read, Write};

pub use crate::review::{Outcomes, Targets};
pub use report::{ColumnReport, Report};
pub use update::{UpdateReport, Updated, update};

use crate::{
    constraint::{Bound, Constraint, Contradiction},
    linker::{Settings, Stage, Start, Stats, link as link_list, sort_ties},
    list::{ColumnMap, ListError, read},
    model::{Model, Reason},
    state::{Change, State, StateError, update as update_state},
};

/// Why a run ended without persons, or an output was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The list cannot be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// An output cannot be written.
    #[error("the output cannot be written")]
    Write(#[source] std::io::Error),
    /// Threads cannot be started.
    #[error("threads cannot be started")]
    Threads(#[source] rayon::ThreadPoolBuildError),
    /// The state does not allow it.
    #[error(transparent)]
    State(#[from] StateError),
}

impl ToolError {
    /// One Japanese sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::List(e) => e.ja(),
            Self::Write(_) => "結果を書き込めません。".to_owned(),
            Self::Threads(_) => "スレッドを開始できません。".to_owned(),
            Self::State(e) => e.ja(),
        }
    }
}

/// How to run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Columns of the list; those with usual names are found without.
    pub map: ColumnMap,
    /// A fitted model to be used as it is; without one a model is fitted to the list.
    pub model: Option<Model>,
    /// Thresholds and seed.
    pub settings: Settings,
    /// What is known from outside of pairs of records.
    pub constraints: Vec<Constraint>,
    /// Error rates for the three outcomes of the report.
    pub targets: Targets,
    /// Threads; `None` leaves it to the caller's pool.
    pub threads: Option<usize>,
}

/// A list that was linked; its outputs can be written.
pub struct Run {
    state: State,
    stats: Stats,
    targets: Targets,
    cp932: bool,
    ragged: u64,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("records", &self.state.records()).finish_non_exhaustive()
    }
}

/// Pairs, or joins of groups, whose score is within one millionth of a threshold: another order of sums could decide
/// otherwise.
#[derive(Clone, PartialEq)]
pub struct Tie {
    /// Id of one record; of a join, of the first record of one group.
    pub record_l: String,
    /// Id of the other.
    pub record_r: String,
    /// Log2 odds.
    pub score: f64,
}

impl std::fmt::Debug for Tie {
    /// Never a record's id.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tie({})", self.score)
    }
}

/// Runs something on so many threads.
fn on_threads<T: Send>(
    threads: Option<usize>,
    go: impl FnOnce() -> Result<T, ToolError> + Send,
) -> Result<T, ToolError> {
    match threads {
        None => go(),
        Some(threads) => rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .build()
            .map_err(ToolError::Threads)?
            .install(go),
    }
}

/// Reads a list and links it. `progress` is told each stage, from any thread.
///
/// # Errors
/// [`ToolError`]; never carries a value of the list.
pub fn link(
    data: impl Read + Send,
    options: &Options,
    progress: &(dyn Fn(Stage) + Sync),
) -> Result<Run, ToolError> {
    let start =
        Start { model: options.model.as_ref(), like: None, constraints: &options.constraints };
    run(data, options, &start, &options.settings, progress)
}

/// Links a whole list with all that a state has learnt: its model, its dictionary of names, how common values are,
/// which passes are made, its thresholds. The persons are those that [`update`] finds by adding to that state batch by
/// batch. The state's records are not in it unless the list has them.
///
/// # Errors
/// [`ToolError`]; never carries a value of the list.
pub fn link_like(
    state: &State,
    data: impl Read + Send,
    options: &Options,
    progress: &(dyn Fn(Stage) + Sync),
) -> Result<Run, ToolError> {
    let start = Start { model: None, like: Some(state), constraints: &options.constraints };
    run(data, options, &start, &state.settings, progress)
}

fn run(
    data: impl Read + Send,
    options: &Options,
    start: &Start<'_>,
    settings: &Settings,
    progress: &(dyn Fn(Stage) + Sync),
) -> Result<Run, ToolError> {
    on_threads(options.threads, || {
        let mut list = read(data, &options.map, &|n| progress(Stage::Read(n)))?;
        let (cp932, ragged) = (list.cp932, list.ragged);
        let (state, stats) = link_list(&mut list, start, settings, progress);
        Ok(Run { state, stats, targets: options.targets, cp932, ragged })
    })
}

/// Delimited text out; cells are quoted where RFC 4180 wants it.
struct Lines<W> {
    to: W,
    buffer: Vec<u8>,
}

/// Bytes written at once.
const CHUNK: usize = 1 << 18;

impl<W: Write> Lines<W> {
    fn new(to: W) -> Self {
        Self { to, buffer: Vec::with_capacity(CHUNK + (1 << 12)) }
    }
    fn line(&mut self, cells: &[&[u8]]) -> Result<(), ToolError> {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.buffer.push(b',');
            }
            if cell.iter().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n')) {
                self.buffer.push(b'"');
                for b in *cell {
                    self.buffer.extend_from_slice(if *b == b'"' {
                        b"\"\""
                    } else {
                        std::slice::from_ref(b)
                    });
                }
                self.buffer.push(b'"');
            } else {
                self.buffer.extend_from_slice(cell);
            }
        }
        self.buffer.push(b'\n');
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }
    fn flush(&mut self) -> Result<(), ToolError> {
        self.to.write_all(&self.buffer).map_err(ToolError::Write)?;
        self.buffer.clear();
        Ok(())
    }
    fn end(mut self) -> Result<(), ToolError> {
        self.flush()?;
        self.to.flush().map_err(ToolError::Write)
    }
}

impl Run {
    fn id(&self, row: u32) -> &[u8] {
        self.state.ids.at(row as usize)
    }

    /// What can be added to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What can be added to, the run left behind.
    pub fn into_state(self) -> State {
        self.state
    }

    /// Pairs and joins at a threshold.
    pub fn ties(&self) -> Vec<Tie> {
        let text = |row: u32| self.state.id_text(row);
        let tie =
            |t: &(u32, u32, f64)| Tie { record_l: text(t.0), record_r: text(t.1), score: t.2 };
        self.stats.ties.iter().map(tie).collect()
    }

    /// Constraints that do not hold, because stronger ones say otherwise.
    pub fn contradictions(&self) -> Vec<Contradiction> {
        let given = |b: &Bound| Constraint {
            record_l: self.state.id_text(b.a),
            record_r: self.state.id_text(b.b),
            kind: b.kind,
            ground: b.ground,
        };
        let one = |(dropped, against): &(Bound, Option<Bound>)| Contradiction {
            dropped: given(dropped),
            against: against.as_ref().map(given),
        };
        self.stats.dropped.iter().map(one).collect()
    }

    /// Writes `record_id,cluster_id`, sorted by record id. A cluster is named after its first record.
    ///
    /// # Errors
    /// [`ToolError::Write`].
    pub fn write_clusters(&self, out: impl Write) -> Result<(), ToolError> {
        let mut out = Lines::new(out);
        out.line(&[b"record_id", b"cluster_id"])?;
        for (row, person) in self.state.person.iter().enumerate() {
            out.line(&[self.id(row as u32), self.id(*person)])?;
        }
        out.end()
    }

    /// Writes `record_id_l,record_id_r,score`: pairs worth looking at, with the log2 odds that they are of one person,
    /// sorted by record ids.
    ///
    /// # Errors
    /// [`ToolError::Write`].
    pub fn write_pairs(&self, out: impl Write) -> Result<(), ToolError> {
        let mut out = Lines::new(out);
        out.line(&[b"record_id_l", b"record_id_r", b"score"])?;
        let mut text = Vec::new();
        for (a, b, score) in &self.state.pairs {
            text.clear();
            write!(text, "{score:.4}").map_err(ToolError::Write)?;
            out.line(&[self.id(*a), self.id(*b), &text])?;
        }
        out.end()
    }

    /// What was read, proposed, capped, linked, and how sure it is.
    pub fn report(&self) -> Report {
        report::report(self)
    }

    /// The model that was used.
    pub fn model(&self) -> &Model {
        &self.state.model
    }

    /// Why two records score as they do, variable by variable, and the log2 odds; `None` if there is no such record.
    pub fn why(&self, record_l: &str, record_r: &str) -> Option<(Vec<Reason>, f64)> {
        let ids = &self.state.ids;
        let (a, b) = (ids.place(record_l.as_bytes())?, ids.place(record_r.as_bytes())?);
        Some(self.state.why(a, b))
    }
}
