//! How a file of a delivery is named in errors and reports without showing a patient's number.

use std::fmt;

/// A file of a delivery: its ordinal number there (from 1) and its path with the digits hidden.
///
/// SS-MIX2 paths hold patient numbers, so a path is never shown as it is; the holder finds the file
/// by its number in the delivery's list of files.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct FileRef {
    /// Place in the delivery's list of files, from 1.
    pub number: u64,
    /// Path, every run of three and more digits replaced by `#`.
    pub hint: String,
}

impl FileRef {
    /// The reference of the `number`th file, whose path is `path`.
    pub fn new(number: u64, path: &str) -> Self {
        Self { number, hint: mask(path) }
    }
}

impl fmt::Display for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file no. {} ({})", self.number, self.hint)
    }
}
impl fmt::Debug for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn mask(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        let digits = run.chars().count();
        if digits >= 3 {
            out.extend(std::iter::repeat_n('#', digits));
        } else {
            out.push_str(run);
        }
        run.clear();
    };
    for c in path.chars().take(300) {
        if c.is_numeric() {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(if c.is_control() { '?' } else { c });
        }
    }
    flush(&mut run, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_shows_no_patient_number() {
        let r = FileRef::new(3, "data/371/587/3715874629/20231123/OML-11/x_1");
        assert_eq!(r.to_string(), "file no. 3 (data/###/###/##########/########/OML-11/x_1)");
        assert_eq!(FileRef::new(1, "data/Patient.ndjson").hint, "data/Patient.ndjson");
    }
}
