//! Office files (`.docx`, `.xlsx`, `.pptx`): archives that are opened here within bounds, and taken only without what could
//! run: macros, embedded objects, controls, links to content elsewhere.
//!
//! Every entry is unpacked and counted, so that sizes that lie are found. The archive holds nothing but its entries: none
//! overlaps another, none is encrypted, none is named twice (ECMA-376-2 §7, APPNOTE 6.3.10 §4).

use std::{collections::BTreeSet, io::Read as _};

use super::AttachmentRefused;

/// Most entries of an archive.
const MOST_ENTRIES: usize = 2_000;
/// Most bytes of all entries, unpacked.
pub(super) const MOST_UNPACKED: u64 = 64 * 1024 * 1024;

/// Parts that could run or carry something, by what their lower-case name holds.
const ACTIVE_NAMES: [&str; 9] = [
    "vbaproject",
    "vbadata",
    "/embeddings/",
    "/activex/",
    "/macrosheets/",
    "/dialogsheets/",
    "/externallinks/",
    "customui/",
    "/webextensions/",
];
/// Words of a table of contents that announce such parts, in lower case.
const ACTIVE_TYPES: [&str; 4] = ["macroenabled", "vbaproject", "activex", "oleobject"];

/// What kind of document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Document {
    Text,
    Sheet,
    Slides,
}

struct Entry {
    name: String,
    /// Where its head begins and its data end.
    at: [usize; 2],
    data: usize,
    packed: bool,
    size: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}
fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}

/// Looks through an archive.
///
/// # Errors
/// It is none of ours, holds what could run, or unpacks to too much.
pub(super) fn check(bytes: &[u8]) -> Result<Document, AttachmentRefused> {
    let entries = entries(bytes).ok_or(AttachmentRefused::Kind)?;
    if entries.len() > MOST_ENTRIES {
        return Err(AttachmentRefused::Bomb);
    }
    let mut names = BTreeSet::new();
    for entry in &entries {
        let name = entry.name.to_lowercase();
        let apart = name.split('/').any(|part| part == ".." || part == ".");
        if apart || name.starts_with('/') || name.contains(['\\', '\0', ':']) {
            return Err(AttachmentRefused::Kind);
        }
        let slashed = format!("/{name}");
        if ACTIVE_NAMES.iter().any(|active| slashed.contains(active)) {
            return Err(AttachmentRefused::Active);
        }
        if !names.insert(name) {
            return Err(AttachmentRefused::Kind);
        }
    }
    apart(&entries)?;
    let mut unpacked = 0;
    for entry in &entries {
        let part = unpack(bytes, entry, MOST_UNPACKED - unpacked)?;
        unpacked += part.len() as u64;
        look(&entry.name.to_lowercase(), &part)?;
    }
    let has = |name: &str| names.contains(name);
    if !has("[content_types].xml") {
        return Err(AttachmentRefused::Kind);
    }
    match (has("word/document.xml"), has("xl/workbook.xml"), has("ppt/presentation.xml")) {
        (true, false, false) => Ok(Document::Text),
        (false, true, false) => Ok(Document::Sheet),
        (false, false, true) => Ok(Document::Slides),
        _ => Err(AttachmentRefused::Kind),
    }
}

/// No entry lies in another: the way by which a small archive unpacks to a large one without lying.
fn apart(entries: &[Entry]) -> Result<(), AttachmentRefused> {
    let mut ranges: Vec<[usize; 2]> = entries.iter().map(|e| e.at).collect();
    ranges.sort_unstable();
    if ranges.windows(2).any(|w| w[0][1] > w[1][0]) {
        return Err(AttachmentRefused::Bomb);
    }
    Ok(())
}

/// The entries of the central directory; `None` if the bytes are no plain archive.
fn entries(bytes: &[u8]) -> Option<Vec<Entry>> {
    if !bytes.starts_with(b"PK\x03\x04") {
        return None;
    }
    let end = memchr::memmem::rfind(bytes, b"PK\x05\x06")?;
    // Of one disk, and nothing hangs on behind.
    let plain = u32_at(bytes, end + 4)? == 0
        && u16_at(bytes, end + 8)? == u16_at(bytes, end + 10)?
        && end + 22 + u16_at(bytes, end + 20)? == bytes.len();
    let (count, size, start) =
        (u16_at(bytes, end + 10)?, u32_at(bytes, end + 12)?, u32_at(bytes, end + 16)?);
    if !plain || start.checked_add(size)? != end {
        return None;
    }
    let mut at = start;
    let mut out = Vec::new();
    for _ in 0..count {
        let entry = entry(bytes, at)?;
        at += 46 + u16_at(bytes, at + 28)? + u16_at(bytes, at + 30)? + u16_at(bytes, at + 32)?;
        if entry.at[1] > start {
            return None;
        }
        out.push(entry);
    }
    (at == end).then_some(out)
}

fn entry(bytes: &[u8], at: usize) -> Option<Entry> {
    if bytes.get(at..at + 4)? != b"PK\x01\x02" {
        return None;
    }
    let (flags, method) = (u16_at(bytes, at + 8)?, u16_at(bytes, at + 10)?);
    let (packed_size, size) = (u32_at(bytes, at + 20)?, u32_at(bytes, at + 24)?);
    let (name_size, head) = (u16_at(bytes, at + 28)?, u32_at(bytes, at + 42)?);
    let name = bytes.get(at + 46..at + 46 + name_size)?;
    // Encrypted, or packed in a way that we do not read.
    if flags & 1 != 0 || !matches!(method, 0 | 8) || method == 0 && packed_size != size {
        return None;
    }
    // The head before the data says the same.
    let alike = bytes.get(head..head + 4)? == b"PK\x03\x04"
        && u16_at(bytes, head + 8)? == method
        && u16_at(bytes, head + 26)? == name_size
        && bytes.get(head + 30..head + 30 + name_size)? == name;
    let data = head + 30 + name_size + u16_at(bytes, head + 28)?;
    let end = data.checked_add(packed_size)?;
    (alike && end <= bytes.len()).then_some(())?;
    let name = std::str::from_utf8(name).ok()?.to_owned();
    Some(Entry { name, at: [head, end], data, packed: method == 8, size: size as u64 })
}

fn unpack(bytes: &[u8], entry: &Entry, most: u64) -> Result<Vec<u8>, AttachmentRefused> {
    if entry.size > most {
        return Err(AttachmentRefused::Bomb);
    }
    let data = &bytes[entry.data..entry.at[1]];
    if !entry.packed {
        return Ok(data.to_vec());
    }
    let mut out = Vec::new();
    let mut reader = flate2::read::DeflateDecoder::new(data).take(entry.size + 1);
    reader.read_to_end(&mut out).map_err(|_| AttachmentRefused::Kind)?;
    // More than it says, or less.
    if out.len() as u64 > entry.size {
        return Err(AttachmentRefused::Bomb);
    }
    if out.len() as u64 == entry.size { Ok(out) } else { Err(AttachmentRefused::Kind) }
}

/// Looks into the parts that say what a document is made of.
fn look(name: &str, part: &[u8]) -> Result<(), AttachmentRefused> {
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
    if matches!(extension, "xml" | "rels") {
        // Another encoding or an entity would hide the words looked for.
        if part.contains(&0) || holds(part, b"<!DOCTYPE") || holds(part, b"<!ENTITY") {
            return Err(AttachmentRefused::Active);
        }
        if holds(part, b"DDEAUTO") {
            return Err(AttachmentRefused::Active);
        }
    }
    if name == "[content_types].xml" {
        let text = String::from_utf8_lossy(part).to_lowercase();
        if text.contains("&#") || ACTIVE_TYPES.iter().any(|active| text.contains(active)) {
            return Err(AttachmentRefused::Active);
        }
    }
    if extension == "rels" {
        let text = String::from_utf8_lossy(part);
        let outside = |tag: &str| {
            let tag = tag.split('>').next().unwrap_or_default();
            tag.contains("External")
                && !tag.contains("/hyperlink\"")
                && !tag.contains("/hyperlink'")
        };
        if text.contains("&#") || text.split("<Relationship").skip(1).any(outside) {
            return Err(AttachmentRefused::Active);
        }
    }
    Ok(())
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(bytes, wanted).is_some()
}

/// An archive of entries, packed; for tests of this and of what calls it.
#[cfg(test)]
pub(super) fn archive(of: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in of {
        let mut packer =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(content).unwrap();
        let packed = packer.finish().unwrap();
        let at = out.len() as u32;
        let mut fields = Vec::new();
        for two in [20u16, 0, 8, 0, 0] {
            fields.extend(two.to_le_bytes());
        }
        for four in [0u32, packed.len() as u32, content.len() as u32] {
            fields.extend(four.to_le_bytes());
        }
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend(0u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&fields);
        out.extend(name.as_bytes());
        out.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        out.extend((of.len() as u16).to_le_bytes());
    }
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: (&str, &[u8]) = ("[Content_Types].xml", b"<Types/>");
    const TEXT: (&str, &[u8]) = ("word/document.xml", b"<w:document/>");

    #[test]
    fn documents_are_told_by_their_parts() {
        for (part, document) in [
            ("word/document.xml", Document::Text),
            ("xl/workbook.xml", Document::Sheet),
            ("ppt/presentation.xml", Document::Slides),
        ] {
            assert_eq!(check(&archive(&[TYPES, (part, b"<x/>")])), Ok(document));
        }
        let settings = ("xl/printerSettings/printerSettings1.bin", &b"\x01\x00"[..]);
        let book = ("xl/workbook.xml", &b"<x/>"[..]);
        assert_eq!(check(&archive(&[TYPES, book, settings])), Ok(Document::Sheet));
        let link = br#"<Relationships><Relationship Id="r1" Type="http://x/hyperlink" Target="https://x.invalid/" TargetMode="External"/></Relationships>"#;
        let rels = ("word/_rels/document.xml.rels", &link[..]);
        assert_eq!(check(&archive(&[TYPES, TEXT, rels])), Ok(Document::Text));
        for none in [archive(&[TEXT]), archive(&[TYPES]), archive(&[("a.txt", b"a")])] {
            assert_eq!(check(&none), Err(AttachmentRefused::Kind));
        }
    }

    #[test]
    fn what_could_run_is_refused() {
        let template = br#"<Relationship Type="http://x/attachedTemplate" Target="https://x.invalid/a.dotm" TargetMode="External"/>"#;
        let hidden = br#"<Relationship Type="http://x/image" TargetMode="&#69;xternal"/>"#;
        for (name, part) in [
            ("word/vbaProject.bin", &b"x"[..]),
            ("xl/macrosheets/sheet1.xml", b"<x/>"),
            ("word/embeddings/oleObject1.bin", b"x"),
            ("word/activeX/activeX1.xml", b"<x/>"),
            ("customUI/customUI.xml", b"<x/>"),
            ("word/_rels/settings.xml.rels", template),
            ("word/_rels/settings.xml.rels", hidden),
            ("word/settings.xml", b"<!DOCTYPE x [<!ENTITY a \"b\">]>"),
            ("word/settings.xml", b"\xff\xfe<\x00x\x00"),
            ("word/footnotes.xml", b"<w:instrText>DDEAUTO c:\\x</w:instrText>"),
        ] {
            let file = archive(&[TYPES, TEXT, (name, part)]);
            assert_eq!(check(&file), Err(AttachmentRefused::Active), "{name}");
        }
        let macros =
            b"<Override ContentType=\"application/vnd.ms-word.document.macroEnabled.main+xml\"/>";
        let file = archive(&[("[Content_Types].xml", macros), TEXT]);
        assert_eq!(check(&file), Err(AttachmentRefused::Active));
    }

    #[test]
    fn bombs_are_refused_whether_they_lie_or_not() {
        let zeros = vec![b' '; (MOST_UNPACKED + 1) as usize];
        let file = archive(&[TYPES, TEXT, ("word/a.xml", &zeros)]);
        assert!(file.len() < 1_000_000, "a small file");
        assert_eq!(check(&file), Err(AttachmentRefused::Bomb));
        // It says it is small: the size in the directory is changed.
        let mut lying = archive(&[TYPES, TEXT, ("word/a.xml", &zeros[..100_000])]);
        let at = memchr::memmem::rfind(&lying, b"PK\x01\x02").unwrap();
        lying[at + 24..at + 28].copy_from_slice(&10u32.to_le_bytes());
        assert_eq!(check(&lying), Err(AttachmentRefused::Bomb));
        // One entry in the data of another.
        let entry = |at| Entry { name: String::new(), at, data: 0, packed: true, size: 0 };
        assert_eq!(apart(&[entry([0, 9]), entry([5, 20])]), Err(AttachmentRefused::Bomb));
        assert_eq!(apart(&[entry([9, 20]), entry([0, 9])]), Ok(()));
    }

    #[test]
    fn archives_that_are_not_plain_are_refused() {
        let good = archive(&[TYPES, TEXT]);
        assert!(check(&good).is_ok());
        for (name, bad) in [
            ("cut", good[..good.len() - 1].to_vec()),
            ("hung on", [&good[..], b"x"].concat()),
            ("in front", [b"MZ", &good[..]].concat()),
        ] {
            assert_eq!(check(&bad), Err(AttachmentRefused::Kind), "{name}");
        }
        let mut encrypted = good.clone();
        let at = memchr::memmem::find(&good, b"PK\x01\x02").unwrap();
        encrypted[at + 8] |= 1;
        assert_eq!(check(&encrypted), Err(AttachmentRefused::Kind));
        for name in ["../a.xml", "/a.xml", "word\\a.xml", "WORD/document.xml"] {
            let file = archive(&[TYPES, TEXT, (name, b"a")]);
            assert_eq!(check(&file), Err(AttachmentRefused::Kind), "{name}");
        }
        // Any byte changed: refused or taken, never a failure of ours.
        for at in 0..good.len() {
            for value in [0, 0xff] {
                let mut hurt = good.clone();
                hurt[at] = value;
                let _ = check(&hurt);
            }
        }
    }
}
