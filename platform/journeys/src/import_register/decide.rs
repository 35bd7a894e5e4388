//! May a row of a predecessor's register stand on ours? One rule after the other; the first that fails is the reason.

use std::collections::{HashMap, HashSet};

use kiban_govern::gate;
use kiban_kernel::{Bases, Date, Id, PartialDate, Regime, Rules, kinds, parse_date, parse_partial};
use kiban_register::{PersonNotice, RegisterKeys, notice, organization, stop};
use sqlx::AnyConnection;

use crate::{Error, Parties};

type Holder = Id<kinds::Organization>;

/// What rows are judged against.
pub(super) struct Known {
    pub(super) keys: RegisterKeys,
    pub(super) rules: Rules,
    pub(super) today: Date,
    holders: HashSet<Holder>,
    /// What a holder's cell means, as far as it was read.
    names: HashMap<String, Option<Holder>>,
    /// First day of each version.
    versions: HashMap<(Holder, Regime), HashMap<String, Date>>,
    /// Regimes under which a keyed hash is stopped.
    stopped: HashMap<String, Bases>,
}

impl Known {
    pub(super) async fn load(
        conn: &mut AnyConnection,
        keys: RegisterKeys,
        rules: Rules,
        today: Date,
    ) -> Result<Self, Error> {
        let mut holders = HashSet::new();
        let mut versions: HashMap<(Holder, Regime), HashMap<String, Date>> = HashMap::new();
        for party in organization::all(&mut *conn).await? {
            holders.insert(party.id);
            for version in notice::of(&mut *conn, party.id).await? {
                let of = versions.entry((party.id, version.regime)).or_default();
                of.insert(version.version, version.effective_from);
            }
        }
        let stopped = stop::suppressed(conn).await?;
        Ok(Self { keys, rules, today, holders, names: HashMap::new(), versions, stopped })
    }

    /// The holder of a cell: the key of the parties' description, or an id.
    pub(super) fn holder(&mut self, cell: &str) -> Option<Holder> {
        if let Some(known) = self.names.get(cell) {
            return *known;
        }
        let id = Parties::organization_named(cell);
        let found = (!cell.is_empty() && self.holders.contains(&id)).then_some(id);
        if self.names.len() < 10_000 {
            self.names.insert(cell.to_owned(), found);
        }
        found
    }
}

/// A person's notices, as one row says them.
pub(super) struct Told {
    pub(super) person: Id<kinds::PersonSource>,
    pub(super) holder: Holder,
    pub(super) notices: Vec<PersonNotice>,
    pub(super) died_on: Option<PartialDate>,
    pub(super) of_age_on: Option<Date>,
}

pub(super) fn regimes(cell: &str) -> Option<Bases> {
    let parsed: Result<Bases, _> =
        cell.split([';', '+', ' ']).map(|r| r.trim().parse::<Regime>()).collect();
    parsed.ok().filter(|b| !b.is_empty())
}

/// Judges a row of persons.
pub(super) fn told(known: &mut Known, cells: &[&str; 9]) -> Result<Told, &'static str> {
    let [holder, local_id, regime, version, notified, channel, guardian, birth, died] = *cells;
    let holder = known.holder(holder).ok_or("import.holder")?;
    if local_id.is_empty() {
        return Err("import.person");
    }
    let regimes = regimes(regime).ok_or("import.regime")?;
    let notified_on = parse_date(notified).map_err(|_| "import.date")?;
    if notified_on > known.today {
        return Err("import.future");
    }
    if channel.is_empty() {
        return Err("import.channel");
    }
    let guardian = match guardian {
        "" | "0" | "false" => false,
        "1" | "true" => true,
        _ => return Err("import.guardian-code"),
    };
    let partial = |text: &str, rule| match text {
        "" => Ok(None),
        text => parse_partial(text).map(Some).map_err(|_| rule),
    };
    let birth: Option<PartialDate> = partial(birth, "import.birth")?;
    let died_on: Option<PartialDate> = partial(died, "import.death")?;
    let mut notices = Vec::new();
    for regime in Regime::ALL.into_iter().filter(|r| regimes.contains(*r)) {
        let in_force = match regime {
            Regime::Anon52 => "regime.anon52",
            Regime::Pseudo57 => "regime.pseudo57",
        };
        if known.rules.flag(in_force, notified_on) != Ok(true) {
            return Err("import.before-regime");
        }
        let of = known.versions.get(&(holder, regime)).and_then(|v| v.get(version));
        let from = *of.ok_or("import.version")?;
        if notified_on < from {
            return Err("import.before-version");
        }
        notices.push(PersonNotice {
            regime,
            version: version.to_owned(),
            notified_on,
            channel: channel.to_owned(),
            guardian,
        });
    }
    if died_on.is_some_and(|d| d.earliest() < notified_on) {
        return Err("import.died-before");
    }
    let mut of_age_on = None;
    if let Some(birth) = birth {
        let day = gate::of_age_on(birth, notified_on, &known.rules).map_err(|_| "import.birth")?;
        if notified_on < day {
            of_age_on = Some(day);
            if !guardian {
                return Err("import.guardian");
            }
        }
    }
    if !known.stopped.is_empty() {
        let hash = known.keys.suppression_of(holder, local_id);
        if let Some(bases) = known.stopped.get(&hash) {
            notices.retain(|n| !bases.contains(n.regime));
            if notices.is_empty() {
                return Err("import.stopped");
            }
        }
    }
    let person = known.keys.person_source(holder, local_id);
    Ok(Told { person, holder, notices, died_on, of_age_on })
}
