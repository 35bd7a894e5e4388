//! What `kiban tool link` does, without files, clock or process.
//!
//! Enters: a person list as a stream, a mapping of its columns, perhaps a model. Leaves: `clusters.csv`, `pairs.csv`, a
//! report and the model. The outputs depend on the set of records only, not on their order nor on threads.

mod report;

use std::io::{Read, Write};

pub use report::{ColumnReport, Outcomes, Report};

use crate::{
    linker::{Linked, Settings, Stage, link as link_list},
    list::{ColumnMap, Ids, ListError, read},
    model::{Model, Reason},
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
    Write(#[source] csv::Error),
    /// Threads cannot be started.
    #[error("threads cannot be started")]
    Threads(#[source] rayon::ThreadPoolBuildError),
}

impl ToolError {
    /// One Japanese sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::List(e) => e.ja(),
            Self::Write(_) => "結果を書き込めません。".to_owned(),
            Self::Threads(_) => "スレッドを開始できません。".to_owned(),
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
    /// Threads; `None` leaves it to the caller's pool.
    pub threads: Option<usize>,
}

/// A list that was linked; its outputs can be written.
pub struct Run {
    ids: Ids,
    linked: Linked,
    cp932: bool,
    ragged: u64,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("records", &self.ids.len()).finish_non_exhaustive()
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
    let go = || -> Result<Run, ToolError> {
        let mut list = read(data, &options.map, &|n| progress(Stage::Read(n)))?;
        let (cp932, ragged) = (list.cp932, list.ragged);
        let linked = link_list(&mut list, options.model.as_ref(), &options.settings, progress);
        Ok(Run { ids: list.record_ids, linked, cp932, ragged })
    };
    match options.threads {
        None => go(),
        Some(threads) => rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .build()
            .map_err(ToolError::Threads)?
            .install(go),
    }
}

impl Run {
    fn id(&self, row: u32) -> &[u8] {
        self.ids.at(self.linked.typed.order[row as usize] as usize)
    }

    /// Writes `record_id,cluster_id`, sorted by record id. A cluster is named after its first record.
    ///
    /// # Errors
    /// [`ToolError::Write`].
    pub fn write_clusters(&self, out: impl Write) -> Result<(), ToolError> {
        let mut out = csv::WriterBuilder::new().buffer_capacity(1 << 18).from_writer(out);
        out.write_record(["record_id", "cluster_id"]).map_err(ToolError::Write)?;
        for (row, person) in self.linked.person.iter().enumerate() {
            out.write_record([self.id(row as u32), self.id(*person)]).map_err(ToolError::Write)?;
        }
        out.flush().map_err(|e| ToolError::Write(e.into()))
    }

    /// Writes `record_id_l,record_id_r,score`: pairs worth looking at, with the log2 odds that they are of one person,
    /// sorted by record ids.
    ///
    /// # Errors
    /// [`ToolError::Write`].
    pub fn write_pairs(&self, out: impl Write) -> Result<(), ToolError> {
        let mut out = csv::WriterBuilder::new().buffer_capacity(1 << 18).from_writer(out);
        out.write_record(["record_id_l", "record_id_r", "score"]).map_err(ToolError::Write)?;
        for (a, b, score) in &self.linked.pairs {
            let score = format!("{score:.4}");
            out.write_record([self.id(*a), self.id(*b), score.as_bytes()])
                .map_err(ToolError::Write)?;
        }
        out.flush().map_err(|e| ToolError::Write(e.into()))
    }

    /// What was read, proposed, capped, linked, and how sure it is.
    pub fn report(&self) -> Report {
        report::report(&self.linked, self.cp932, self.ragged)
    }

    /// The model that was used.
    pub fn model(&self) -> &Model {
        &self.linked.model
    }

    /// Why two records score as they do, variable by variable, and the log2 odds; `None` if there is no such record.
    pub fn why(&self, record_l: &str, record_r: &str) -> Option<(Vec<Reason>, f64)> {
        let find = |id: &str| {
            let at = self
                .linked
                .typed
                .order
                .partition_point(|i| self.ids.at(*i as usize) < id.as_bytes());
            let row = *self.linked.typed.order.get(at)?;
            (self.ids.at(row as usize) == id.as_bytes()).then_some(at)
        };
        let (a, b) = (find(record_l)?, find(record_r)?);
        Some(self.linked.why(a, b))
    }
}
