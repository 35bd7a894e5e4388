//! What a class can keep at most: by trying every subset.

use super::*;
use proptest::prelude::*;

const SIZE: usize = 4;

fn holds(test: &Test, counts: &[u32], table: &[u32]) -> bool {
    kept(test, counts, table).is_none()
}

/// `None` if the class holds, else the most records that can be kept by the test's own account.
fn kept(test: &Test, counts: &[u32], table: &[u32]) -> Option<f64> {
    let touched: Vec<u32> = (0..SIZE as u32).filter(|v| counts[*v as usize] > 0).collect();
    let size = counts.iter().map(|n| u64::from(*n)).sum();
    let rows = table.iter().map(|n| u64::from(*n)).sum();
    let class = Class { touched: &touched, counts, size };
    let share = test.fails(&class, table, rows, &mut Buffer::default())?;
    Some(size as f64 - (share * size as f64 - 1e-6).ceil().max(0.0))
}

fn tests(table: &[u32]) -> impl Strategy<Value = Test> + use<> {
    let table = table.to_vec();
    (0..8, 0.05..0.9, 0.3..3.0, 1.0..3.5, 1_usize..4).prop_map(move |(kind, t, beta, l, rank)| {
        match kind {
            0 => Test::Equal(t),
            1 => Test::Ordered { t, rank: Arc::new(vec![2, 0, 3, 1]) },
            2 => {
                let levels: [&[u32]; 2] = [&[0, 1, 2, 3], &[0, 0, 1, 1]];
                let tree = Tree::new(levels.into_iter(), &table);
                Test::Hierarchical { t, tree: Arc::new(tree) }
            }
            3 => Test::Entropy { l, products: Products::new() },
            4 => Test::Recursive { c: beta, l: rank },
            5 => Test::Beta { beta, enhanced: true },
            6 => Test::Disclosure(beta),
            _ => Test::Distinct(rank as u32),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// No subset that holds is larger than what the test says can be kept: the bound of the search is sound.
    #[test]
    fn no_subset_keeps_more(
        (table, test, class) in prop::collection::vec(5_u32..30, SIZE).prop_flat_map(|table| {
            let test = tests(&table);
            (Just(table), test, prop::collection::vec(0_u32..5, SIZE))
        }),
    ) {
        prop_assume!(class.iter().any(|n| *n > 0));
        let Some(most) = kept(&test, &class, &table) else { return Ok(()) };
        let mut subset = vec![0_u32; SIZE];
        loop {
            if subset.iter().any(|n| *n > 0) && holds(&test, &subset, &table) {
                let size: u32 = subset.iter().sum();
                prop_assert!(f64::from(size) <= most, "{test:?} {class:?} keeps {subset:?}, not {most}");
            }
            let Some(at) = (0..SIZE).find(|at| subset[*at] < class[*at]) else { break };
            subset[at] += 1;
            subset[..at].fill(0);
        }
    }
}
