//! Generalisation hierarchies: which label each original value has at each level.
//!
//! Enters: text in the form of ARX (one line per original value, column n = label at level n), rows of labels, or
//! a rule (intervals, masking). Leaves: numbered labels per level with the number of leaves under each.
//! Refuses: empty, ragged or not nested hierarchies and values listed twice, by line number, without the value.

use crate::tool::split;
use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;
use std::borrow::Cow;

/// Why a hierarchy was refused. Line numbers and levels only, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HierarchyError {
    /// There is no line.
    #[error("the hierarchy is empty")]
    Empty,
    /// A line has another number of columns than the first one.
    #[error("line {line} has {found} columns, the first line has {expected}")]
    Ragged {
        /// Line, from 1.
        line: usize,
        /// Columns of this line.
        found: usize,
        /// Columns of the first line.
        expected: usize,
    },
    /// An original value is listed twice, with different labels.
    #[error("line {line} lists the value of line {first} again")]
    ValueTwice {
        /// Line, from 1.
        line: usize,
        /// Line of the first listing.
        first: usize,
    },
    /// Two lines share a label at one level and differ at a higher one.
    #[error("line {line}: a label of level {level} belongs to two labels of level {}", level + 1)]
    NotNested {
        /// Line, from 1.
        line: usize,
        /// Level of the label with two parents.
        level: usize,
    },
    /// An interval builder was given widths that are not positive multiples of one another.
    #[error("width {position} of the intervals is not a positive multiple of the width before it")]
    IntervalWidth {
        /// Position of the width, from 1.
        position: usize,
    },
}

impl HierarchyError {
    /// The Japanese sentence for the person who wrote the hierarchy.
    pub fn ja(&self) -> String {
        match self {
            Self::Empty => "階層ファイルが空です。元の値ごとに1行を書いてください。".into(),
            Self::Ragged { line, found, expected } => format!(
                "階層ファイルの{line}行目は{found}列ですが、1行目は{expected}列です。列数をそろえてください。"
            ),
            Self::ValueTwice { line, first } => format!(
                "階層ファイルの{line}行目の値は{first}行目にもあります。一方を削除してください。"
            ),
            Self::NotNested { line, level } => format!(
                "階層ファイルの{line}行目:段階{level}のラベルが、段階{}の二つのラベルに属しています。入れ子になるよう直してください。",
                level + 1
            ),
            Self::IntervalWidth { position } => {
                format!("区間の幅の{position}番目は、一つ前の幅の正の倍数ではありません。")
            }
        }
    }
}

/// One level of a hierarchy.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    /// The labels, numbered in order of first occurrence.
    pub(crate) labels: Vec<Box<str>>,
    /// Label of each leaf.
    pub(crate) of_leaf: Vec<u32>,
    /// Leaves under each label.
    pub(crate) leaves: Vec<u32>,
}

/// Labels of each original value at each level; level 0 is the value itself.
#[derive(Debug, Clone)]
pub struct Hierarchy {
    pub(crate) values: HashMap<Box<str>, u32>,
    pub(crate) levels: Vec<Level>,
    lines: usize,
}

impl Hierarchy {
    /// Read the form of ARX: no header, one line per value, columns separated by `delimiter`. A label that starts with
    /// a quote is read as in RFC 4180, without line breaks. Empty lines are skipped.
    pub fn parse(text: &str, delimiter: char) -> Result<Self, HierarchyError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line.trim_end_matches('\r')))
            .filter(|(_, line)| !line.is_empty());
        let mut builder = Builder::default();
        for (number, line) in lines {
            if line.contains('"') {
                let labels = split(line, delimiter);
                builder.add(number, labels.iter().map(Cow::as_ref))?;
            } else {
                builder.add(number, line.split(delimiter))?;
            }
        }
        builder.finish()
    }

    /// Build from rows of labels: original value first, root last.
    pub fn from_rows<'a, R>(rows: impl IntoIterator<Item = R>) -> Result<Self, HierarchyError>
    where
        R: IntoIterator<Item = &'a str>,
    {
        let mut builder = Builder::default();
        for (at, row) in rows.into_iter().enumerate() {
            builder.add(at + 1, row)?;
        }
        builder.finish()
    }

    /// Two levels: the value, and `*`. For attributes without a hierarchy of their own.
    pub fn suppression<'a>(
        values: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, HierarchyError> {
        Self::from_rows(distinct(values).iter().map(|value| [*value, "*"]))
    }

    /// Whole numbers into intervals `[a, b[` of growing widths starting from `origin`, then `*`. Each width is a
    /// multiple of the one before; what is not a whole number becomes `*` at every level above 0.
    pub fn intervals<'a>(
        values: impl IntoIterator<Item = &'a str>,
        origin: i64,
        widths: &[i64],
    ) -> Result<Self, HierarchyError> {
        for (at, width) in widths.iter().enumerate() {
            let before = if at == 0 { 1 } else { widths[at - 1] };
            if *width < 1 || width % before != 0 {
                return Err(HierarchyError::IntervalWidth { position: at + 1 });
            }
        }
        let rows: Vec<Vec<String>> = distinct(values)
            .iter()
            .map(|value| {
                let number: Option<i64> = value.trim().parse().ok();
                let mut row = vec![(*value).to_owned()];
                row.extend(widths.iter().map(|width| match number {
                    Some(number) => {
                        let low = (number - origin).div_euclid(*width) * width + origin;
                        format!("[{low}, {}[", low + width)
                    }
                    None => "*".to_owned(),
                }));
                row.push("*".to_owned());
                row
            })
            .collect();
        Self::from_rows(rows.iter().map(|row| row.iter().map(String::as_str)))
    }

    /// Text masked from the right, one character a level, down to `*`: codes such as ICD-10 or postal codes, whose
    /// prefixes are their groups. `kept` lists how many characters each level keeps, falling, e.g. `[3, 1]`.
    pub fn prefixes<'a>(
        values: impl IntoIterator<Item = &'a str>,
        kept: &[usize],
    ) -> Result<Self, HierarchyError> {
        let rows: Vec<Vec<String>> = distinct(values)
            .iter()
            .map(|value| {
                let mut row = vec![(*value).to_owned()];
                let mut shorter = (*value).to_owned();
                for keep in kept {
                    shorter = shorter.chars().take(*keep).collect();
                    row.push(format!("{shorter}*"));
                }
                row.push("*".to_owned());
                row
            })
            .collect();
        Self::from_rows(rows.iter().map(|row| row.iter().map(String::as_str)))
    }

    /// Number of levels, the original values included.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// Number of lines of the file: what shares of the domain are counted in.
    pub fn leaves(&self) -> usize {
        self.lines
    }

    /// Number of labels at a level; 0 above the root.
    pub fn labels(&self, level: usize) -> usize {
        self.levels.get(level).map_or(0, |level| level.labels.len())
    }

    /// The label a value has at a level.
    pub fn label(&self, value: &str, level: usize) -> Option<&str> {
        let leaf = *self.values.get(value)?;
        let level = self.levels.get(level)?;
        Some(&level.labels[level.of_leaf[leaf as usize] as usize])
    }

    /// From labels of `low` to labels of `high`.
    pub(crate) fn step(&self, low: usize, high: usize) -> Vec<u32> {
        let from = &self.levels[low];
        let to = &self.levels[high];
        let mut map = vec![0; from.labels.len()];
        for (low, high) in from.of_leaf.iter().zip(&to.of_leaf) {
            map[*low as usize] = *high;
        }
        map
    }
}

/// A hierarchy that is read line by line.
#[derive(Default)]
struct Builder {
    /// Per level: the number of each label.
    numbers: Vec<HashMap<Box<str>, u32>>,
    levels: Vec<Level>,
    /// Per level: the label above each label.
    parents: Vec<Vec<u32>>,
    first_line: Vec<usize>,
    lines: usize,
    path: Vec<u32>,
}

impl Builder {
    fn add<'a>(
        &mut self,
        line: usize,
        row: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), HierarchyError> {
        let Self { numbers, levels, parents, first_line, path, .. } = self;
        let first = self.lines == 0;
        self.lines += 1;
        path.clear();
        let mut found = 0;
        for (level, label) in row.into_iter().enumerate() {
            found += 1;
            if first {
                numbers.push(HashMap::new());
                let empty = Level { labels: Vec::new(), of_leaf: Vec::new(), leaves: Vec::new() };
                levels.push(empty);
                parents.push(Vec::new());
            } else if level >= levels.len() {
                continue;
            }
            let this = &mut levels[level];
            let number = match numbers[level].entry_ref(label) {
                EntryRef::Occupied(known) => *known.get(),
                EntryRef::Vacant(free) => {
                    let number = this.labels.len() as u32;
                    this.labels.push(label.into());
                    this.leaves.push(0);
                    free.insert(number);
                    number
                }
            };
            this.leaves[number as usize] += 1;
            path.push(number);
        }
        if found != levels.len() || found == 0 {
            return Err(HierarchyError::Ragged { line, found, expected: levels.len() });
        }
        let leaf = path[0] as usize;
        if leaf < first_line.len() {
            // A line that repeats another one word for word is harmless, and counts twice (as in ARX).
            if levels.iter().zip(&*path).any(|(level, number)| level.of_leaf[leaf] != *number) {
                return Err(HierarchyError::ValueTwice { line, first: first_line[leaf] });
            }
            return Ok(());
        }
        first_line.push(line);
        for (level, number) in path.iter().enumerate() {
            levels[level].of_leaf.push(*number);
            let Some(below) = level.checked_sub(1) else { continue };
            let (up, below_number) = (&mut parents[below], path[below] as usize);
            if below_number == up.len() {
                up.push(*number);
            } else if up[below_number] != *number {
                return Err(HierarchyError::NotNested { line, level: below });
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Hierarchy, HierarchyError> {
        if self.levels.is_empty() {
            return Err(HierarchyError::Empty);
        }
        let values = self.numbers.swap_remove(0);
        Ok(Hierarchy { values, levels: self.levels, lines: self.lines })
    }
}

fn distinct<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut values: Vec<&str> = values.into_iter().collect();
    values.sort_unstable();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_by_line() {
        let of = |text: &str| Hierarchy::parse(text, ';').map(|_| ()).unwrap_err();
        assert_eq!(of("\n"), HierarchyError::Empty);
        assert_eq!(of("a;x\nb\n"), HierarchyError::Ragged { line: 2, found: 1, expected: 2 });
        assert_eq!(of("a;x\nb;x;y\n"), HierarchyError::Ragged { line: 2, found: 3, expected: 2 });
        assert_eq!(of("a;x\nb;y\na;y\n"), HierarchyError::ValueTwice { line: 3, first: 1 });
        assert_eq!(of("a;x;p\nb;x;q\n"), HierarchyError::NotNested { line: 2, level: 1 });
        assert!(of("a;x;p\nb;x;q\n").ja().contains("2行目"));
    }

    #[test]
    fn leaves_are_counted_per_label() {
        let ages = Hierarchy::intervals(["3", "7", "12", "?"], 0, &[5, 10]).unwrap();
        assert_eq!(ages.levels(), 4);
        assert_eq!(ages.label("7", 1), Some("[5, 10["));
        assert_eq!(ages.label("7", 2), Some("[0, 10["));
        assert_eq!(ages.label("?", 2), Some("*"));
        assert_eq!(ages.labels(2), 3);
        assert_eq!(
            Hierarchy::intervals(["1"], 0, &[2, 3]).unwrap_err(),
            HierarchyError::IntervalWidth { position: 2 }
        );
    }

    #[test]
    fn codes_are_cut_to_prefixes() {
        let codes = Hierarchy::prefixes(["E11.9", "E11.2", "E78", "I10"], &[3, 1]).unwrap();
        assert_eq!(codes.label("E11.9", 1), Some("E11*"));
        assert_eq!(codes.label("E78", 2), Some("E*"));
        assert_eq!(codes.label("I10", 3), Some("*"));
    }
}
