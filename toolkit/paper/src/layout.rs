//! From blocks to pages of placed lines. Points (1/72 inch); y grows downwards from the top of the page.

use crate::{
    face::Faces,
    lines::lines,
    paper::{Block, Paper},
    table,
};

/// A4.
pub(crate) const WIDTH: f32 = 595.28;
/// A4.
pub(crate) const HEIGHT: f32 = 841.89;
pub(crate) const LEFT: f32 = 62.0;
pub(crate) const RIGHT: f32 = WIDTH - 62.0;
const TOP: f32 = 62.0;
const BOTTOM: f32 = HEIGHT - 66.0;
/// Baseline of the line at the foot.
pub(crate) const FOOT: f32 = HEIGHT - 36.0;

/// A style of text: size, weight, distance of baselines in sizes.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    pub(crate) size: f32,
    pub(crate) bold: bool,
    pub(crate) leading: f32,
}

const TITLE: Style = Style { size: 17.0, bold: true, leading: 1.5 };
const HEADING: Style = Style { size: 12.0, bold: true, leading: 1.5 };
pub(crate) const BODY: Style = Style { size: 10.5, bold: false, leading: 1.65 };
pub(crate) const SMALL: Style = Style { size: 8.5, bold: false, leading: 1.55 };

impl Style {
    pub(crate) fn line(self) -> f32 {
        self.size * self.leading
    }
}

/// A line of text in its place.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) x: f32,
    /// Baseline.
    pub(crate) y: f32,
    pub(crate) size: f32,
    pub(crate) bold: bool,
    pub(crate) text: String,
    /// What it is part of; none if it is for the eye alone (a repeated head).
    pub(crate) node: Option<usize>,
}

/// A filled or framed rectangle: x, y, width, height.
#[derive(Debug)]
pub(crate) struct Rect {
    pub(crate) at: [f32; 4],
    pub(crate) filled: bool,
}

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) texts: Vec<Placed>,
    pub(crate) rects: Vec<Rect>,
}

/// What a part of the document is, for those who listen.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Title(String),
    Heading(String),
    Text,
    List,
    Item,
    Table(String),
    Row,
    /// A head: of its column, or of its row.
    Head {
        row: bool,
    },
    Cell,
}

/// A part and what it belongs to.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) part: Part,
    pub(crate) parent: Option<usize>,
}

/// The document, laid out.
#[derive(Debug, Default)]
pub(crate) struct Sheets {
    pub(crate) pages: Vec<Sheet>,
    pub(crate) nodes: Vec<Node>,
    /// Bookmarks: text, page, y.
    pub(crate) marks: Vec<(String, usize, f32)>,
}

/// Where the next thing goes.
pub(crate) struct Pen<'a> {
    pub(crate) faces: &'a Faces,
    pub(crate) out: Sheets,
    /// Top of the next thing.
    pub(crate) y: f32,
}

impl Pen<'_> {
    pub(crate) fn node(&mut self, part: Part, parent: Option<usize>) -> usize {
        self.out.nodes.push(Node { part, parent });
        self.out.nodes.len() - 1
    }

    pub(crate) fn page(&mut self) -> &mut Sheet {
        if self.out.pages.is_empty() {
            self.out.pages.push(Sheet::default());
        }
        let last = self.out.pages.len() - 1;
        &mut self.out.pages[last]
    }

    pub(crate) fn turn(&mut self) {
        self.out.pages.push(Sheet::default());
        self.y = TOP;
    }

    /// Room left on the page.
    pub(crate) fn left(&self) -> f32 {
        BOTTOM - self.y
    }

    /// Room of a whole page.
    pub(crate) fn whole() -> f32 {
        BOTTOM - TOP
    }

    /// A new page unless this much fits.
    pub(crate) fn need(&mut self, height: f32) {
        if height > self.left() && self.y > TOP {
            self.turn();
        }
    }

    /// Room between blocks; none at the top of a page.
    fn gap(&mut self, height: f32) {
        if self.y > TOP {
            self.y += height;
        }
    }

    /// Put a line whose box begins at `y`.
    pub(crate) fn put(&mut self, x: f32, y: f32, style: Style, text: String, node: Option<usize>) {
        let baseline = y + style.line() / 2.0 + style.size * 0.37;
        let placed = Placed { x, y: baseline, size: style.size, bold: style.bold, text, node };
        self.page().texts.push(placed);
    }

    /// Lines one below the other, over pages if need be.
    fn flow(&mut self, x: f32, width: f32, style: Style, text: &str, side: Side, node: usize) {
        for line in lines(text, self.faces.of(style.bold), width / style.size) {
            self.need(style.line());
            let free = width - self.faces.of(style.bold).text_width(&line) * style.size;
            let indent = match side {
                Side::Left => 0.0,
                Side::Middle => free / 2.0,
                Side::Right => free,
            };
            if !line.is_empty() {
                self.put(x + indent.max(0.0), self.y, style, line, Some(node));
            }
            self.y += style.line();
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Middle,
    Right,
}

/// Pages of a document; at least one.
pub(crate) fn lay(paper: &Paper, faces: &Faces) -> Sheets {
    let mut pen = Pen { faces, out: Sheets::default(), y: TOP };
    pen.page();
    for block in &paper.blocks {
        lay_block(&mut pen, block);
    }
    pen.out
}

fn lay_block(pen: &mut Pen, block: &Block) {
    let width = RIGHT - LEFT;
    match block {
        Block::Title(text) => {
            let node = pen.node(Part::Title(text.clone()), None);
            pen.flow(LEFT, width, TITLE, text, Side::Middle, node);
            pen.y += 10.0;
        }
        Block::Heading(text) => {
            pen.gap(10.0);
            // A heading stays with what follows it.
            pen.need(HEADING.line() + 4.0 * BODY.line());
            let node = pen.node(Part::Heading(text.clone()), None);
            let mark = (text.clone(), pen.out.pages.len() - 1, pen.y);
            pen.out.marks.push(mark);
            pen.flow(LEFT, width, HEADING, text, Side::Left, node);
            pen.y += 3.0;
        }
        Block::Text(text) => paragraph(pen, BODY, text, Side::Left),
        Block::Right(text) => paragraph(pen, BODY, text, Side::Right),
        Block::Note(text) => paragraph(pen, SMALL, text, Side::Left),
        Block::Items(items) => {
            let list = pen.node(Part::List, None);
            for (i, item) in items.iter().enumerate() {
                let node = pen.node(Part::Item, Some(list));
                pen.need(BODY.line());
                let label = format!("{}", i + 1);
                let wide = pen.faces.regular.text_width(&label) * BODY.size;
                pen.put(LEFT + 16.0 - wide, pen.y, BODY, label, Some(node));
                pen.flow(LEFT + 24.0, width - 24.0, BODY, item, Side::Left, node);
            }
            pen.y += 6.0;
        }
        Block::Facts(facts) => {
            table::facts(pen, facts);
            pen.y += 8.0;
        }
        Block::Table(of) => {
            table::table(pen, of);
            pen.y += 8.0;
        }
        Block::Seal(rows) => seal(pen, rows),
        Block::Room(label, count) => {
            let height = BODY.line() * f32::from((*count).max(1)) + 20.0;
            pen.gap(4.0);
            pen.need(height);
            let node = pen.node(Part::Text, None);
            let at = [LEFT, pen.y, width, height];
            pen.page().rects.push(Rect { at, filled: false });
            pen.put(LEFT + 5.0, pen.y + 2.0, SMALL, label.clone(), Some(node));
            pen.y += height + 8.0;
        }
        Block::NewPage => {
            if pen.y > TOP {
                pen.turn();
            }
        }
    }
}

fn paragraph(pen: &mut Pen, style: Style, text: &str, side: Side) {
    let node = pen.node(Part::Text, None);
    pen.flow(LEFT, RIGHT - LEFT, style, text, side, node);
    pen.y += 5.0;
}

/// Lines in the right half, a circle for the seal after the last.
fn seal(pen: &mut Pen, rows: &[String]) {
    let x = LEFT + (RIGHT - LEFT) * 0.47;
    let width = RIGHT - x - 26.0;
    let node = pen.node(Part::Text, None);
    pen.gap(6.0);
    for row in rows {
        pen.flow(x, width, BODY, row, Side::Left, node);
    }
    let y = pen.y - BODY.line();
    pen.put(RIGHT - 14.0, y, BODY, "印".to_owned(), Some(node));
    pen.y += 8.0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::{Column, Day, Table};

    #[test]
    fn nothing_is_beyond_the_edges() {
        let faces = Faces::embedded().unwrap();
        let long = "審査委員会の意見ABC-0123456789、".repeat(40);
        let digest = "0123456789abcdef".repeat(20);
        let table = Table {
            summary: String::new(),
            columns: vec![
                Column::text("番号", 1),
                Column::number("数", 1),
                Column::text("内容", 9),
            ],
            rows: (0..30).map(|_| vec![digest.clone(), "1,234".into(), long.clone()]).collect(),
            empty: String::new(),
        };
        let paper = Paper {
            title: "文書".into(),
            author: "発行者".into(),
            made: Day { year: 2026, month: 11, day: 28 },
            footer: String::new(),
            blocks: vec![
                Block::Title(long.clone()),
                Block::Right(long.clone()),
                Block::Seal(vec![long.clone(), digest.clone()]),
                Block::Items(vec![long.clone(), digest.clone()]),
                Block::Facts(vec![(long.clone(), digest.clone())]),
                Block::Table(table),
                Block::Room("所見".into(), 4),
                Block::Note(long),
            ],
        };
        let sheets = lay(&paper, &faces);
        assert!(sheets.pages.len() > 5);
        for placed in sheets.pages.iter().flat_map(|p| &p.texts) {
            let wide = faces.of(placed.bold).text_width(&placed.text) * placed.size;
            assert!(placed.x >= LEFT - 0.01 && placed.x + wide <= RIGHT + 0.5, "{placed:?}");
            assert!(placed.y > TOP && placed.y <= BOTTOM, "{placed:?}");
        }
        for rect in sheets.pages.iter().flat_map(|p| &p.rects) {
            let [x, y, width, height] = rect.at;
            assert!(x >= LEFT - 0.01 && x + width <= RIGHT + 0.01, "{rect:?}");
            assert!(y >= TOP - 0.01 && y + height <= BOTTOM + 0.1, "{rect:?}");
        }
    }
}
