//! The function that reads a row's local code by the signed mappings: code, system, value or unit.
//!
//! It holds the mappings of one target, as [`crate::CodeMap`] chose them; a row finds its own by holder, code system, code
//! (or name) and day. Values are converted by the codes library, exactly, and rounded once.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Builder},
    datatypes::{DataType, Float64Type},
};
use datafusion::{
    common::{Result, exec_err},
    logical_expr::Expr,
};
use kiban_codes::{
    mapping::UnitRule,
    system_of,
    unit::{Analyte, Converted, convert},
};

use super::{
    base::{Args, Body, call, function},
    counted::GROUP_SEPARATOR,
    dates::as_days,
    numbers::format_number,
    state::{In, Kind, Out},
    texts::{Texts, Writer, to_text},
};

/// What a local code means over some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Period {
    /// First day, in days of the epoch.
    pub(crate) from: i32,
    /// Last day; none: open.
    pub(crate) until: Option<i32>,
    /// The target system.
    pub(crate) system: String,
    /// The target code.
    pub(crate) code: String,
    /// How values are converted.
    pub(crate) unit: Option<UnitRule>,
}

impl Period {
    fn covers(&self, day: i32) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// Meanings by `holder SEPARATOR local code`, those of the system taken first in front.
pub(crate) type Meanings = HashMap<String, Vec<Period>>;

/// The holder of mappings that hold for everybody's rows: those of official systems.
pub(crate) const EVERY_HOLDER: &str = "*";

/// Which part of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Code = 0,
    System = 1,
    Value = 2,
    Unit = 3,
}

impl Part {
    const ALL: [Self; 4] = [Self::Code, Self::System, Self::Value, Self::Unit];
}

/// The columns of a row that the function reads.
pub(crate) struct Columns {
    pub(crate) holder: Expr,
    pub(crate) code_system: Expr,
    pub(crate) code: Expr,
    pub(crate) text: Expr,
    pub(crate) day: Expr,
    /// A code of the first target system that came with the row.
    pub(crate) sent: Expr,
    pub(crate) value_text: Expr,
    pub(crate) value_num: Expr,
    pub(crate) unit: Expr,
}

/// `kiban_standard[part](…)`: a part of what the row's code means.
///
/// A mapping of the row's holder comes before one of every holder, and both before a code that came in a target system. A
/// row without a day is read only if its code has a single meaning. A value is converted from the row's own unit; where the
/// row names none, from the mapping's.
pub(crate) fn standard(
    part: Part,
    targets: &[&str],
    meanings: &Arc<Meanings>,
    columns: Columns,
) -> Expr {
    let body = Standard {
        part,
        targets: targets.iter().map(|t| (*t).to_owned()).collect(),
        meanings: Arc::clone(meanings),
    };
    let c = columns;
    call(
        &function(format!("kiban_standard[{part:?}:{}]", targets.join(",")), body),
        vec![
            c.holder,
            c.code_system,
            c.code,
            c.text,
            c.day,
            c.sent,
            c.value_text,
            c.value_num,
            c.unit,
        ],
    )
}

/// Codes that say that there is none: what the row is stands in its name (未コード化傷病名: MEDIS 99999999, receipt 0000999).
pub const UNCODED: [&str; 2] = ["99999999", "0000999"];

/// A local code as mappings name it: `system|code`; `||name` where only a name came or the code is one of [`UNCODED`].
/// `None`: the row has neither.
pub fn local_code(system: Option<&str>, code: Option<&str>, text: Option<&str>) -> Option<String> {
    let mut out = String::new();
    push_local(system, code, text, &mut out).then_some(out)
}

fn push_local(
    system: Option<&str>,
    code: Option<&str>,
    text: Option<&str>,
    out: &mut String,
) -> bool {
    let said = |text: Option<&str>| text.is_some_and(|t| !t.trim().is_empty());
    let trimmed = |text: Option<&str>, out: &mut String| {
        out.push_str(text.map(str::trim).unwrap_or_default());
    };
    let uncoded = code.is_some_and(|c| UNCODED.contains(&c.trim()));
    if said(code) && !(uncoded && said(text)) {
        trimmed(system, out);
        out.push('|');
        trimmed(code, out);
    } else if said(text) {
        out.push_str("||");
        trimmed(text, out);
    } else {
        return false;
    }
    true
}

struct Standard {
    part: Part,
    targets: Vec<String>,
    meanings: Arc<Meanings>,
}

/// What a row's code turned out to mean.
enum Found<'a> {
    Mapped(&'a Period),
    /// It came in this target system.
    Sent(&'a str),
    Nothing,
}

impl Standard {
    /// The one meaning on a day.
    fn meaning(&self, key: &str, day: Option<i32>) -> Option<&Period> {
        let periods = self.meanings.get(key)?;
        match day {
            Some(day) => periods.iter().find(|p| p.covers(day)),
            None => {
                let first = periods.first()?;
                let mut same = periods.iter().filter(|p| p.system == first.system);
                same.all(|p| p.code == first.code && p.unit == first.unit).then_some(first)
            }
        }
    }

    fn find<'a>(&'a self, row: &Row<'_>, key: &mut String) -> Found<'a> {
        key.clear();
        key.push_str(row.holder.unwrap_or_default());
        key.push(GROUP_SEPARATOR);
        let at = key.len();
        if push_local(row.system, row.code, row.text, key) {
            let every = || format!("{EVERY_HOLDER}{GROUP_SEPARATOR}{}", &key[at..]);
            let found = self.meaning(key, row.day).or_else(|| self.meaning(&every(), row.day));
            if let Some(period) = found {
                return Found::Mapped(period);
            }
        }
        if row.sent.is_some() {
            return self.targets.first().map_or(Found::Nothing, |t| Found::Sent(t));
        }
        let system = row.system.and_then(system_of);
        let target = row.code.and(system).and_then(|s| self.targets.iter().find(|t| **t == s));
        target.map_or(Found::Nothing, |t| Found::Sent(t))
    }
}

/// A row's cells.
struct Row<'a> {
    holder: Option<&'a str>,
    system: Option<&'a str>,
    code: Option<&'a str>,
    text: Option<&'a str>,
    day: Option<i32>,
    sent: Option<&'a str>,
}

/// A row's value in the mapping's unit.
fn converted(rule: &UnitRule, value: &str, unit: Option<&str>) -> Option<Converted> {
    match unit.map(str::trim).filter(|u| !u.is_empty() && *u != rule.from) {
        None => rule.convert(value).ok(),
        Some(stated) => {
            let of = |key: &Option<String>| key.as_deref().and_then(Analyte::of_key);
            let analyte = of(&rule.analyte);
            let target = of(&rule.target_analyte).or(analyte);
            convert(value, stated, &rule.to, analyte, target).ok()
        }
    }
}

impl Body for Standard {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(if self.part == Part::Value { DataType::Float64 } else { DataType::Utf8 })
    }

    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let texts = [0, 1, 2, 3, 5, 6, 8]
            .into_iter()
            .map(|i| to_text(&args.column(i)?))
            .collect::<Result<Vec<_>>>()?;
        let columns: Vec<Texts<'_>> = texts.iter().filter_map(|t| Texts::of(t.as_ref())).collect();
        let [holder, system, code, text, sent, value_text, unit] = &columns[..] else {
            return exec_err!("a mapping reads texts");
        };
        let Some(days) = as_days(&args.column(4)?)? else {
            return exec_err!("a mapping reads dates");
        };
        let numbers = args.column(7)?;
        let Some(numbers) = numbers.as_primitive_opt::<Float64Type>() else {
            return exec_err!("a mapping reads numbers");
        };
        let rows = holder.len();
        let (mut words, mut values) = (Writer::new(rows), Float64Builder::with_capacity(rows));
        let (mut key, mut memo) = (String::new(), Memo::default());
        for at in 0..rows {
            let row = Row {
                holder: holder.get(at),
                system: system.get(at),
                code: code.get(at),
                text: text.get(at),
                day: days.is_valid(at).then(|| days.value(at)),
                sent: sent.get(at),
            };
            let found = self.find(&row, &mut key);
            let number = numbers.is_valid(at).then(|| numbers.value(at));
            let value = Value { number, text: value_text.get(at), unit: unit.get(at) };
            match (self.part, &found) {
                (Part::Code, Found::Mapped(period)) => words.push(Some(&period.code)),
                (Part::Code, Found::Sent(_)) => words.push(row.sent.or(row.code)),
                (Part::System, Found::Mapped(period)) => words.push(Some(&period.system)),
                (Part::System, Found::Sent(target)) => words.push(Some(target)),
                (Part::Value, Found::Mapped(Period { unit: Some(rule), .. })) => {
                    values.append_option(memo.of(rule, &value).map(|(number, _)| *number));
                }
                (Part::Unit, Found::Mapped(Period { unit: Some(rule), .. })) => {
                    words.push(memo.of(rule, &value).map(|(_, unit)| unit.as_str()));
                }
                (Part::Value, Found::Mapped(_) | Found::Sent(_)) => values.append_option(number),
                (Part::Unit, Found::Mapped(_) | Found::Sent(_)) => words.push(value.unit),
                (Part::Value, Found::Nothing) => values.append_null(),
                (_, Found::Nothing) => words.push(None),
            }
        }
        if self.part == Part::Value { Ok(Arc::new(values.finish())) } else { words.finish() }
    }

    fn state(&self) -> Option<Out> {
        let mut out = Out::of(Kind::Standard);
        out.number(self.part as u64);
        out.number(self.targets.len() as u64);
        self.targets.iter().for_each(|t| out.text(t));
        out.map(&self.meanings, |out, periods| {
            out.number(periods.len() as u64);
            for period in periods {
                write_period(out, period);
            }
        });
        Some(out)
    }
}

/// A row's result.
struct Value<'a> {
    number: Option<f64>,
    text: Option<&'a str>,
    unit: Option<&'a str>,
}

/// A row's value in the unit of a mapping, and that unit; `None` where nothing converts it.
///
/// The text says how many places were measured; a number without its text is written in its shortest form. The row's own
/// unit counts; where the row names none, the mapping's.
pub fn standard_value(
    rule: &UnitRule,
    number: f64,
    text: Option<&str>,
    unit: Option<&str>,
) -> Option<(f64, String)> {
    let made = text
        .and_then(|text| converted(rule, text, unit))
        .or_else(|| converted(rule, &format_number(number), unit))?;
    Some((made.value.to_string().parse().ok()?, made.unit))
}

/// Conversions that were made: laboratories write few different numbers.
#[derive(Default)]
struct Memo(HashMap<(usize, String, String), Option<(f64, String)>>);

impl Memo {
    fn of(&mut self, rule: &UnitRule, value: &Value<'_>) -> Option<&(f64, String)> {
        let number = value.number?;
        let text = value.text.map_or_else(|| format_number(number), str::to_owned);
        let unit = value.unit.unwrap_or_default();
        self.0
            .entry((std::ptr::from_ref(rule).addr(), text, unit.to_owned()))
            .or_insert_with_key(|(_, text, unit)| {
                standard_value(rule, number, Some(text), Some(unit))
            })
            .as_ref()
    }
}

fn write_period(out: &mut Out, period: &Period) {
    // Days before the epoch keep their bits.
    out.number(u64::from(period.from.cast_unsigned()));
    out.option(period.until, |out, day| out.number(u64::from(day.cast_unsigned())));
    out.text(&period.system);
    out.text(&period.code);
    out.option(period.unit.as_ref(), |out, rule| {
        out.text(&rule.from);
        out.text(&rule.to);
        for analyte in [&rule.analyte, &rule.target_analyte] {
            out.option(analyte.as_deref(), Out::text);
        }
    });
}

fn read_period(from: &mut In<'_>) -> Result<Period> {
    let owned = |from: &mut In<'_>| from.text().map(str::to_owned);
    Ok(Period {
        from: from.int::<u32>()?.cast_signed(),
        until: from.option(|from| Ok(from.int::<u32>()?.cast_signed()))?,
        system: owned(from)?,
        code: owned(from)?,
        unit: from.option(|from| {
            Ok(UnitRule {
                from: owned(from)?,
                to: owned(from)?,
                analyte: from.option(owned)?,
                target_analyte: from.option(owned)?,
            })
        })?,
    })
}

pub(super) fn restore(from: &mut In<'_>) -> Result<Arc<dyn Body>> {
    let part = from.int::<usize>()?;
    let Some(part) = Part::ALL.into_iter().find(|p| *p as usize == part) else {
        return exec_err!("a function's state is of another build");
    };
    let count = from.int::<usize>()?;
    let mut targets = Vec::new();
    for _ in 0..count {
        targets.push(from.text()?.to_owned());
    }
    let meanings = from.map(|from| {
        let count = from.int::<usize>()?;
        let mut periods = Vec::new();
        for _ in 0..count {
            periods.push(read_period(from)?);
        }
        Ok(periods)
    })?;
    Ok(Arc::new(Standard { part, targets, meanings: Arc::new(meanings) }))
}
