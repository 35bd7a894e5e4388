//! Suppression of cells against its definition.

use kiban_anonymity::Keys;
use kiban_anonymity::perturb::{suppress_rare, suppress_to_k};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn local_suppression_reaches_k_with_the_fewest_cells_of_each_row(
        rows in prop::collection::vec((0_u32..3, 0_u32..3, 0_u32..3, prop::option::of(0_u32..2)), 4..30),
        k in 2_u32..4
    ) {
        let columns: Vec<Vec<Option<u32>>> = vec![
            rows.iter().map(|r| Some(r.0)).collect(),
            rows.iter().map(|r| Some(r.1)).collect(),
            rows.iter().map(|r| Some(r.2)).collect(),
            rows.iter().map(|r| r.3).collect(),
        ];
        let given: Vec<&[Option<u32>]> = columns.iter().map(Vec::as_slice).collect();
        let importance = [2, 0, 3, 1];
        let done = suppress_to_k(&given, &importance, k).unwrap();
        let (naive, risky) = naive_suppression(&columns, &importance, k as usize);
        prop_assert_eq!(done.risky, risky);
        prop_assert_eq!(&done.columns, &naive);
        for row in 0..rows.len() {
            prop_assert!(matches(&done.columns, row) >= k as usize);
        }
        let cells: usize = done.columns.iter().zip(&columns)
            .map(|(a, b)| b.iter().flatten().count() - a.iter().flatten().count()).sum();
        prop_assert_eq!(cells, done.suppressed.iter().sum::<usize>());
    }
}

fn matches(columns: &[Vec<Option<u32>>], row: usize) -> usize {
    (0..columns[0].len())
        .filter(|other| {
            columns.iter().all(|c| c[row].is_none() || c[*other].is_none() || c[row] == c[*other])
        })
        .count()
}

fn naive_suppression(
    columns: &[Vec<Option<u32>>],
    importance: &[usize],
    k: usize,
) -> (Vec<Vec<Option<u32>>>, usize) {
    let mut columns = columns.to_vec();
    let mut risky: Vec<(usize, usize)> = (0..columns[0].len())
        .map(|row| (matches(&columns, row), row))
        .filter(|(count, _)| *count < k)
        .collect();
    risky.sort_unstable();
    for (_, row) in &risky {
        if matches(&columns, *row) >= k {
            continue;
        }
        // Sets of columns by size, then by how important the most important one is, and so on.
        let mut sets: Vec<Vec<usize>> = (1_u32..1 << columns.len())
            .map(|set| importance.iter().copied().filter(|column| set >> column & 1 == 1).collect())
            .collect();
        let rank = |column: &usize| importance.iter().position(|c| c == column).unwrap();
        sets.retain(|set: &Vec<usize>| set.iter().all(|column| columns[*column][*row].is_some()));
        sets.sort_by_key(|set| {
            (set.len(), set.iter().map(|c| core::cmp::Reverse(rank(c))).collect::<Vec<_>>())
        });
        for set in sets {
            let mut tried = columns.clone();
            for column in set {
                tried[column][*row] = None;
            }
            if matches(&tried, *row) >= k {
                columns = tried;
                break;
            }
        }
    }
    (columns, risky.len())
}

#[test]
fn rare_values_are_counted_by_persons() {
    let codes = [Some(1), Some(1), Some(2), Some(2), None];
    let (kept, cells) = suppress_rare(&codes, Keys::Of(&["a", "a", "a", "b", "c"]), 2).unwrap();
    assert_eq!((kept, cells), (vec![None, None, Some(2), Some(2), None], 2));
}
