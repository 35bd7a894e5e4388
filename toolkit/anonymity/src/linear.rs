//! Small dense systems of equations.

/// Solve `matrix` x = `right` by elimination with row pivots; `matrix` row by row. None if it has no inverse.
pub(crate) fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let n = right.len();
    let largest = matrix.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    for pivot in 0..n {
        let best = (pivot..n)
            .max_by(|a, b| matrix[a * n + pivot].abs().total_cmp(&matrix[b * n + pivot].abs()))?;
        if matrix[best * n + pivot].abs() <= largest * 1e-13 {
            return None;
        }
        if best != pivot {
            for column in 0..n {
                matrix.swap(best * n + column, pivot * n + column);
            }
            right.swap(best, pivot);
        }
        for row in pivot + 1..n {
            let factor = matrix[row * n + pivot] / matrix[pivot * n + pivot];
            if factor == 0.0 {
                continue;
            }
            for column in pivot..n {
                matrix[row * n + column] -= factor * matrix[pivot * n + column];
            }
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|column| matrix[row * n + column] * right[column]).sum();
        right[row] = (right[row] - known) / matrix[row * n + row];
    }
    Some(right)
}

/// The lower triangle L with L L' = `matrix`. None if it is not positive definite.
pub(crate) fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; n * n];
    for row in 0..n {
        for column in 0..=row {
            let dot: f64 = (0..column).map(|k| lower[row * n + k] * lower[column * n + k]).sum();
            let left = matrix[row * n + column] - dot;
            if row == column {
                if left <= matrix[row * n + row].abs() * 1e-12 {
                    return None;
                }
                lower[row * n + row] = left.sqrt();
            } else {
                lower[row * n + column] = left / lower[column * n + column];
            }
        }
    }
    Some(lower)
}

/// Solve L x = `right` in place.
pub(crate) fn forward(lower: &[f64], right: &mut [f64]) {
    let n = right.len();
    for row in 0..n {
        let known: f64 = (0..row).map(|k| lower[row * n + k] * right[k]).sum();
        right[row] = (right[row] - known) / lower[row * n + row];
    }
}

/// Solve L L' x = `right` in place.
pub(crate) fn back_substitute(lower: &[f64], right: &mut [f64]) {
    forward(lower, right);
    let n = right.len();
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| lower[k * n + row] * right[k]).sum();
        right[row] = (right[row] - known) / lower[row * n + row];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_solved() {
        let matrix = vec![0.0, 2.0, 1.0, 1.0, 0.0, 3.0, 4.0, 1.0, 0.0];
        let x = solve(matrix, vec![7.0, 10.0, 6.0]).unwrap();
        for (x, want) in x.iter().zip([1.0, 2.0, 3.0]) {
            assert!((x - want).abs() < 1e-12);
        }
        assert_eq!(solve(vec![1.0, 2.0, 2.0, 4.0], vec![1.0, 2.0]), None);
        let lower = cholesky(&[4.0, 2.0, 2.0, 3.0], 2).unwrap();
        let mut x = vec![8.0, 8.0];
        back_substitute(&lower, &mut x);
        assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
        assert_eq!(cholesky(&[1.0, 1.0, 1.0, 1.0], 2), None);
    }
}
