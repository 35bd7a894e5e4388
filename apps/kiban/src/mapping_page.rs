//! What a mapping changes, as a page: rows and persons, and how its values lie beside those of other holders.

use std::collections::BTreeMap;

use askama::Template;
use kiban_journeys::map_codes::{Distribution, Effect, Overlay, effect_ja};
use kiban_web::curves::{Curve, curves};

#[derive(Template)]
#[template(path = "mapping.html")]
struct Page {
    title: String,
    lines: Vec<String>,
    charts: Vec<(String, String)>,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    which: &'static str,
    count: u64,
    cells: Vec<String>,
}

/// The levels that the table shows.
const SHOWN: [f64; 5] = [0.05, 0.3, 0.5, 0.7, 0.95];

pub(crate) fn page(
    effect: &Effect,
    names: &BTreeMap<String, String>,
) -> Result<String, askama::Error> {
    let m = &effect.mapping;
    let name = |o: &Overlay| {
        let id = o.holder.to_string();
        names.get(&id).cloned().unwrap_or(id)
    };
    let mut charts = Vec::new();
    let (mut raw, mut converted, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (overlay, own) in
        effect.own.iter().map(|o| (o, true)).chain(effect.peers.iter().map(|o| (o, false)))
    {
        let label =
            if own { format!("{}（この対応付け）", name(overlay)) } else { name(overlay) };
        for (values, curves, which) in
            [(&overlay.raw, &mut raw, "元の値"), (&overlay.converted, &mut converted, "換算後")]
        {
            let Some(values) = values else { continue };
            curves.push(Curve { name: label.clone(), points: points(values), own });
            rows.push(row(label.clone(), which, values));
        }
    }
    let unit = m.meaning.unit.as_ref();
    if !raw.is_empty() {
        let axis = |unit: Option<&str>| unit.map_or("値".to_owned(), |u| format!("値（{u}）"));
        let from = axis(unit.map(|u| u.from.as_str()));
        let to = axis(unit.map(|u| u.to.as_str()));
        charts.push(("元の値".to_owned(), curves("元の値の累積分布", [&from, "割合"], &raw)));
        charts
            .push(("換算後".to_owned(), curves("換算後の値の累積分布", [&to, "割合"], &converted)));
    }
    Page {
        title: format!("{} → {} {}", m.key.local, m.key.system, m.meaning.code),
        lines: effect_ja(effect, names),
        charts,
        rows,
    }
    .render()
}

fn points(values: &Distribution) -> Vec<(f64, f64)> {
    values.quantiles().iter().map(|(level, value)| (*value, *level)).collect()
}

fn row(name: String, which: &'static str, values: &Distribution) -> Row {
    let at = |level: f64| {
        let near = values.quantiles().iter().find(|q| q.0 >= level);
        near.map_or_else(String::new, |q| q.1.to_string())
    };
    Row { name, which, count: values.count(), cells: SHOWN.map(at).to_vec() }
}
