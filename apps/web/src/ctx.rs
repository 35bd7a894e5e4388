//! What a handler is given: the visitor, the address, the input, and the acts' deployment.

use std::{collections::BTreeMap, fmt};

use kiban_govern::Actor;
use kiban_journeys::Deployment;
use kiban_kernel::{Date, Id, Kind};

use crate::{app::App, fault::Fault, input::Input, names::Names, routes::Row, session::Token};

/// A request that passed: its row admits the visitor, its form token is right, its fields fit the row.
pub(crate) struct Ctx {
    pub(crate) app: App,
    pub(crate) row: &'static Row,
    pub(crate) who: Option<Actor>,
    pub(crate) form: FormToken,
    pub(crate) token: Token,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) input: Input,
}

/// The hidden field of a visitor's forms.
#[derive(Clone)]
pub(crate) struct FormToken(pub(crate) String);

impl fmt::Display for FormToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<input type=\"hidden\" name=\"csrf\" value=\"{}\">", self.0)
    }
}

impl Ctx {
    pub(crate) fn on(&self) -> &Deployment {
        self.app.on()
    }

    /// Who is signed in.
    pub(crate) fn actor(&self) -> Result<&Actor, Fault> {
        self.who.as_ref().ok_or_else(Fault::sign_in)
    }

    /// An id of the address; what is no id of the kind is nothing that exists.
    pub(crate) fn id<K: Kind>(&self, name: &str) -> Result<Id<K>, Fault> {
        self.params.get(name).and_then(|t| t.parse().ok()).ok_or_else(Fault::not_found)
    }

    /// An id of a field.
    pub(crate) fn chosen<K: Kind>(&self, name: &'static str, ja: &str) -> Result<Id<K>, Fault> {
        let wrong = || Fault::fields(vec![(name.to_owned(), format!("{ja}を選んでください。"))]);
        self.input.text(name).parse().map_err(|_| wrong())
    }

    /// A day of a field that was checked; `None` if it is empty.
    pub(crate) fn day(&self, name: &str) -> Option<Date> {
        self.input.text(name).parse().ok()
    }

    pub(crate) async fn names(&self) -> Result<Names, Fault> {
        Names::of(self.on()).await
    }
}
