//! The governance database: SQLite by default, PostgreSQL when its address is given.

use std::{fmt::Write as _, path::Path, sync::Once, time::Duration};

use sqlx::{AnyPool, Executor, any::AnyPoolOptions, migrate::MigrateError};

/// Every migration of the platform, embedded; builders of other crates add files to `/migrations`.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// How long a SQLite connection waits for the one writer.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 30000";

/// Which engine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A local file.
    Sqlite,
    /// A server.
    Postgres,
}

/// The governance database could not be opened or brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// Neither `sqlite://` nor `postgres://`.
    #[error("the database address must begin with sqlite:// or postgres://")]
    Address,
    /// The database cannot be reached or opened.
    #[error("the database cannot be opened")]
    Open(#[source] sqlx::Error),
    /// The database was written by a newer version of the software.
    #[error("the database holds migration {0}, which this version does not know")]
    Newer(i64),
    /// A migration that was applied reads differently now.
    #[error("migration {0} was applied with another text")]
    Altered(i64),
    /// A migration failed.
    #[error("the database cannot be brought up to date")]
    Migrate(#[source] Box<MigrateError>),
}

impl DbError {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Address => "データベースの指定は sqlite:// または postgres:// で始めてください。".into(),
            Self::Open(_) => {
                "データベースを開けません。場所と権限、サーバーの稼働を確認してください。".into()
            }
            Self::Newer(n) => format!(
                "データベースは新しい版のソフトウェアで更新されています（移行 {n}）。新しい版で開いてください。"
            ),
            Self::Altered(n) => format!(
                "移行 {n} の内容が適用時と異なります。正しい版のソフトウェアで開いてください。"
            ),
            Self::Migrate(_) => {
                "データベースを更新できません。空き容量と権限を確認してください。変更は行われていません。".into()
            }
        }
    }
}

/// The governance database. Cloning shares the pool.
#[derive(Debug, Clone)]
pub struct Db {
    pool: AnyPool,
    engine: Engine,
}

impl Db {
    /// Open `sqlite://PATH` (created if missing) or `postgres://…`. A path's `%`, `?` and `#` are
    /// percent-encoded; [`Db::open_file`] does that for you.
    ///
    /// # Errors
    /// The address is of neither kind, or the database cannot be opened.
    pub async fn open(url: &str) -> Result<Self, DbError> {
        let engine = engine_of(url)?;
        let url = match engine {
            Engine::Sqlite if !url.contains('?') => format!("{url}?mode=rwc"),
            _ => url.to_owned(),
        };
        Self::connect(&url, engine, false).await
    }

    /// Open, or create, the SQLite database at `path`.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn open_file(path: &Path) -> Result<Self, DbError> {
        Self::open(&file_url(path)?).await
    }

    /// Open for reading only; a missing SQLite file is an error and nothing is created.
    ///
    /// # Errors
    /// The address is of neither kind, or the database cannot be opened.
    pub async fn open_read_only(url: &str) -> Result<Self, DbError> {
        let engine = engine_of(url)?;
        let url = match engine {
            Engine::Sqlite if !url.contains('?') => format!("{url}?mode=ro"),
            _ => url.to_owned(),
        };
        Self::connect(&url, engine, true).await
    }

    /// As [`Db::open_read_only`], for the SQLite database at `path`. Works on a read-only medium
    /// too, if the database was closed before it was copied there (no `-wal` file with content).
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn open_file_read_only(path: &Path) -> Result<Self, DbError> {
        let url = file_url(path)?;
        let db = Self::open_read_only(&url).await?;
        let Err(error) = db.probe().await else { return Ok(db) };
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        if std::fs::metadata(log).is_ok_and(|m| m.len() > 0) {
            return Err(DbError::Open(error));
        }
        // A database in WAL mode wants to create its index beside it; nobody else writes here.
        let still = Self::open_read_only(&format!("{url}?mode=ro&immutable=1")).await?;
        still.probe().await.map_err(DbError::Open)?;
        Ok(still)
    }

    async fn probe(&self) -> Result<(), sqlx::Error> {
        let schema = sqlx::query("SELECT COUNT(*) FROM sqlite_master");
        schema.execute(&self.pool).await.map(drop)
    }

    async fn connect(url: &str, engine: Engine, read_only: bool) -> Result<Self, DbError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let pool = AnyPoolOptions::new()
            .max_connections(if engine == Engine::Sqlite { 8 } else { 16 })
            .acquire_timeout(Duration::from_secs(30))
            .after_connect(move |conn, _| {
                Box::pin(async move {
                    match (engine, read_only) {
                        (Engine::Sqlite, false) => {
                            conn.execute(BUSY_TIMEOUT).await?;
                            conn.execute("PRAGMA journal_mode = WAL").await?;
                            conn.execute("PRAGMA synchronous = FULL").await?;
                            conn.execute("PRAGMA foreign_keys = ON").await?;
                            conn.execute("PRAGMA secure_delete = ON").await?;
                        }
                        (Engine::Sqlite, true) => {
                            conn.execute(BUSY_TIMEOUT).await?;
                            conn.execute("PRAGMA query_only = ON").await?;
                        }
                        (Engine::Postgres, true) => {
                            conn.execute("SET default_transaction_read_only = on").await?;
                        }
                        (Engine::Postgres, false) => {}
                    }
                    Ok(())
                })
            })
            .connect(url)
            .await
            .map_err(DbError::Open)?;
        Ok(Self { pool, engine })
    }

    /// Apply every migration that is missing. A database that holds one this version does not know
    /// is refused.
    ///
    /// # Errors
    /// Newer, altered, or failed.
    pub async fn migrate(&self) -> Result<(), DbError> {
        MIGRATIONS.run(&self.pool).await.map_err(|e| match e {
            MigrateError::VersionMissing(n) => DbError::Newer(n),
            MigrateError::VersionMismatch(n) => DbError::Altered(n),
            e => DbError::Migrate(Box::new(e)),
        })
    }

    /// The pool, for reads. Writes go through [`crate::Log::begin`].
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Which engine answers.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Close every connection and wait for it.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn engine_of(url: &str) -> Result<Engine, DbError> {
    if url.starts_with("sqlite://") {
        Ok(Engine::Sqlite)
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(Engine::Postgres)
    } else {
        Err(DbError::Address)
    }
}

/// `sqlite://` address of a file, absolute, with everything but plain characters percent-encoded.
fn file_url(path: &Path) -> Result<String, DbError> {
    let absolute = std::path::absolute(path).map_err(|e| DbError::Open(sqlx::Error::Io(e)))?;
    let text = absolute.to_str().ok_or(DbError::Address)?;
    let mut url = String::from("sqlite://");
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_kinds_of_address() {
        assert!(matches!(engine_of("mysql://x"), Err(DbError::Address)));
        assert_eq!(engine_of("sqlite:///a").ok(), Some(Engine::Sqlite));
        assert_eq!(engine_of("postgres://a/b").ok(), Some(Engine::Postgres));
    }

    #[test]
    fn a_path_with_odd_characters_survives() {
        let url = file_url(Path::new("/tmp/基盤 a?b#c%.sqlite")).unwrap_or_default();
        assert!(url.starts_with("sqlite:///tmp/%E5"));
        assert!(!url.contains('?') && !url.contains('#') && !url.contains(' '));
    }
}
