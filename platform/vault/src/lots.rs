//! Lots of rows on their way to the disk: one is made and written while the next is collected, and made to last while the one
//! behind it is made.

use std::{
    collections::VecDeque,
    sync::mpsc::{Sender, channel},
    thread,
};

use kiban_lake::{Columns, Lake, Staged, Threads};
use tokio::sync::oneshot;

use crate::VaultError;

/// Tables with fewer rows wait for the next lot: each lot of each table is eight files, whatever it holds.
pub(crate) const FEW_ROWS: usize = 8_192;
/// Lots that the disk may be busy with.
const ON_THEIR_WAY: usize = 2;

/// The lots of a delivery. One thread makes and writes all of them: each of several would keep the memory of its largest lot.
/// Another waits for the disk.
pub(crate) struct Lots {
    pub(crate) lake: Lake,
    makes: Thread,
    waits: Thread,
    /// Told when the last one is written, and its rows are gone from memory.
    writing: Option<oneshot::Receiver<()>>,
    /// Those that are not yet sure to last.
    staging: VecDeque<oneshot::Receiver<Result<Staged, VaultError>>>,
    /// Those before, in files that no snapshot names.
    staged: Vec<Staged>,
}

impl Lots {
    pub(crate) fn new(lake: Lake) -> Self {
        Self {
            lake,
            makes: Thread::default(),
            waits: Thread::default(),
            writing: None,
            staging: VecDeque::new(),
            staged: Vec::new(),
        }
    }

    /// Begins to write what `make` makes for so many tables, once the lot before is written; `used` gets it when it is.
    ///
    /// # Errors
    /// A lot before could not be made or written.
    pub(crate) async fn begin(
        &mut self,
        tables: usize,
        make: impl FnOnce() -> Result<Vec<Columns>, VaultError> + Send + 'static,
        used: impl FnOnce(Vec<Columns>) + Send + 'static,
        threads: Threads,
    ) -> Result<(), VaultError> {
        self.written().await?;
        if tables == 0 {
            return Ok(());
        }
        self.staged_but(ON_THEIR_WAY).await?;
        let lake = self.lake.clone();
        let (tell_written, writing) = oneshot::channel();
        let (tell_staged, staging) = oneshot::channel();
        let waits = self.waits.sender();
        self.makes.run(move || {
            let written = make().and_then(|lot| {
                let written = lake.write_lot(&lot, threads)?;
                used(lot);
                Ok(written)
            });
            // Who no longer waits drops the files.
            let _ = tell_written.send(());
            let _ = waits.send(Box::new(move || {
                let staged = written.and_then(|lot| Ok(lake.stage_lot(lot)?));
                let _ = tell_staged.send(staged);
            }));
        });
        self.writing = Some(writing);
        self.staging.push_back(staging);
        Ok(())
    }

    /// Waits until the last lot is written, though it may not last yet.
    ///
    /// # Errors
    /// Its thread ended early.
    pub(crate) async fn written(&mut self) -> Result<(), VaultError> {
        match self.writing.take() {
            Some(writing) => writing.await.map_err(|_| VaultError::Writer),
            None => Ok(()),
        }
    }

    /// Waits until all lots will last; gives their files.
    ///
    /// # Errors
    /// One could not be made or written.
    pub(crate) async fn all(&mut self) -> Result<Vec<Staged>, VaultError> {
        self.staged_but(0).await?;
        Ok(std::mem::take(&mut self.staged))
    }

    /// Waits until all lots but so many will last.
    async fn staged_but(&mut self, few: usize) -> Result<(), VaultError> {
        while self.staging.len() > few
            && let Some(next) = self.staging.pop_front()
        {
            self.staged.push(next.await.map_err(|_| VaultError::Writer)??);
        }
        Ok(())
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// A thread that does one thing after another, begun with the first.
#[derive(Default)]
struct Thread(Option<Sender<Job>>);

impl Thread {
    fn sender(&mut self) -> Sender<Job> {
        let begin = || {
            let (send, jobs) = channel::<Job>();
            thread::spawn(move || jobs.into_iter().for_each(|job| job()));
            send
        };
        self.0.get_or_insert_with(begin).clone()
    }
    fn run(&mut self, job: impl FnOnce() + Send + 'static) {
        // A thread that a panic ended leaves the receiver without a sender: who waits is told.
        let _ = self.sender().send(Box::new(job));
    }
}
