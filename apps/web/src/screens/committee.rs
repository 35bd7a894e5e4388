//! S10: the committee: who sits on it, whether it is validly composed, what is before it.

use askama::Template;
use kiban_journeys::{
    committee::{Category, Office},
    release::application::State,
};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::Ctx,
    fault::Fault,
    japanese::{day, day_count},
};

#[derive(Serialize)]
struct Chair {
    who: String,
    office: &'static str,
    categories: String,
    outsider: bool,
    employers: String,
    from: String,
}

#[derive(Serialize)]
struct Waiting {
    id: String,
    title: String,
    product: &'static str,
    days: String,
}

#[derive(Serialize)]
struct RuleRow {
    ja: &'static str,
    value: String,
}

#[derive(Template, Serialize)]
#[template(path = "committee.html")]
struct Page {
    members: Vec<Chair>,
    /// What the roster lacks; empty if it is valid.
    lacks: String,
    waiting: Vec<Waiting>,
    rules: Vec<RuleRow>,
}

pub(crate) fn categories_ja(of: &std::collections::BTreeSet<Category>, outsider: bool) -> String {
    let mut names: Vec<&str> = of.iter().map(|c| c.label_ja()).collect();
    if outsider {
        names.push("④作成事業者・受託事業者の役職員でない者");
    }
    names.join("、")
}

pub(crate) fn office_ja(office: Office) -> &'static str {
    match office {
        Office::Chair => "委員長",
        Office::ViceChair => "副委員長",
        Office::Member => "委員",
    }
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let today = ctx.on().today();
    let roster = kiban_journeys::roster(ctx.on()).await?;
    let members = roster
        .members
        .iter()
        .map(|m| Chair {
            who: names.account(m.member.account),
            office: office_ja(m.member.office),
            categories: categories_ja(&m.member.categories, m.outsider),
            outsider: m.outsider,
            employers: m
                .member
                .employers
                .iter()
                .map(|o| names.organization(*o))
                .collect::<Vec<_>>()
                .join("、"),
            from: day(m.member.from),
        })
        .collect();
    let waiting = kiban_journeys::cases(ctx.on(), ctx.actor()?)
        .await?
        .into_iter()
        .filter_map(|case| match case.application.state {
            State::UnderReview { at, .. } => Some(Waiting {
                id: case.application.id.to_string(),
                title: case.content.title,
                product: case.application.product.label_ja(),
                days: day_count(at, today),
            }),
            _ => None,
        })
        .collect();
    let rule = |ja, name: &str, unit: &str| RuleRow {
        ja,
        value: ctx.on().rules().int(name, today).map_or("—".to_owned(), |n| format!("{n}{unit}")),
    };
    let rules = vec![
        rule("委員の人数", "committee.min_members", "人以上"),
        rule("④の委員の人数", "committee.min_outsiders", "人以上"),
        rule("出席（議決に加わる委員のうち）", "committee.quorum_percent", "%を超える"),
        rule("承認に要る票（投じられた票のうち）", "committee.approval_percent", "%を超える"),
    ];
    Answer::page(Page { members, lacks: roster.lacks, waiting, rules })
}
