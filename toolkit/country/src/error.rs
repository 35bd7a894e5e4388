//! What can go wrong while a country is made or written. No value of a record is ever quoted.

/// Why a country could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CountryError {
    /// The number of residents asked for is outside what the generator makes.
    #[error("{asked} residents asked for, the generator makes {min} to {max}")]
    Persons {
        /// Asked for.
        asked: u32,
        /// Smallest number.
        min: u32,
        /// Largest number.
        max: u32,
    },
    /// A share is not between 0 and 1, or shares that exclude one another add up to more than 1.
    #[error("share {name} is out of range")]
    Share {
        /// The parameter's name.
        name: &'static str,
    },
    /// The delivery day comes before the wait of those notified first is over.
    #[error("the delivery day is too early: the wait of {wait_days} days is not over")]
    CalendarTooShort {
        /// Days of the wait.
        wait_days: u16,
    },
    /// The product is made before the delivery.
    #[error("the product day lies before the delivery day")]
    ProductBeforeDelivery,
    /// No name is left that would keep a person distinct from the others.
    #[error("no distinct name found for resident {resident} after {tries} tries")]
    NamesExhausted {
        /// The resident's place in the order of making.
        resident: u32,
        /// How often it was tried.
        tries: u32,
    },
    /// A row of a table shipped with the crate does not have the expected shape.
    #[error("table {table}, line {line}: unexpected shape")]
    Table {
        /// The table's name.
        table: &'static str,
        /// The line.
        line: usize,
    },
    /// A name inside a fixture archive would leave the folder, or is not a plain file or folder.
    #[error("entry {entry} of the fixture archive is refused: {why}")]
    Archive {
        /// The entry's number, from 1.
        entry: usize,
        /// Why.
        why: ArchiveRefusal,
    },
    /// A hospital's source file cannot be read as what it should be.
    #[error("fixture {file}, line {line}: not readable")]
    Fixture {
        /// The file's name.
        file: String,
        /// The line (0 for the file as a whole).
        line: usize,
    },
    /// A hospital source without a single patient.
    #[error("the fixture for {holder} has no patient")]
    NoPatient {
        /// The holder.
        holder: &'static str,
    },
    /// The target folder already holds a country.
    #[error("the target folder already holds {entry}")]
    NotEmpty {
        /// What stands there.
        entry: &'static str,
    },
    /// A text cannot be written in the encoding of its file.
    #[error("file {file}, row {row}: a character has no place in the file's encoding")]
    Encoding {
        /// The file.
        file: &'static str,
        /// The row.
        row: u64,
    },
    /// The machine refused to read or write.
    #[error("cannot {act} {what}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// The file or folder's role.
        what: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

/// Why an archive entry is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveRefusal {
    /// The path leaves the folder, is absolute or not text.
    #[error("its path leaves the folder")]
    Path,
    /// A link, device or other special entry.
    #[error("it is not a plain file or folder")]
    Special,
    /// Larger than a fixture may be.
    #[error("it is too large")]
    TooLarge,
}

impl CountryError {
    /// A sentence for the user, with position and remedy.
    pub fn ja(&self) -> String {
        match self {
            Self::Persons { min, max, .. } => {
                format!("住民の人数は{min}人から{max}人までで指定してください。")
            }
            Self::Share { name } => {
                format!("割合の指定「{name}」が範囲外です。0から1までで指定してください。")
            }
            Self::CalendarTooShort { wait_days } => format!(
                "提供日が早すぎます。通知日の翌日から{wait_days}日の経過後の日を指定してください。"
            ),
            Self::ProductBeforeDelivery => {
                "作成日が提供日より前です。提供日以後の日を指定してください。".into()
            }
            Self::NamesExhausted { resident, .. } => format!(
                "住民{resident}番に重複しない氏名を割り当てられません。人数を減らしてください。"
            ),
            Self::Table { table, line } => {
                format!("同梱の表「{table}」の{line}行目の形が正しくありません。")
            }
            Self::Archive { entry, .. } => format!(
                "見本の書庫の{entry}番目の項目は展開できません(経路・種類・大きさのいずれかが不正です)。"
            ),
            Self::Fixture { file, line } => {
                format!("見本「{file}」の{line}行目を読めません。ファイルを確かめてください。")
            }
            Self::NoPatient { holder } => {
                format!(
                    "「{holder}」の見本に患者が一人もいません。フォルダの指定を確かめてください。"
                )
            }
            Self::NotEmpty { entry } => {
                format!("出力先にすでに「{entry}」があります。空のフォルダを指定してください。")
            }
            Self::Encoding { file, row } => {
                format!("ファイル「{file}」の{row}行目に、その文字コードで表せない文字があります。")
            }
            Self::Io { what, .. } => {
                format!("「{what}」を読み書きできません。空き容量と権限を確かめてください。")
            }
        }
    }

    pub(crate) fn io(
        act: &'static str,
        what: impl Into<String>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { act, what, source }
    }
}
