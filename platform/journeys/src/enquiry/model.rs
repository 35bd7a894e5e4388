//! Submissions and enquiries as their readers see them.

use kiban_govern::two_person::TwoPersonError;
use kiban_kernel::{Date, Digest, Id, Timestamp, kinds};
use kiban_release::manifest::TableFact;

type Organization = Id<kinds::Organization>;
type Account = Id<kinds::Account>;

/// A dataset that its user handed to a regulator.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Its id.
    pub id: Id<kinds::Event>,
    /// Which dataset.
    pub dataset: Id<kinds::Dataset>,
    /// Title of the project.
    pub title: String,
    /// Whose: the user.
    pub user: Organization,
    /// To whom.
    pub regulator: Organization,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub account: Account,
    /// For what.
    pub purpose: String,
    /// Digest of the payload submitted.
    pub payload: Digest,
    /// Digest of the payload delivered; the same, or the database was changed.
    pub delivered: Digest,
    /// Digest of the package as it is sealed to the regulator.
    pub package: Digest,
    /// Its bytes.
    pub bytes: u64,
    /// Somebody in it asked to stop: the package is gone from here.
    pub erased: bool,
    /// Its tables.
    pub tables: Vec<TableFact>,
}

/// A row of a submitted dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowAsked {
    /// Its table.
    pub table: String,
    /// Its number in the table, from 1.
    pub row: u64,
}

/// Where the answer is.
#[derive(Debug, Clone)]
pub struct AnswerGiven {
    /// When it was given.
    pub at: Timestamp,
    /// By whom.
    pub account: Account,
    /// Last day on which it can be read.
    pub last_day: Date,
    /// That day is over.
    pub expired: bool,
    /// Somebody in the dataset asked to stop: it is gone.
    pub erased: bool,
    /// Holders that were told to look at a chart.
    pub holders: Vec<Organization>,
}

impl AnswerGiven {
    /// Can it still be read?
    pub fn readable(&self) -> bool {
        !self.expired && !self.erased
    }
}

/// A regulator's question about rows.
#[derive(Debug, Clone)]
pub struct Enquiry {
    /// Its id.
    pub id: Id<kinds::Event>,
    /// About which submission.
    pub submission: Submission,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub account: Account,
    /// What is asked.
    pub question: String,
    /// The rows asked for: these are opened, no others.
    pub rows: Vec<RowAsked>,
    /// Who agreed to open, and when.
    pub seats: Vec<(Account, Timestamp)>,
    /// The answer, once given.
    pub answer: Option<AnswerGiven>,
}

/// A cell of a row: as submitted and as it is in the source.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cell {
    /// Column.
    pub column: String,
    /// As submitted.
    pub submitted: Option<String>,
    /// As recorded; `None`: empty there, too.
    pub source: Option<String>,
}

/// Where a row comes from.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SourceOf {
    /// Whose record.
    pub holder: String,
    /// Format of the file.
    pub format: String,
    /// SHA-256 of the source's bytes, read and hashed now; `None`: they are not kept.
    pub sha256: Option<Digest>,
    /// Their length.
    pub bytes: u64,
    /// Path in the holder's delivery and position in it: for the holder, in no answer.
    pub place: String,
}

/// A row that was opened. No `Debug`: it is of somebody.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct OpenedRow {
    /// Table.
    pub table: String,
    /// Row in the submitted dataset, from 1.
    pub row: u64,
    /// The columns that were submitted.
    pub cells: Vec<Cell>,
    /// The records that give the row: one, unless the source has the same several times.
    pub sources: Vec<SourceOf>,
    /// Every column that was kept as it was is the source's.
    pub agrees: bool,
}

/// An answer as the regulator reads it.
pub struct AnswerRead {
    /// What the producer says.
    pub text: String,
    /// The rows; without places.
    pub rows: Vec<OpenedRow>,
}

/// A chart that a holder is asked to look at.
pub struct ChartAsked {
    /// Table of the submitted dataset.
    pub table: String,
    /// Path in the delivery and position in it.
    pub place: String,
}

/// Why an act on a submission or an enquiry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnquiryRefused {
    /// Only pseudonymized data are submitted.
    #[error("only pseudonymized data are submitted to a regulator")]
    NotPseudonymized,
    /// It was erased or recalled.
    #[error("the dataset was erased or recalled")]
    Gone,
    /// It was submitted to this regulator before.
    #[error("the dataset was submitted to this regulator before")]
    Already,
    /// The organization is no regulator with a registered key.
    #[error("the organization is no regulator with a registered key")]
    NoRegulator,
    /// Stops came since, so that what was delivered cannot be made again.
    #[error("{stops} stops came since the dataset was made")]
    Stopped {
        /// How many.
        stops: u64,
    },
    /// A row does not exist.
    #[error("the dataset has no such row")]
    NoRow,
    /// Not two people agreed.
    #[error("{given} of 2 people agreed to open")]
    Closed {
        /// How many.
        given: usize,
    },
    /// Who wants to open is none of the two.
    #[error("the actor is none of the two who agreed to open")]
    OtherPerson,
    /// The second is no second person.
    #[error(transparent)]
    Person(#[from] TwoPersonError),
    /// It was answered.
    #[error("the enquiry was answered")]
    Answered,
    /// There is no answer yet.
    #[error("there is no answer yet")]
    NoAnswer,
    /// The answer has expired.
    #[error("the answer has expired")]
    Expired,
    /// A stop ended it.
    #[error("erased after a stop")]
    Erased,
}

impl EnquiryRefused {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::NotPseudonymized => "承認審査機関等に提出できるのは、仮名加工医療情報だけです。",
            Self::Gone => "このデータセットは消去または回収されているため、提出できません。",
            Self::Already => "このデータセットは、この機関に既に提出されています。",
            Self::NoRegulator => {
                "提出先が、鍵を登録した承認審査機関等ではありません。登録担当者に確認してください。"
            }
            Self::Stopped { stops } => {
                return format!(
                    "このデータセットの作成後に提供停止の求めが{stops}件あり、提供したものと同じ内容を作れないため、照合も提出もできません。"
                );
            }
            Self::NoRow => "提出されたデータセットにその行はありません。表の名前と行の番号を確かめてください。",
            Self::Closed { given } => {
                return format!("開封に同意した人は{given}人です。別々の2人の同意が必要です。");
            }
            Self::OtherPerson => "開封に同意した2人だけが、照会された行を開けます。",
            Self::Person(e) => return e.ja(),
            Self::Answered => "この照会には既に回答しました。",
            Self::NoAnswer => "まだ回答がありません。",
            Self::Erased => {
                "提供停止の求めがあったため消去しました。表示も受取りもできません。"
            }
            Self::Expired => "回答の閲覧期限が過ぎたため、表示できません。必要なときは、あらためて照会してください。",
        }
        .to_owned()
    }
}
