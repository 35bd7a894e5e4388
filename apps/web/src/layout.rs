//! The frame of every page: who acts, where to go, the band of the data's class, what was just done.

use askama::Template;
use kiban_govern::Actor;

use crate::{
    answer::Band,
    app::App,
    assets::VERSION,
    ctx::FormToken,
    fault::Fault,
    names::{Names, roles_ja},
    routes::{ROUTES, Row},
};

/// What a page adds to its body.
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) band: Option<Band>,
    pub(crate) said: Option<String>,
    pub(crate) fault: Option<Fault>,
    /// Name of the row, to mark the place in the navigation.
    pub(crate) name: &'static str,
}

struct Place {
    path: &'static str,
    title: &'static str,
    here: bool,
}

#[derive(Template)]
#[template(path = "frame.html")]
struct Page<'a> {
    frame: &'a Frame,
    body: &'a str,
    form: FormToken,
    /// 「いま：提供承認者として」
    role: Option<String>,
    organization: String,
    places: Vec<Place>,
    demo: bool,
    /// The page's script is needed: there are passkeys.
    script: bool,
    /// Parts of the page are fetched by themselves where the browser runs scripts.
    enhanced: bool,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultBody<'a> {
    fault: &'a Fault,
    form: &'a FormToken,
}

/// The navigation, in this order, as far as the visitor may go there.
const SIGNED_IN: [&str; 26] = [
    "home",
    "applications",
    "committee",
    "datasets",
    "uses",
    "recalls",
    "joint_uses",
    "outputs",
    "submissions",
    "enquiries",
    "deliveries",
    "mappings",
    "links",
    "link_history",
    "desk",
    "notices",
    "person",
    "stops",
    "users",
    "audit",
    "incidents",
    "outbox",
    "books",
    "accounts",
    "catalogue",
    "permissions",
];
const ANYBODY: [&str; 6] = ["top", "hospitals", "stop_who", "projects", "provided", "catalogue"];

fn row(name: &str) -> Option<&'static Row> {
    ROUTES.iter().find(|r| r.name == name)
}

pub(crate) fn fault_body(fault: &Fault, form: &FormToken) -> String {
    FaultBody { fault, form }.render().unwrap_or_else(|_| fault.status.to_string())
}

pub(crate) async fn page(
    app: &App,
    actor: Option<&Actor>,
    frame: Frame,
    body: String,
    form: FormToken,
) -> Result<String, Fault> {
    let names: &[&str] = if actor.is_some() { &SIGNED_IN } else { &ANYBODY };
    let places = names
        .iter()
        .filter_map(|name| row(name))
        .filter(|r| r.who.admits(actor).is_ok())
        .map(|r| Place { path: r.path, title: r.title, here: r.name == frame.name })
        .collect();
    let organization = match actor {
        Some(actor) => Names::of(app.on()).await?.organization(actor.organization),
        None => String::new(),
    };
    let page = Page {
        role: actor.map(|a| roles_ja(&a.roles)),
        organization,
        places,
        demo: app.0.settings.demo,
        script: app.0.passkeys.is_some(),
        enhanced: body.contains(" data-hx-"),
        version: VERSION,
        frame: &frame,
        body: &body,
        form,
    };
    Ok(page.render()?)
}
