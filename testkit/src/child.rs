//! The test binary run again as a child, to be ended at a step.

use std::{
    ffi::OsString,
    process::{Command, Stdio},
};

/// A test of the same binary, run alone in a child process. The test is marked `#[ignore]` and
/// reads what it shall do with [`Child::argument`].
#[derive(Debug)]
pub struct Child {
    test: &'static str,
    arguments: Vec<(&'static str, OsString)>,
}

impl Child {
    /// The child that runs the ignored test `test` (its full path, `module::name`).
    pub fn running(test: &'static str) -> Self {
        Self { test, arguments: Vec::new() }
    }

    /// Hand it an argument; names begin with `KIBAN_`.
    pub fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.arguments.push((name, value.into()));
        self
    }

    /// Run it to its end. Gives whether it ended by itself and passed; `false` if it was aborted.
    ///
    /// # Panics
    /// The child cannot be started, or it ran and failed (that is a failed test).
    pub fn finishes(self) -> bool {
        let own = std::env::current_exe().expect("the test binary has a path");
        let output = Command::new(own)
            .args(["--exact", self.test, "--ignored", "--nocapture", "--test-threads=1"])
            .envs(self.arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .expect("the test binary starts");
        let aborted = output.status.code().is_none();
        let passed =
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed");
        assert!(
            aborted || passed,
            "the child failed:\n{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        passed
    }

    /// In the child: the argument of this name, if this process is such a child.
    #[expect(clippy::disallowed_methods, reason = "how a test's child learns what to do")]
    pub fn argument(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}
