//! The delivery slot of a registered holder.

use kiban_govern::slot::{NoticeState, Slot, SlotFacts};
use kiban_kernel::{Date, Id, Regime, Rules, kinds};
use sqlx::AnyConnection;

use crate::{filing, notice, store::StoreError};

/// Is the holder's slot open on a day, and if not, what is missing?
///
/// # Errors
/// The database failed.
pub async fn of(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
    on: Date,
    rules: &Rules,
) -> Result<Slot, StoreError> {
    let filings = filing::of(&mut *conn, holder).await?;
    let notices = notice::of(conn, holder).await?;
    let facts = Regime::ALL.map(|regime| SlotFacts {
        filing: filing::deciding(&filings, regime, on).map(filing::Filing::fact),
        notice: notices
            .iter()
            .filter(|n| n.regime == regime)
            .map(|n| NoticeState::of(!n.kinds.is_empty(), Some(n.effective_from), on))
            .max()
            .unwrap_or_default(),
    });
    Ok(Slot::judge(facts, on, rules))
}
