//! Rates of stops with their warnings, and stores that are off.

use kiban_journeys::{Deployment, World, actor_named, store_ja};

use super::Who;
use crate::{
    At,
    say::{self, Outcome},
};

pub(super) async fn rates(who: &Who) -> Outcome {
    let (on, actor) = who.open().await?;
    let holders = kiban_journeys::holders(&on).await?;
    let name = |id| {
        holders
            .iter()
            .find(|h| h.organization.id == id)
            .map_or_else(|| format!("{id}"), |h| h.organization.name.clone())
    };
    for rate in kiban_journeys::stop_rates(&on, &actor).await? {
        let month = rate
            .month
            .map_or_else(|| "全期間".to_owned(), |m| format!("{:04}-{:02}", m.year(), m.month()));
        let warning = match rate.judged.outlier {
            Some(outlier) => {
                format!("　警告：{}（確率 {:.1e}）", outlier.label_ja(), rate.judged.chance)
            }
            None => String::new(),
        };
        say::line(&format!(
            "{}  {month}  {}/{} 人  {:.3} %（目安 {:.3} %）{warning}",
            name(rate.holder),
            rate.count.stops,
            rate.count.persons,
            rate.count.rate() * 100.0,
            rate.judged.expected * 100.0,
        ));
    }
    Ok(())
}

pub(super) async fn switch(
    at: At,
    actor: &str,
    store: Option<String>,
    off: Option<String>,
) -> Outcome {
    let on = Deployment::open(&at.dir, World::real()).await?;
    let actor = actor_named(&on, actor).await?;
    if let Some(store) = store {
        kiban_journeys::switch_store(&on, &actor, &store, off.as_deref().unwrap_or_default())
            .await?;
    }
    let off = kiban_journeys::stores_off(&on).await?;
    if off.is_empty() {
        say::line(&format!(
            "すべての保管先が応答します（{}）。",
            kiban_journeys::STORES.join("、")
        ));
    }
    for store in off {
        say::line(&format!(
            "停止中：{}（{}）  {}  {}",
            store_ja(&store.store),
            store.store,
            store.since,
            store.reason
        ));
    }
    Ok(())
}
