//! The tar inside a sealed delivery, read strictly: plain files only, lengths bounded, nothing after the end.
//!
//! Only two kinds of entry are known: a plain file, and the GNU entry that carries a path longer than 100
//! bytes. Links, folders, devices, sparse files and pax headers are refused by number.

use std::io::{self, Read, Write};

const BLOCK: usize = 512;

/// A finding of the strict reader.
#[derive(Debug)]
pub(crate) enum TarError {
    /// Reading failed (also: the sealed stream is cut or altered).
    Io(io::Error),
    /// The stream ends inside an entry or before the end mark.
    Truncated,
    /// An entry that is not a plain file.
    NotAFile { hint: String },
    /// A header that is not a tar header, or a path that is not UTF-8 or is too long.
    Header,
}

/// One entry's head.
pub(crate) struct Head {
    /// Path.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
}

/// Reads entries one after the other.
pub(crate) struct TarReader<R> {
    inner: R,
    left: u64,
    padding: u64,
    /// Bytes read or skipped so far.
    at: u64,
    max_path: usize,
}

impl<R: Read> TarReader<R> {
    pub(crate) fn new(inner: R, max_path: usize) -> Self {
        Self { inner, left: 0, padding: 0, at: 0, max_path }
    }

    /// Where the current entry ends, with what fills its last block.
    pub(crate) fn entry_end(&self) -> u64 {
        self.at + self.left + self.padding
    }

    /// Passes over what is left of the current entry by whatever the source has for it.
    pub(crate) fn pass(
        &mut self,
        over: impl FnOnce(&mut R, u64) -> io::Result<()>,
    ) -> Result<(), TarError> {
        let n = std::mem::take(&mut self.left) + std::mem::take(&mut self.padding);
        self.at += n;
        over(&mut self.inner, n).map_err(TarError::Io)
    }

    /// The next entry; `None` at the end mark. What was left of the last entry is skipped.
    pub(crate) fn next(&mut self) -> Result<Option<Head>, TarError> {
        self.skip(self.left + self.padding)?;
        (self.left, self.padding) = (0, 0);
        let mut long_path: Option<String> = None;
        loop {
            let mut block = [0_u8; BLOCK];
            self.fill(&mut block)?;
            if block.iter().all(|b| *b == 0) {
                return if long_path.is_some() {
                    Err(TarError::Header)
                } else {
                    self.end().map(|()| None)
                };
            }
            let header = tar::Header::from_byte_slice(&block);
            let sum: u32 =
                block[..148].iter().chain(&block[156..]).map(|b| u32::from(*b)).sum::<u32>()
                    + 8 * 32;
            if header.cksum().ok() != Some(sum) {
                return Err(TarError::Header);
            }
            let size = header.entry_size().map_err(|_| TarError::Header)?;
            let own = || -> Result<String, TarError> {
                let bytes = header.path_bytes();
                let text = std::str::from_utf8(&bytes).map_err(|_| TarError::Header)?;
                Ok(text.to_owned())
            };
            let padding = size.next_multiple_of(BLOCK as u64) - size;
            match header.entry_type() {
                tar::EntryType::Regular => {
                    let path = match long_path.take() {
                        Some(path) => path,
                        None => own()?,
                    };
                    (self.left, self.padding) = (size, padding);
                    return Ok(Some(Head { path, size }));
                }
                tar::EntryType::GNULongName if long_path.is_none() => {
                    if size > self.max_path as u64 + 1 {
                        return Err(TarError::Header);
                    }
                    let mut name = vec![0; size as usize];
                    self.fill(&mut name)?;
                    self.skip(padding)?;
                    if name.last() == Some(&0) {
                        name.pop();
                    }
                    long_path = Some(String::from_utf8(name).map_err(|_| TarError::Header)?);
                }
                _ => return Err(TarError::NotAFile { hint: long_path.map_or_else(own, Ok)? }),
            }
        }
    }

    /// After the end mark only zeros may follow, and the sealed stream must end properly.
    fn end(&mut self) -> Result<(), TarError> {
        let mut block = [0_u8; 8192];
        let mut total = 0_usize;
        loop {
            match self.inner.read(&mut block) {
                Ok(0) => return if total >= BLOCK { Ok(()) } else { Err(TarError::Truncated) },
                Ok(n) if block[..n].iter().all(|b| *b == 0) && total + n <= 20 * BLOCK => {
                    total += n;
                }
                Ok(_) => return Err(TarError::Header),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(TarError::Io(e)),
            }
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), TarError> {
        self.at += buffer.len() as u64;
        self.inner.read_exact(buffer).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => TarError::Truncated,
            _ => TarError::Io(e),
        })
    }

    fn skip(&mut self, n: u64) -> Result<(), TarError> {
        if n == 0 {
            return Ok(());
        }
        self.at += n;
        let copied =
            io::copy(&mut (&mut self.inner).take(n), &mut io::sink()).map_err(TarError::Io)?;
        if copied == n { Ok(()) } else { Err(TarError::Truncated) }
    }
}

impl<R: Read> Read for TarReader<R> {
    /// Reads from the current entry; an early end of the stream is an error.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if want == 0 {
            return Ok(0);
        }
        let n = self.inner.read(&mut buffer[..want])?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= n as u64;
        self.at += n as u64;
        Ok(n)
    }
}

/// Writes the head of an entry; the caller writes exactly `size` bytes and then [`pad`].
pub(crate) fn write_head(out: &mut impl Write, path: &str, size: u64) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o600);
    header.set_entry_type(tar::EntryType::Regular);
    if header.set_path(path).is_err() {
        let mut long = tar::Header::new_gnu();
        long.set_mode(0o600);
        long.set_entry_type(tar::EntryType::GNULongName);
        long.set_path("././@LongLink").map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let name = path.as_bytes();
        long.set_size(name.len() as u64 + 1);
        long.set_cksum();
        out.write_all(long.as_bytes())?;
        out.write_all(name)?;
        out.write_all(&[0])?;
        pad(out, name.len() as u64 + 1)?;
        let mut cut = name.len().min(100);
        while !path.is_char_boundary(cut) {
            cut -= 1;
        }
        // The short name is for readers that do not know the long one; ours takes the long one.
        header.as_old_mut().name[..cut].copy_from_slice(&name[..cut]);
    }
    header.set_size(size);
    header.set_cksum();
    out.write_all(header.as_bytes())
}

/// Fills the last block of an entry of `size` bytes.
pub(crate) fn pad(out: &mut impl Write, size: u64) -> io::Result<()> {
    let n = (size.next_multiple_of(BLOCK as u64) - size) as usize;
    out.write_all(&[0; BLOCK][..n])
}

/// Writes the end mark.
pub(crate) fn write_end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (path, bytes) in files {
            write_head(&mut out, path, bytes.len() as u64).unwrap();
            out.write_all(bytes).unwrap();
            pad(&mut out, bytes.len() as u64).unwrap();
        }
        write_end(&mut out).unwrap();
        out
    }

    fn read_all(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, TarError> {
        let mut reader = TarReader::new(bytes, 1024);
        let mut out = Vec::new();
        while let Some(head) = reader.next()? {
            let mut body = Vec::new();
            reader.read_to_end(&mut body).map_err(TarError::Io)?;
            assert_eq!(body.len() as u64, head.size);
            out.push((head.path, body));
        }
        Ok(out)
    }

    #[test]
    fn what_is_written_is_read_here_and_by_other_tars() {
        let long = format!("data/{}/住民", "x".repeat(120));
        let files: [(&str, &[u8]); 3] =
            [("data/a", b"one"), (&long, &[7; 1025]), ("data/empty", b"")];
        let bytes = tar_of(&files);
        let got = read_all(&bytes).unwrap();
        assert_eq!(got.len(), 3);
        for ((path, body), (p, b)) in files.iter().zip(&got) {
            assert_eq!((*path, *body), (p.as_str(), b.as_slice()));
        }
        let mut other = tar::Archive::new(&bytes[..]);
        let names: Vec<String> = other
            .entries()
            .unwrap()
            .map(|e| e.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["data/a", &long, "data/empty"]);
    }

    #[test]
    fn every_cut_is_noticed() {
        let bytes = tar_of(&[("data/a", b"one"), ("data/b", &[1; 600])]);
        for n in 0..bytes.len() - BLOCK {
            assert!(read_all(&bytes[..n]).is_err(), "cut at {n}");
        }
    }

    #[test]
    fn links_and_strangers_are_refused() {
        for kind in [
            tar::EntryType::Symlink,
            tar::EntryType::Link,
            tar::EntryType::Directory,
            tar::EntryType::Fifo,
            tar::EntryType::XHeader,
            tar::EntryType::GNUSparse,
            tar::EntryType::GNULongLink,
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_path("data/a").unwrap();
            header.set_size(0);
            header.set_entry_type(kind);
            header.set_cksum();
            let mut bytes = header.as_bytes().to_vec();
            write_end(&mut bytes).unwrap();
            assert!(matches!(read_all(&bytes), Err(TarError::NotAFile { .. })), "{kind:?}");
        }
    }
}
