//! Files that go with an application: bounded, of few kinds that are told by their bytes, sealed at rest, never changed.
//!
//! A file is kept under `attachments/`, see [`crate::sealed_files`].

use std::fs;

use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Digest, Id, LawKey, Timestamp, kinds};
use kiban_release::application::State;
use serde_json::json;
use sqlx::{Row as _, any::AnyRow};

use crate::{Deployment, Error, sealed_files::SealedFolder};

mod office;
mod sniff;

pub use sniff::FileKind;

/// Largest file, in bytes.
pub const LARGEST_ATTACHMENT: usize = 5 * 1024 * 1024;
/// Most files of an application.
pub const MOST_ATTACHMENTS: usize = 10;
pub(crate) const FOLDER: SealedFolder = SealedFolder("attachments");
/// Longest name of a file, in characters.
const LONGEST_NAME: usize = 120;

type AttachmentId = Id<kinds::Event>;

/// A file of an application.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// Its name, as the applicant gave it.
    pub name: String,
    /// What its bytes are.
    pub kind: FileKind,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// When it was added.
    pub added_at: Timestamp,
    /// By whom.
    pub account: Id<kinds::Account>,
}

/// Why a file is not taken or not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachmentRefused {
    /// The application is no draft of the actor's organization.
    #[error("the application is no draft of the actor's organization")]
    NotDraft,
    /// The name is empty, too long, or holds what no name of a file holds.
    #[error("the file's name cannot be used")]
    Name,
    /// The file is empty or too large.
    #[error("the file is empty or too large")]
    Size,
    /// The application has as many files as it may have.
    #[error("the application has {MOST_ATTACHMENTS} files")]
    TooMany,
    /// The bytes are of no accepted kind, or of another than the name says.
    #[error("the file is of no accepted kind, or of another than its name says")]
    Kind,
    /// The file could run something or carries other files.
    #[error("the file could run something or carries other files")]
    Active,
    /// The file unpacks to more than anybody would hand in.
    #[error("the file unpacks to too much")]
    Bomb,
    /// The file is malware.
    #[error("the file is malware")]
    Malware,
    /// The scanner that should look at it did not.
    #[error("the scanner did not look at the file")]
    Unscanned,
    /// What is stored is not what was taken.
    #[error("the stored file is damaged")]
    Damaged,
}

impl AttachmentRefused {
    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::NotDraft => "添付は、申請者が下書きの間だけ変えられます。",
            Self::Name => "ファイル名は120字以内で、/ などの記号を含まない名前にしてください。",
            Self::Size => "ファイルは5MB以内で、空でないものにしてください。",
            Self::TooMany => "添付は10個までです。",
            Self::Kind => {
                "添付できるのは PDF・PNG・JPEG・テキスト（.txt .csv .md）・Office 文書（.docx .xlsx .pptx）で、中身が拡張子と合うものだけです。"
            }
            Self::Active => {
                "マクロ・スクリプト・埋込みファイル・外部への参照を含むもの、暗号化されたものは添付できません。印刷用の PDF を作り直してください。"
            }
            Self::Bomb => "展開すると大きくなりすぎるファイルは添付できません。",
            Self::Malware => {
                "マルウェアの検査で不正なファイルと判定されたため、受け取りませんでした。端末を点検してください。"
            }
            Self::Unscanned => {
                "マルウェアの検査ができなかったため、受け取りませんでした。時間をおいてやり直し、続くときは管理者に知らせてください。"
            }
            Self::Damaged => "保管されているファイルが壊れています。管理者に知らせてください。",
        }
    }
}

impl Deployment {
    /// Remove files that no row names.
    pub(crate) async fn collect_attachments(&self) -> Result<(), Error> {
        let rows = sqlx::query(
            "SELECT id FROM journeys_attachment WHERE removed_at IS NULL \
             UNION ALL SELECT file FROM journeys_erasure_proof UNION ALL SELECT file FROM journeys_recall_proof \
             UNION ALL SELECT file FROM journeys_output_version",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let named = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        FOLDER.collect(self, &named)
    }

    /// The draft, if it is one of the actor's organization.
    async fn own_draft(&self, actor: &Actor, id: Id<kinds::Application>) -> Result<(), Error> {
        let head = self.seen(actor, id).await?;
        let own = head.application.applicant == actor.organization;
        let draft = matches!(head.application.state, State::Draft { .. });
        if own && draft { Ok(()) } else { Err(AttachmentRefused::NotDraft.into()) }
    }
}

/// A name of a file: one line without what separates folders.
fn name_of(name: &str) -> Result<&str, AttachmentRefused> {
    let name = name.trim();
    let count = name.chars().count();
    let bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':' | '"' | '<' | '>' | '|');
    if count == 0 || count > LONGEST_NAME || name.contains(bad) || name.starts_with('.') {
        return Err(AttachmentRefused::Name);
    }
    Ok(name)
}

/// A file that was sealed and written, and that a row is to name.
pub(crate) struct Kept {
    pub(crate) id: AttachmentId,
    pub(crate) name: String,
    pub(crate) kind: FileKind,
    pub(crate) digest: Digest,
}

/// Judge a file, have it scanned, seal it, write it.
pub(crate) async fn keep_file(on: &Deployment, name: &str, bytes: &[u8]) -> Result<Kept, Error> {
    let name = name_of(name)?.to_owned();
    if bytes.is_empty() || bytes.len() > LARGEST_ATTACHMENT {
        return Err(AttachmentRefused::Size.into());
    }
    on.scan(bytes).await?;
    let kind = sniff::kind_of(&name, bytes)?;
    let id: AttachmentId = on.new_id()?;
    FOLDER.write(on, &id.to_string(), bytes)?;
    Ok(Kept { id, name, kind, digest: Digest::of(bytes) })
}

/// Add a file to a draft.
///
/// # Errors
/// The actor may not, the application is no draft of his or her organization, the file is refused, or the log failed.
/// # Law
/// `contract`
pub async fn attach(
    on: &Deployment,
    actor: &Actor,
    application: Id<kinds::Application>,
    name: &str,
    bytes: &[u8],
) -> Result<Id<kinds::Event>, Error> {
    let permit = permit(actor, Act::SubmitApplication)?;
    on.own_draft(actor, application).await?;
    let file = keep_file(on, name, bytes).await?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM journeys_attachment WHERE application = $1 AND removed_at IS NULL",
    )
    .bind(application.to_string())
    .fetch_one(tx.conn())
    .await?;
    if count >= MOST_ATTACHMENTS as i64 {
        return Err(AttachmentRefused::TooMany.into());
    }
    sqlx::query(
        "INSERT INTO journeys_attachment (id, application, name, kind, size, digest, added_at, account) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(file.id.to_string())
    .bind(application.to_string())
    .bind(file.name)
    .bind(file.kind.as_str())
    .bind(bytes.len() as i64)
    .bind(file.digest.to_string())
    .bind(at)
    .bind(actor.account.to_string())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "application.attached",
        actor: permit.actor(),
        subject: application.to_string(),
        law: LawKey::new("contract").ok(),
        body: json!({
            "attachment": file.id.to_string(),
            "kind": file.kind.as_str(),
            "size": bytes.len(),
            "digest": file.digest.to_string(),
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(file.id)
}

fn read(row: &AnyRow) -> Result<Attachment, Error> {
    let damaged = || Error::Unknown { what: "attachment" };
    let text = |i: usize| -> Result<String, Error> { Ok(row.try_get(i)?) };
    Ok(Attachment {
        id: text(0)?.parse().map_err(|_| damaged())?,
        name: text(1)?,
        kind: FileKind::named(&text(2)?).ok_or_else(damaged)?,
        size: row.try_get::<i64, _>(3)? as u64,
        digest: text(4)?.parse().map_err(|_| damaged())?,
        added_at: text(5)?.parse().map_err(|_| damaged())?,
        account: text(6)?.parse().map_err(|_| damaged())?,
    })
}

/// The files of an application that the actor may see, oldest first.
///
/// # Errors
/// There is no such application, or the database failed.
pub async fn attachments(
    on: &Deployment,
    actor: &Actor,
    application: Id<kinds::Application>,
) -> Result<Vec<Attachment>, Error> {
    on.seen(actor, application).await?;
    let rows = sqlx::query(
        "SELECT id, name, kind, size, digest, added_at, account FROM journeys_attachment \
         WHERE application = $1 AND removed_at IS NULL ORDER BY added_at, id",
    )
    .bind(application.to_string())
    .fetch_all(&mut *on.reader().await?)
    .await?;
    rows.iter().map(read).collect()
}

/// The bytes of a file of an application that the actor may see.
///
/// # Errors
/// There is no such application or file, or what is stored is not what was taken.
pub async fn open_attachment(
    on: &Deployment,
    actor: &Actor,
    application: Id<kinds::Application>,
    id: Id<kinds::Event>,
) -> Result<(Attachment, Vec<u8>), Error> {
    let all = attachments(on, actor, application).await?;
    let found = all.into_iter().find(|a| a.id == id);
    let found = found.ok_or(Error::Unknown { what: "attachment" })?;
    let bytes = FOLDER.read(on, &id.to_string(), found.digest)?;
    Ok((found, bytes.ok_or(AttachmentRefused::Damaged)?))
}

/// Take a file off a draft; its bytes are erased.
///
/// # Errors
/// The actor may not, the application is no draft of his or her organization, there is no such file, or the log failed.
/// # Law
/// `contract`
pub async fn detach(
    on: &Deployment,
    actor: &Actor,
    application: Id<kinds::Application>,
    id: Id<kinds::Event>,
) -> Result<(), Error> {
    let permit = permit(actor, Act::SubmitApplication)?;
    on.own_draft(actor, application).await?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let done = sqlx::query(
        "UPDATE journeys_attachment SET removed_at = $3 \
         WHERE id = $1 AND application = $2 AND removed_at IS NULL",
    )
    .bind(id.to_string())
    .bind(application.to_string())
    .bind(at)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Unknown { what: "attachment" });
    }
    let event = Event {
        kind: "application.detached",
        actor: permit.actor(),
        subject: application.to_string(),
        law: LawKey::new("contract").ok(),
        body: json!({ "attachment": id.to_string() }),
    };
    let _ = tx.commit(event).await?;
    // Should this fail, the file goes when the deployment is opened.
    let _ = fs::remove_file(FOLDER.path(on, &id.to_string()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_and_no_paths() {
        for good in ["計画書.pdf", "a b.csv", "x"] {
            assert_eq!(name_of(good), Ok(good));
        }
        let long = "あ".repeat(121);
        for bad in
            ["", " ", "../x.pdf", "a/b.pdf", "a\\b.pdf", ".pdf", "a\n.pdf", "\"x\".pdf", &long]
        {
            assert_eq!(name_of(bad), Err(AttachmentRefused::Name));
        }
    }
}
