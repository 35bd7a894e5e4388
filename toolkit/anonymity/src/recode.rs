//! Full-domain and local recoding: one search, or one search after the other on what is still suppressed.

use crate::check::{Problem, Work};
use crate::engine::{AnonymizeError, Anonymized, Pass, Recoding, Settings, problem, search};
use crate::group::Classes;
use crate::model::Compiled;
use crate::search::{Best, Control};
use crate::table::Table;
use hashbrown::HashMap;

/// Suppressed rows have no pass.
const NONE: u16 = u16::MAX;

pub(crate) fn run<const N: usize>(
    table: &Table,
    base: &Classes<N>,
    compiled: &Compiled,
    settings: &Settings,
    control: &dyn Control,
) -> Result<Anonymized, AnonymizeError> {
    let nodes = table.nodes();
    let mut pass_of_class = vec![NONE; base.keys.len()];
    let mut sizes: HashMap<u32, u64> = HashMap::new();
    let first = problem(table, base, compiled, settings, settings.gs_factor);
    let found = search(&first, nodes, settings.search, control)?;
    let Some(best) = found.best else {
        return Err(refusal(&first, control));
    };
    let mut work = Work::default();
    let all: Vec<u32> = (0..base.keys.len() as u32).collect();
    let (kept, mut rest) = keep(&first, &best, &all, 0, &mut pass_of_class, &mut sizes, &mut work);
    let score_per_attribute = work.values.clone();
    let mut passes = vec![Pass { levels: best.levels, gs_factor: settings.gs_factor, kept }];
    let mut checked = found.checked;
    if let Recoding::Local { step, passes: most } = settings.recoding {
        let mut gs_factor = settings.gs_factor;
        for _ in 0..most.min(60_000) {
            let rows: u64 = rest.iter().map(|c| u64::from(base.counts[*c as usize])).sum();
            if rows < u64::from(compiled.k) || rows == 0 || control.stop() {
                break;
            }
            let part = base.pick(&rest);
            let again = problem(table, &part, compiled, settings, gs_factor);
            let found = search(&again, nodes, settings.search, control)?;
            checked += found.checked;
            let mut kept = 0;
            if let Some(best) = found.best {
                let number = passes.len() as u16;
                (kept, rest) =
                    keep(&again, &best, &rest, number, &mut pass_of_class, &mut sizes, &mut work);
                if kept > 0 {
                    passes.push(Pass { levels: best.levels, gs_factor, kept });
                }
            }
            if kept == 0 {
                gs_factor += step;
                if step == 0.0 || gs_factor > 1.0 {
                    break;
                }
            }
        }
    }
    let mut histogram: Vec<(u32, u64)> = sizes.into_iter().collect();
    histogram.sort_unstable();
    let kept: u64 = passes.iter().map(|pass| pass.kept).sum();
    Ok(Anonymized {
        passes,
        score: best.score,
        score_per_attribute,
        suppressed: table.rows - kept,
        histogram,
        lattice_nodes: nodes,
        checked,
        optimal: found.optimal,
        bound: found.bound,
        explored: found.explored.points(),
        pass_of_class,
    })
}

/// Why nothing was found.
fn refusal<const N: usize>(problem: &Problem<'_, N>, control: &dyn Control) -> AnonymizeError {
    if control.stop() {
        return AnonymizeError::Stopped;
    }
    let zero = vec![0; problem.attributes.len()];
    let top = problem.check(problem.base, &zero, &problem.highest(), None, &mut Work::default());
    AnonymizeError::Impossible {
        rows: problem.rows,
        suppressed: top.suppressed,
        limit: problem.limit,
    }
}

/// Note which bottom classes a node keeps. `numbers` are the bottom classes of the problem. Returns the rows kept
/// and the bottom classes that are not.
fn keep<const N: usize>(
    problem: &Problem<'_, N>,
    best: &Best,
    numbers: &[u32],
    pass: u16,
    pass_of_class: &mut [u16],
    sizes: &mut HashMap<u32, u64>,
    work: &mut Work<N>,
) -> (u64, Vec<u32>) {
    problem.trace(&best.levels, work);
    let mut kept = 0;
    for (failed, count) in work.failed.iter().zip(&work.child.counts) {
        if !failed && *count > 0 {
            *sizes.entry(*count).or_insert(0) += 1;
            kept += u64::from(*count);
        }
    }
    let mut rest = Vec::new();
    for (number, class) in numbers.iter().zip(&work.scratch.child_of) {
        if work.failed[*class as usize] {
            rest.push(*number);
        } else {
            pass_of_class[*number as usize] = pass;
        }
    }
    (kept, rest)
}
