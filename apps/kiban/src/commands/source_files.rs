//! Files of the readers' formats, as the commands `inspect` and `convert` take them.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use kiban_formats::{Format, detect};
use xz2::read::XzDecoder;

use crate::say::{Failure, Outcome};

/// Longest segment that is read.
pub(crate) const MAX_SEGMENT: u64 = 64 << 20;
/// Bytes by which a format and an encoding are told.
const FIRST: usize = 64 << 10;

/// The format of a name; none for `auto`.
pub(crate) fn format_named(name: &str) -> Result<Option<Format>, Failure> {
    if name == "auto" {
        return Ok(None);
    }
    Format::of_name(name).map(Some).ok_or_else(|| {
        Failure::plain(
            "形式の名前が正しくありません。--help の一覧から選んでください。",
            "unknown format",
        )
    })
}

/// Files below a path with their paths in the tree, in the order of names. Links in folders are not followed.
pub(crate) fn walk(disk: &Path, prefix: &str, files: &mut Vec<(PathBuf, String)>) -> Outcome {
    let unreadable = || Failure::io("フォルダを読み取れません。場所と権限を確かめてください。");
    if !fs::metadata(disk).map_err(unreadable())?.is_dir() {
        let name = disk.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        files.push((disk.to_owned(), format!("{prefix}{name}")));
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(disk).map_err(unreadable())? {
        let entry = entry.map_err(unreadable())?;
        entries.push((entry.file_name(), entry.file_type().map_err(unreadable())?));
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, kind) in entries {
        let below = disk.join(&name);
        if kind.is_dir() {
            walk(&below, &format!("{prefix}{}/", name.to_string_lossy()), files)?;
        } else if kind.is_file() {
            files.push((below, format!("{prefix}{}", name.to_string_lossy())));
        }
    }
    Ok(())
}

/// Opens a file, expanding `.xz` as it is read.
fn open(disk: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let file = File::open(disk)?;
    if disk.extension().is_some_and(|e| e == "xz") {
        let expanded = XzDecoder::new_multi_decoder(BufReader::new(file));
        // A decoder gives little at a time: what is looked at first must be there at once.
        let mut input = BufReader::with_capacity(FIRST, expanded);
        let mut first = Vec::new();
        (&mut input).take(FIRST as u64).read_to_end(&mut first)?;
        return Ok(Box::new(BufReader::with_capacity(
            FIRST,
            std::io::Cursor::new(first).chain(input),
        )));
    }
    Ok(Box::new(BufReader::with_capacity(4 * FIRST, file)))
}

/// A file ready to be read: its format and its stream. What cannot be read is told in a sentence.
pub(crate) fn begin(
    only: Option<Format>,
    disk: &Path,
    name: &str,
) -> Result<(Format, Box<dyn BufRead>), &'static str> {
    let unopened = |_| "ファイルを開けません。権限と媒体を確かめてください。";
    let mut input = open(disk).map_err(unopened)?;
    let unread = |_| "ファイルを読み取れません。破損がないか確かめてください。";
    let first = input.fill_buf().map_err(unread)?;
    let format = only.or_else(|| detect(name, first));
    Ok((format.ok_or("読み取れる形式ではありません。")?, input))
}
