//! What the served process does by itself once on each day of Japan: it fills the outbox, and takes away answers that have
//! expired. It asks the deployment's clock which day it is; whoever serves calls it again and again, as often as it likes.

use crate::{Deployment, Error, reminders};

/// Do today's work, if it is not done: how many mails were queued; `None` if it was done before.
///
/// # Guarantee
/// `journeys.once-a-day`: however often it is called, by whatever number of processes, a day's work leaves one event.
/// # Errors
/// No rule is in force, or disk, database or log failed; then it is not done, and the next call does it.
pub async fn daily_work(on: &Deployment) -> Result<Option<u64>, Error> {
    let today = on.today();
    let done: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM journeys_daily WHERE day = $1")
        .bind(today.to_string())
        .fetch_one(&mut *on.reader().await?)
        .await?;
    if done > 0 {
        return Ok(None);
    }
    let system = match crate::system_actor(on).await {
        Ok(system) => system,
        // Nobody is registered yet: there is nobody to remind.
        Err(Error::Unknown { .. }) => return Ok(None),
        Err(e) => return Err(e),
    };
    on.collect_enquiries().await?;
    reminders::queue_daily(on, &system, today).await
}
