//! A person drawn: sources as nodes on a circle, scores as lines. Nobody is named; the numbers stand below the drawing.

use std::{f64::consts::TAU, fmt::Write as _};

use kiban_journeys::PersonGraph;

const SIZE: f64 = 640.0;

/// The drawing as SVG. The width of a line grows with the score; weak bridges are dashed.
pub fn cluster(of: &PersonGraph) -> String {
    let n = of.graph.nodes.len();
    let rows = of.graph.edges.len();
    let height = SIZE + 30.0 + 18.0 * rows as f64;
    let mut out = format!(
        r#"<svg viewBox="0 0 {SIZE} {height}" role="img" aria-label="一人の記録のつながり" xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12">"#
    );
    let place = |i: usize| {
        let angle = TAU * i as f64 / n.max(1) as f64 - TAU / 4.0;
        let radius = if n == 1 { 0.0 } else { SIZE * 0.36 };
        (SIZE / 2.0 + radius * angle.cos(), SIZE / 2.0 + radius * angle.sin())
    };
    for edge in &of.graph.edges {
        let ((x1, y1), (x2, y2)) = (place(edge.a), place(edge.b));
        let width = (edge.score.max(0.0) / 6.0).clamp(0.6, 6.0);
        let (colour, dash) = match (edge.weak_bridge, edge.score > 0.0) {
            (true, _) => ("#a33", r#" stroke-dasharray="8 5""#),
            (false, true) => ("#245", ""),
            (false, false) => ("#bbb", r#" stroke-dasharray="2 4""#),
        };
        let _ = write!(
            out,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}" stroke-width="{width:.1}"{dash}><title>{:.2}</title></line>"#,
            edge.score
        );
    }
    for (i, holder) in of.holders.iter().enumerate() {
        let (x, y) = place(i);
        let _ = write!(
            out,
            r##"<circle cx="{x:.1}" cy="{y:.1}" r="15" fill="#fff" stroke="#245" stroke-width="2"/><text x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text><text x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"##,
            y + 4.0,
            i + 1,
            y + 32.0,
            escape(holder)
        );
    }
    for (row, edge) in of.graph.edges.iter().enumerate() {
        let mark = if edge.weak_bridge { "　弱いつなぎ" } else { "" };
        let _ = write!(
            out,
            r#"<text x="20" y="{:.1}">{} – {}　{:+.2}{mark}</text>"#,
            SIZE + 20.0 + 18.0 * row as f64,
            edge.a + 1,
            edge.b + 1,
            edge.score
        );
    }
    out.push_str("</svg>\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiban_journeys::{Graph, GraphEdge};
    use kiban_kernel::Id;

    #[test]
    fn one_record_draws_and_a_weak_bridge_is_marked() {
        let node = |n: u8| Id::from_bytes([n; 16]);
        let alone = PersonGraph {
            graph: Graph { nodes: vec![node(1)], records: vec![1], edges: vec![], parts: 1 },
            holders: vec!["<病院>".into()],
        };
        let svg = cluster(&alone);
        assert!(svg.contains("&lt;病院&gt;") && svg.matches("<circle").count() == 1);
        let two = PersonGraph {
            graph: Graph {
                nodes: vec![node(1), node(2)],
                records: vec![1, 1],
                edges: vec![GraphEdge { a: 0, b: 1, score: 7.5, weak_bridge: true }],
                parts: 1,
            },
            holders: vec!["甲".into(), "乙".into()],
        };
        assert!(cluster(&two).contains("1 – 2　+7.50　弱いつなぎ"));
    }
}
