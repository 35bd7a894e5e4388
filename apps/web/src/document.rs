//! A document of a page: the data of its struct as blocks on paper.

use kiban_kernel::Date;
use kiban_paper::{Block, Day, Paper};

use crate::{answer::Answer, ctx::Ctx, fault::Fault};

/// What a document is besides its blocks.
pub(crate) struct Sheet {
    /// Name of the file, without its ending.
    pub(crate) file: String,
    pub(crate) title: String,
    /// Printed at the foot of each page.
    pub(crate) footer: String,
    pub(crate) made: Date,
}

/// The document, issued by this producer unless another issues it.
pub(crate) async fn pdf(
    ctx: &Ctx,
    sheet: Sheet,
    issuer: Option<&str>,
    blocks: Vec<Block>,
) -> Result<Answer, Fault> {
    let author = match issuer {
        Some(issuer) => issuer.to_owned(),
        None => producer(ctx).await?,
    };
    let day = |n: i8| u8::try_from(n).unwrap_or(1);
    let made = Day {
        year: u16::try_from(sheet.made.year()).unwrap_or(1),
        month: day(sheet.made.month()),
        day: day(sheet.made.day()),
    };
    let paper = Paper { title: sheet.title, author, made, footer: sheet.footer, blocks };
    // Font subsets are some milliseconds of work: not on the threads that answer.
    let written = tokio::task::spawn_blocking(move || paper.pdf()).await;
    match written {
        Ok(Ok(bytes)) => Ok(Answer::Pdf { name: format!("{}.pdf", sheet.file), bytes }),
        Ok(Err(e)) => Err(Fault::incident(&e)),
        Err(e) => Err(Fault::incident(&e)),
    }
}

/// Name of this producer.
pub(crate) async fn producer(ctx: &Ctx) -> Result<String, Fault> {
    let system = kiban_journeys::system_actor(ctx.on()).await?;
    Ok(ctx.names().await?.organization(system.organization))
}

/// A key with its value.
pub(crate) fn fact(key: &str, value: impl Into<String>) -> (String, String) {
    let value: String = value.into();
    let value = if value.is_empty() { "（記入なし）".to_owned() } else { value };
    (key.to_owned(), value)
}
