//! Codes and categories.

use std::sync::{Arc, LazyLock};

use arrow::{array::ArrayRef, datatypes::DataType};
use datafusion::{
    common::Result,
    logical_expr::{Expr, ScalarUDF, lit},
};

use super::{
    base::{Args, Body, call, function},
    texts::{Cell, map_text},
};

/// `kiban_code_parent(code, characters)`: the first characters, a dot not counted, none left at the end.
pub fn code_parent(code: Expr, characters: u8) -> Expr {
    call(&CODE_PARENT, vec![code, lit(i64::from(characters))])
}

/// `kiban_category(value, residual, listed…)`: a listed value stays, any other becomes the residual.
pub fn category<'a>(
    value: Expr,
    residual: &str,
    listed: impl IntoIterator<Item = &'a str>,
) -> Expr {
    let mut args = vec![value, lit(residual)];
    args.extend(listed.into_iter().map(lit));
    call(&CATEGORY, args)
}

pub(super) static CODE_PARENT: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| function("kiban_code_parent", CodeParent));
pub(super) static CATEGORY: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| function("kiban_category", Category));

/// The first `characters` of a code, as `kiban_code_parent` gives them.
pub fn parent(code: &str, characters: usize) -> &str {
    let mut left = characters;
    let mut end = 0;
    for (at, c) in code.trim_end().char_indices() {
        if c == '.' {
            continue;
        }
        if left == 0 {
            break;
        }
        left -= 1;
        end = at + c.len_utf8();
    }
    &code[..end]
}

struct CodeParent;

impl Body for CodeParent {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let characters = usize::try_from(args.int(1)?.unwrap_or(3)).unwrap_or(3);
        map_text(&args.column(0)?, &mut |text, out| {
            out.push_str(parent(text.trim_start(), characters));
            if out.is_empty() { Cell::Empty } else { Cell::Written }
        })
    }
}

struct Category;

impl Body for Category {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let residual = args.text(1)?;
        let listed = (2..args.len()).map(|i| args.text(i)).collect::<Result<Vec<_>>>()?;
        map_text(&args.column(0)?, &mut |text, out| {
            if listed.contains(&text) {
                Cell::Same
            } else {
                out.push_str(residual);
                Cell::Written
            }
        })
    }
}
