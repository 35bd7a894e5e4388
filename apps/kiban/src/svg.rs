//! Charts as SVG text: bars only, readable without colour, each beside a table of the same numbers.

use std::fmt::Write as _;

/// One bar: label, parts of a stack (amount, fill, name), text behind it.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) parts: Vec<(f64, &'static str, String)>,
    pub(crate) text: String,
}

const LABEL: f64 = 250.0;
const WIDTH: f64 = 860.0;
const ROW: f64 = 26.0;

/// Horizontal stacked bars on one scale.
pub(crate) fn bars(title: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|b| b.parts.iter().map(|p| p.0).sum::<f64>()).fold(1.0, f64::max);
    let scale = (WIDTH - LABEL - 150.0) / most;
    let height = ROW * bars.len() as f64 + 8.0;
    let mut out = format!(
        r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">"#,
        escape(title)
    );
    for (i, bar) in bars.iter().enumerate() {
        let y = ROW * i as f64 + 4.0;
        let _ = write!(
            out,
            r#"<text x="{}" y="{}" text-anchor="end">{}</text>"#,
            LABEL - 8.0,
            y + 15.0,
            escape(&bar.label)
        );
        let mut x = LABEL;
        for (amount, fill, name) in &bar.parts {
            let w = amount * scale;
            if w > 0.0 {
                let _ = write!(
                    out,
                    r##"<rect x="{x:.1}" y="{y}" width="{:.1}" height="19" fill="{fill}" stroke="#fff" stroke-width="0.6"><title>{} {amount}</title></rect>"##,
                    w.max(1.0),
                    escape(name)
                );
                x += w.max(1.0);
            }
        }
        let _ = write!(
            out,
            r#"<text x="{:.1}" y="{}">{}</text>"#,
            x + 6.0,
            y + 15.0,
            escape(&bar.text)
        );
    }
    out.push_str("</svg>");
    out
}

/// Text for element content and attributes.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_drawn_to_scale_and_escaped() {
        let svg = bars(
            "t<",
            &[Bar {
                label: "a&b".into(),
                parts: vec![(30.0, "#123", "x".into()), (10.0, "#456", "y".into())],
                text: "40".into(),
            }],
        );
        assert!(svg.contains("aria-label=\"t&lt;\"") && svg.contains("a&amp;b"));
        assert!(svg.contains(r#"width="345.0""#) && svg.contains(r#"width="115.0""#), "{svg}");
    }
}
