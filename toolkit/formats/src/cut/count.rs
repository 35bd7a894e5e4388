//! How many segments a file has that is put together of pieces of others.
//!
//! Enters: headers and segments as they are written. Leaves: the count [`cut`](super::cut) will give. Refuses:
//! pieces behind which the file would not be known any more.

use super::{CutError, lines::trim_end};
use crate::{Format, dpc, segment::Cut};

/// Says of each line whether a segment begins.
type Rule = Box<dyn FnMut(&[u8]) -> Cut + Send>;

/// Counts the segments of a file that is put together of pieces of others, as [`cut`] will count them: of a
/// survey file, blocks that come to stand beside each other may become one.
pub struct SegmentCount<'p> {
    path: &'p str,
    stays: bool,
    rule: Option<Rule>,
    count: u64,
}

impl std::fmt::Debug for SegmentCount<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SegmentCount({})", self.count)
    }
}

impl<'p> SegmentCount<'p> {
    /// For a file of this format and path.
    pub fn new(format: Format, path: &'p str) -> Self {
        Self { path, stays: format == Format::Dpc, rule: None, count: 0 }
    }
    /// A header was written.
    ///
    /// # Errors
    /// It is none.
    pub fn header(&mut self, bytes: &[u8]) -> Result<(), CutError> {
        if self.stays { self.judge(bytes).map(|_| ()) } else { Ok(()) }
    }
    /// A segment was written.
    ///
    /// # Errors
    /// Without the segments left out the file would not be known any more.
    pub fn segment(&mut self, bytes: &[u8]) -> Result<(), CutError> {
        if !self.stays {
            self.count += 1;
            return Ok(());
        }
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            self.count += u64::from(self.judge(line)? == Cut::Begin);
        }
        Ok(())
    }
    /// Segments so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn judge(&mut self, line: &[u8]) -> Result<Cut, CutError> {
        let line = trim_end(line);
        if self.rule.is_none() {
            let reader = dpc::Reader::new(self.path, line).map_err(|_| CutError::Header)?;
            self.rule = Some(Box::new(reader.cutter()));
        }
        Ok(self.rule.as_mut().map_or(Cut::Continue, |rule| rule(line)))
    }
}
