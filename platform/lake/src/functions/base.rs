//! One implementation of the engine's trait for all functions of ours.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{array::ArrayRef, datatypes::DataType};
use datafusion::{
    common::{DataFusionError, Result, ScalarValue, exec_err},
    logical_expr::{
        ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use super::state::Out;

/// What a function does, apart from the engine.
pub(super) trait Body: Send + Sync + 'static {
    /// Type of the result for the types of the arguments.
    fn returns(&self, args: &[DataType]) -> Result<DataType>;
    /// The result.
    fn run(&self, args: &Args) -> Result<ArrayRef>;
    /// What the body holds apart from its arguments, if anything; see `state`.
    fn state(&self) -> Option<Out> {
        None
    }
}

/// The arguments of one call.
pub(super) struct Args {
    values: Vec<ColumnarValue>,
    rows: usize,
}

impl Args {
    /// An argument as a column.
    pub(super) fn column(&self, i: usize) -> Result<ArrayRef> {
        match self.values.get(i) {
            Some(value) => value.to_array_of_size(self.rows),
            None => exec_err!("an argument is missing"),
        }
    }
    /// Number of arguments.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }
    fn literal(&self, i: usize) -> Result<&ScalarValue> {
        match self.values.get(i) {
            Some(ColumnarValue::Scalar(value)) => Ok(value),
            _ => exec_err!("a parameter must be a literal"),
        }
    }
    /// A parameter that is a number or absent.
    pub(super) fn number(&self, i: usize) -> Result<Option<f64>> {
        match self.literal(i)? {
            ScalarValue::Float64(v) => Ok(*v),
            ScalarValue::Int64(v) => Ok(v.map(|v| v as f64)),
            v if v.is_null() => Ok(None),
            _ => exec_err!("a parameter must be a number"),
        }
    }
    /// A parameter that is a whole number or absent.
    pub(super) fn int(&self, i: usize) -> Result<Option<i64>> {
        match self.literal(i)? {
            ScalarValue::Int64(v) => Ok(*v),
            v if v.is_null() => Ok(None),
            _ => exec_err!("a parameter must be a whole number"),
        }
    }
    /// A parameter that is a text.
    pub(super) fn text(&self, i: usize) -> Result<&str> {
        match self.literal(i)? {
            ScalarValue::Utf8(Some(v))
            | ScalarValue::Utf8View(Some(v))
            | ScalarValue::LargeUtf8(Some(v)) => Ok(v),
            _ => exec_err!("a parameter must be a text"),
        }
    }
}

/// A function of ours as the engine sees it. Two are equal if they share name and body: an instance that holds
/// a key is equal to itself alone.
pub(super) struct Function {
    name: String,
    signature: Signature,
    body: Arc<dyn Body>,
}

impl Function {
    pub(super) fn body(&self) -> &dyn Body {
        self.body.as_ref()
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.body, &other.body)
    }
}
impl Eq for Function {}
impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        &self.name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.body.returns(arg_types)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let args = Args { values: args.args, rows: args.number_rows };
        self.body.run(&args).map(ColumnarValue::Array)
    }
}

/// A function of ours from its body.
pub(super) fn function(name: impl Into<String>, body: impl Body) -> Arc<ScalarUDF> {
    instance(name, Arc::new(body))
}

/// A function of ours from a body that others may share.
pub(super) fn instance(name: impl Into<String>, body: Arc<dyn Body>) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Function {
        name: name.into(),
        signature: Signature::variadic_any(Volatility::Immutable),
        body,
    }))
}

/// A call of a function.
pub(super) fn call(function: &Arc<ScalarUDF>, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(
        Arc::clone(function),
        args,
    ))
}

/// A parameter that may be absent.
pub(super) fn optional(value: Option<f64>) -> Expr {
    Expr::Literal(ScalarValue::Float64(value), None)
}

/// Error of a column whose type a function does not take.
pub(super) fn unsupported(what: &'static str, kind: &DataType) -> DataFusionError {
    DataFusionError::Execution(format!("{what} does not take columns of type {kind}"))
}
