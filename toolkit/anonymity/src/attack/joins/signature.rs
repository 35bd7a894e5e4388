//! What a record shows of some attributes, as one number, the same on both sides.

use crate::holdings::{Column, Holdings, Kind};
use hashbrown::HashMap;

/// Nothing is shown.
const NOTHING: u32 = u32::MAX;

/// Numbers of what the records of both sides show.
pub(super) struct Signature {
    pub(super) name: String,
    pub(super) label_ja: String,
    left: Vec<u32>,
    right: Vec<u32>,
}

/// Days between neighbouring dates.
pub(super) fn gaps(days: &[i32]) -> Vec<i32> {
    days.windows(2).map(|w| w[1] - w[0]).collect()
}

/// The labels of the right column by the numbers of the left one; new ones go on after the last.
pub(super) fn common_numbers(left: &Column, right: &Column) -> Vec<i32> {
    let mut numbers: HashMap<&str, i32> =
        left.dictionary.iter().enumerate().map(|(at, t)| (&**t, at as i32)).collect();
    let number = |text| {
        let next = numbers.len() as i32;
        *numbers.entry(text).or_insert(next)
    };
    right.dictionary.iter().map(|t| &**t).map(number).collect()
}

/// Numbers combinations of cells, over both sides.
fn number(
    (left, right): (u32, u32),
    mut cells: impl FnMut(bool, u32) -> Vec<i32>,
) -> (Vec<u32>, Vec<u32>) {
    let mut numbers: HashMap<Vec<i32>, u32> = HashMap::new();
    let mut of = |on_left: bool, record: u32| {
        let own = cells(on_left, record);
        if own.is_empty() {
            return NOTHING;
        }
        let next = numbers.len() as u32;
        *numbers.entry(own).or_insert(next)
    };
    ((0..left).map(|r| of(true, r)).collect(), (0..right).map(|r| of(false, r)).collect())
}

/// One signature per common attribute; of dates two, the days and the gaps.
pub(super) fn signatures(
    left: &Holdings,
    right: &Holdings,
    common: &[(usize, usize)],
) -> Vec<Signature> {
    let sizes = (left.persons(), right.persons());
    let mut all = Vec::new();
    for (a, b) in common {
        let (own, other) = (&left.columns[*a], &right.columns[*b]);
        if (own.kind == Kind::Dates) != (other.kind == Kind::Dates) {
            continue;
        }
        let column = |on_left: bool| if on_left { own } else { other };
        let mut add = |suffix: &str, suffix_ja: &str, (left, right): (Vec<u32>, Vec<u32>)| {
            let name = format!("{}{suffix}", own.name);
            all.push(Signature { name, label_ja: format!("{}{suffix_ja}", own.name), left, right });
        };
        if own.kind == Kind::Dates {
            add("", "", number(sizes, |side, r| column(side).of(r).to_vec()));
            add(" gaps", "の間隔", number(sizes, |side, r| gaps(column(side).of(r))));
        } else {
            let to = common_numbers(own, other);
            let cells = |side: bool, r: u32| {
                let mut cells = column(side).of(r).to_vec();
                if !side {
                    for cell in &mut cells {
                        *cell = to[*cell as usize];
                    }
                    cells.sort_unstable();
                }
                cells
            };
            add("", "", number(sizes, cells));
        }
    }
    all
}

impl Signature {
    /// What is shown of both.
    pub(super) fn both(a: &Self, b: &Self) -> Self {
        let mut numbers: HashMap<(u32, u32), u32> = HashMap::new();
        let mut put = |(a, b): (&u32, &u32)| {
            if (*a, *b) == (NOTHING, NOTHING) {
                return NOTHING;
            }
            let next = numbers.len() as u32;
            *numbers.entry((*a, *b)).or_insert(next)
        };
        Self {
            name: format!("{} + {}", a.name, b.name),
            label_ja: format!("{}と{}", a.label_ja, b.label_ja),
            left: a.left.iter().zip(&b.left).map(&mut put).collect(),
            right: a.right.iter().zip(&b.right).map(&mut put).collect(),
        }
    }

    /// Records that show, alone on their side, the same.
    pub(super) fn links(&self) -> Vec<(u32, u32)> {
        let most = self.left.iter().chain(&self.right).filter(|n| **n != NOTHING).max();
        let Some(most) = most else { return Vec::new() };
        /// Shown by nobody yet; by more than one.
        const FREE: u32 = u32::MAX;
        const MANY: u32 = u32::MAX - 1;
        let alone = |side: &[u32]| {
            let mut of = vec![FREE; *most as usize + 1];
            for (record, number) in side.iter().enumerate().filter(|(_, n)| **n != NOTHING) {
                let place = &mut of[*number as usize];
                *place = if *place == FREE { record as u32 } else { MANY };
            }
            of
        };
        let pairs = alone(&self.left).into_iter().zip(alone(&self.right));
        pairs.filter(|(a, b)| *a < MANY && *b < MANY).collect()
    }
}
