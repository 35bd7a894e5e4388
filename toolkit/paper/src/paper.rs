//! What a document says; nothing of how it looks.

use crate::{face::Faces, layout, write};

/// A civil day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Year of the common era.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A document: blocks in reading order, and the properties that programs show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Title property, also shown in the window of a reader.
    pub title: String,
    /// Who issues it.
    pub author: String,
    /// Day of issue, a property; not printed unless a block says it.
    pub made: Day,
    /// Printed at the foot of each page, left of the page number: a number by which the sheet is known.
    pub footer: String,
    /// The content.
    pub blocks: Vec<Block>,
}

/// A part of a document. A line feed within a text begins a new line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Title, large, in the middle; once, at the beginning.
    Title(String),
    /// Heading of a section; a bookmark leads to it.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A paragraph at the right edge: date, number, issuer.
    Right(String),
    /// A small paragraph: sources, notes.
    Note(String),
    /// Items with their numbers, 1 and up.
    Items(Vec<String>),
    /// Keys with values.
    Facts(Vec<(String, String)>),
    /// A table.
    Table(Table),
    /// An addressee or issuer with lines below a name and a place for a seal.
    Seal(Vec<String>),
    /// Room to write by hand under a label: this many lines.
    Room(String, u8),
    /// Begin a new page.
    NewPage,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its head.
    pub head: String,
    /// Its share of the width, against the shares of the others; 0 counts as 1.
    pub share: u16,
    /// Numbers stand at the right edge.
    pub number: bool,
}

impl Column {
    /// A column of text.
    pub fn text(head: &str, share: u16) -> Self {
        Self { head: head.to_owned(), share, number: false }
    }
    /// A column of numbers.
    pub fn number(head: &str, share: u16) -> Self {
        Self { head: head.to_owned(), share, number: true }
    }
}

/// A table with a head that is repeated on each page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it is about, for those who listen; not printed.
    pub summary: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows: a cell per column; missing cells are empty, cells too many are left away by nobody: they go to the last
    /// column.
    pub rows: Vec<Vec<String>>,
    /// Printed instead of rows if there are none.
    pub empty: String,
}

/// Why a document could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaperError {
    /// The embedded fonts cannot be read.
    #[error("an embedded font is damaged")]
    Font,
}

impl PaperError {
    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Font => "文書の書体を読み込めません。",
        }
    }
}

impl Paper {
    /// The document as a tagged PDF 1.7 with everything embedded.
    ///
    /// # Guarantee
    /// `paper.same-bytes`.
    /// # Errors
    /// A font is damaged.
    pub fn pdf(&self) -> Result<Vec<u8>, PaperError> {
        let faces = Faces::embedded().ok_or(PaperError::Font)?;
        let sheets = layout::lay(self, &faces);
        write::write(self, &sheets, &faces)
    }

    /// The lines of each page in reading order, without writing it: for tests and previews.
    ///
    /// # Errors
    /// A font is damaged.
    pub fn lines(&self) -> Result<Vec<Vec<String>>, PaperError> {
        let faces = Faces::embedded().ok_or(PaperError::Font)?;
        let sheets = layout::lay(self, &faces);
        Ok(sheets
            .pages
            .iter()
            .map(|page| page.texts.iter().map(|t| t.text.clone()).collect())
            .collect())
    }
}
