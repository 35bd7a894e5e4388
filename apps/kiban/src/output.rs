//! Output files that are whole or not there: written beside, renamed when complete.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::say::{Failure, Outcome};

/// Where the file for `to` grows.
pub(crate) fn part_of(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    to.with_file_name(name)
}

/// A file that grows beside its place until [`Output::finish`]; dropped before, nothing stays.
pub(crate) struct Output {
    part: PathBuf,
    to: PathBuf,
    file: Option<BufWriter<File>>,
}

fn unwritable() -> impl FnOnce(io::Error) -> Failure {
    Failure::io("出力を書けません。書き先の場所・権限・空き容量を確かめてください。")
}

impl Output {
    /// Starts a file for `to`.
    pub(crate) fn create(to: &Path) -> Result<Self, Failure> {
        let part = part_of(to);
        let file = File::create(&part).map_err(unwritable())?;
        Ok(Self { part, to: to.to_owned(), file: Some(BufWriter::new(file)) })
    }

    /// A whole file at once.
    pub(crate) fn write(to: &Path, bytes: &[u8]) -> Outcome {
        let mut output = Self::create(to)?;
        output.write_all(bytes).map_err(unwritable())?;
        output.finish()
    }

    /// Complete: the file takes its place.
    pub(crate) fn finish(mut self) -> Outcome {
        if let Some(mut file) = self.file.take() {
            file.flush().map_err(unwritable())?;
        }
        fs::rename(&self.part, &self.to).map_err(unwritable())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // After a rename there is none.
        let _gone_already = fs::remove_file(&self.part);
    }
}
