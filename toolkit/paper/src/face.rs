//! Glyph and width of a character, read from an OpenType file: tables `head`, `hhea`, `hmtx` and `cmap` (formats 4 and 12).
//! A file that does not fit is no font; nothing panics.

use std::collections::BTreeMap;

const REGULAR: &[u8] = include_bytes!("../fonts/NotoSansJP-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../fonts/NotoSansJP-Bold.ttf");

/// What stands for a character that a font lacks.
const MISSING: char = '〓';

/// A face: characters to glyphs, glyphs to widths.
pub(crate) struct Face {
    pub(crate) bytes: &'static [u8],
    glyphs: BTreeMap<u32, u16>,
    /// Widths in ems, by glyph; the last one is that of all that follow.
    widths: Vec<f32>,
    /// Lowest and highest point of any glyph, in ems.
    pub(crate) extent: [f32; 2],
    pub(crate) heavy: bool,
}

/// The two faces.
pub(crate) struct Faces {
    pub(crate) regular: Face,
    pub(crate) bold: Face,
}

impl Faces {
    pub(crate) fn embedded() -> Option<Self> {
        Some(Self { regular: Face::read(REGULAR, false)?, bold: Face::read(BOLD, true)? })
    }

    pub(crate) fn of(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.regular }
    }
}

impl Face {
    fn read(bytes: &'static [u8], heavy: bool) -> Option<Self> {
        let head = table(bytes, *b"head")?;
        let units = f32::from(u16_at(head, 18)?);
        let signed = |at| Some(f32::from(u16_at(head, at)?.cast_signed()) / units);
        let extent = [signed(38)?, signed(42)?];
        let count = usize::from(u16_at(table(bytes, *b"hhea")?, 34)?);
        let metrics = table(bytes, *b"hmtx")?;
        if units <= 0.0 || count == 0 {
            return None;
        }
        let widths: Option<Vec<f32>> =
            (0..count).map(|i| Some(f32::from(u16_at(metrics, i * 4)?) / units)).collect();
        let glyphs = characters(table(bytes, *b"cmap")?)?;
        Some(Self { bytes, glyphs, widths: widths?, extent, heavy })
    }

    /// The glyph of a character, or that of 〓.
    pub(crate) fn glyph(&self, c: char) -> u16 {
        let of = |c: char| self.glyphs.get(&u32::from(c)).copied();
        of(c).or_else(|| of(MISSING)).unwrap_or(0)
    }

    /// Has it a glyph of its own?
    pub(crate) fn has(&self, c: char) -> bool {
        self.glyphs.contains_key(&u32::from(c))
    }

    /// Width of a glyph in ems.
    pub(crate) fn advance(&self, glyph: u16) -> f32 {
        let width = self.widths.get(usize::from(glyph)).or(self.widths.last());
        width.copied().unwrap_or(1.0)
    }

    /// Width of a character in ems.
    pub(crate) fn width(&self, c: char) -> f32 {
        self.advance(self.glyph(c))
    }

    /// Width of a text in ems.
    pub(crate) fn text_width(&self, text: &str) -> f32 {
        text.chars().map(|c| self.width(c)).sum()
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn table(bytes: &'static [u8], tag: [u8; 4]) -> Option<&'static [u8]> {
    let count = usize::from(u16_at(bytes, 4)?);
    let entry = (0..count).map(|i| 12 + i * 16).find(|at| bytes.get(*at..at + 4) == Some(&tag))?;
    let (start, length) = (u32_at(bytes, entry + 8)? as usize, u32_at(bytes, entry + 12)? as usize);
    bytes.get(start..start.checked_add(length)?)
}

/// All characters of the `cmap` table; of several subtables the later add what the earlier lack.
fn characters(cmap: &[u8]) -> Option<BTreeMap<u32, u16>> {
    let mut out = BTreeMap::new();
    for i in 0..usize::from(u16_at(cmap, 2)?) {
        let sub = cmap.get(u32_at(cmap, 4 + i * 8 + 4)? as usize..)?;
        match u16_at(sub, 0)? {
            4 => segments(sub, &mut out)?,
            12 => groups(sub, &mut out)?,
            _ => {}
        }
    }
    (!out.is_empty()).then_some(out)
}

fn segments(sub: &[u8], out: &mut BTreeMap<u32, u16>) -> Option<()> {
    let double = usize::from(u16_at(sub, 6)?);
    for i in (0..double).step_by(2) {
        let (end, start) = (u16_at(sub, 14 + i)?, u16_at(sub, 16 + double + i)?);
        let delta = u16_at(sub, 16 + 2 * double + i)?;
        let at = 16 + 3 * double + i;
        let offset = usize::from(u16_at(sub, at)?);
        if start == u16::MAX {
            continue;
        }
        for c in start..=end {
            let glyph = if offset == 0 {
                c.wrapping_add(delta)
            } else {
                match u16_at(sub, at + offset + usize::from(c - start) * 2)? {
                    0 => 0,
                    glyph => glyph.wrapping_add(delta),
                }
            };
            if glyph != 0 {
                out.entry(u32::from(c)).or_insert(glyph);
            }
        }
    }
    Some(())
}

fn groups(sub: &[u8], out: &mut BTreeMap<u32, u16>) -> Option<()> {
    for i in 0..u32_at(sub, 12)? as usize {
        let at = 16 + i * 12;
        let (start, end, glyph) = (u32_at(sub, at)?, u32_at(sub, at + 4)?, u32_at(sub, at + 8)?);
        if start > end || end > 0x0010_ffff {
            return None;
        }
        for c in start..=end {
            if let Ok(glyph) = u16::try_from(glyph + (c - start)) {
                out.entry(c).or_insert(glyph);
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kanji_is_one_em_wide_and_a_digit_is_not() {
        let faces = Faces::embedded().unwrap();
        for face in [&faces.regular, &faces.bold] {
            assert!((face.width('医') - 1.0).abs() < 1e-6);
            assert!((face.width('。') - 1.0).abs() < 1e-6);
            assert!(face.width('1') > 0.4 && face.width('1') < 0.7);
            assert_ne!(face.glyph('髙'), face.glyph(MISSING), "a name that offices write");
            assert_eq!(face.glyph('\u{2a6b2}'), face.glyph(MISSING), "a character that it lacks");
        }
    }

    #[test]
    fn a_cut_file_is_no_font() {
        for cut in [0, 3, 11, 200, 5_000, REGULAR.len() / 2] {
            let read = Face::read(&REGULAR[..cut], false);
            assert!(read.is_none(), "{cut} bytes were read");
        }
    }
}
