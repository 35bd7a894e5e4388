//! Nodes as processes.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use kiban_lake::{Cluster, ClusterKey, Engine};

/// A process of `kiban-cluster`, ended when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
}

impl Process {
    /// Starts one and waits for the line that tells its address.
    fn start(args: &[&str]) -> Self {
        let mut child = Self::command(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once(": ").expect("a line with an address").1.to_owned();
        // Somebody must go on reading, or the process waits for ever at its next line.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Self { child, address }
    }

    fn command(args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiban-cluster"));
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a node says when it refuses to start.
pub(crate) fn refusal(args: &[&str]) -> String {
    let output = Process::command(args).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// A scheduler and workers over a deployment's folder.
pub(crate) struct Nodes {
    // Workers go first.
    pub(crate) workers: Vec<Process>,
    pub(crate) scheduler: Process,
    pub(crate) dir: PathBuf,
    pub(crate) key: PathBuf,
    rooms: tempfile::TempDir,
}

impl Nodes {
    pub(crate) fn start(deployment: &Path, workers: usize) -> Self {
        let key = deployment.join("cluster.key");
        ClusterKey::create(&key).unwrap();
        let scheduler = Process::start(&[
            "scheduler",
            "--dir",
            deployment.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
            "--port",
            "0",
            "--work-port",
            "0",
            "--partitions",
            "3",
            "--worker-timeout",
            "11",
            "--patience",
            // Long enough for workers to come; short where none will.
            if workers == 0 { "1" } else { "60" },
        ]);
        let mut this = Self {
            workers: Vec::new(),
            scheduler,
            dir: deployment.to_owned(),
            key,
            rooms: tempfile::tempdir().unwrap(),
        };
        for _ in 0..workers {
            this.add_worker();
        }
        this
    }

    /// The arguments of a worker with this key.
    pub(crate) fn worker_args(&self, key: &Path) -> Vec<String> {
        [
            "worker",
            "--dir",
            self.dir.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
            "--scheduler",
            &self.scheduler.address,
            "--cores",
            "2",
            "--memory",
            "512",
            "--work-dir",
            self.rooms.path().to_str().unwrap(),
            "--work-dir-is-encrypted",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    pub(crate) fn add_worker(&mut self) {
        let args = self.worker_args(&self.key);
        self.workers.push(Process::start(&args.iter().map(String::as_str).collect::<Vec<_>>()));
    }

    pub(crate) fn key(&self) -> ClusterKey {
        ClusterKey::read(&self.key).unwrap()
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::Cluster(Cluster::at(&format!("df://{}", self.scheduler.address), self.key()))
    }

    /// Everything that workers have written for each other.
    pub(crate) fn written(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut folders = vec![self.rooms.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    bytes.extend(std::fs::read(entry.path()).unwrap_or_default());
                }
            }
        }
        bytes
    }
}
