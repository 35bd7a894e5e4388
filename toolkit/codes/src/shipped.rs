//! Tables that ship with the crate: CSV with `#` remarks and a heading.

/// The rows below the heading. Fields hold no quotes; a remark line starts with `#` and a blank.
pub(crate) fn rows(text: &str) -> impl Iterator<Item = Vec<String>> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect())
}
