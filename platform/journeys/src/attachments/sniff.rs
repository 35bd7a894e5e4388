//! What a file is, by its bytes; the name must agree.
//!
//! A PDF is searched for names of what runs or carries (`/JavaScript`, `/Launch`, `/EmbeddedFile` …), written plainly or with
//! `#` escapes, in its compressed object streams too; one that cannot be searched (encrypted, or packed otherwise) is
//! refused. A picture is bounded by what it unpacks to. An office file is looked through by [`super::office`].

use std::io::Read as _;

use super::{
    AttachmentRefused,
    office::{self, Document, MOST_UNPACKED},
};

/// Kinds of files that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A PDF without scripts and files inside.
    Pdf,
    /// A PNG.
    Png,
    /// A JPEG.
    Jpeg,
    /// UTF-8 text.
    Text,
    /// A text document (`.docx`) without what could run.
    Document,
    /// A workbook (`.xlsx`) without what could run.
    Sheet,
    /// Slides (`.pptx`) without what could run.
    Slides,
}

impl FileKind {
    const ALL: [Self; 7] =
        [Self::Pdf, Self::Png, Self::Jpeg, Self::Text, Self::Document, Self::Sheet, Self::Slides];

    /// Short name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Text => "text",
            Self::Document => "docx",
            Self::Sheet => "xlsx",
            Self::Slides => "pptx",
        }
    }

    /// The kind of a short name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == name)
    }

    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Text => &["txt", "csv", "md"],
            Self::Document => &["docx"],
            Self::Sheet => &["xlsx"],
            Self::Slides => &["pptx"],
        }
    }
}

const ACTIVE: [&[u8]; 7] =
    [b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile", b"/RichMedia", b"/XFA", b"/SubmitForm"];

/// The kind of a file, told by its bytes and confirmed by its name.
///
/// # Errors
/// It is of none, of another than the name says, or could run something.
pub(super) fn kind_of(name: &str, bytes: &[u8]) -> Result<FileKind, AttachmentRefused> {
    let kind = if bytes.starts_with(b"PK\x03\x04") {
        match office::check(bytes)? {
            Document::Text => FileKind::Document,
            Document::Sheet => FileKind::Sheet,
            Document::Slides => FileKind::Slides,
        }
    } else {
        sniffed(bytes).ok_or(AttachmentRefused::Kind)?
    };
    let extension = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    if extension.is_none_or(|e| !kind.extensions().contains(&e.as_str())) {
        return Err(AttachmentRefused::Kind);
    }
    match kind {
        FileKind::Pdf => search_pdf(bytes)?,
        FileKind::Png | FileKind::Jpeg => {
            let (wide, high) = pixels(kind, bytes).ok_or(AttachmentRefused::Kind)?;
            if u64::from(wide) * u64::from(high) > MOST_PIXELS {
                return Err(AttachmentRefused::Bomb);
            }
        }
        FileKind::Text | FileKind::Document | FileKind::Sheet | FileKind::Slides => {}
    }
    Ok(kind)
}

/// Most pixels of a picture: more is none that somebody would hand in.
const MOST_PIXELS: u64 = 100_000_000;

/// Width and height that a picture says it has.
fn pixels(kind: FileKind, bytes: &[u8]) -> Option<(u32, u32)> {
    if kind == FileKind::Png {
        let side = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        return (bytes.get(12..16)? == b"IHDR").then_some((side(16)?, side(20)?));
    }
    // JPEG: segments with their lengths up to the one that begins a frame (ITU-T T.81, B.1).
    let two = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match *bytes.get(at + 1)? {
            0xff => at += 1,
            0x01 | 0xd0..=0xd7 => at += 2,
            0xd8..=0xda => return None,
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((u32::from(two(at + 7)?), u32::from(two(at + 5)?)));
            }
            _ => at += 2 + usize::from(two(at + 2)?),
        }
    }
}

/// Searches a PDF for what runs or carries, in its object streams too.
fn search_pdf(bytes: &[u8]) -> Result<(), AttachmentRefused> {
    let plain = unescaped(bytes);
    if is_active(&plain) || holds(&plain, b"/Encrypt") {
        return Err(AttachmentRefused::Active);
    }
    let mut left = MOST_UNPACKED;
    for at in memchr::memmem::find_iter(bytes, b"stream") {
        // Its dictionary stands between `obj` and the word.
        let from = at.saturating_sub(4096);
        let head = memchr::memmem::rfind(&bytes[from..at], b"obj").map_or(from, |n| from + n);
        let head = unescaped(&bytes[head..at]);
        if bytes[..at].ends_with(b"end") || !holds(&head, b"/ObjStm") {
            continue;
        }
        let data = bytes[at + 6..].trim_ascii_start();
        let packed = holds(&head, b"/Filter");
        if !packed {
            // It was searched with the rest.
            continue;
        }
        let once = memchr::memmem::find_iter(&head, b"Decode").count() == 1
            || holds(&head, b"/DecodeParms")
                && memchr::memmem::find_iter(&head, b"Decode").count() == 2;
        if !once || !holds(&head, b"/FlateDecode") || holds(&head, b"/Predictor") {
            return Err(AttachmentRefused::Active);
        }
        let mut out = Vec::new();
        let mut reader = flate2::read::ZlibDecoder::new(data).take(left + 1);
        reader.read_to_end(&mut out).map_err(|_| AttachmentRefused::Active)?;
        if out.len() as u64 > left {
            return Err(AttachmentRefused::Bomb);
        }
        left -= out.len() as u64;
        if is_active(&unescaped(&out)) {
            return Err(AttachmentRefused::Active);
        }
    }
    Ok(())
}

fn sniffed(bytes: &[u8]) -> Option<FileKind> {
    let tail = &bytes[bytes.len().saturating_sub(1024)..];
    if bytes.starts_with(b"%PDF-") {
        return holds(tail, b"%%EOF").then_some(FileKind::Pdf);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        // Nothing may hang on behind the end of the picture.
        return bytes.ends_with(b"IEND\xaeB`\x82").then_some(FileKind::Png);
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return bytes.ends_with(b"\xff\xd9").then_some(FileKind::Jpeg);
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    // A page in a text file would run where it is opened.
    let page = text.trim_start_matches('\u{feff}').trim_start().starts_with('<');
    (plain && !page).then_some(FileKind::Text)
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(bytes, wanted).is_some()
}

/// `#` escapes of names read.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'#', a, b, ..] => hex_digit(*a).zip(hex_digit(*b)).map(|(a, b)| a << 4 | b),
            _ => None,
        };
        plain.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[3..] } else { after };
    }
    plain
}

/// Does it name something that runs or carries files?
fn is_active(plain: &[u8]) -> bool {
    ACTIVE.iter().any(|name| {
        memchr::memmem::find_iter(plain, name).any(|at| {
            // A longer name is another name, but for those that begin alike on purpose.
            let next = plain.get(at + name.len()).copied().unwrap_or(b' ');
            *name != b"/JS" || !next.is_ascii_alphanumeric()
        })
    })
}

fn hex_digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(sides: [u32; 2]) -> Vec<u8> {
        let [wide, high] = sides.map(u32::to_be_bytes);
        let parts: [&[u8]; 5] =
            [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", &wide, &high, b"....", b"IEND\xaeB`\x82"];
        parts.concat()
    }

    fn jpeg(sides: [u16; 2]) -> Vec<u8> {
        let [wide, high] = sides.map(u16::to_be_bytes);
        let head: &[u8] = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc2\x00\x0b\x08";
        [head, &high, &wide, b"\x01\x01\x11\x00....\xff\xd9"].concat()
    }

    #[test]
    fn pictures_that_unpack_to_too_much_are_refused() {
        assert_eq!(kind_of("a.png", &png([10_000, 10_000])), Ok(FileKind::Png));
        assert_eq!(kind_of("a.png", &png([10_001, 10_000])), Err(AttachmentRefused::Bomb));
        assert_eq!(pixels(FileKind::Jpeg, &jpeg([300, 200])), Some((300, 200)));
        assert_eq!(kind_of("a.jpg", &jpeg([60_000, 60_000])), Err(AttachmentRefused::Bomb));
    }

    #[test]
    fn what_is_hidden_in_an_object_stream_is_found() {
        use std::io::Write as _;
        let pdf = |dictionary: &str, inside: &[u8]| {
            let mut packer =
                flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(inside).unwrap();
            let head = format!("%PDF-1.7\n5 0 obj\n<</Type/ObjStm{dictionary}>>stream\r\n");
            let tail = b"\nendstream\nendobj\n%%EOF\n";
            [head.as_bytes(), &packer.finish().unwrap(), tail].concat()
        };
        let refused = |bytes: &[u8]| kind_of("a.pdf", bytes);
        let plain = "/Filter/FlateDecode";
        assert_eq!(refused(&pdf(plain, b"1 0 <</Type/Catalog>>")), Ok(FileKind::Pdf));
        let hidden = pdf(plain, b"1 0 <</S/J#61vaScript/JS(x)>>");
        assert_eq!(refused(&hidden), Err(AttachmentRefused::Active));
        let twice = pdf("/Filter[/ASCIIHexDecode/FlateDecode]", b"1 0 <<>>");
        assert_eq!(refused(&twice), Err(AttachmentRefused::Active));
        let locked = b"%PDF-1.7\ntrailer<</Encrypt 3 0 R>>\n%%EOF\n";
        assert_eq!(refused(locked), Err(AttachmentRefused::Active));
        let large = vec![b' '; (MOST_UNPACKED + 1) as usize];
        assert_eq!(refused(&pdf(plain, &large)), Err(AttachmentRefused::Bomb));
    }

    #[test]
    fn bytes_tell_the_kind_and_the_name_must_agree() {
        let png = png([8, 8]);
        let jpeg = jpeg([8, 8]);
        let docx = office::archive(&[
            ("[Content_Types].xml", b"<Types/>"),
            ("word/document.xml", b"<w:document/>"),
        ]);
        let pdf = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n".to_vec();
        let good: [(&str, &[u8], FileKind); 6] = [
            ("a.docx", &docx, FileKind::Document),
            ("a.pdf", &pdf, FileKind::Pdf),
            ("a.PNG", &png, FileKind::Png),
            ("a.jpeg", &jpeg, FileKind::Jpeg),
            ("a.csv", "列,値\r\n1,2\r\n".as_bytes(), FileKind::Text),
            ("a.txt", "\u{feff}本文".as_bytes(), FileKind::Text),
        ];
        for (name, bytes, kind) in good {
            assert_eq!(kind_of(name, bytes), Ok(kind), "{name}");
        }
        let hung = [&png[..], b"<?php"].concat();
        let bad: [(&str, &[u8]); 12] = [
            ("a.xlsx", &docx),
            ("a.docm", &docx),
            ("a.jpeg", b"\xff\xd8\xff\xe0....\xff\xd9"),
            ("a.png", &pdf),
            ("a.pdf", &png),
            ("a", &pdf),
            ("a.png", &hung),
            ("a.pdf", b"%PDF-1.7 cut off"),
            ("a.txt", b"MZ\x90\x00"),
            ("a.txt", b"PK\x03\x04"),
            ("a.txt", b" <html><script>"),
            ("a.html", b"text"),
        ];
        for (name, bytes) in bad {
            assert_eq!(kind_of(name, bytes), Err(AttachmentRefused::Kind), "{name}");
        }
    }

    #[test]
    fn what_runs_is_refused_however_it_is_spelt() {
        let pdf = |inside: &str| format!("%PDF-1.7\n<<{inside}>>\n%%EOF").into_bytes();
        for active in [
            "/S/JavaScript/JS(app.alert(1))",
            "/JS (x)",
            "/J#61vaScript",
            "/S/Launch",
            "/Names[/EmbeddedFiles 3 0 R]",
            "/#58FA 1 0 R",
        ] {
            assert_eq!(kind_of("a.pdf", &pdf(active)), Err(AttachmentRefused::Active), "{active}");
        }
        assert_eq!(kind_of("a.pdf", &pdf("/OpenAction[1 0 R/XYZ]/JSmith 1")), Ok(FileKind::Pdf));
    }
}
