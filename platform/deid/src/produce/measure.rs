//! What must be counted before the rules run: how dates are written, which values few persons hold, where
//! extremes begin. Persons are counted, never rows.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap, HashSet},
    sync::Arc,
};

use arrow::{
    array::{Array, AsArray, Int64Array, RecordBatch},
    datatypes::{DataType, Float64Type, Int64Type},
};
use futures::TryStreamExt;
use kiban_lake::{
    functions::{
        DatePad, as_number, as_text, code_parent,
        counted::{self, GROUP_SEPARATOR, GroupBounds, is_in},
        date_padding, parent,
    },
    plan::{DataFrame, Expr, aggregates, ident, lit},
};

use super::{
    compile::{Facts, group_of},
    frame::{Frame, PERSON},
};
use crate::{
    error::ProduceError,
    spec::{Checked, CheckedColumn, Extremes, Matcher, RareToResidual, Rule},
};

/// Counts what the rules of `columns` need over the rows of `rows`.
pub(crate) async fn facts(
    checked: &Checked,
    frame: &Frame,
    rows: &DataFrame,
    columns: &[&CheckedColumn],
    known: &mut Facts,
) -> Result<(), ProduceError> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for column in columns {
        match &column.rule {
            Rule::TruncateDate(_) | Rule::ShiftDate(_) if is_text(rows, &column.name) => {
                known.pads.insert(column.name.clone(), padding(rows, &column.name).await?);
            }
            Rule::Extremes(e) => {
                let bounds = extremes(rows, &column.name, e).await?;
                known.bounds.insert(column.name.clone(), Arc::new(bounds));
            }
            Rule::RareToResidual(_) if !done.contains(column.name.as_str()) => {
                let group = group_of(column, columns);
                for (member, common) in common(checked, frame, rows, &group).await? {
                    known.common.insert(member, Arc::new(common));
                }
                done.extend(group.iter().map(|(c, _)| c.name.as_str()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_text(rows: &DataFrame, column: &str) -> bool {
    let field = rows.schema().fields().iter().find(|f| f.name() == column);
    field.is_some_and(|f| {
        matches!(
            f.data_type(),
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Dictionary(_, _)
        )
    })
}

/// Does the column write months with two digits? Without evidence it does.
async fn padding(rows: &DataFrame, column: &str) -> Result<DatePad, ProduceError> {
    let mark = aggregates::max(date_padding(ident(column))).alias("pad");
    let found = rows.clone().aggregate(Vec::new(), vec![mark])?.collect().await?;
    let bare = found.iter().any(|b| {
        b.column(0)
            .as_string_opt::<i32>()
            .is_some_and(|a| !a.is_empty() && a.is_valid(0) && a.value(0) == "0")
    });
    Ok(if bare { DatePad::Bare } else { DatePad::Padded })
}

/// The values of each member that stay: none of the listed, and held (after the cut to a parent) by enough persons
/// among the rows of which every member stays. Nobody, or enough persons, hold the residual.
async fn common(
    checked: &Checked,
    frame: &Frame,
    rows: &DataFrame,
    group: &[(&CheckedColumn, &RareToResidual)],
) -> Result<Vec<(String, HashSet<String>)>, ProduceError> {
    let mut sets = Vec::new();
    for (column, rule) in group {
        let matcher = Matcher::new(checked.spec().document(), &rule.lists);
        let distinct =
            rows.clone().aggregate(vec![as_text(ident(&column.name)).alias("v")], Vec::new())?;
        let mut set = HashSet::new();
        let mut stream = distinct.execute_stream().await?;
        while let Some(batch) = stream.try_next().await? {
            for value in batch.column(0).as_string::<i32>().iter().flatten() {
                if !matcher.is_rare(value) {
                    set.insert(value.to_owned());
                }
            }
        }
        sets.push(Arc::new(set));
    }
    loop {
        settle(frame, rows, group, &mut sets).await?;
        let Some(at) = thin_residual(frame, rows, group, &sets).await? else { break };
        // Whoever knows a rare value and sees few residuals has found the person: the value that fewest persons hold
        // goes with them.
        let (column, rule) = group[at];
        let Some(stays) = all_stay(group, &sets) else { break };
        let kept = rows.clone().filter(stays)?;
        let counts = persons_by_value(frame, &kept, column, rule).await?;
        let Some((_, least)) = counts.into_iter().map(|(v, n)| (n, v)).min() else { break };
        let next = sets[at].iter().filter(|v| cut(rule, v) != least).cloned().collect();
        sets[at] = Arc::new(next);
    }
    let names = group.iter().map(|(c, _)| c.name.clone());
    Ok(names
        .zip(sets.into_iter().map(|s| Arc::try_unwrap(s).unwrap_or_else(|s| (*s).clone())))
        .collect())
}

/// What the rule leaves of a value that stays.
fn cut<'v>(rule: &RareToResidual, value: &'v str) -> &'v str {
    rule.parent.map_or(value, |n| parent(value.trim_start(), usize::from(n)))
}

/// The rows of which every member stays.
fn all_stay(
    group: &[(&CheckedColumn, &RareToResidual)],
    sets: &[Arc<HashSet<String>>],
) -> Option<Expr> {
    let stays = |((c, _), set): (&(&CheckedColumn, &RareToResidual), &Arc<HashSet<String>>)| {
        ident(&c.name).is_null().or(is_in(ident(&c.name), &c.name, Arc::clone(set)))
    };
    group.iter().zip(sets).map(stays).reduce(Expr::and)
}

/// Takes values away until each that stays is held by enough persons among the rows of which every member stays.
async fn settle(
    frame: &Frame,
    rows: &DataFrame,
    group: &[(&CheckedColumn, &RareToResidual)],
    sets: &mut [Arc<HashSet<String>>],
) -> Result<(), ProduceError> {
    loop {
        let mut changed = false;
        let Some(stays) = all_stay(group, sets) else { return Ok(()) };
        let kept = rows.clone().filter(stays)?;
        for ((column, rule), set) in group.iter().zip(sets.iter_mut()) {
            let counts = persons_by_value(frame, &kept, column, rule).await?;
            let min = i64::from(rule.min_persons);
            let next: HashSet<String> = set
                .iter()
                .filter(|v| counts.get(cut(rule, v)).is_some_and(|n| *n >= min))
                .cloned()
                .collect();
            if next.len() != set.len() {
                changed = true;
                *set = Arc::new(next);
            }
        }
        // Values of one column are counted apart: taking some away changes no other count.
        if !changed || group.len() == 1 {
            return Ok(());
        }
    }
}

/// A member whose residual some persons hold, and fewer than its rule wants, while values stay. Quasi-identifiers of the
/// model are left to k: there a thin residual costs a few persons, not a value.
async fn thin_residual(
    frame: &Frame,
    rows: &DataFrame,
    group: &[(&CheckedColumn, &RareToResidual)],
    sets: &[Arc<HashSet<String>>],
) -> Result<Option<usize>, ProduceError> {
    let Some(stays) = all_stay(group, sets) else { return Ok(None) };
    for (at, ((column, rule), set)) in group.iter().zip(sets).enumerate() {
        if column.in_model {
            continue;
        }
        let gone = Expr::Not(Box::new(stays.clone())).and(ident(&column.name).is_not_null());
        let mut held = rows.clone().filter(gone)?;
        if !frame.row_is_person {
            held = held.aggregate(vec![ident(PERSON)], Vec::new())?;
        }
        let count = held.aggregate(Vec::new(), vec![aggregates::count(lit(1)).alias("n")])?;
        let [persons] = super::counts(count).await?;
        if !set.is_empty() && persons > 0 && persons < u64::from(rule.min_persons) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

async fn persons_by_value(
    frame: &Frame,
    rows: &DataFrame,
    column: &CheckedColumn,
    rule: &RareToResidual,
) -> Result<HashMap<String, i64>, ProduceError> {
    let text = as_text(ident(&column.name));
    let value = rule.parent.map_or(text.clone(), |n| code_parent(text, n)).alias("v");
    let counted = if frame.row_is_person {
        rows.clone().aggregate(vec![value], vec![aggregates::count(lit(1)).alias("n")])?
    } else {
        let pairs = rows.clone().aggregate(vec![value, ident(PERSON)], Vec::new())?;
        pairs.aggregate(vec![ident("v")], vec![aggregates::count(lit(1)).alias("n")])?
    };
    let mut out = HashMap::new();
    let mut stream = counted.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let (values, counts) = (batch.column(0).as_string::<i32>(), int64(&batch, 1));
        for (value, n) in values.iter().zip(counts.iter()) {
            if let (Some(value), Some(n)) = (value, n) {
                out.insert(value.to_owned(), n);
            }
        }
    }
    Ok(out)
}

/// A count column.
pub(crate) fn int64(batch: &RecordBatch, column: usize) -> &Int64Array {
    batch.column(column).as_primitive::<Int64Type>()
}

/// A number that orders.
#[derive(Clone, Copy)]
struct Ordered(f64);
impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Ordered {}
impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Per group the n-th highest of the persons' highest values and the n-th lowest of their lowest: at least n persons
/// stand at or beyond each bound. A group with fewer than 2 n persons has none.
async fn extremes(
    rows: &DataFrame,
    column: &str,
    rule: &Extremes,
) -> Result<GroupBounds, ProduceError> {
    let n = rule.persons as usize;
    let number = as_number(ident(column));
    let mut keys: Vec<Expr> =
        rule.by.iter().enumerate().map(|(i, c)| as_text(ident(c)).alias(format!("g{i}"))).collect();
    let parts = keys.len();
    keys.push(ident(PERSON));
    let per_person = rows.clone().filter(number.clone().is_not_null())?.aggregate(
        keys,
        vec![aggregates::max(number.clone()).alias("high"), aggregates::min(number).alias("low")],
    )?;
    type Heaps = (usize, BinaryHeap<Reverse<Ordered>>, BinaryHeap<Ordered>);
    let mut groups: HashMap<String, Heaps> = HashMap::new();
    let mut stream = per_person.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let texts: Vec<_> = (0..parts).map(|i| batch.column(i).as_string::<i32>()).collect();
        let high = batch.column(parts + 1).as_primitive::<Float64Type>();
        let low = batch.column(parts + 2).as_primitive::<Float64Type>();
        let mut group = String::new();
        for row in 0..batch.num_rows() {
            group.clear();
            for text in &texts {
                group.push_str(if text.is_valid(row) { text.value(row) } else { "" });
                group.push(GROUP_SEPARATOR);
            }
            if !groups.contains_key(&group) {
                groups.insert(group.clone(), Heaps::default());
            }
            let Some((persons, highest, lowest)) = groups.get_mut(&group) else { continue };
            *persons += 1;
            highest.push(Reverse(Ordered(high.value(row))));
            lowest.push(Ordered(low.value(row)));
            if highest.len() > n {
                highest.pop();
                lowest.pop();
            }
        }
    }
    let bounds = groups.into_iter().filter_map(|(group, (persons, highest, lowest))| {
        let bounds = (lowest.peek()?.0, highest.peek()?.0.0);
        (persons >= 2 * n).then_some((group, bounds))
    });
    Ok(bounds.collect())
}

/// Names a set in a plan; kept here so that the module is the only one that knows the counted functions' names.
pub(crate) fn not_in(column: &str, name: &str, set: Arc<HashSet<String>>) -> Expr {
    kiban_lake::plan::Expr::Not(Box::new(counted::is_in(ident(column), name, set)))
}
