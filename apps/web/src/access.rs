//! Who may use a route: one row of the table against one actor.

use kiban_govern::{Act, Actor, Employer, Role};
use kiban_kernel::Id;

use crate::routes::{ROUTES, Row};

/// Who may use a route.
#[derive(Debug, Clone, Copy)]
pub enum Who {
    /// Anybody, signed in or not.
    Anyone,
    /// Anybody signed in.
    SignedIn,
    /// To look: staff of one of these kinds of body in one of these roles.
    Look(&'static [Role], &'static [Employer]),
    /// To act: whom the permission table permits the act.
    Do(Act),
}

/// Why a route is closed to a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// Nobody is signed in.
    SignIn,
    /// The role is another.
    Role,
}

impl Who {
    /// May the visitor use it?
    pub(crate) fn admits(&self, actor: Option<&Actor>) -> Result<(), Closed> {
        if matches!(self, Self::Anyone) {
            return Ok(());
        }
        let actor = actor.ok_or(Closed::SignIn)?;
        let open = match self {
            Self::Anyone | Self::SignedIn => true,
            Self::Look(roles, employers) => {
                employers.contains(&actor.employer) && roles.iter().any(|r| actor.has(*r))
            }
            Self::Do(act) => kiban_govern::permit(actor, *act).is_ok(),
        };
        if open { Ok(()) } else { Err(Closed::Role) }
    }

    /// Is it open to the visitor (`None`: nobody is signed in)?
    pub fn is_open_to(&self, actor: Option<&Actor>) -> bool {
        self.admits(actor).is_ok()
    }

    /// The act it needs, if it is one.
    pub(crate) fn act(&self) -> Option<Act> {
        match self {
            Self::Do(act) => Some(*act),
            _ => None,
        }
    }
}

/// Is the route of this name open to the actor? For links that are shown only where they lead somewhere.
pub(crate) fn opens(actor: &Actor, name: &str) -> bool {
    ROUTES.iter().any(|r| r.name == name && r.who.is_open_to(Some(actor)))
}

/// For which kinds of body a role opens a route.
pub(crate) fn employers_of(row: &Row, role: Role) -> Vec<Employer> {
    let zero = || Id::from_bytes([0; 16]);
    Employer::ALL
        .into_iter()
        .filter(|employer| {
            let actor = Actor::new(zero(), Id::from_bytes([0; 16]), *employer, [role]);
            row.who.admits(Some(&actor)).is_ok()
        })
        .collect()
}

/// The whole matrix as text: one line per route and role, and the employers it is open to. The committed copy
/// (`matrix.txt`) is compared by a test, so that a change of rights is read by a person.
pub fn matrix() -> String {
    let mut out = String::from("route\tmethod\tpath\trole\temployers\n");
    for row in ROUTES {
        let mut line = |role: &str, employers: &str| {
            out.push_str(&[row.name, row.method.as_str(), row.path, role, employers].join("\t"));
            out.push('\n');
        };
        match row.who {
            Who::Anyone => line("anyone", "-"),
            Who::SignedIn => line("signed_in", "-"),
            Who::Look(..) | Who::Do(_) => {
                for role in Role::ALL {
                    let employers: Vec<_> =
                        employers_of(row, role).into_iter().map(Employer::as_str).collect();
                    if !employers.is_empty() {
                        line(role.as_str(), &employers.join(","));
                    }
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_is_the_committed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/matrix.txt");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == matrix(),
            "rights changed; if intended, commit this as {path}:\n{}",
            matrix()
        );
    }

    #[test]
    fn every_route_that_changes_something_names_an_act_or_is_listed_here() {
        // What a visitor does for himself or herself: no right of an office is used.
        let own = [
            "sign_in_as",
            "sign_in_begin",
            "sign_in_finish",
            "enrol_begin",
            "enrol_finish",
            "confirm_begin",
            "confirm_finish",
            "sign_out",
            "second_begin",
            "second_finish",
            "stop_confirm",
            "stop_ask",
            "stop_status_show",
        ];
        // Looks whose question must not stand in an address.
        let looks = ["audit_search"];
        for row in ROUTES.iter().filter(|r| r.method != crate::routes::Verb::Get) {
            let listed = own.contains(&row.name) || looks.contains(&row.name);
            assert!(row.who.act().is_some() || listed, "{} names no act", row.name);
        }
    }

    #[test]
    fn a_path_stands_once_per_method_and_titles_are_japanese() {
        let mut seen = std::collections::BTreeSet::new();
        for row in ROUTES {
            assert!(seen.insert((row.method.as_str(), row.path)), "{} twice", row.path);
            assert!(!row.title.is_ascii(), "{}", row.name);
        }
    }

    /// Does an address of a template lead to a row?
    fn leads_to(action: &str, path: &str) -> bool {
        let (a, p): (Vec<_>, Vec<_>) = (action.split('/').collect(), path.split('/').collect());
        let fits = |(a, p): (&&str, &&str)| a == p || p.starts_with('{') && a.starts_with("{{");
        a.len() == p.len() && a.iter().zip(&p).all(fits)
    }

    #[test]
    fn every_form_of_a_grave_act_asks_first_who_sits_there() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        let (mut grave, mut others) = (0, 0);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            for form in text.split("<form ").skip(1) {
                let head = form.split('>').next().unwrap();
                let Some(action) = head.split("action=\"").nth(1) else { continue };
                let action = action.split('"').next().unwrap();
                let post = head.contains("method=\"post\"");
                let row = ROUTES.iter().find(|r| {
                    post == (r.method == crate::routes::Verb::Post) && leads_to(action, r.path)
                });
                // The application's form has its address from the handler.
                let Some(row) = row else {
                    assert!(action.starts_with("{{"), "{} leads nowhere: {action}", path.display());
                    continue;
                };
                let wanted = row.who.act().is_some_and(Act::needs_confirmation) && post;
                assert_eq!(head.contains("data-confirm"), wanted, "{}: {action}", path.display());
                if wanted { grave += 1 } else { others += 1 }
            }
        }
        assert!(grave >= 9 && others >= 20, "{grave} {others}");
    }
}
