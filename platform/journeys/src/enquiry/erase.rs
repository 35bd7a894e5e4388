//! A stop reaches what lies here for a regulator: answers about rows of a dataset that holds the person, and packages that
//! were submitted from it. Which rows of an answer are the person's is not asked: the whole answer goes.
//!
//! Part of the store `packages`. And what no row names, or what has expired, is removed when the deployment is opened.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use kiban_kernel::{Id, Timestamp, kinds};
use sqlx::AnyConnection;

use super::{ANSWERS, SUBMISSIONS, Subject, store};
use crate::{Deployment, Error};

/// What ends with a dataset.
pub(crate) struct Ended {
    pub(crate) answers: u64,
    pub(crate) submissions: u64,
}

/// In the transaction of the stop: from its commit on neither answers nor packages of the dataset are given out.
pub(crate) async fn end(
    conn: &mut AnyConnection,
    dataset: Id<kinds::Dataset>,
    at: Timestamp,
) -> Result<Ended, sqlx::Error> {
    const ANSWERS_OF: &str = "UPDATE journeys_enquiry_answer SET erased_at = $2 WHERE erased_at IS NULL AND enquiry IN \
         (SELECT e.id FROM journeys_enquiry e JOIN journeys_submission s ON s.id = e.submission WHERE s.dataset = $1)";
    const SUBMISSIONS_OF: &str =
        "UPDATE journeys_submission SET erased_at = $2 WHERE erased_at IS NULL AND dataset = $1";
    let mut ended = [0; 2];
    for (count, sql) in ended.iter_mut().zip([ANSWERS_OF, SUBMISSIONS_OF]) {
        let query = sqlx::query(sql).bind(dataset.to_string()).bind(at.to_string());
        *count = query.execute(&mut *conn).await?.rows_affected();
    }
    Ok(Ended { answers: ended[0], submissions: ended[1] })
}

/// After the commit: the files of what has ended go.
pub(crate) async fn remove_ended(conn: &mut AnyConnection, dir: &Path) -> Result<(), RemoveError> {
    for (folder, sql) in [
        (ANSWERS.0, "SELECT enquiry FROM journeys_enquiry_answer WHERE erased_at IS NOT NULL"),
        (SUBMISSIONS, "SELECT id FROM journeys_submission WHERE erased_at IS NOT NULL"),
    ] {
        let ids: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *conn).await?;
        for id in ids {
            match fs::remove_file(dir.join(folder).join(format!("{id}.age"))) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(RemoveError::Remains);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Why not everything went.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoveError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A file is still there.
    #[error("a file remains")]
    Remains,
}

impl Deployment {
    pub(super) fn submitted(&self, id: Subject) -> PathBuf {
        self.dir().join(SUBMISSIONS).join(format!("{id}.age"))
    }

    /// Remove packages and answers that no row names, and answers that have expired.
    pub(crate) async fn collect_enquiries(&self) -> Result<(), Error> {
        let mut conn = self.reader().await?;
        let named: Vec<String> =
            sqlx::query_scalar("SELECT id FROM journeys_submission WHERE erased_at IS NULL")
                .fetch_all(&mut *conn)
                .await?;
        let named: BTreeSet<PathBuf> =
            named.iter().map(|id| self.dir().join(SUBMISSIONS).join(format!("{id}.age"))).collect();
        let readable = store::readable(&mut conn, self.today()).await?;
        drop(conn);
        let folder = self.dir().join(SUBMISSIONS);
        if folder.exists() {
            let failed = || Error::io("clear the folder of submissions");
            for entry in fs::read_dir(&folder).map_err(failed())? {
                let path = entry.map_err(failed())?.path();
                if !named.contains(&path) {
                    fs::remove_file(&path).map_err(failed())?;
                }
            }
        }
        ANSWERS.collect(self, &readable)
    }
}
