//! Values and labels of one attribute, related by number.

use super::range::{self, Range};
use super::{Column, Compare, HoldingsError, Kind, Matches};
use hashbrown::HashMap;

/// Lists of numbers, one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    offsets: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    pub(crate) fn of(lists: impl IntoIterator<Item = Vec<u32>>) -> Self {
        let mut all = Self { offsets: vec![0], items: Vec::new() };
        for list in lists {
            all.push(&list);
        }
        all
    }

    pub(crate) fn push(&mut self, list: &[u32]) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.items.extend_from_slice(list);
        self.offsets.push(self.items.len() as u32);
    }

    pub(crate) fn at(&self, at: usize) -> &[u32] {
        &self.items[self.offsets[at] as usize..self.offsets[at + 1] as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// From (list, item) to (item, list); both ascending.
    pub(crate) fn turned(&self, items: usize) -> Self {
        let mut offsets = vec![0_u32; items + 1];
        for item in &self.items {
            offsets[*item as usize + 1] += 1;
        }
        for at in 0..items {
            offsets[at + 1] += offsets[at];
        }
        let mut next = offsets.clone();
        let mut turned = vec![0; self.items.len()];
        for list in 0..self.len() {
            for item in self.at(list) {
                let place = &mut next[*item as usize];
                turned[*place as usize] = list as u32;
                *place += 1;
            }
        }
        Self { offsets, items: turned }
    }
}

/// What the comparison of an attribute comes to.
#[derive(Debug, Clone)]
pub(crate) enum Relation {
    Labels(Labels),
    Dates {
        max_days: i32,
        /// A released person without dates may have had any.
        missing: bool,
    },
}

type OnScale = Vec<Option<Range>>;
type Places = Option<(OnScale, OnScale)>;

/// Labels by value, as numbers of the two dictionaries.
#[derive(Debug, Clone)]
pub(crate) struct Labels {
    /// Labels a value may have become, ascending, without the residuals.
    pub(crate) of_value: Lists,
    /// Labels that any value may have become.
    pub(crate) residual: Vec<bool>,
    /// A released person without a label may have had any.
    pub(crate) absent: bool,
    /// Values that are missing: nothing is known.
    pub(crate) unknown: Vec<bool>,
    /// Places of values and labels on a scale from 0 to 1, where they are numbers or dates.
    pub(crate) scale: Places,
}

impl Relation {
    pub(crate) fn between(
        original: &Column,
        released: &Column,
        compare: &Compare,
    ) -> Result<Self, HoldingsError> {
        let kind = || HoldingsError::Kind { name: compare.attribute.clone() };
        let dates = |c: &Column| c.kind == Kind::Dates;
        if let Matches::Shifted { max_days } = compare.matches {
            if !dates(original) || !dates(released) {
                return Err(kind());
            }
            return Ok(Self::Dates { max_days: i32::from(max_days), missing: compare.missing });
        }
        if dates(original) || dates(released) {
            return Err(kind());
        }
        Ok(Self::Labels(labels(&original.dictionary, &released.dictionary, compare)))
    }

    pub(crate) fn labels(&self) -> Option<&Labels> {
        match self {
            Self::Labels(labels) => Some(labels),
            Self::Dates { .. } => None,
        }
    }
}

fn labels(values: &[Box<str>], labels: &[Box<str>], compare: &Compare) -> Labels {
    let residual: Vec<bool> = labels
        .iter()
        .map(|l| (l.is_empty() && compare.missing) || compare.residuals.iter().any(|r| **r == **l))
        .collect();
    let number: HashMap<&str, u32> =
        labels.iter().enumerate().map(|(at, l)| (&**l, at as u32)).collect();
    let mut scale = None;
    let mut lists: Vec<Vec<u32>> = match &compare.matches {
        Matches::Equal | Matches::Shifted { .. } => {
            values.iter().map(|v| number.get(&**v).copied().into_iter().collect()).collect()
        }
        Matches::Hierarchy(hierarchy) => {
            let above = |value: &str| -> Vec<u32> {
                let Some(leaf) = hierarchy.values.get(value) else { return Vec::new() };
                let label = |level: &crate::hierarchy::Level| {
                    number.get(&*level.labels[level.of_leaf[*leaf as usize] as usize]).copied()
                };
                hierarchy.levels.iter().filter_map(label).collect()
            };
            values
                .iter()
                .map(|v| above(v).into_iter().chain(number.get(&**v).copied()).collect())
                .collect()
        }
        Matches::Labels(rule) => values
            .iter()
            .map(|v| rule(v).iter().filter_map(|l| number.get(l.as_str()).copied()).collect())
            .collect(),
        Matches::Numbers => {
            let (lists, places) = intervals(values, labels, &number, range::number);
            scale = places;
            lists
        }
        Matches::TruncatedDates => {
            let (lists, places) = intervals(values, labels, &number, range::date);
            scale = places;
            lists
        }
    };
    for list in &mut lists {
        list.retain(|l| !residual[*l as usize]);
        list.sort_unstable();
        list.dedup();
    }
    let unknown = values.iter().map(|v| v.is_empty()).collect();
    Labels { of_value: Lists::of(lists), residual, absent: compare.absent, unknown, scale }
}

fn intervals(
    values: &[Box<str>],
    labels: &[Box<str>],
    number: &HashMap<&str, u32>,
    read: fn(&str) -> Option<Range>,
) -> (Vec<Vec<u32>>, Places) {
    let of_value: Vec<Option<Range>> = values.iter().map(|v| read(v)).collect();
    let of_label: Vec<Option<Range>> = labels.iter().map(|l| read(l)).collect();
    let mut points: Vec<(f64, u32)> = Vec::new();
    let mut wide: Vec<(Range, u32)> = Vec::new();
    for (at, range) in of_label.iter().enumerate() {
        match range {
            Some(range) if range.is_point() => points.push((range.low, at as u32)),
            Some(range) => wide.push((*range, at as u32)),
            None => {}
        }
    }
    points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let list = |value: &str, range: Option<Range>| -> Vec<u32> {
        let Some(range) = range else {
            return number.get(value).copied().into_iter().collect();
        };
        let hair = 1e-9 * range.low.abs().max(1.0);
        let first = points.partition_point(|(x, _)| *x < range.low - hair);
        let near = points[first..].iter().take_while(|(x, _)| *x <= range.high + hair);
        let near = near.filter(|(x, _)| Range::point(*x).meets(range)).map(|(_, at)| *at);
        near.chain(wide.iter().filter(|(w, _)| w.meets(range)).map(|(_, at)| *at)).collect()
    };
    let lists = values.iter().zip(&of_value).map(|(value, range)| list(value, *range)).collect();
    // To a scale of 1, so that attributes weigh the same; ends that have no bound give none.
    let ends = of_value.iter().chain(&of_label).flatten().flat_map(|r| [r.low, r.high]);
    let (low, high) = ends
        .filter(|x| x.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let width = high - low;
    let scaled = |r: &Option<Range>| {
        r.map(|r| Range { low: (r.low - low) / width, high: (r.high - low) / width, open: r.open })
    };
    let places = (width > 0.0)
        .then(|| (of_value.iter().map(scaled).collect(), of_label.iter().map(scaled).collect()));
    (lists, places)
}
