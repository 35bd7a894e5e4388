//! Every function of ours that the engine runs, in one list.

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

/// Our scalar functions.
pub fn scalar() -> Vec<ScalarUDF> {
    Vec::new()
}

/// Our aggregate functions.
pub fn aggregate() -> Vec<AggregateUDF> {
    Vec::new()
}
