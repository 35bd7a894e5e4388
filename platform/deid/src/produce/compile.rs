//! Rules become expressions of the engine. Nothing is interpreted per row here.

use std::fmt::Write as _;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use kiban_lake::{
    functions::{
        self as f, DatePad, Level,
        counted::{self, GroupBounds, Member},
        keyed::Keyed,
    },
    plan::{Expr, ident, lit},
};

use super::frame::{Frame, PERSON};
use crate::spec::{CheckedColumn, RareToResidual, RegionLevel, Rule};

/// What was counted from a table before its expressions can be written; by column.
#[derive(Default)]
pub(crate) struct Facts {
    /// Style of dates written as texts.
    pub(crate) pads: BTreeMap<String, DatePad>,
    /// Values that are common enough.
    pub(crate) common: BTreeMap<String, Arc<HashSet<String>>>,
    /// Bounds per group.
    pub(crate) bounds: BTreeMap<String, Arc<GroupBounds>>,
}

impl Facts {
    /// A text that is the same if and only if the facts are: for the digest of the plan.
    pub(crate) fn digest_text(&self) -> String {
        let mut out = String::new();
        for (column, pad) in &self.pads {
            let _ = writeln!(out, "pad {column} {pad:?}");
        }
        for (column, common) in &self.common {
            let mut values: Vec<&String> = common.iter().collect();
            values.sort_unstable();
            let _ = writeln!(out, "common {column} {values:?}");
        }
        for (column, bounds) in &self.bounds {
            let ordered: BTreeMap<_, _> = bounds.iter().collect();
            let _ = writeln!(out, "bounds {column} {ordered:?}");
        }
        out
    }
}

/// The columns judged together with `column`, itself included, in the order of their names.
pub(crate) fn group_of<'a>(
    column: &'a CheckedColumn,
    all: &[&'a CheckedColumn],
) -> Vec<(&'a CheckedColumn, &'a RareToResidual)> {
    let rare = |c: &'a CheckedColumn| match &c.rule {
        Rule::RareToResidual(r) => Some((c, r)),
        _ => None,
    };
    match &column.group {
        None => rare(column).into_iter().collect(),
        Some(group) => {
            let mut members: Vec<_> = all
                .iter()
                .copied()
                .filter(|c| c.group.as_ref() == Some(group))
                .filter_map(rare)
                .collect();
            members.sort_by(|a, b| a.0.name.cmp(&b.0.name));
            members
        }
    }
}

/// The expression that makes a column of the output.
pub(crate) fn value(
    column: &CheckedColumn,
    all: &[&CheckedColumn],
    frame: &Frame,
    facts: &Facts,
    keyed: &Arc<Keyed>,
) -> Expr {
    let own = || ident(&column.name);
    let pad = facts.pads.get(&column.name).copied().unwrap_or(DatePad::Padded);
    match &column.rule {
        // Never reached for an output column, whose level is chosen before; emptied if it were.
        Rule::Drop | Rule::Withhold | Rule::Levels(_) => {
            lit(kiban_lake::plan::ScalarValue::Utf8(None))
        }
        Rule::Keep => own(),
        Rule::Pseudonym => keyed.pseudonym(&column.name, local_number(own(), frame)),
        Rule::TruncateDate(t) => f::truncate_date(own(), t.to.as_str(), pad, t.earliest),
        Rule::ShiftDate(s) => keyed.shift(ident(PERSON), own(), s.max_days, s.keep_time, pad),
        Rule::Band(b) => f::band(own(), b.width, b.low, b.high),
        Rule::TopCode(t) => f::bounds(own(), None, Some(t.at)),
        Rule::BottomCode(b) => f::bounds(own(), Some(b.at), None),
        Rule::Bounds(b) => f::bounds(own(), Some(b.low), Some(b.high)),
        Rule::Extremes(e) => {
            let bounds = facts.bounds.get(&column.name).cloned().unwrap_or_default();
            counted::group_bounds(own(), e.by.iter().map(ident).collect(), bounds)
        }
        Rule::RareToResidual(r) => {
            let group = group_of(column, all);
            let at = group.iter().position(|(c, _)| c.name == column.name).unwrap_or(0);
            let members = group
                .iter()
                .map(|(c, _)| Member {
                    value: ident(&c.name),
                    common: facts.common.get(&c.name).cloned().unwrap_or_default(),
                })
                .collect();
            counted::residual(members, at, &r.residual, r.parent)
        }
        Rule::CodeToParent(c) => f::code_parent(own(), c.characters),
        Rule::Region(r) => f::region(own(), level(r.to)),
        Rule::Category(c) => f::category(own(), &c.residual, c.values.iter().map(String::as_str)),
    }
}

/// A number that a holder gave: two holders may give the same one.
fn local_number(own: Expr, frame: &Frame) -> Expr {
    if frame.columns.iter().any(|c| c == "holder") {
        let separator = lit(counted::GROUP_SEPARATOR.to_string());
        // Concatenation would turn an empty number into the holder's name alone: it stays empty.
        let joined =
            kiban_lake::plan::functions::concat(vec![ident("holder"), separator, own.clone()]);
        kiban_lake::plan::when(own.is_not_null(), joined).end().unwrap_or_else(|_| ident("holder"))
    } else {
        own
    }
}

fn level(level: RegionLevel) -> Level {
    match level {
        RegionLevel::Prefecture => Level::Prefecture,
        RegionLevel::Municipality => Level::Municipality,
    }
}
