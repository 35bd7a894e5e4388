//! The bar of the demo's stages, and how long each took.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};

/// The stages of a run: one bar, one clock.
pub(crate) struct Stages {
    bar: ProgressBar,
    times: Mutex<Vec<(String, Instant)>>,
}

impl Stages {
    pub(crate) fn new(stages: u64) -> Self {
        let style = ProgressStyle::with_template("{spinner} [{bar:24}] {pos}/{len} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::new(stages).with_style(style);
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self { bar, times: Mutex::new(Vec::new()) }
    }

    #[expect(clippy::disallowed_methods, reason = "how long a stage took is shown to the user")]
    fn now() -> Instant {
        Instant::now()
    }

    /// A stage begins.
    pub(crate) fn begin(&self, name: &str) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if !times.is_empty() {
            self.bar.inc(1);
        }
        self.bar.set_message(name.to_owned());
        times.push((name.to_owned(), Self::now()));
    }

    /// Something to say within a stage.
    pub(crate) fn note(&self, text: &str) {
        self.bar.set_message(text.to_owned());
    }

    /// The last stage ends.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Seconds of each stage so far.
    pub(crate) fn seconds(&self) -> Vec<(String, f64)> {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = times.iter().skip(1).map(|(_, at)| *at).chain([Self::now()]);
        times
            .iter()
            .zip(ends)
            .map(|((name, from), to)| (name.clone(), (to - *from).as_secs_f64()))
            .collect()
    }
}
