//! Tables: columns by shares, rows that stay whole if a page can hold them, heads repeated on each page.

use crate::{
    layout::{LEFT, Part, Pen, RIGHT, Rect, Style},
    lines::lines,
    paper::Table,
};

const CELL: Style = Style { size: 9.0, bold: false, leading: 1.45 };
const HEAD: Style = Style { size: 9.0, bold: true, leading: 1.45 };
/// Room beside and above the text of a cell.
const SIDE: f32 = 5.0;
const ABOVE: f32 = 3.0;

/// A cell, broken into lines.
struct Cell {
    x: f32,
    width: f32,
    lines: Vec<String>,
    style: Style,
    number: bool,
    shaded: bool,
    node: Option<usize>,
}

/// Keys with values: a table whose first column are heads of rows.
pub(crate) fn facts(pen: &mut Pen, facts: &[(String, String)]) {
    if facts.is_empty() {
        return;
    }
    let whole = RIGHT - LEFT;
    let key = whole * 0.27;
    let table = pen.node(Part::Table(String::new()), None);
    for (name, value) in facts {
        let row = pen.node(Part::Row, Some(table));
        let head = pen.node(Part::Head { row: true }, Some(row));
        let cell = pen.node(Part::Cell, Some(row));
        let cells = [
            make(pen, LEFT, key, name, HEAD, true, Some(head)),
            make(pen, LEFT + key, whole - key, value, CELL, false, Some(cell)),
        ];
        draw(pen, &cells, &[]);
    }
}

/// A table with a head.
pub(crate) fn table(pen: &mut Pen, of: &Table) {
    let Some(last) = of.columns.len().checked_sub(1) else { return };
    let table = pen.node(Part::Table(of.summary.clone()), None);
    let shares: Vec<f32> = of.columns.iter().map(|c| f32::from(c.share.max(1))).collect();
    let whole: f32 = shares.iter().sum();
    let widths: Vec<f32> = shares.iter().map(|s| s / whole * (RIGHT - LEFT)).collect();
    let row = pen.node(Part::Row, Some(table));
    let head = |pen: &mut Pen, row: Option<usize>| {
        let mut x = LEFT;
        let mut cells = Vec::new();
        for (column, width) in of.columns.iter().zip(&widths) {
            let node = row.map(|row| pen.node(Part::Head { row: false }, Some(row)));
            cells.push(make(pen, x, *width, &column.head, HEAD, true, node));
            x += width;
        }
        cells
    };
    let first = head(pen, Some(row));
    // The head stays with the first row.
    pen.need(height(&first) + 2.0 * CELL.line() + 2.0 * ABOVE);
    draw(pen, &first, &[]);
    let again = head(pen, None);
    if of.rows.is_empty() {
        let row = pen.node(Part::Row, Some(table));
        let node = pen.node(Part::Cell, Some(row));
        let cell = make(pen, LEFT, RIGHT - LEFT, &of.empty, CELL, false, Some(node));
        draw(pen, &[cell], &again);
    }
    for texts in &of.rows {
        let row = pen.node(Part::Row, Some(table));
        let mut x = LEFT;
        let mut cells = Vec::new();
        for (i, (column, width)) in of.columns.iter().zip(&widths).enumerate() {
            let node = pen.node(Part::Cell, Some(row));
            let text = match texts.get(i) {
                Some(_) if i == last => texts[last..].join("、"),
                Some(text) => text.clone(),
                None => String::new(),
            };
            let mut cell = make(pen, x, *width, &text, CELL, false, Some(node));
            cell.number = column.number;
            cells.push(cell);
            x += width;
        }
        draw(pen, &cells, &again);
    }
}

fn make(
    pen: &Pen,
    x: f32,
    width: f32,
    text: &str,
    style: Style,
    shaded: bool,
    node: Option<usize>,
) -> Cell {
    let room = (width - 2.0 * SIDE) / style.size;
    let lines = lines(text, pen.faces.of(style.bold), room);
    Cell { x, width, lines, style, number: false, shaded, node }
}

fn most(cells: &[Cell]) -> usize {
    cells.iter().map(|c| c.lines.len()).max().unwrap_or(1).max(1)
}

fn height(cells: &[Cell]) -> f32 {
    most(cells) as f32 * CELL.line() + 2.0 * ABOVE
}

/// Draw a row; what a page cannot hold goes on after the head on the next.
fn draw(pen: &mut Pen, cells: &[Cell], again: &[Cell]) {
    let repeated = if again.is_empty() { 0.0 } else { height(again) };
    let turn = |pen: &mut Pen| {
        pen.turn();
        if !again.is_empty() {
            piece(pen, again, 0, most(again));
        }
    };
    if height(cells) > pen.left() && height(cells) <= Pen::whole() - repeated {
        turn(pen);
    }
    let (mut from, count) = (0, most(cells));
    while from < count {
        let fits = ((pen.left() - 2.0 * ABOVE + 0.01) / CELL.line()).floor().max(0.0) as usize;
        if fits == 0 {
            turn(pen);
            continue;
        }
        let to = count.min(from + fits);
        piece(pen, cells, from, to);
        from = to;
        if from < count {
            turn(pen);
        }
    }
}

/// Lines `from..to` of a row, framed.
fn piece(pen: &mut Pen, cells: &[Cell], from: usize, to: usize) {
    let high = (to - from) as f32 * CELL.line() + 2.0 * ABOVE;
    let y = pen.y;
    for cell in cells {
        let at = [cell.x, y, cell.width, high];
        if cell.shaded {
            pen.page().rects.push(Rect { at, filled: true });
        }
        pen.page().rects.push(Rect { at, filled: false });
        for (i, line) in cell.lines.iter().enumerate().take(to).skip(from) {
            if line.is_empty() {
                continue;
            }
            let wide = pen.faces.of(cell.style.bold).text_width(line) * cell.style.size;
            let x = if cell.number {
                (cell.x + cell.width - SIDE - wide).max(cell.x + SIDE)
            } else {
                cell.x + SIDE
            };
            let top = y + ABOVE + (i - from) as f32 * CELL.line();
            pen.put(x, top, cell.style, line.clone(), cell.node);
        }
    }
    pen.y += high;
}
