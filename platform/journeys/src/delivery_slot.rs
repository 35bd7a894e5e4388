//! Whether a holder may deliver at all: its slot stays locked while a filing or a notice is missing.

use kiban_govern::slot::Slot;
use kiban_kernel::{Id, kinds};
use kiban_register::slot;

use crate::{Deployment, Error};

/// The delivery slot of a holder today, with what is missing under each regime.
///
/// # Errors
/// The database failed.
/// # Law
/// `notice.anonymized`, `notice.pseudonymized`
pub async fn delivery_slot(
    on: &Deployment,
    holder: Id<kinds::Organization>,
) -> Result<Slot, Error> {
    Ok(slot::of(&mut *on.reader().await?, holder, on.today(), &on.rules).await?)
}

/// Refuses what a holder with a locked slot sends, before anything of it is read into the lake.
pub(crate) async fn require_open(
    on: &Deployment,
    holder: Id<kinds::Organization>,
) -> Result<(), Error> {
    let slot = delivery_slot(on, holder).await?;
    if slot.is_open() { Ok(()) } else { Err(Error::SlotLocked(slot)) }
}
