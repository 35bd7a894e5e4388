//! Rows of a submitted dataset beside the records they were made from.

use kiban_journeys::enquiry::OpenedRow;
use serde::Serialize;

use crate::{japanese::number, names::Names};

#[derive(Serialize)]
pub(super) struct CellView {
    pub(super) column: String,
    pub(super) ja: String,
    pub(super) submitted: String,
    pub(super) source: String,
    pub(super) differs: bool,
}

#[derive(Serialize)]
pub(super) struct FromView {
    pub(super) holder: String,
    pub(super) format: String,
    pub(super) sha256: String,
    pub(super) bytes: String,
    pub(super) place: String,
}

#[derive(Serialize)]
pub(super) struct OpenedView {
    pub(super) table: String,
    pub(super) ja: String,
    pub(super) row: u64,
    pub(super) agrees: bool,
    pub(super) cells: Vec<CellView>,
    pub(super) sources: Vec<FromView>,
}

pub(super) fn opened_view(of: &OpenedRow, names: &Names) -> OpenedView {
    let shown = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "（空）".to_owned());
    OpenedView {
        ja: kiban_journeys::table_ja(&of.table).to_owned(),
        table: of.table.clone(),
        row: of.row,
        agrees: of.agrees,
        cells: of
            .cells
            .iter()
            .map(|c| CellView {
                ja: kiban_journeys::column_ja(&of.table, &c.column).unwrap_or_default().to_owned(),
                column: c.column.clone(),
                submitted: shown(&c.submitted),
                source: shown(&c.source),
                differs: c.submitted != c.source,
            })
            .collect(),
        sources: of
            .sources
            .iter()
            .map(|s| FromView {
                holder: names.organization_text(&s.holder),
                format: s.format.clone(),
                sha256: s.sha256.map(|d| d.to_string()).unwrap_or_default(),
                bytes: number(s.bytes),
                place: s.place.clone(),
            })
            .collect(),
    }
}
