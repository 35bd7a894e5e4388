//! Cumulative distributions as a server-made drawing, readable without colour, whose numbers stand in a table beside it.

use std::fmt::Write as _;

use crate::svg::escape;

const WIDTH: f64 = 860.0;

/// One line of points that rise in both directions.
pub struct Curve {
    /// Name, beside the drawing.
    pub name: String,
    /// Value and level (0 to 1).
    pub points: Vec<(f64, f64)>,
    /// Drawn whole; the others are broken lines.
    pub own: bool,
}

/// Lines over a common scale, the upright one from 0 to 1, each named at its end.
pub fn curves(title: &str, axes: [&str; 2], curves: &[Curve]) -> String {
    const LEFT: f64 = 70.0;
    const TOP: f64 = 14.0;
    const HIGH: f64 = 220.0;
    const FILLS: [&str; 6] = ["#0946f1", "#b3001b", "#0a6b33", "#7a4b00", "#6b2fa0", "#00697a"];
    let all = || curves.iter().flat_map(|c| c.points.iter().map(|p| p.0));
    let (low, high) =
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let wide = WIDTH - LEFT - 40.0;
    let floor = TOP + HIGH;
    let x = |value: f64| LEFT + (value - low) / (high - low).max(1e-12) * wide;
    let height = floor + 46.0 + 20.0 * curves.len() as f64;
    let mut out = format!(
        r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">"#,
        escape(title)
    );
    let _ = write!(
        out,
        r##"<path d="M{LEFT} {TOP}V{floor}H{}" fill="none" stroke="#5b6370"/><text x="{}" y="{}" text-anchor="end">1</text><text x="{}" y="{floor}" text-anchor="end">0</text><text x="{LEFT}" y="{}">{low}</text><text x="{}" y="{}" text-anchor="end">{high}</text><text x="{}" y="{}" text-anchor="middle">{}</text><text x="{}" y="{}">{}</text>"##,
        LEFT + wide,
        LEFT - 8.0,
        TOP + 10.0,
        LEFT - 8.0,
        floor + 18.0,
        LEFT + wide,
        floor + 18.0,
        LEFT + wide / 2.0,
        floor + 18.0,
        escape(axes[0]),
        LEFT + 8.0,
        TOP + 10.0,
        escape(axes[1])
    );
    for (at, curve) in curves.iter().enumerate() {
        let fill = FILLS[at % FILLS.len()];
        let dash = if curve.own { "" } else { r#" stroke-dasharray="6 4""# };
        let path: Vec<String> = curve
            .points
            .iter()
            .map(|(value, level)| format!("{:.1} {:.1}", x(*value), floor - level * HIGH))
            .collect();
        let y = floor + 42.0 + 20.0 * at as f64;
        let _ = write!(
            out,
            r#"<path d="M{}" fill="none" stroke="{fill}" stroke-width="2"{dash}/><path d="M{LEFT} {}h36" stroke="{fill}" stroke-width="2"{dash}/><text x="{}" y="{y}">{}</text>"#,
            path.join("L"),
            y - 5.0,
            LEFT + 44.0,
            escape(&curve.name)
        );
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_drawn_to_scale_and_escaped() {
        let line = |own| Curve { name: "<a>".into(), points: vec![(1.0, 0.0), (3.0, 1.0)], own };
        let svg = curves("t<", ["x", "y"], &[line(true), line(false)]);
        assert!(svg.contains("t&lt;") && svg.contains("&lt;a&gt;") && !svg.contains("<a>"));
        assert_eq!(svg.matches("M70.0 234.0L820.0 14.0").count(), 2);
        assert_eq!(svg.matches("stroke-dasharray").count(), 2);
    }
}
