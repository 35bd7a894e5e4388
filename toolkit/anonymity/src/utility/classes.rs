//! Measures of a released table that look at its classes.

/// What class sizes and distributions tell of a released table.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct ClassUtility {
    /// Rows of the original table.
    pub rows: u64,
    /// Rows that were suppressed.
    pub suppressed: u64,
    /// Classes that are kept.
    pub classes: u64,
    /// Kept rows per class, divided by k: 1 is best (LeFevre et al. 2006). None without classes.
    pub average_class_size: Option<f64>,
    /// Sum of squared class sizes; a suppressed row counts as many as the table has rows (Bayardo and Agrawal 2005).
    pub discernibility: f64,
}

/// From the sizes of the kept classes, (size, number of classes), as [`crate::Anonymized`] has them.
pub fn class_utility(histogram: &[(u32, u64)], suppressed: u64, k: u32) -> ClassUtility {
    let classes: u64 = histogram.iter().map(|(_, n)| n).sum();
    let kept: u64 = histogram.iter().map(|(size, n)| u64::from(*size) * n).sum();
    let rows = kept + suppressed;
    let squares: f64 = histogram.iter().map(|(size, n)| f64::from(*size).powi(2) * *n as f64).sum();
    ClassUtility {
        rows,
        suppressed,
        classes,
        average_class_size: (classes > 0)
            .then(|| kept as f64 / classes as f64 / f64::from(k.max(1))),
        discernibility: squares + suppressed as f64 * rows as f64,
    }
}
