//! The permission table, generated from the rules themselves: role × act, and who may open which screen.

use askama::Template;
use kiban_govern::{Act, Employer, Role};
use serde::Serialize;

use crate::{
    access::{Who, employers_of},
    answer::Answer,
    ctx::Ctx,
    fault::Fault,
    routes::ROUTES,
};

#[derive(Serialize)]
struct ActRow {
    act: &'static str,
    label: &'static str,
    roles: String,
    employers: String,
    /// Who does it shows again who he or she is.
    confirmed: bool,
}

#[derive(Serialize)]
struct RouteRow {
    title: &'static str,
    path: &'static str,
    method: &'static str,
    who: String,
}

#[derive(Template, Serialize)]
#[template(path = "permissions.html")]
struct Page {
    acts: Vec<ActRow>,
    routes: Vec<RouteRow>,
}

fn who(row: &crate::routes::Row) -> String {
    match row.who {
        Who::Anyone => "だれでも".to_owned(),
        Who::SignedIn => "サインインした人".to_owned(),
        Who::Look(..) | Who::Do(_) => Role::ALL
            .into_iter()
            .filter(|role| *role != Role::System && !employers_of(row, *role).is_empty())
            .map(Role::label_ja)
            .collect::<Vec<_>>()
            .join("、"),
    }
}

pub(crate) async fn show(_: Ctx) -> Result<Answer, Fault> {
    let acts = Act::ALL
        .iter()
        .map(|act| ActRow {
            act: act.as_str(),
            label: act.label_ja(),
            roles: act.roles().iter().map(|r| r.label_ja()).collect::<Vec<_>>().join("、"),
            confirmed: act.needs_confirmation(),
            employers: if act.employers().len() == Employer::ALL.len() {
                "すべて".to_owned()
            } else {
                act.employers().iter().map(|e| e.label_ja()).collect::<Vec<_>>().join("、")
            },
        })
        .collect();
    let routes = ROUTES
        .iter()
        .map(|row| RouteRow {
            title: row.title,
            path: row.path,
            method: row.method.as_str(),
            who: who(row),
        })
        .collect();
    Answer::page(Page { acts, routes })
}
