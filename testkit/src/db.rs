//! Throw-away databases with the platform's schema and a log.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use kiban_audit::{Db, Log, LogSigner, sqlx};
use kiban_kernel::{Clock, NoSteps, ScriptedClock, Steps};
use tempfile::TempDir;

use crate::SeededEntropy;

/// A migrated database in a temporary folder that looks like a deployment (`governance.sqlite`,
/// `audit/`). Both go when it is dropped.
#[derive(Debug)]
pub struct TestDb {
    dir: TempDir,
    db: Db,
    server: Option<Server>,
}

/// A database on the server given for tests.
#[derive(Debug)]
struct Server {
    url: String,
    name: String,
}

impl TestDb {
    /// A SQLite database.
    ///
    /// # Panics
    /// It cannot be made.
    pub async fn sqlite() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let db = Db::open_file(&dir.path().join("governance.sqlite")).await.expect("opens");
        db.migrate().await.expect("migrates");
        Self { dir, db, server: None }
    }

    /// A fresh database on the PostgreSQL server that `KIBAN_TEST_POSTGRES` names
    /// (`postgres://user:password@host:port/postgres`), or `None`, said loudly, if none is named.
    ///
    /// # Panics
    /// None is named in CI; or the server does not answer.
    #[expect(clippy::disallowed_methods, reason = "tests are told of a server by the environment")]
    pub async fn postgres_if_given() -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let Ok(url) = std::env::var("KIBAN_TEST_POSTGRES") else {
            missing("KIBAN_TEST_POSTGRES is not set: nothing was tested on PostgreSQL");
            return None;
        };
        let dir = tempfile::tempdir().expect("a temporary folder");
        let name =
            format!("kiban_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let admin = Db::open(&url).await.expect("the PostgreSQL server answers");
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let create = format!("CREATE DATABASE {name}");
        for statement in [drop, create] {
            sqlx::query(sqlx::AssertSqlSafe(statement))
                .execute(admin.pool())
                .await
                .expect("a database can be made");
        }
        admin.close().await;
        let db = Db::open(&with_database(&url, &name)).await.expect("opens");
        db.migrate().await.expect("migrates");
        Some(Self { dir, db, server: Some(Server { url, name }) })
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Its address.
    pub fn url(&self) -> String {
        match &self.server {
            Some(server) => with_database(&server.url, &server.name),
            None => format!("sqlite://{}", self.path().join("governance.sqlite").display()),
        }
    }

    /// The folder that looks like a deployment.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The folder of the log's published copy.
    pub fn audit_dir(&self) -> PathBuf {
        self.path().join("audit")
    }

    /// The key of this database's log: the same at every call.
    ///
    /// # Panics
    /// Never.
    pub fn signer(&self) -> LogSigner {
        LogSigner::generate(&SeededEntropy::new(1), "test.kiban.invalid/audit").expect("a key")
    }

    /// The log, on a clock that starts at 2026-04-01 09:00 JST, without steps.
    ///
    /// # Panics
    /// It cannot be opened.
    pub async fn log(&self) -> Log {
        let start = "2026-04-01".parse().expect("a date");
        self.log_with(Arc::new(ScriptedClock::starting(start)), Arc::new(NoSteps)).await
    }

    /// The log, on your clock and steps.
    ///
    /// # Panics
    /// It cannot be opened.
    pub async fn log_with(&self, clock: Arc<dyn Clock>, steps: Arc<dyn Steps>) -> Log {
        Log::open(self.db.clone(), self.audit_dir(), self.signer(), clock, steps)
            .await
            .expect("the log opens")
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let Some(server) = self.server.take() else { return };
        let pool = self.db.clone();
        // A thread of its own, because a runtime cannot be entered twice.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                drop(pool);
                let admin = Db::open(&server.url).await.map_err(std::io::Error::other)?;
                let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", server.name);
                sqlx::query(sqlx::AssertSqlSafe(statement))
                    .execute(admin.pool())
                    .await
                    .map_err(std::io::Error::other)?;
                admin.close().await;
                std::io::Result::Ok(())
            })
        })
        .join();
        // The server is a throw-away one: what could not be dropped goes with it.
        let _ = dropped;
    }
}

/// SQLite, and PostgreSQL if it is given: run a store's test on each.
///
/// # Panics
/// As [`TestDb::sqlite`] and [`TestDb::postgres_if_given`].
pub async fn each_database() -> Vec<TestDb> {
    let mut all = vec![TestDb::sqlite().await];
    all.extend(TestDb::postgres_if_given().await);
    all
}

/// Say loudly that something was not tested; in CI (`CI=true`) that is a failure.
///
/// # Panics
/// In CI.
#[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
#[expect(clippy::disallowed_methods, reason = "CI is told by the environment")]
pub fn missing(what: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "NOT RUN: {what}");
    eprintln!("NOT RUN: {what}");
}

/// The server's address with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address, format!("?{query}")),
        None => (url, String::new()),
    };
    let after_scheme = address.find("://").map_or(0, |i| i + 3);
    let end = address[after_scheme..].find('/').map_or(address.len(), |i| after_scheme + i);
    format!("{}/{name}{query}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_on_its_server() {
        assert_eq!(with_database("postgres://u:p@h:1/postgres", "x"), "postgres://u:p@h:1/x");
        assert_eq!(with_database("postgres://h", "x"), "postgres://h/x");
        assert_eq!(with_database("postgres://h/y?a=b", "x"), "postgres://h/x?a=b");
    }

    #[tokio::test]
    async fn databases_open_with_a_log() {
        for db in each_database().await {
            let log = db.log().await;
            assert_eq!(log.events(0, 10).await.unwrap(), []);
        }
    }
}
