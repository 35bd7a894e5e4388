//! Text files in the encodings in which offices send them.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use crate::error::CountryError;

/// Encoding and line end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// UTF-8, LF.
    Plain,
    /// UTF-8 with a byte order mark, CRLF.
    Marked,
    /// Windows code page 932, CRLF.
    Cp932,
}

/// A file written row by row.
pub(crate) struct TextFile {
    name: &'static str,
    style: Style,
    out: BufWriter<File>,
    row: u64,
    /// Bytes of the characters met: the encoder looks Kanji up one by one through a whole table.
    known: HashMap<char, Vec<u8>>,
    bytes: Vec<u8>,
}

impl TextFile {
    pub(crate) fn create(
        dir: &Path,
        name: &'static str,
        style: Style,
        header: &str,
    ) -> Result<Self, CountryError> {
        let failed = || CountryError::io("write", name);
        let mut out =
            BufWriter::with_capacity(1 << 17, File::create(dir.join(name)).map_err(failed())?);
        if style == Style::Marked {
            out.write_all(b"\xef\xbb\xbf").map_err(failed())?;
        }
        let mut file = Self { name, style, out, row: 0, known: HashMap::new(), bytes: Vec::new() };
        if !header.is_empty() {
            file.line(header)?;
        }
        Ok(file)
    }

    /// Write one line, without its end.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), CountryError> {
        self.row += 1;
        let (name, row) = (self.name, self.row);
        let written = if self.style == Style::Cp932 {
            self.bytes.clear();
            for c in line.chars() {
                if c.is_ascii() {
                    self.bytes.push(c as u8);
                } else if let Some(bytes) = self.known.get(&c) {
                    self.bytes.extend_from_slice(bytes);
                } else {
                    let mut text = [0; 4];
                    let (bytes, _, unmappable) =
                        encoding_rs::SHIFT_JIS.encode(c.encode_utf8(&mut text));
                    if unmappable {
                        return Err(CountryError::Encoding { file: name, row });
                    }
                    self.bytes.extend_from_slice(&bytes);
                    self.known.insert(c, bytes.into_owned());
                }
            }
            self.out.write_all(&self.bytes)
        } else {
            self.out.write_all(line.as_bytes())
        };
        let end: &[u8] = if self.style == Style::Plain { b"\n" } else { b"\r\n" };
        written.and_then(|()| self.out.write_all(end)).map_err(CountryError::io("write", name))
    }

    /// Write one row of cells.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) -> Result<(), CountryError> {
        let mut line = String::with_capacity(96);
        for (i, cell) in cells.iter().enumerate() {
            if i > 0 {
                line.push(',');
            }
            let cell = cell.as_ref();
            if cell.contains([',', '"', '\n', '\r']) {
                line.push('"');
                line.push_str(&cell.replace('"', "\"\""));
                line.push('"');
            } else {
                line.push_str(cell);
            }
        }
        self.line(&line)
    }

    pub(crate) fn finish(mut self) -> Result<u64, CountryError> {
        self.out.flush().map_err(CountryError::io("write", self.name))?;
        Ok(self.row)
    }
}

/// Make a folder and those above it.
pub(crate) fn folder(path: &Path) -> Result<(), CountryError> {
    std::fs::create_dir_all(path).map_err(CountryError::io("make", "folder"))
}
