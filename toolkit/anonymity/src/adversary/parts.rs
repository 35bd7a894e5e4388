//! Parts of what is known: n of s things.

use crate::rate::Chance;

/// Number of ways to choose n of s, or the largest number.
pub(crate) fn ways(s: usize, n: usize) -> usize {
    let mut ways: usize = 1;
    for at in 0..n.min(s - n.min(s)) {
        // Exact at each step: a product of i consecutive numbers is divisible by i!.
        match ways.checked_mul(s - at) {
            Some(product) => ways = product / (at + 1),
            None => return usize::MAX,
        }
    }
    ways
}

/// Choices of n of s places, each ascending: all if there are no more than `most`, else the first and drawn ones.
/// Fewer than n things are one choice.
pub(crate) fn choices(s: usize, n: usize, most: usize, chance: &mut Chance) -> Vec<Vec<u32>> {
    let n = n.min(s);
    let mut choice: Vec<u32> = (0..n as u32).collect();
    if ways(s, n) <= most.max(1) {
        let mut all = vec![choice.clone()];
        while let Some(at) = (0..n).rev().find(|at| (choice[*at] as usize) < s - n + at) {
            choice[at] += 1;
            for next in at + 1..n {
                choice[next] = choice[next - 1] + 1;
            }
            all.push(choice.clone());
        }
        return all;
    }
    let mut drawn = vec![choice];
    while drawn.len() < most.max(1) {
        let mut choice = chance.draw(n, s);
        choice.sort_unstable();
        drawn.push(choice);
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_choices_or_as_many_as_asked() {
        let mut chance = Chance::new(1, 1);
        assert_eq!(choices(3, 2, 9, &mut chance), [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(choices(1, 2, 9, &mut chance), [[0]]);
        assert_eq!(choices(0, 1, 9, &mut chance), [[0_u32; 0]]);
        let drawn = choices(100, 2, 7, &mut chance);
        assert_eq!((drawn.len(), &drawn[0]), (7, &vec![0, 1]));
        assert!(drawn.iter().all(|c| c[0] < c[1] && c[1] < 100));
        assert_eq!((ways(5, 2), ways(4, 0), ways(3, 3), ways(2, 5)), (10, 1, 1, 1));
        assert_eq!(ways(10_000, 5_000), usize::MAX);
    }
}
