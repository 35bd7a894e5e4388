//! What somebody hands in is looked at before anything keeps it: by ourselves always, and by a scanner for malware where
//! the deployment names one.
//!
//! Enters: bytes that a person sent, and the file `uploads.toml` of the deployment's folder. Leaves: nothing, or why the
//! bytes are not taken. Refuses: the industry's test string; what the scanner names; and, where a scanner is named,
//! everything that it did not see.
//!
//! ```toml
//! [scanner]
//! clamd = "127.0.0.1:3310"          # or "unix:/run/clamav/clamd.ctl"
//! seconds = 30                      # longest wait for an answer
//! ```
//!
//! # Guarantee
//! - `uploads.fail-closed`: where a scanner is named, nothing is taken that it did not call clean.

mod clamd;

use std::{fs, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::Deserialize;

pub use clamd::Clamd;

use crate::{AttachmentRefused, Deployment, Error};

/// What a scanner says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// It is malware.
    Malware,
}

/// Why a scanner says nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// It cannot be reached, or the line broke.
    #[error("the scanner cannot be reached")]
    Line(#[from] std::io::Error),
    /// It did not answer in time.
    #[error("the scanner did not answer in time")]
    Silent,
    /// It answered with an error, or with what is no answer.
    #[error("the scanner's answer is none")]
    Answer,
}

/// Looks for malware.
#[async_trait]
pub trait Scanner: Send + Sync {
    /// Look through bytes.
    ///
    /// # Errors
    /// It could not: then the bytes are not taken.
    async fn scan(&self, bytes: &[u8]) -> Result<Verdict, ScanError>;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scanner: Option<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    clamd: String,
    #[serde(default = "half_a_minute")]
    seconds: u64,
}

fn half_a_minute() -> u64 {
    30
}

/// Name of the file.
const FILE: &str = "uploads.toml";

/// The scanner that a deployment's folder names; none without the file.
///
/// # Errors
/// The file cannot be read, or does not say what it should: nothing is opened without the scanner it was to have.
pub(crate) fn configured(dir: &Path) -> Result<Option<Arc<dyn Scanner>>, Error> {
    let text = match fs::read_to_string(dir.join(FILE)) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(Error::io("read the settings of uploads"))?,
    };
    let wrong = || Error::Field {
        field: FILE,
        ja: "uploads.toml を読み取れません。[scanner] の clamd（ホスト:番号、または unix:/…）と seconds（1〜600）を確かめてください。",
    };
    let file: File = toml::from_str(&text).map_err(|_| wrong())?;
    let Some(named) = file.scanner else { return Ok(None) };
    if !(1..=600).contains(&named.seconds) {
        return Err(wrong());
    }
    let clamd = Clamd::new(&named.clamd, Duration::from_secs(named.seconds)).ok_or_else(wrong)?;
    Ok(Some(Arc::new(clamd)))
}

/// The industry's harmless test string (EICAR), in two parts so that no scanner takes this program for malware.
const TEST: [&[u8]; 2] =
    [br"X5O!P%@AP[4\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

fn is_test(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, TEST[0])
        .any(|at| bytes[at + TEST[0].len()..].starts_with(TEST[1]))
}

impl Deployment {
    /// Look for malware with another scanner than the folder names.
    pub fn scan_with(&mut self, scanner: Arc<dyn Scanner>) {
        self.scanner = Some(scanner);
    }

    /// Look through what somebody handed in.
    ///
    /// # Errors
    /// It is malware, or the scanner that should look did not.
    pub(crate) async fn scan(&self, bytes: &[u8]) -> Result<(), AttachmentRefused> {
        if is_test(bytes) {
            return Err(AttachmentRefused::Malware);
        }
        let Some(scanner) = &self.scanner else { return Ok(()) };
        match scanner.scan(bytes).await {
            Ok(Verdict::Clean) => Ok(()),
            Ok(Verdict::Malware) => Err(AttachmentRefused::Malware),
            Err(_) => Err(AttachmentRefused::Unscanned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_string_is_found_wherever_it_stands() {
        let whole = TEST.concat();
        assert!(is_test(&whole));
        assert!(is_test(&[b"X5O!P%@AP[4 ", &whole[..], b"\r\n"].concat()));
        assert!(!is_test(&whole[..whole.len() - 1]) && !is_test(b""));
    }

    #[test]
    fn settings_are_read_whole_or_the_deployment_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        assert!(configured(folder.path()).unwrap().is_none());
        for (text, fits) in [
            ("[scanner]\nclamd = \"127.0.0.1:3310\"\n", true),
            ("[scanner]\nclamd = \"unix:/run/clamd\"\nseconds = 5\n", true),
            ("[scanner]\nclamd = \"nowhere\"\n", false),
            ("[scanner]\nclamd = \"127.0.0.1:3310\"\nseconds = 0\n", false),
            ("[scaner]\nclamd = \"127.0.0.1:3310\"\n", false),
        ] {
            fs::write(folder.path().join(FILE), text).unwrap();
            let read = configured(folder.path());
            assert_eq!(read.is_ok_and(|s| s.is_some()), fits, "{text}");
        }
    }
}
