//! Deployments to test with: made once, copied by each test.

pub(crate) mod acts;
pub(crate) mod files;
pub(crate) mod forge;
pub(crate) mod lake;
pub(crate) mod site;
pub(crate) mod web;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// Runs a test's future on a thread with room for the engine's recursion.
pub(crate) fn run<F, T>(work: impl FnOnce() -> F + Send) -> T
where
    F: Future<Output = T>,
    T: Send,
{
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, || {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .thread_stack_size(32 << 20)
                .enable_all()
                .build()
                .unwrap()
                .block_on(work())
        });
        match thread.unwrap().join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// The folder of this process. Folders of earlier processes, which cannot remove their own prepared
/// deployments at exit, are removed.
static SCRATCH: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kiban-it");
    for old in fs::read_dir(&root).into_iter().flatten().flatten() {
        let name = old.file_name().to_string_lossy().into_owned();
        if !Path::new("/proc").join(&name).exists() {
            let _ = fs::remove_dir_all(old.path());
        }
    }
    let own = root.join(std::process::id().to_string());
    fs::create_dir_all(&own).unwrap();
    own
});

/// A new folder that lasts as long as the process.
pub(crate) fn lasting(name: &str) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let dir = SCRATCH.join(format!("{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// A folder that goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        Self(lasting(name))
    }
    /// A copy of a folder.
    pub(crate) fn copy_of(from: &Path) -> Self {
        let this = Self::new("copy");
        files::copy(from, &this.0);
        this
    }
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
    pub(crate) fn join(&self, inner: &str) -> PathBuf {
        self.0.join(inner)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
