//! Functions that hold what was counted from the data before the plan ran: which values are common enough,
//! where a group's extremes begin, who is in a set, whose cells were decided about.
//!
//! The engine takes two calls for one expression if their functions' *names* and arguments are equal: within one plan
//! an instance's name must say everything that its arguments do not.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, BooleanArray},
    datatypes::DataType,
};
use datafusion::{
    common::{Result, exec_err},
    logical_expr::Expr,
};

use super::{
    base::{Args, Body, call, function},
    codes::parent,
    numbers::{as_numbers, clip, number_of, push_number},
    region::prefecture_of,
    state::{In, Kind, Out},
    texts::{Cell, Memo, Texts, Writer, map_text, to_text},
};

/// A column of a group whose values are judged together.
pub struct Member {
    /// The column.
    pub value: Expr,
    /// Values that stay.
    pub common: Arc<HashSet<String>>,
}

/// `kiban_residual(own, others…)`: the value of member `own`, cut to `characters` if given, if every member's value
/// of the row is common (or empty); the residual otherwise. An empty value stays empty.
pub fn residual(members: Vec<Member>, own: usize, label: &str, characters: Option<u8>) -> Expr {
    let (values, common) = members.into_iter().map(|m| (m.value, m.common)).unzip();
    let body =
        Residual { common, own, label: label.to_owned(), characters: characters.map(usize::from) };
    // One plan holds a call per member, all with the same arguments.
    call(
        &function(format!("kiban_residual[{own}:{}:{label}]", characters.unwrap_or(0)), body),
        values,
    )
}

struct Residual {
    common: Vec<Arc<HashSet<String>>>,
    own: usize,
    label: String,
    characters: Option<usize>,
}

impl Residual {
    fn write(&self, text: &str, out: &mut String) -> Cell {
        match self.characters {
            Some(n) => {
                out.push_str(parent(text, n));
                Cell::Written
            }
            None => Cell::Same,
        }
    }
}

impl Body for Residual {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        if self.common.len() == 1 {
            return map_text(&args.column(0)?, &mut |text, out| {
                if self.common[0].contains(text) {
                    self.write(text, out)
                } else {
                    out.push_str(&self.label);
                    Cell::Written
                }
            });
        }
        let columns =
            (0..args.len()).map(|i| to_text(&args.column(i)?)).collect::<Result<Vec<_>>>()?;
        let rows = columns.first().map_or(0, |c| c.len());
        let mut rare = vec![false; rows];
        for (column, common) in columns.iter().zip(&self.common) {
            for (flag, is_common) in rare.iter_mut().zip(membership(column, common)?) {
                *flag |= is_common == Some(false);
            }
        }
        let Some(own) = columns.get(self.own).and_then(|c| Texts::of(c.as_ref())) else {
            return exec_err!("a group lacks its own column");
        };
        let mut out = Writer::new(rows);
        let mut buffer = String::new();
        for (row, rare) in rare.into_iter().enumerate() {
            let Some(text) = own.get(row) else {
                out.push(None);
                continue;
            };
            buffer.clear();
            if rare {
                out.push(Some(&self.label));
            } else if self.write(text, &mut buffer) == Cell::Same {
                out.push(Some(text));
            } else {
                out.push(Some(&buffer));
            }
        }
        out.finish()
    }
    fn state(&self) -> Option<Out> {
        let mut out = Out::of(Kind::Residual);
        out.number(self.common.len() as u64);
        self.common.iter().for_each(|set| out.set(set));
        out.number(self.own as u64);
        out.text(&self.label);
        out.option(self.characters, |out, n| out.number(n as u64));
        Some(out)
    }
}

/// Is each value in the set? `None` for an empty cell.
fn membership(column: &ArrayRef, set: &HashSet<String>) -> Result<Vec<Option<bool>>> {
    let Some(texts) = Texts::of(column.as_ref()) else {
        return exec_err!("a set needs a text");
    };
    let mut memo = Memo::new();
    let mut out: Vec<Option<bool>> = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        let found = match texts.get(row) {
            None => None,
            Some(text) => match memo.earlier(text, row, |r| texts.get(r)) {
                Some(seen) => out[seen],
                None => Some(set.contains(text)),
            },
        };
        out.push(found);
    }
    Ok(out)
}

/// `kiban_in[name](value)`: true if the value is in the set; an empty value is in none.
pub fn is_in(value: Expr, name: &str, set: Arc<HashSet<String>>) -> Expr {
    call(&function(format!("kiban_in[{name}]"), IsIn(set)), vec![value])
}

/// The same of a cell: true if [`cell_key`] of person and value is in the set; a row without a value is in none.
pub fn is_cell_in(person: Expr, value: Expr, name: &str, set: Arc<HashSet<String>>) -> Expr {
    call(&function(format!("kiban_in[{name}]"), IsIn(set)), vec![person, value])
}

struct IsIn(Arc<HashSet<String>>);

impl Body for IsIn {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        if args.len() == 2 {
            return self.cells(args);
        }
        let found = membership(&to_text(&args.column(0)?)?, &self.0)?;
        let found: BooleanArray = found.into_iter().map(|f| Some(f.unwrap_or(false))).collect();
        Ok(Arc::new(found))
    }
    fn state(&self) -> Option<Out> {
        let mut out = Out::of(Kind::IsIn);
        out.set(&self.0);
        Some(out)
    }
}

impl IsIn {
    fn cells(&self, args: &Args) -> Result<ArrayRef> {
        let persons = to_text(&args.column(0)?)?;
        let values = to_text(&args.column(1)?)?;
        let (Some(persons), Some(values)) =
            (Texts::of(persons.as_ref()), Texts::of(values.as_ref()))
        else {
            return exec_err!("a cell is a person and a value");
        };
        let found: BooleanArray = (0..values.len())
            .map(|row| match (persons.get(row), values.get(row)) {
                (Some(person), Some(value)) => Some(self.0.contains(&cell_key(person, value))),
                _ => Some(false),
            })
            .collect();
        Ok(Arc::new(found))
    }
}

/// Lower and upper bound per group; the group is the texts of its columns joined by [`GROUP_SEPARATOR`].
pub type GroupBounds = HashMap<String, (f64, f64)>;

/// Between the parts of a group's name.
pub const GROUP_SEPARATOR: char = '\u{1f}';

/// `kiban_group_bounds(value, group columns…)`: as `kiban_bounds`, with the bounds of the row's group; a group
/// without bounds is emptied.
pub fn group_bounds(value: Expr, by: Vec<Expr>, bounds: Arc<GroupBounds>) -> Expr {
    let mut args = vec![value];
    args.extend(by);
    call(&function("kiban_group_bounds", GroupBody(bounds)), args)
}

struct GroupBody(Arc<GroupBounds>);

impl Body for GroupBody {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let value = args.column(0)?;
        let numbers = as_numbers(&value)?;
        let texts = to_text(&value)?;
        let keys =
            (1..args.len()).map(|i| to_text(&args.column(i)?)).collect::<Result<Vec<_>>>()?;
        let keys: Vec<Texts<'_>> = keys.iter().filter_map(|k| Texts::of(k.as_ref())).collect();
        let Some(texts) = Texts::of(texts.as_ref()) else {
            return exec_err!("bounds need a number");
        };
        let mut out = Writer::new(value.len());
        let (mut group, mut last_group, mut found) = (String::new(), None::<String>, None);
        let mut buffer = String::new();
        for row in 0..value.len() {
            group.clear();
            for key in &keys {
                group.push_str(key.get(row).unwrap_or_default());
                group.push(GROUP_SEPARATOR);
            }
            if last_group.as_deref() != Some(&group) {
                found = self.0.get(&group).copied();
                last_group = Some(group.clone());
            }
            let number = match &numbers {
                Some(numbers) => {
                    numbers.is_valid(row).then(|| numbers.value(row)).filter(|v| v.is_finite())
                }
                None => texts.get(row).and_then(number_of),
            };
            let (Some((low, high)), Some(number)) = (found, number) else {
                out.push(None);
                continue;
            };
            buffer.clear();
            if clip(number, Some(low), Some(high), &mut buffer) == Cell::Same {
                match (&numbers, texts.get(row)) {
                    (None, Some(text)) => buffer.push_str(text),
                    _ => push_number(&mut buffer, number),
                }
            }
            out.push(Some(&buffer));
        }
        out.finish()
    }
    fn state(&self) -> Option<Out> {
        let mut out = Out::of(Kind::GroupBounds);
        out.map(&self.0, |out, (low, high)| {
            out.number(low.to_bits());
            out.number(high.to_bits());
        });
        Some(out)
    }
}

/// What a decision makes of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Override {
    /// Nothing is left.
    Empty,
    /// This text.
    Text(String),
    /// The prefecture of the region that the cell holds.
    Prefecture,
}

/// What decisions make of cells, by person and value joined by [`GROUP_SEPARATOR`].
pub type Overrides = HashMap<String, Override>;

/// The name of a cell in [`Overrides`].
pub fn cell_key(person: &str, value: &str) -> String {
    format!("{person}{GROUP_SEPARATOR}{value}")
}

/// `kiban_decided(person, value)`: the value as text, changed where a decision says so.
pub fn decided(person: Expr, value: Expr, overrides: Arc<Overrides>) -> Expr {
    call(&function("kiban_decided", Decided(overrides)), vec![person, value])
}

struct Decided(Arc<Overrides>);

impl Body for Decided {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let persons = to_text(&args.column(0)?)?;
        let values = to_text(&args.column(1)?)?;
        let (Some(persons), Some(values)) =
            (Texts::of(persons.as_ref()), Texts::of(values.as_ref()))
        else {
            return exec_err!("a decision needs a person and a value");
        };
        let mut out = Writer::new(values.len());
        for row in 0..values.len() {
            let (Some(person), Some(value)) = (persons.get(row), values.get(row)) else {
                out.push(values.get(row));
                continue;
            };
            match self.0.get(&cell_key(person, value)) {
                None => out.push(Some(value)),
                Some(Override::Empty) => out.push(None),
                Some(Override::Text(text)) => out.push(Some(text)),
                Some(Override::Prefecture) => out.push(prefecture_of(value)),
            }
        }
        out.finish()
    }
    fn state(&self) -> Option<Out> {
        let mut out = Out::of(Kind::Decided);
        out.map(&self.0, |out, decided| match decided {
            Override::Empty => out.number(0),
            Override::Prefecture => out.number(1),
            Override::Text(text) => {
                out.number(2);
                out.text(text);
            }
        });
        Some(out)
    }
}

/// A body of this file from its state.
pub(super) fn restore(kind: Kind, from: &mut In<'_>) -> Result<Arc<dyn Body>> {
    Ok(match kind {
        Kind::Residual => {
            let members = from.int::<u32>()?;
            let common = (0..members).map(|_| Ok(Arc::new(from.set()?))).collect::<Result<_>>()?;
            let own = from.int()?;
            let label = from.text()?.to_owned();
            let characters = from.option(In::int)?;
            Arc::new(Residual { common, own, label, characters })
        }
        Kind::IsIn => Arc::new(IsIn(Arc::new(from.set()?))),
        Kind::GroupBounds => {
            Arc::new(GroupBody(Arc::new(from.map(|from| {
                Ok((f64::from_bits(from.number()?), f64::from_bits(from.number()?)))
            })?)))
        }
        Kind::Decided => Arc::new(Decided(Arc::new(from.map(|from| match from.number()? {
            0 => Ok(Override::Empty),
            1 => Ok(Override::Prefecture),
            2 => Ok(Override::Text(from.text()?.to_owned())),
            _ => exec_err!("a decision is of no known kind"),
        })?))),
        Kind::Tag | Kind::Code | Kind::Shift | Kind::Standard => {
            return exec_err!("this function has no counts");
        }
    })
}
