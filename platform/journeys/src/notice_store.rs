//! The store of notices as a stop reaches it: the lake's rows, and what the database holds of letters that came back.
//!
//! An erasure that nobody asked for (`unnotified`) leaves both: that a notice failed must stay known, or the gate would
//! let the person pass again.

use async_trait::async_trait;
use kiban_audit::Tx;
use kiban_register::{Ack, EraseError, Erases, ErasureOrder, notice_return, stop};
use kiban_vault::VaultStore;

/// Nobody asked: rows are taken out of use for want of a notice, and that there was none must stay known.
async fn unasked(order: &ErasureOrder, tx: &mut Tx) -> Result<bool, EraseError> {
    let stop = stop::find(tx.conn(), order.stop)
        .await
        .map_err(|_| EraseError::Malformed { table: "register_stop", column: "requester" })?;
    Ok(!stop.requester.is_request())
}

fn kept(order: &ErasureOrder) -> Ack {
    Ack::default().with("kept_to_refuse", order.persons.len() as u64)
}

/// The store of notices for stops: the lake's, and what the database holds of letters that came back.
pub(crate) struct Notices(pub(crate) VaultStore);

#[async_trait]
impl Erases for Notices {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    async fn erase(&self, order: &ErasureOrder, tx: &mut Tx) -> Result<Ack, EraseError> {
        if unasked(order, tx).await? {
            return Ok(kept(order));
        }
        let ack = self.0.erase(order, tx).await?;
        let gone = notice_return::forget(tx.conn(), &order.persons, order.regimes).await?;
        Ok(if gone > 0 { ack.with("returned_letters", gone) } else { ack })
    }
    async fn erase_all(
        &self,
        orders: &[ErasureOrder],
        tx: &mut Tx,
    ) -> Result<Vec<Option<Ack>>, EraseError> {
        let mut asked = Vec::with_capacity(orders.len());
        for order in orders {
            if !unasked(order, tx).await? {
                asked.push(order.clone());
            }
        }
        let mut acks = self.0.erase_all(&asked, tx).await?.into_iter();
        let mut acks: Vec<Option<Ack>> = orders
            .iter()
            .map(|o| if asked.contains(o) { acks.next().flatten() } else { Some(kept(o)) })
            .collect();
        for (order, ack) in orders.iter().zip(&mut acks) {
            if let Some(ack) = ack.as_mut().filter(|_| asked.contains(order)) {
                let gone = notice_return::forget(tx.conn(), &order.persons, order.regimes).await?;
                if gone > 0 {
                    *ack = std::mem::take(ack).with("returned_letters", gone);
                }
            }
        }
        Ok(acks)
    }
    async fn sweep(&self) -> Result<(), EraseError> {
        self.0.sweep().await
    }
    fn always_sweeps(&self) -> bool {
        self.0.always_sweeps()
    }
}
