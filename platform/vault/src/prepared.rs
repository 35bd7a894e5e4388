//! A delivery whose rows and bytes are on disk, and its commit.

use kiban_audit::Tx;
use kiban_intake::{
    report::ReportBuilder,
    rows::{RowTotals, TableBuilders},
};
use kiban_lake::{Lake, Snapshot, Staged, StagedContainer, StagedWithdrawal};
use kiban_register::stop;

use crate::VaultError;

/// A delivery on disk that no snapshot names yet. Dropped, it is garbage.
#[must_use = "nothing is stored until it is committed"]
pub struct Prepared {
    pub(crate) lake: Lake,
    pub(crate) base: Snapshot,
    pub(crate) watermark: u64,
    pub(crate) staged: Vec<Staged>,
    pub(crate) withdrawal: StagedWithdrawal,
    pub(crate) containers: Vec<StagedContainer>,
    /// Counts and defects.
    pub report: ReportBuilder,
    /// For the report's grid.
    pub builders: TableBuilders,
    /// Rows per table.
    pub totals: RowTotals,
}

impl Prepared {
    /// Is there anything new?
    pub fn is_empty(&self) -> bool {
        self.staged.is_empty() && self.containers.is_empty() && self.withdrawal.is_empty()
    }

    /// Make it visible in the caller's transaction. A delivery with nothing new makes no snapshot.
    ///
    /// # Errors
    /// [`VaultError::Stale`] if a stop was received or the lake changed since: drop the transaction and
    /// prepare again. Or the lake failed.
    pub async fn commit(
        self,
        tx: &mut Tx,
    ) -> Result<(Snapshot, ReportBuilder, TableBuilders, RowTotals), VaultError> {
        if stop::watermark(tx.conn()).await? != self.watermark
            || self.lake.head().await? != self.base
        {
            return Err(VaultError::Stale);
        }
        let snapshot = if self.is_empty() {
            self.base
        } else {
            self.lake.append_instead(tx, self.staged, self.containers, self.withdrawal).await?
        };
        Ok((snapshot, self.report, self.builders, self.totals))
    }
}
