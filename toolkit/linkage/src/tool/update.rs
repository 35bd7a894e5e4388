//! A change of a linked list: records added, corrected, erased.

use std::io::Read;

use serde::Serialize;

use super::{
    Change, Options, Run, Stage, State, StateError, Stats, ToolError, on_threads, read, sort_ties,
    update_state,
};

/// What a change did. No value of the list is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UpdateReport {
    /// Version of this form.
    pub version: u32,
    /// Records that came.
    pub added: u64,
    /// Records that took the place of one of their id.
    pub corrected: u64,
    /// Records that went.
    pub erased: u64,
    /// Records to be erased that there are not.
    pub not_there: u64,
    /// Lines with more or fewer cells than the header.
    pub ragged_lines: u64,
    /// Pairs compared.
    pub compared: u64,
    /// Keys of the change that too many records share: these were paired with neighbours only.
    pub capped_groups: u64,
    /// Records whose persons were made anew.
    pub looked_at: u64,
    /// Records after the change.
    pub records: u64,
    /// Persons after the change.
    pub persons: u64,
    /// Pairs and joins within one millionth of a threshold, among those looked at.
    pub ties: u64,
    /// Constraints that name a record that there is not.
    pub constraints_of_unknown_records: u64,
    /// Constraints that do not hold, because stronger ones say otherwise.
    pub contradictions: u64,
}

/// A list after a change.
#[derive(Debug)]
pub struct Updated {
    /// The whole list as it is now. Its report tells of the whole; passes and classes are those of a first run and empty.
    pub run: Run,
    /// What changed.
    pub report: UpdateReport,
}

/// Changes a linked list: takes in the records of `add` (one whose id is there takes its place), erases those of
/// `erase`, heeds the constraints of the options. The persons are those that [`super::link_like`] finds for the whole list, but
/// for pairs and joins at a threshold, which [`Run::ties`] lists. Model, thresholds and seed are the state's; those of
/// the options are not used.
///
/// After an erasure nothing of the record is left: no value that no other record bears, no key, no pair, no constraint.
///
/// # Errors
/// [`ToolError::List`] if the records cannot be read; [`StateError::RepeatedIds`] if two records of the state or of the
/// batch have one id.
pub fn update(
    state: State,
    add: Option<&mut (dyn Read + Send)>,
    erase: &[String],
    options: &Options,
    progress: &(dyn Fn(Stage) + Sync),
) -> Result<Updated, ToolError> {
    on_threads(options.threads, move || {
        let count = state.repeated();
        if count > 0 {
            return Err(StateError::RepeatedIds { count }.into());
        }
        let list =
            add.map(|data| read(data, &options.map, &|n| progress(Stage::Read(n)))).transpose()?;
        if let Some(list) = &list {
            let count = list.record_ids.repeated();
            if count > 0 {
                return Err(StateError::RepeatedIds { count }.into());
            }
        }
        progress(Stage::Resolve);
        let change = Change { add: list.as_ref(), erase, constraints: &options.constraints };
        let changed = update_state(state, &change);
        let mut stats = Stats {
            candidates: changed.state.pairs.len() as u64,
            unknown_constraints: changed.unknown_constraints,
            dropped: changed.held.dropped,
            ties: changed.ties,
            ..Stats::default()
        };
        if let Some(batch) = changed.batch {
            (stats.filled, stats.cut) = (batch.filled, batch.cut);
        }
        sort_ties(&mut stats.ties);
        let [added, corrected, erased, not_there] = changed.records;
        let (cp932, ragged) = list.as_ref().map_or((false, 0), |l| (l.cp932, l.ragged));
        let report = UpdateReport {
            version: 1,
            added,
            corrected,
            erased,
            not_there,
            ragged_lines: ragged,
            compared: changed.compared,
            capped_groups: changed.hot,
            looked_at: changed.touched,
            records: changed.state.records() as u64,
            persons: changed.state.persons() as u64,
            ties: stats.ties.len() as u64,
            constraints_of_unknown_records: stats.unknown_constraints,
            contradictions: stats.dropped.len() as u64,
        };
        Ok(Updated {
            run: Run { state: changed.state, stats, targets: options.targets, cp932, ragged },
            report,
        })
    })
}
