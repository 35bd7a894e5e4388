//! Reasons that add up to a score, as a server-made drawing: each bar begins where the one above ended. Readable without
//! colour (for: filled; against: outlined); the numbers stand in a table beside it.

use std::fmt::Write as _;

use crate::svg::escape;

const WIDTH: f64 = 860.0;
/// Where the bars begin and end.
const LEFT: f64 = 330.0;
const RIGHT: f64 = 780.0;
const ROW: f64 = 30.0;
const TOP: f64 = 34.0;
/// Letters of a reason that fit beside its bar.
const LETTERS: usize = 19;

/// `+1.50`, `−0.25`.
pub(crate) fn bits(n: f64) -> String {
    let n = if n.abs() < 0.005 { 0.0 } else { n };
    if n < 0.0 { format!("−{:.2}", -n) } else { format!("+{n:.2}") }
}

fn short(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS - 1).chain(['…']).collect()
}

/// The drawing: the bars in their order, then the score they sum to.
pub(crate) fn waterfall(bars: &[(String, f64)], score: f64) -> String {
    let (mut low, mut high, mut sum) = (score.min(0.0), score.max(0.0), 0.0);
    for (_, step) in bars {
        sum += step;
        low = f64::min(low, sum);
        high = f64::max(high, sum);
    }
    let wide = (high - low).max(1e-9);
    let x = |n: f64| LEFT + (n - low) / wide * (RIGHT - LEFT);
    let height = TOP + ROW * (bars.len() + 1) as f64 + 14.0;
    let zero = x(0.0);
    let floor = height - 14.0;
    let mut out = format!(
        r##"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="waterfall-title" xmlns="http://www.w3.org/2000/svg"><title id="waterfall-title">得点の内訳。数字は下の表にあります。</title><path d="M{zero:.1} {}V{floor}" stroke="#5b6370" stroke-dasharray="4 4"/><text x="{zero:.1}" y="18" text-anchor="middle">0</text>"##,
        TOP - 8.0
    );
    let mut from = 0.0;
    let rows = bars.iter().map(|(words, step)| (words.as_str(), *step, false));
    for (at, (words, step, total)) in rows.chain([("合計（得点）", score, true)]).enumerate()
    {
        let y = TOP + ROW * at as f64;
        let start = if total { 0.0 } else { from };
        let end = start + step;
        let (a, b) = (x(start.min(end)), x(start.max(end)));
        let (fill, edge) = match (total, step < 0.0) {
            (true, _) => ("#1a1a1a", "#1a1a1a"),
            (false, false) => ("#0017c1", "#0017c1"),
            (false, true) => ("#ffffff", "#ce0000"),
        };
        let base = y + 20.0;
        let middle = y + 14.0;
        // Writing to a String does not fail.
        let _ = write!(
            out,
            r#"<g><title>{} {}</title><text x="{}" y="{base}" text-anchor="end">{}</text><rect x="{a:.1}" y="{}" width="{:.1}" height="20" fill="{fill}" stroke="{edge}" stroke-width="2"/><text x="{:.1}" y="{base}">{}</text></g>"#,
            escape(words),
            bits(step),
            LEFT - 10.0,
            escape(&short(words)),
            middle - 10.0,
            (b - a).max(1.0),
            b + 8.0,
            bits(step),
        );
        if !total {
            let _ = write!(
                out,
                r##"<path d="M{:.1} {}v{}" stroke="#5b6370"/>"##,
                x(end),
                middle + 10.0,
                ROW - 20.0
            );
        }
        from = end;
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bar_begins_where_the_one_above_ended_and_the_last_is_the_score() {
        let bars = [("<姓>".to_owned(), 4.0), ("住所".to_owned(), -1.0)];
        let svg = waterfall(&bars, 3.0);
        // From 0 to 4 over 450 units: 112.5 a bit.
        for rect in ["x=\"330.0\" y=\"38\" width=\"450.0\"", "x=\"667.5\" y=\"68\" width=\"112.5\""]
        {
            assert!(svg.contains(rect), "{rect}\n{svg}");
        }
        assert!(svg.contains("x=\"330.0\" y=\"98\" width=\"337.5\""), "{svg}");
        assert!(svg.contains("&lt;姓&gt;") && !svg.contains("<姓>"));
        assert!(svg.contains("+4.00") && svg.contains("−1.00") && svg.contains("+3.00"));
        // Nothing to add up is drawn, too.
        assert!(waterfall(&[], 0.0).contains("合計"));
    }
}
