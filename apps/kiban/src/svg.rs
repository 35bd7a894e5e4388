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

/// One point: place, name, and whether it is the one that was taken.
pub(crate) struct Dot {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) name: String,
    pub(crate) taken: bool,
}

/// Points over two axes that start at 0; the one that was taken is filled.
pub(crate) fn dots(title: &str, axes: [&str; 2], dots: &[Dot]) -> String {
    const LEFT: f64 = 70.0;
    const TOP: f64 = 14.0;
    const HIGH: f64 = 220.0;
    let most = |of: fn(&Dot) -> f64| dots.iter().map(of).fold(0.0, f64::max).max(1e-9);
    let (right, top) = (most(|d| d.x), most(|d| d.y));
    let wide = WIDTH - LEFT - 40.0;
    let mut out = format!(
        r#"<svg viewBox="0 0 {WIDTH} 280" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">"#,
        escape(title)
    );
    let floor = TOP + HIGH;
    let _ = write!(
        out,
        r##"<path d="M{LEFT} {TOP}V{floor}H{}" fill="none" stroke="#5b6370"/><text x="{}" y="{}" text-anchor="end">{top:.3}</text><text x="{}" y="{floor}" text-anchor="end">0</text><text x="{}" y="{}" text-anchor="end">{right:.3}</text><text x="{LEFT}" y="{}">{}</text><text x="{}" y="{}">{}</text>"##,
        LEFT + wide,
        LEFT - 8.0,
        TOP + 10.0,
        LEFT - 8.0,
        LEFT + wide,
        floor + 18.0,
        floor + 36.0,
        escape(axes[0]),
        LEFT + 8.0,
        TOP + 10.0,
        escape(axes[1])
    );
    for dot in dots {
        let (x, y) = (LEFT + dot.x / right * wide, floor - dot.y / top * HIGH);
        let fill = if dot.taken { "#2f6df6" } else { "none" };
        let _ = write!(
            out,
            r##"<circle cx="{x:.1}" cy="{y:.1}" r="5" fill="{fill}" stroke="#2f6df6"><title>{}</title></circle>"##,
            escape(&dot.name)
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
