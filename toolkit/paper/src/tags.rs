//! The parts of a document for those who listen to it: which lines of which page make which part.

use pdf_writer::{
    Chunk, Finish as _, Ref,
    types::{ListNumbering, StructRole, TableHeaderScope},
};

use crate::layout::{Part, Sheets};
use pdf_writer::TextStr;

/// A line of a page, by the number it has there.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) page: usize,
    pub(crate) number: i32,
}

/// Write a structure element for each part that says something, below `root`; gives the ids of the topmost, and for each
/// page the elements of its lines.
pub(crate) fn write(
    chunk: &mut Chunk,
    sheets: &Sheets,
    marks: &[Vec<Mark>],
    pages: &[Ref],
    (root, next): (Ref, &mut Ref),
) -> (Vec<Ref>, Vec<Vec<Ref>>) {
    // A part without lines below it is left away: children come after their parents.
    let mut says: Vec<bool> = marks.iter().map(|m| !m.is_empty()).collect();
    for (i, node) in sheets.nodes.iter().enumerate().rev() {
        if let Some(parent) = node.parent.filter(|_| says[i]) {
            says[parent] = true;
        }
    }
    let ids: Vec<Ref> = sheets.nodes.iter().map(|_| next.bump()).collect();
    let mut below: Vec<Vec<Ref>> = sheets.nodes.iter().map(|_| Vec::new()).collect();
    let mut top = Vec::new();
    for (i, node) in sheets.nodes.iter().enumerate().filter(|(i, _)| says[*i]) {
        match node.parent {
            Some(parent) => below[parent].push(ids[i]),
            None => top.push(ids[i]),
        }
    }
    let mut of_page: Vec<Vec<Ref>> = pages.iter().map(|_| Vec::new()).collect();
    for (i, node) in sheets.nodes.iter().enumerate().filter(|(i, _)| says[*i]) {
        let mut element = chunk.struct_element(ids[i]);
        element.kind(role(&node.part)).parent(node.parent.map_or(root, |p| ids[p]));
        let mut children = element.children();
        for mark in &marks[i] {
            children.marked_content_ref().page(pages[mark.page]).marked_content_id(mark.number);
        }
        for child in &below[i] {
            children.struct_element(*child);
        }
        children.finish();
        match &node.part {
            Part::Title(text) | Part::Heading(text) => {
                element.title(TextStr(text));
            }
            Part::List => {
                element.attributes().push().list().list_numbering(ListNumbering::Decimal);
            }
            Part::Table(summary) if !summary.is_empty() => {
                element.attributes().push().table().summary(TextStr(summary));
            }
            Part::Head { row } => {
                let scope = if *row { TableHeaderScope::Row } else { TableHeaderScope::Column };
                element.attributes().push().table().scope(scope);
            }
            _ => {}
        }
        element.finish();
        for mark in &marks[i] {
            let lines = &mut of_page[mark.page];
            let number = usize::try_from(mark.number).unwrap_or_default();
            lines.resize(lines.len().max(number + 1), ids[i]);
            lines[number] = ids[i];
        }
    }
    (top, of_page)
}

fn role(part: &Part) -> StructRole {
    match part {
        Part::Title(_) => StructRole::H1,
        Part::Heading(_) => StructRole::H2,
        Part::Text => StructRole::P,
        Part::List => StructRole::L,
        Part::Item => StructRole::LI,
        Part::Table(_) => StructRole::Table,
        Part::Row => StructRole::TR,
        Part::Head { .. } => StructRole::TH,
        Part::Cell => StructRole::TD,
    }
}
