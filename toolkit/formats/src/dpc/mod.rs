//! x
pub(crate) const TABLE: &str = "";
