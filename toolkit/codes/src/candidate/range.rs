//! Reference ranges as text.

use unicode_normalization::UnicodeNormalization as _;

/// A range; an open end is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    low: Option<f64>,
    high: Option<f64>,
}

/// `10-40`, `10～40`, `≦40`, `40以下`, `<40`, `10以上`. One range only: what depends on sex or age is not read.
pub(super) fn parse(text: &str) -> Option<Range> {
    let plain: String = text.nfkc().filter(|c| !c.is_whitespace()).collect();
    let number = |t: &str| t.parse::<f64>().ok().filter(|n| n.is_finite());
    for sign in ["<=", "≦", "≤", "<", "~", "-"] {
        if let Some(high) = plain.strip_prefix(sign).and_then(number) {
            return Some(Range { low: None, high: Some(high) });
        }
    }
    for sign in [">=", "≧", "≥", ">"] {
        if let Some(low) = plain.strip_prefix(sign).and_then(number) {
            return Some(Range { low: Some(low), high: None });
        }
    }
    for sign in ["以下", "未満", "まで"] {
        if let Some(high) = plain.strip_suffix(sign).and_then(number) {
            return Some(Range { low: None, high: Some(high) });
        }
    }
    if let Some(low) = plain.strip_suffix("以上").and_then(number) {
        return Some(Range { low: Some(low), high: None });
    }
    let (low, high) = plain
        .split_once(['~', '〜', '–', '…'])
        .or_else(|| plain.rsplit_once('-'))
        .and_then(|(low, high)| Some((number(low)?, number(high)?)))?;
    (low <= high).then_some(Range { low: Some(low), high: Some(high) })
}

/// How far two ranges agree, 0 to 1, after `factor` on the first: the mean of the ratios of their ends. `None` where they share
/// no end.
pub(super) fn agreement(local: Range, factor: f64, known: Range) -> Option<f64> {
    let ends = [(local.low, known.low), (local.high, known.high)];
    let ratios: Vec<f64> = ends
        .into_iter()
        .filter_map(|(a, b)| Some((a? * factor, b?)))
        .map(|(a, b)| {
            let (small, large) = if a.abs() < b.abs() { (a, b) } else { (b, a) };
            if large == 0.0 { 1.0 } else { (small / large).max(0.0) }
        })
        .collect();
    (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
}
