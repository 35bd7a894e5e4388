//! Suppression of cells: rare values, and what is needed to reach k.

use super::{PerturbError, same_length};
use crate::Keys;
use hashbrown::{HashMap, HashSet};

/// Suppress the values that fewer than `least` keys hold. Returns the column and the number of cells suppressed.
///
/// # Guarantee
/// Every value that is left is held by `least` keys (persons, not rows); counts of those values stay.
/// # Errors
/// There is not a key per row.
pub fn suppress_rare(
    codes: &[Option<u32>],
    keys: Keys<'_>,
    least: usize,
) -> Result<(Vec<Option<u32>>, usize), PerturbError> {
    same_length(keys, codes.len())?;
    let mut holders: HashMap<u32, usize> = HashMap::new();
    let mut seen: HashSet<(u32, &str)> = HashSet::new();
    for (row, code) in codes.iter().enumerate() {
        let Some(code) = *code else { continue };
        let new = match keys {
            Keys::Rows => true,
            Keys::Of(keys) => seen.insert((code, keys[row])),
        };
        *holders.entry(code).or_insert(0) += usize::from(new);
    }
    let kept: Vec<Option<u32>> =
        codes.iter().map(|code| code.filter(|code| holders[code] >= least)).collect();
    let cells = codes.iter().flatten().count() - kept.iter().flatten().count();
    Ok((kept, cells))
}

/// A table whose risky cells are suppressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSuppression {
    /// The columns.
    pub columns: Vec<Vec<Option<u32>>>,
    /// Cells suppressed in each column.
    pub suppressed: Vec<usize>,
    /// Rows that were below k before.
    pub risky: usize,
    /// Rows that lost a cell.
    pub changed: usize,
}

/// All attributes of a row, packed.
type Packed = [u64; 2];

fn both(a: &Packed, b: &Packed) -> Packed {
    [a[0] & b[0], a[1] & b[1]]
}

/// Rows with the same known attributes, counted by their projections.
struct Pattern {
    known: u32,
    rows: HashMap<Packed, u32>,
    /// By the attributes projected to.
    projections: HashMap<u32, HashMap<Packed, u32>>,
}

/// Counts that follow every suppression.
struct Counts {
    /// Bits of each attribute, by its bit in a set.
    fields: Vec<Packed>,
    patterns: Vec<Pattern>,
}

impl Counts {
    fn mask(&self, set: u32) -> Packed {
        let chosen = self.fields.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
        chosen.fold([0, 0], |sum, (_, field)| [sum[0] | field[0], sum[1] | field[1]])
    }

    fn change(&mut self, known: u32, row: &Packed, by: i32) {
        let at = self.patterns.iter().position(|pattern| pattern.known == known);
        let at = at.unwrap_or_else(|| {
            self.patterns.push(Pattern {
                known,
                rows: HashMap::new(),
                projections: HashMap::new(),
            });
            self.patterns.len() - 1
        });
        let masks: Vec<(u32, Packed)> =
            self.patterns[at].projections.keys().map(|set| (*set, self.mask(*set))).collect();
        let own = both(row, &self.mask(known));
        let pattern = &mut self.patterns[at];
        let add = |map: &mut HashMap<Packed, u32>, key| {
            let count = map.entry(key).or_insert(0);
            *count = count.wrapping_add_signed(by);
        };
        add(&mut pattern.rows, own);
        for (set, mask) in masks {
            if let Some(map) = pattern.projections.get_mut(&set) {
                add(map, both(row, &mask));
            }
        }
    }

    /// Rows that may be the same as this one, if these of its attributes are known; counted up to `enough`.
    fn matching(&mut self, row: &Packed, known: u32, enough: u32) -> u32 {
        let mut sum = 0;
        for at in 0..self.patterns.len() {
            let set = self.patterns[at].known & known;
            let mask = self.mask(set);
            let pattern = &mut self.patterns[at];
            let key = both(row, &mask);
            let found = if set == pattern.known {
                pattern.rows.get(&key)
            } else {
                let rows = &pattern.rows;
                let map = pattern.projections.entry(set).or_insert_with(|| {
                    let mut map = HashMap::new();
                    for (row, count) in rows {
                        *map.entry(both(row, &mask)).or_insert(0) += count;
                    }
                    map
                });
                map.get(&key)
            };
            sum += found.copied().unwrap_or(0);
            if sum >= enough {
                break;
            }
        }
        sum
    }
}

/// Sets of `size` of the bits, ascending.
fn sets(bits: u32, size: u32) -> impl Iterator<Item = u32> {
    let first = (1_u64 << size) - 1;
    let end = 1_u64 << bits;
    core::iter::successors(Some(first), move |set| {
        let low = set & set.wrapping_neg();
        let next = set + low;
        Some((((next ^ set) >> 2) / low) | next)
    })
    .take_while(move |set| *set < end)
    .map(|set| set as u32)
}

/// Suppress as few cells as possible in each risky row until every row has at least `k` rows it may be confused
/// with, itself included. A missing cell may be any value, of the row and of those it is compared with, as in
/// sdcMicro and mu-ARGUS.
///
/// Rows are taken in order of their counts, then of their place. Of a row the smallest set of cells that reaches `k`
/// is suppressed; of sets of one size the one that spares the most important columns. `importance` lists the columns from the most important
/// on. A suppression also helps later rows, never harms one: greedy, hence not always the fewest cells over all rows.
///
/// # Guarantee
/// Every row matches at least `k` rows; rows at `k` from the start are left as they are.
/// # Errors
/// Columns differ in length; `importance` is no order of the columns; more than 16 columns, or columns with so many values
/// that a row needs more than 128 bits; fewer than `k` rows.
pub fn suppress_to_k(
    columns: &[&[Option<u32>]],
    importance: &[usize],
    k: u32,
) -> Result<LocalSuppression, PerturbError> {
    let rows = columns.first().map_or(0, |column| column.len());
    for (column, codes) in columns.iter().enumerate() {
        if codes.len() != rows {
            return Err(PerturbError::Length { column, found: codes.len(), expected: rows });
        }
    }
    let width = columns.len();
    let mut order = importance.to_vec();
    order.sort_unstable();
    if !order.iter().copied().eq(0..width) {
        return Err(PerturbError::Range { parameter: "importance" });
    }
    if width > 16 {
        return Err(PerturbError::Range { parameter: "columns" });
    }
    if rows < k as usize {
        return Err(PerturbError::TooFew { rows, needed: k as usize });
    }
    // The least important column has the lowest bit, so that ascending sets spare the important ones.
    let by_bit: Vec<usize> = importance.iter().rev().copied().collect();
    let (fields, mut packed) = pack(columns, &by_bit)?;
    let mut counts = Counts { fields, patterns: Vec::new() };
    let all_known = |row: usize| {
        let known = by_bit.iter().enumerate().filter(|(_, at)| columns[**at][row].is_some());
        known.fold(0_u32, |set, (bit, _)| set | 1 << bit)
    };
    let mut known: Vec<u32> = (0..rows).map(all_known).collect();
    for (row, known) in packed.iter().zip(&known) {
        counts.change(*known, row, 1);
    }
    let mut risky: Vec<(u32, usize)> = Vec::new();
    for row in 0..rows {
        let count = counts.matching(&packed[row], known[row], k);
        if count < k {
            risky.push((count, row));
        }
    }
    risky.sort_unstable();
    let mut result = LocalSuppression {
        columns: columns.iter().map(|column| column.to_vec()).collect(),
        suppressed: vec![0; width],
        risky: risky.len(),
        changed: 0,
    };
    for (_, row) in risky {
        let before = known[row];
        if counts.matching(&packed[row], before, k) >= k {
            continue;
        }
        let reach =
            (1..=before.count_ones()).flat_map(|size| sets(width as u32, size)).find(|drop| {
                drop & !before == 0 && counts.matching(&packed[row], before & !drop, k) >= k
            });
        // All cells suppressed match every row, and there are k.
        let after = before & !reach.unwrap_or(before);
        counts.change(before, &packed[row], -1);
        known[row] = after;
        packed[row] = both(&packed[row], &counts.mask(after));
        counts.change(after, &packed[row], 1);
        result.changed += 1;
        for (bit, column) in by_bit.iter().enumerate() {
            if (before & !after) >> bit & 1 == 1 {
                result.columns[*column][row] = None;
                result.suppressed[*column] += 1;
            }
        }
    }
    Ok(result)
}

/// Number the values of each column and pack every row.
fn pack(
    columns: &[&[Option<u32>]],
    by_bit: &[usize],
) -> Result<(Vec<Packed>, Vec<Packed>), PerturbError> {
    let rows = columns.first().map_or(0, |column| column.len());
    let mut packed: Vec<Packed> = vec![[0, 0]; rows];
    let mut fields = Vec::new();
    let (mut word, mut used) = (0, 0);
    for column in by_bit {
        let codes = columns[*column];
        let mut numbers: HashMap<u32, u64> = HashMap::new();
        for code in codes.iter().flatten() {
            let next = numbers.len() as u64;
            numbers.entry(*code).or_insert(next);
        }
        let bits = 64 - (numbers.len().max(2) as u64 - 1).leading_zeros();
        if used + bits > 64 {
            (word, used) = (word + 1, 0);
        }
        if word > 1 {
            return Err(PerturbError::Range { parameter: "columns" });
        }
        let mut field = [0, 0];
        field[word] = ((1 << bits) - 1) << used;
        fields.push(field);
        for (row, code) in packed.iter_mut().zip(codes) {
            if let Some(code) = code {
                row[word] |= numbers[code] << used;
            }
        }
        used += bits;
    }
    Ok((fields, packed))
}
