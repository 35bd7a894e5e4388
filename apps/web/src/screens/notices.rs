//! B1, B2: the versions of each holder's notice with what they change, which of them is in use on a day, and the clocks of
//! notices in counts. Nobody is named.

use askama::Template;
use kiban_govern::Employer;
use kiban_journeys::{NoticeChange, NoticesDue};
use kiban_kernel::{Date, Regime};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::Ctx,
    fault::Fault,
    japanese::{day, number},
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct VersionView {
    regime: &'static str,
    version: String,
    from: String,
    until: String,
    /// In use on the day asked for.
    in_use: bool,
    /// 「第3号・第5号」; empty for the first version.
    items: String,
    class: &'static str,
    /// What is still to be done.
    open: &'static str,
    told: String,
}

#[derive(Serialize)]
struct HolderView {
    name: String,
    told: String,
    waiting: String,
    only52: String,
    at16: String,
    soon16: String,
    returned: String,
    versions: Vec<VersionView>,
}

#[derive(Template, Serialize)]
#[template(path = "notices.html")]
struct Page {
    on: String,
    on_ja: String,
    holders: Vec<HolderView>,
    paging: Paging,
}

fn versions(
    holder: &kiban_journeys::Holder,
    changes: &[NoticeChange],
    (on, today): (Date, Date),
) -> Vec<VersionView> {
    let mut out = Vec::new();
    for regime in Regime::ALL {
        let mut of: Vec<_> = holder.notices.iter().filter(|n| n.regime == regime).collect();
        of.sort_by_key(|n| n.effective_from);
        for (i, notice) in of.iter().enumerate() {
            let next = of.get(i + 1).map(|n| n.effective_from);
            let change = changes.iter().find(|c| {
                c.holder == holder.organization.id
                    && c.regime == regime
                    && c.to_version == notice.version
            });
            let told = change.and_then(|c| Some((c.persons_told_on?, c.ministers_told_on?)));
            out.push(VersionView {
                regime: regime.label_ja(),
                version: notice.version.clone(),
                from: day(notice.effective_from),
                until: next
                    .and_then(|n| n.yesterday().ok())
                    .map_or_else(|| "使用中".to_owned(), day),
                in_use: notice.effective_from <= on && next.is_none_or(|n| on < n),
                items: change
                    .map(|c| {
                        c.items.iter().map(|i| format!("第{i}号")).collect::<Vec<_>>().join("・")
                    })
                    .unwrap_or_default(),
                class: change.map_or("最初の版", |c| c.class.ja()),
                open: change.and_then(|c| c.open_ja(today)).unwrap_or_default(),
                told: told
                    .map(|(persons, ministers)| {
                        format!("本人 {}、主務大臣 {}", day(persons), day(ministers))
                    })
                    .unwrap_or_default(),
            });
        }
    }
    out
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let today = ctx.on().today();
    let on = ctx.day("on").unwrap_or(today);
    let due = kiban_journeys::notices_due(ctx.on(), actor).await?;
    let changes = kiban_journeys::notice_changes(ctx.on(), actor).await?;
    let mut holders = kiban_journeys::holders(ctx.on()).await?;
    if actor.employer == Employer::Holder {
        holders.retain(|h| h.organization.id == actor.organization);
    }
    let (holders, paging) = paged(&ctx, holders)?;
    let holders = holders
        .iter()
        .map(|h| {
            let d: NoticesDue = due.get(&h.organization.id).copied().unwrap_or_default();
            HolderView {
                name: h.organization.name.clone(),
                told: number(d.told),
                waiting: number(d.waiting),
                only52: number(d.only52),
                at16: number(d.at16),
                soon16: number(d.soon16),
                returned: number(d.returned),
                versions: versions(h, &changes, (on, today)),
            }
        })
        .collect();
    Answer::page(Page { on: on.to_string(), on_ja: day(on), holders, paging })
}
