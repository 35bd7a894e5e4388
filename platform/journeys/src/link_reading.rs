//! Two records side by side: what each source wrote, where it differs, and why the pair scores as it does.

use kiban_audit::{Identified, Receipt};
use kiban_kernel::{Id, kinds};
use kiban_register::link::{Compared, Side, Why, compared};

use crate::{Deployment, Error, link_memory::Store};
use kiban_govern::{Act, Actor, permit};

type Source = Id<kinds::PersonSource>;

/// A pair as a reader sees it. No `Debug`: it names somebody.
pub struct Reading {
    /// Whose records they are; `None` where a source has no record any more.
    pub holders: [Option<Id<kinds::Organization>>; 2],
    /// Field by field (Japanese name), what each of the two wrote; what differs is marked.
    pub fields: Vec<Side>,
    /// Why they score as they do; none if the linker does not hold them.
    pub why: Option<Why>,
}

/// Reads the pair; the receipt says that the reading is on record.
pub(crate) async fn reading(
    on: &Deployment,
    sources: [Source; 2],
    receipt: &Receipt,
) -> Result<Reading, Error> {
    let read = Identified::seal(compared(&on.lake, sources).await?).open(receipt);
    let Compared { holders, sides: fields } = read;
    let why = why(on, sources).await?;
    Ok(Reading { holders, fields, why })
}

pub(crate) async fn why(on: &Deployment, [a, b]: [Source; 2]) -> Result<Option<Why>, Error> {
    let store = Store::of(on);
    tokio::task::spawn_blocking(move || store.read().why(a, b))
        .await
        .map_err(|_| Error::Unknown { what: "linker's memory" })
}

/// Why two sources are, or are not, one person: the bars and their sum. Names nobody.
///
/// # Errors
/// The actor may not, or the linker does not hold both.
pub async fn explain_link(
    on: &Deployment,
    actor: &Actor,
    sources: [Source; 2],
) -> Result<Why, Error> {
    permit(actor, Act::SeeLinks)?;
    why(on, sources).await?.ok_or(Error::Unknown { what: "名寄せの組" })
}
