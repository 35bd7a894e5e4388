//! What a handler gives back: a page that is JSON too, an act done, or a file.

use std::path::PathBuf;

use askama::Template;
use serde::Serialize;
use serde_json::{Value, json};

use crate::fault::Fault;

/// The content of a page: a template whose data are the JSON of the interface.
pub(crate) trait Content: Send {
    fn html(&self) -> askama::Result<String>;
    fn json(&self) -> Result<Value, serde_json::Error>;
}

impl<T: Template + Serialize + Send> Content for T {
    fn html(&self) -> askama::Result<String> {
        self.render()
    }
    fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self)
    }
}

/// What a handler gives back.
pub(crate) enum Answer {
    /// A page.
    Page {
        /// Its heading; the row's title if empty.
        title: String,
        /// The band that says what data are shown.
        band: Option<Band>,
        /// Its content.
        content: Box<dyn Content>,
        /// Wrong fields, shown above the form that is given back.
        fault: Option<Fault>,
    },
    /// An act was done.
    Done {
        /// What the next page says.
        say: String,
        /// The next page.
        to: String,
        /// What the interface answers with, besides.
        data: Value,
    },
    /// Data for the page's own script; there is no page of it.
    Data(Value),
    /// A text to save or show as it is.
    Text { kind: &'static str, name: Option<String>, body: String },
    /// A file that somebody handed in: to be saved, never shown inside the pages.
    Bytes { name: String, bytes: Vec<u8> },
    /// A document, to be saved.
    Pdf { name: String, bytes: Vec<u8> },
    /// A file of the deployment.
    File { name: String, path: PathBuf },
    /// Signed in: the account that the next requests stand for.
    SignedIn(kiban_kernel::Id<kiban_kernel::kinds::Account>),
    /// On to another site: the address is ours to give, not the visitor's.
    Elsewhere(String),
    /// A page that leads on by itself. It leaves the visitor's cookie alone.
    Onward { to: String, content: Box<dyn Content> },
    /// Signed out.
    SignedOut,
}

/// What data a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Band {
    /// 顕名
    Named,
    /// 匿名加工
    Anonymized,
    /// 仮名加工
    Pseudonymized,
}

impl Band {
    pub(crate) fn of(product: kiban_kernel::Product) -> Self {
        match product {
            kiban_kernel::Product::Anonymized => Self::Anonymized,
            kiban_kernel::Product::Pseudonymized => Self::Pseudonymized,
        }
    }
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Anonymized => "anonymized",
            Self::Pseudonymized => "pseudonymized",
        }
    }
    pub(crate) fn ja(self) -> &'static str {
        match self {
            Self::Named => "顕名：特定の個人の情報を表示しています。閲覧は記録されます。",
            Self::Anonymized => "匿名加工医療情報に関する画面です。",
            Self::Pseudonymized => "仮名加工医療情報に関する画面です。",
        }
    }
}

impl Answer {
    #[expect(clippy::unnecessary_wraps, reason = "it is the last line of a handler")]
    pub(crate) fn page(content: impl Content + 'static) -> Result<Self, Fault> {
        Ok(Self::Page { title: String::new(), band: None, content: Box::new(content), fault: None })
    }
    /// With a heading of its own.
    pub(crate) fn titled(mut self, heading: impl Into<String>) -> Self {
        if let Self::Page { title, .. } = &mut self {
            *title = heading.into();
        }
        self
    }
    pub(crate) fn banded(mut self, of: Band) -> Self {
        if let Self::Page { band, .. } = &mut self {
            *band = Some(of);
        }
        self
    }
    /// The form is given back with what is wrong.
    pub(crate) fn faulty(mut self, wrong: Fault) -> Self {
        if let Self::Page { fault, .. } = &mut self {
            *fault = Some(wrong);
        }
        self
    }
    pub(crate) fn done(say: impl Into<String>, to: impl Into<String>) -> Self {
        Self::Done { say: say.into(), to: to.into(), data: json!({}) }
    }
    pub(crate) fn csv(name: &str, body: String) -> Self {
        Self::Text { kind: "text/csv; charset=utf-8", name: Some(name.to_owned()), body }
    }
}

/// A CSV of rows; a byte order mark, so that spreadsheets read the Japanese.
pub(crate) fn csv<R, C>(rows: R) -> String
where
    R: IntoIterator<Item = C>,
    C: IntoIterator<Item = String>,
{
    let mut out = String::from("\u{feff}");
    for row in rows {
        let cells: Vec<String> = row.into_iter().map(|cell| quoted(&cell)).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

/// A cell: quoted where needed; what a spreadsheet would run is made a text.
fn quoted(cell: &str) -> String {
    let runs = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    let cell = if runs { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_nothing_runs() {
        let row = |cells: &[&str]| csv([cells.iter().map(ToString::to_string).collect::<Vec<_>>()]);
        assert_eq!(row(&["a", "b,c", "d\"e"]), "\u{feff}a,\"b,c\",\"d\"\"e\"\r\n");
        assert_eq!(row(&["=1+1", "-5", "-x"]), "\u{feff}'=1+1,-5,'-x\r\n");
    }
}
