//! What the operator reads.

use std::{error::Error, io::Write as _};

use kiban_lake::{ClusterError, KeyError, LakeError};

/// One line on the standard output, at once.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody to tell when nobody reads.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// One line on the error output.
pub(crate) fn failure(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Why a command ended.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) ja: String,
    pub(crate) cause: String,
}

impl Failure {
    pub(crate) fn new(ja: impl Into<String>, cause: &dyn Error) -> Self {
        Self { ja: ja.into(), cause: cause.to_string() }
    }

    /// A failure of the distributed engine. Its words may quote a plan: only its kind is told.
    pub(crate) fn engine(ja: impl Into<String>) -> Self {
        Self { ja: ja.into(), cause: "the distributed engine failed".to_owned() }
    }
}

impl From<KeyError> for Failure {
    fn from(e: KeyError) -> Self {
        Self::new(e.ja(), &e)
    }
}
impl From<LakeError> for Failure {
    fn from(e: LakeError) -> Self {
        Self::new(e.ja(), &e)
    }
}
impl From<ClusterError> for Failure {
    fn from(e: ClusterError) -> Self {
        Self::new(e.ja(), &e)
    }
}
