//! From placed lines to a tagged PDF 1.7: pages, fonts, bookmarks, properties. Colours are calibrated greys, everything is
//! embedded, nothing is encrypted, nothing runs.

use std::{fmt::Write as _, io::Write as _};

use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::{
    Chunk, Content, Date, Filter, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr,
    types::{ArtifactType, TabOrder},
};

use crate::{
    embed::Used,
    face::Faces,
    layout::{FOOT, HEIGHT, LEFT, Placed, RIGHT, SMALL, Sheet, Sheets, WIDTH},
    paper::{Day, Paper, PaperError},
    tags::{self, Mark},
};

const GREY: Name<'static> = Name(b"G");
const REGULAR: Name<'static> = Name(b"R");
const BOLD: Name<'static> = Name(b"B");

/// Bytes, compressed.
pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// The two faces as the document uses them.
struct Fonts<'a> {
    regular: Used<'a>,
    bold: Used<'a>,
}

pub(crate) fn write(paper: &Paper, sheets: &Sheets, faces: &Faces) -> Result<Vec<u8>, PaperError> {
    let mut next = Ref::new(1);
    let [catalog, tree, info, metadata, outline, root, grey] = std::array::from_fn(|_| next.bump());
    let [regular, bold]: [[Ref; 5]; 2] =
        std::array::from_fn(|_| std::array::from_fn(|_| next.bump()));
    let pages: Vec<Ref> = sheets.pages.iter().map(|_| next.bump()).collect();
    let mut fonts = Fonts { regular: Used::of(&faces.regular), bold: Used::of(&faces.bold) };
    let mut marks: Vec<Vec<Mark>> = sheets.nodes.iter().map(|_| Vec::new()).collect();
    let (mut chunk, mut identity) = (Chunk::new(), Identity::default());
    for (i, sheet) in sheets.pages.iter().enumerate() {
        let content = page_content(paper, sheet, (i, pages.len()), faces, &mut fonts, &mut marks);
        identity.add(&content);
        let stream = next.bump();
        chunk.stream(stream, &packed(&content)).filter(Filter::FlateDecode);
        let mut page = chunk.page(pages[i]);
        page.parent(tree)
            .media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT))
            .contents(stream)
            .struct_parents(i32::try_from(i).unwrap_or_default())
            .tab_order(TabOrder::StructureOrder);
        let mut resources = page.resources();
        resources.fonts().pair(REGULAR, regular[0]).pair(BOLD, bold[0]);
        resources.color_spaces().pair(GREY, grey);
        resources.finish();
        page.finish();
    }
    chunk.color_space(grey).d65_gray();
    fonts.regular.write(&mut chunk, regular, b"KIBANA+NotoSansJP-Regular")?;
    fonts.bold.write(&mut chunk, bold, b"KIBANB+NotoSansJP-Bold")?;
    let (top, of_page) = tags::write(&mut chunk, sheets, &marks, &pages, (root, &mut next));
    let has_marks = bookmarks(&mut chunk, sheets, &pages, outline, &mut next);
    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    let mut of = pdf.catalog(catalog);
    of.pages(tree).metadata(metadata).lang(TextStr("ja"));
    if has_marks {
        of.outlines(outline);
    }
    of.mark_info().marked(true);
    of.viewer_preferences().display_doc_title(true);
    of.pair(Name(b"StructTreeRoot"), root);
    of.finish();
    pdf.pages(tree).kids(pages.iter().copied()).count(pages.len() as i32);
    properties(&mut pdf, paper, info, metadata);
    let mut structure = pdf.indirect(root).dict();
    structure.pair(Name(b"Type"), Name(b"StructTreeRoot"));
    structure.insert(Name(b"K")).array().items(top);
    structure.pair(Name(b"ParentTreeNextKey"), pages.len() as i32);
    let mut parents = structure.insert(Name(b"ParentTree")).dict();
    let mut numbers = parents.insert(Name(b"Nums")).array();
    for (i, elements) in of_page.iter().enumerate() {
        numbers.item(i as i32);
        numbers.push().array().items(elements.iter().copied());
    }
    numbers.finish();
    parents.finish();
    structure.finish();
    identity.add(paper.title.as_bytes());
    pdf.set_file_id((identity.bytes(), identity.bytes()));
    pdf.extend(&chunk);
    Ok(pdf.finish())
}

/// A number of the content, for the file's identity (FNV-1a, twice).
struct Identity([u64; 2]);

impl Default for Identity {
    fn default() -> Self {
        Self([0xcbf2_9ce4_8422_2325, 0x8422_2325_cbf2_9ce4])
    }
}

impl Identity {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            for half in &mut self.0 {
                *half = (*half ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
    }
    fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|half| half.to_be_bytes()).collect()
    }
}

fn page_content(
    paper: &Paper,
    sheet: &Sheet,
    (page, pages): (usize, usize),
    faces: &Faces,
    fonts: &mut Fonts,
    marks: &mut [Vec<Mark>],
) -> Vec<u8> {
    let mut content = Content::new();
    content.set_fill_color_space(GREY).set_stroke_color_space(GREY);
    frames(&mut content, sheet);
    content.set_fill_color([0.0]);
    let mut number = 0;
    for placed in &sheet.texts {
        match placed.node {
            Some(node) => {
                marks[node].push(Mark { page, number });
                line(&mut content, placed, fonts, Some(number));
                number += 1;
            }
            None => line(&mut content, placed, fonts, None),
        }
    }
    let said = format!("{} / {pages}", page + 1);
    let wide = faces.regular.text_width(&said) * SMALL.size;
    for (x, text) in [(LEFT, paper.footer.clone()), (RIGHT - wide, said)] {
        if !text.is_empty() {
            let foot = Placed { x, y: FOOT, size: SMALL.size, bold: false, text, node: None };
            line(&mut content, &foot, fonts, None);
        }
    }
    content.finish().to_vec()
}

/// Shades first, frames over them; nothing of it is said aloud.
fn frames(content: &mut Content, sheet: &Sheet) {
    if sheet.rects.is_empty() {
        return;
    }
    artifact(content, ArtifactType::Layout);
    content.set_fill_color([0.93]).set_stroke_color([0.35]).set_line_width(0.5);
    for filled in [true, false] {
        let mut any = false;
        for rect in sheet.rects.iter().filter(|r| r.filled == filled) {
            let [x, y, width, height] = rect.at;
            content.rect(x, HEIGHT - y - height, width, height);
            any = true;
        }
        match (any, filled) {
            (false, _) => {}
            (true, true) => {
                content.fill_nonzero();
            }
            (true, false) => {
                content.stroke();
            }
        }
    }
    content.end_marked_content();
}

fn artifact(content: &mut Content, kind: ArtifactType) {
    let mut marked = content.begin_marked_content_with_properties(Name(b"Artifact"));
    marked.properties().artifact().kind(kind);
    marked.finish();
}

/// A line of text: part of the document under its number, or an artifact.
fn line(content: &mut Content, placed: &Placed, fonts: &mut Fonts, number: Option<i32>) {
    let (used, font) =
        if placed.bold { (&mut fonts.bold, BOLD) } else { (&mut fonts.regular, REGULAR) };
    let (codes, exact) = used.codes(&placed.text);
    match number {
        Some(number) => {
            let mut marked = content.begin_marked_content_with_properties(Name(b"Span"));
            let mut properties = marked.properties();
            properties.identify(number);
            if !exact {
                properties.actual_text(TextStr(&placed.text));
            }
            properties.finish();
            marked.finish();
        }
        None => artifact(content, ArtifactType::Pagination),
    }
    content.begin_text().set_font(font, placed.size);
    content.set_text_matrix([1.0, 0.0, 0.0, 1.0, placed.x, HEIGHT - placed.y]);
    content.show(Str(&codes)).end_text().end_marked_content();
}

/// Bookmarks to the headings; false if there are none.
fn bookmarks(
    chunk: &mut Chunk,
    sheets: &Sheets,
    pages: &[Ref],
    outline: Ref,
    next: &mut Ref,
) -> bool {
    let ids: Vec<Ref> = sheets.marks.iter().map(|_| next.bump()).collect();
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return false };
    chunk.outline(outline).first(*first).last(*last).count(ids.len() as i32);
    for (i, (text, page, y)) in sheets.marks.iter().enumerate() {
        let mut item = chunk.outline_item(ids[i]);
        item.title(TextStr(text)).parent(outline);
        if let Some(before) = i.checked_sub(1) {
            item.prev(ids[before]);
        }
        if let Some(after) = ids.get(i + 1) {
            item.next(*after);
        }
        item.dest().page(pages[*page]).xyz(LEFT, HEIGHT - y, None);
        item.finish();
    }
    true
}

fn properties(pdf: &mut Pdf, paper: &Paper, info: Ref, metadata: Ref) {
    let Day { year, month, day } = paper.made;
    let date = Date::new(year)
        .month(month)
        .day(day)
        .hour(0)
        .minute(0)
        .second(0)
        .utc_offset_hour(9)
        .utc_offset_minute(0);
    pdf.document_info(info)
        .title(TextStr(&paper.title))
        .author(TextStr(&paper.author))
        .creator(TextStr("Kiban"))
        .creation_date(date);
    let (title, author) = (escaped(&paper.title), escaped(&paper.author));
    let mut xmp = String::from(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\">",
    );
    let _ = write!(
        xmp,
        "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\
         <dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>\
         <dc:language><rdf:Bag><rdf:li>ja</rdf:li></rdf:Bag></dc:language>\
         <xmp:CreatorTool>Kiban</xmp:CreatorTool>\
         <xmp:CreateDate>{year:04}-{month:02}-{day:02}T00:00:00+09:00</xmp:CreateDate>",
    );
    xmp.push_str("</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>");
    pdf.metadata(metadata, xmp.as_bytes());
}

/// A text inside XML; what XML cannot hold is left away.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}
