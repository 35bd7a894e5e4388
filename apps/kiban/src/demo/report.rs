//! `report.html`: the story of a run, self-contained, in Japanese.

use askama::Template;

use super::story::{DatasetStory, Story};
use crate::svg::{self, Bar};

struct DatasetView<'a> {
    story: &'a DatasetStory,
    histogram: String,
    prosecutor: String,
    marketer: String,
    utility: Vec<(String, String, String, String, String, String)>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    s: &'a Story,
    total_in: u64,
    total_accepted: u64,
    leaks: u64,
    cells: u64,
    intake_chart: String,
    datasets: Vec<DatasetView<'a>>,
    seconds: Vec<(String, String)>,
}

/// The page's text.
///
/// # Errors
/// The template failed to render.
pub(crate) fn render(story: &Story) -> Result<String, askama::Error> {
    Page {
        s: story,
        total_in: story.deliveries.iter().map(|d| d.persons_in_source).sum(),
        total_accepted: story.deliveries.iter().map(|d| d.persons_accepted).sum(),
        leaks: story.datasets.iter().map(|d| d.leaks).sum(),
        cells: story.datasets.iter().map(|d| d.cells_scanned).sum(),
        intake_chart: intake_chart(story),
        datasets: story.datasets.iter().map(view).collect(),
        seconds: story.seconds.iter().map(|(n, t)| (n.clone(), format!("{t:.2}"))).collect(),
    }
    .render()
}

fn intake_chart(story: &Story) -> String {
    let bars: Vec<Bar> = story
        .deliveries
        .iter()
        .map(|d| {
            let by_holder = d.persons_in_source.saturating_sub(d.persons_sealed);
            let by_producer = d.persons_sealed.saturating_sub(d.persons_accepted);
            Bar {
                label: format!("{}（{}）", d.holder, d.on),
                parts: vec![
                    (d.persons_accepted as f64, "#2f6df6", "受入れ".into()),
                    (by_producer as f64, "#f2a33c", "作成事業者で停止".into()),
                    (by_holder as f64, "#b8bfca", "取扱事業者で停止".into()),
                ],
                text: format!("{}／{} 人", d.persons_accepted, d.persons_in_source),
            }
        })
        .collect();
    svg::bars("受入れの人数", &bars)
}

fn view(story: &DatasetStory) -> DatasetView<'_> {
    let bars: Vec<Bar> = story
        .histogram
        .iter()
        .map(|(bucket, classes, persons)| Bar {
            label: format!("{bucket} 人の類"),
            parts: vec![(*persons as f64, "#2f6df6", "人".into())],
            text: format!("{persons} 人（{classes} 類）"),
        })
        .collect();
    let quartiles = |v: &[f64; 4]| format!("{:.1} / {:.1} / {:.1}", v[1], v[2], v[3]);
    DatasetView {
        story,
        histogram: svg::bars("同値類の大きさの分布", &bars),
        prosecutor: format!("{:.4}", story.prosecutor),
        marketer: format!("{:.4}", story.marketer),
        utility: story
            .utility
            .iter()
            .map(|u| {
                (
                    u.column.clone(),
                    format!("{:.1}", u.kept_percent),
                    format!("{:.2}", u.before[0]),
                    quartiles(&u.before),
                    u.after.map_or_else(|| "—".into(), |a| format!("{:.2}", a[0])),
                    u.after.as_ref().map_or_else(|| "—".into(), quartiles),
                )
            })
            .collect(),
    }
}
