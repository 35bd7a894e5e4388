//! Lots of rows on their way to the disk: one is written while the next is collected.

use std::{
    sync::mpsc::{Sender, channel},
    thread,
};

use kiban_lake::{Columns, Lake, Staged, Threads};
use tokio::sync::oneshot;

use crate::VaultError;

/// Tables with fewer rows wait for the next lot: each lot of each table is eight files, whatever it holds.
pub(crate) const FEW_ROWS: usize = 8_192;

type Written = Result<Staged, VaultError>;

/// The lots of a delivery. One thread makes and writes all of them: each of several would keep the memory of its largest lot.
pub(crate) struct Lots {
    pub(crate) lake: Lake,
    thread: Option<Sender<Box<dyn FnOnce() + Send>>>,
    /// The last one.
    writing: Option<oneshot::Receiver<Written>>,
    /// Those before, in files that no snapshot names.
    pub(crate) staged: Vec<Staged>,
}

impl Lots {
    pub(crate) fn new(lake: Lake) -> Self {
        Self { lake, thread: None, writing: None, staged: Vec::new() }
    }

    /// Begins to write what `make` makes for so many tables, once the lot before is on disk.
    ///
    /// # Errors
    /// The lot before could not be made or written.
    pub(crate) async fn begin(
        &mut self,
        tables: usize,
        make: impl FnOnce() -> Result<Vec<Columns>, VaultError> + Send + 'static,
        threads: Threads,
    ) -> Result<(), VaultError> {
        self.written().await?;
        if tables == 0 {
            return Ok(());
        }
        let lake = self.lake.clone();
        let (send, writing) = oneshot::channel();
        self.run(Box::new(move || {
            // Who no longer waits dropped the files.
            let _ = send.send(make().and_then(|lot| Ok(lake.stage_lot(&lot, threads)?)));
        }));
        self.writing = Some(writing);
        Ok(())
    }

    fn run(&mut self, lot: Box<dyn FnOnce() + Send>) {
        let thread = self.thread.get_or_insert_with(|| {
            let (send, lots) = channel::<Box<dyn FnOnce() + Send>>();
            thread::spawn(move || lots.into_iter().for_each(|lot| lot()));
            send
        });
        // A thread that a panic ended leaves the receiver without a sender: `written` says so.
        let _ = thread.send(lot);
    }

    /// Waits until the last lot is on disk.
    ///
    /// # Errors
    /// It could not be made or written.
    pub(crate) async fn written(&mut self) -> Result<(), VaultError> {
        if let Some(writing) = self.writing.take() {
            self.staged.push(writing.await.map_err(|_| VaultError::Writer)??);
        }
        Ok(())
    }
}
