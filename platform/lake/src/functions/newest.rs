//! The newest known value of a person's rows.

use datafusion::{
    common::Result,
    functions_aggregate::expr_fn::first_value,
    logical_expr::{Expr, ExprFunctionExt, SortExpr, expr::NullTreatment},
};

/// The first value that is known, in the given order; for use in an aggregation.
///
/// # Errors
/// The engine refuses the expression.
pub fn newest_known(value: Expr, order: Vec<SortExpr>) -> Result<Expr> {
    first_value(value, Vec::new())
        .order_by(order)
        .null_treatment(NullTreatment::IgnoreNulls)
        .build()
}
