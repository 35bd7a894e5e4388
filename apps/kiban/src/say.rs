//! Words to the person at the terminal: lines on standard output, failures on standard error.

use std::io::{self, Write as _};

/// A line on standard output. A closed pipe ends the talk quietly.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// A failure on standard error.
pub(crate) fn failure(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// What a command answers with when it fails: a Japanese sentence, and the cause in English for the log.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) ja: String,
    pub(crate) cause: String,
}

impl Failure {
    pub(crate) fn new(ja: impl Into<String>, cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = cause.to_string();
        let mut next = cause.source();
        while let Some(source) = next {
            let text = source.to_string();
            if !chain.ends_with(&text) {
                chain.push_str(": ");
                chain.push_str(&text);
            }
            next = source.source();
        }
        Self { ja: ja.into(), cause: chain }
    }

    pub(crate) fn io(ja: &str) -> impl FnOnce(io::Error) -> Self {
        move |e| Self::new(ja.to_owned(), &e)
    }

    pub(crate) fn plain(ja: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { ja: ja.into(), cause: cause.into() }
    }
}

impl From<kiban_journeys::Error> for Failure {
    fn from(e: kiban_journeys::Error) -> Self {
        Self::new(e.ja(), &e)
    }
}

/// What every command returns.
pub(crate) type Outcome = Result<(), Failure>;
