//! What a file is, by its bytes; the name must agree.
//!
//! A PDF is searched for names of what runs or carries (`/JavaScript`, `/Launch`, `/EmbeddedFile` …), written plainly or with
//! `#` escapes. What stands in a compressed object stream is not seen: readers of attachments keep a viewer without
//! scripts, and nothing is ever shown inside the pages.

use super::AttachmentRefused;

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
}

impl FileKind {
    const ALL: [Self; 4] = [Self::Pdf, Self::Png, Self::Jpeg, Self::Text];

    /// Short name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Text => "text",
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
    let kind = sniffed(bytes).ok_or(AttachmentRefused::Kind)?;
    let extension = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    if extension.is_none_or(|e| !kind.extensions().contains(&e.as_str())) {
        return Err(AttachmentRefused::Kind);
    }
    if kind == FileKind::Pdf && is_active(bytes) {
        return Err(AttachmentRefused::Active);
    }
    Ok(kind)
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

/// Does the PDF name something that runs or carries files? `#` escapes are read first.
fn is_active(bytes: &[u8]) -> bool {
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
    ACTIVE.iter().any(|name| {
        memchr::memmem::find_iter(&plain, name).any(|at| {
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

    #[test]
    fn bytes_tell_the_kind_and_the_name_must_agree() {
        let png = [&b"\x89PNG\r\n\x1a\n...."[..], b"IEND\xaeB`\x82"].concat();
        let pdf = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n".to_vec();
        let good: [(&str, &[u8], FileKind); 5] = [
            ("a.pdf", &pdf, FileKind::Pdf),
            ("a.PNG", &png, FileKind::Png),
            ("a.jpeg", b"\xff\xd8\xff\xe0....\xff\xd9", FileKind::Jpeg),
            ("a.csv", "列,値\r\n1,2\r\n".as_bytes(), FileKind::Text),
            ("a.txt", "\u{feff}本文".as_bytes(), FileKind::Text),
        ];
        for (name, bytes, kind) in good {
            assert_eq!(kind_of(name, bytes), Ok(kind), "{name}");
        }
        let hung = [&png[..], b"<?php"].concat();
        let bad: [(&str, &[u8]); 9] = [
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
