//! Shares beside each other, each with what is usual, as a server-made drawing; the numbers stand in a table beside it.

use std::fmt::Write as _;

use crate::svg::escape;

/// One bar.
pub(crate) struct Column {
    /// Name, left of the bar.
    pub(crate) name: String,
    /// Its length.
    pub(crate) value: f64,
    /// Where it is usual to end.
    pub(crate) usual: f64,
    /// Out of line: drawn with a mark.
    pub(crate) warned: bool,
}

const WIDTH: f64 = 860.0;
const LEFT: f64 = 300.0;
const RIGHT: f64 = 740.0;
const ROW: f64 = 34.0;
/// Letters of a name that fit.
const LETTERS: usize = 17;

/// The drawing; empty without bars.
pub(crate) fn columns(title: &str, of: &[Column]) -> String {
    if of.is_empty() {
        return String::new();
    }
    let most = of.iter().flat_map(|c| [c.value, c.usual]).fold(0.0, f64::max).max(1e-9);
    let x = |n: f64| LEFT + n / most * (RIGHT - LEFT);
    let height = 10.0 + ROW * of.len() as f64;
    let mut out = format!(
        r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="columns-title" xmlns="http://www.w3.org/2000/svg"><title id="columns-title">{}。数字は下の表にあります。</title>"#,
        escape(title)
    );
    for (at, column) in of.iter().enumerate() {
        let y = 8.0 + ROW * at as f64;
        let fill = if column.warned { "#ce0000" } else { "#0017c1" };
        let mark = if column.warned { "⚠ " } else { "" };
        let name: String = column.name.chars().take(LETTERS).collect();
        // Writing to a String does not fail.
        let _ = write!(
            out,
            r##"<g><title>{} {:.3}%（目安 {:.3}%）</title><text x="{}" y="{}" text-anchor="end">{}</text><rect x="{LEFT}" y="{y}" width="{:.1}" height="20" fill="{fill}"/><path d="M{:.1} {}v28" stroke="#1a1a1a" stroke-width="2" stroke-dasharray="4 3"/><text x="{:.1}" y="{}">{mark}{:.3}%</text></g>"##,
            escape(&column.name),
            column.value,
            column.usual,
            LEFT - 10.0,
            y + 16.0,
            escape(&name),
            (x(column.value) - LEFT).max(1.0),
            x(column.usual),
            y - 4.0,
            x(column.value.max(column.usual)) + 8.0,
            y + 16.0,
            column.value,
        );
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_to_scale_and_what_is_out_of_line_is_marked() {
        let bar = |value, warned| Column { name: "<院>".into(), value, usual: 0.5, warned };
        let svg = columns("割合", &[bar(2.0, true), bar(1.0, false)]);
        assert!(svg.contains("width=\"440.0\"") && svg.contains("width=\"220.0\""), "{svg}");
        assert_eq!(svg.matches("M410.0 ").count(), 2, "the usual share: {svg}");
        assert_eq!(svg.matches('⚠').count(), 1);
        assert!(svg.contains("&lt;院&gt;") && !svg.contains("<院>"));
        assert!(columns("割合", &[]).is_empty());
    }
}
