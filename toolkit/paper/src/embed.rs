//! A face as a PDF holds it: the glyphs that are used, their widths, and the characters they stand for.

use std::collections::BTreeMap;

use pdf_writer::{
    Chunk, Filter, Finish as _, Name, Rect, Ref, Str,
    types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap},
};
use subsetter::GlyphRemapper;

use crate::{face::Face, paper::PaperError, write::packed};

const IDENTITY: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// The glyphs of one face that the document uses.
pub(crate) struct Used<'a> {
    face: &'a Face,
    glyphs: GlyphRemapper,
    /// What a glyph of the document stands for.
    chars: BTreeMap<u16, char>,
}

impl<'a> Used<'a> {
    pub(crate) fn of(face: &'a Face) -> Self {
        Self { face, glyphs: GlyphRemapper::new(), chars: BTreeMap::new() }
    }

    /// The codes of a text, two bytes a character, and whether they stand for it alone: else the text must be said beside.
    pub(crate) fn codes(&mut self, text: &str) -> (Vec<u8>, bool) {
        let (mut out, mut exact) = (Vec::with_capacity(text.len()), true);
        for c in text.chars() {
            let glyph = self.glyphs.remap(self.face.glyph(c));
            exact &= *self.chars.entry(glyph).or_insert(c) == c && self.face.has(c);
            out.extend(glyph.to_be_bytes());
        }
        (out, exact)
    }

    /// Write the font: five objects from `ids`, the first of which is the font.
    pub(crate) fn write(
        &self,
        chunk: &mut Chunk,
        ids: [Ref; 5],
        name: &[u8],
    ) -> Result<(), PaperError> {
        let [font, descendant, descriptor, file, map] = ids;
        let named = Name(name);
        let bytes =
            subsetter::subset(self.face.bytes, 0, &self.glyphs).map_err(|_| PaperError::Font)?;
        chunk
            .type0_font(font)
            .base_font(named)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(descendant)
            .to_unicode(map);
        let mut cid = chunk.cid_font(descendant);
        cid.subtype(CidFontType::Type2)
            .base_font(named)
            .system_info(IDENTITY)
            .font_descriptor(descriptor)
            .default_width(1_000.0)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        let widths = self.glyphs.remapped_gids().map(|old| self.face.advance(old) * 1_000.0);
        cid.widths().consecutive(0, widths);
        cid.finish();
        let [low, high] = self.face.extent;
        chunk
            .font_descriptor(descriptor)
            .name(named)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(0.0, low * 1_000.0, 1_000.0, high * 1_000.0))
            .italic_angle(0.0)
            .ascent(880.0)
            .descent(-120.0)
            .cap_height(733.0)
            .stem_v(if self.face.heavy { 160.0 } else { 80.0 })
            .font_file2(file);
        chunk
            .stream(file, &packed(&bytes))
            .filter(Filter::FlateDecode)
            .pair(Name(b"Length1"), i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        let mut cmap = UnicodeCmap::<u16>::new(Name(b"Kiban-UTF16"), IDENTITY);
        for (glyph, c) in &self.chars {
            cmap.pair(*glyph, *c);
        }
        chunk.cmap(map, &packed(&cmap.finish())).filter(Filter::FlateDecode);
        Ok(())
    }
}
