//! Link keys for another database: made for one recipient and one provision, carried over to another, reported.

use std::collections::BTreeSet;

use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Digest, Id, LawKey, Regime, kinds};
use kiban_register::{
    Anon52, Cleared, Pseudo57,
    link_key::{self, Coverage, KeySecrets, Profile, Profiles, Released},
};
use serde_json::json;

use crate::{Deployment, Error, inspect};

const BUILT_IN: &str = include_str!("../../../rules/link_keys/profiles.toml");

/// For whom keys are made.
#[derive(Debug, Clone)]
pub struct KeyRequest {
    /// Id of the profile.
    pub profile: String,
    /// Under which regime the persons must be cleared.
    pub regime: Regime,
    /// To whom.
    pub recipient: Id<kinds::Organization>,
    /// Name of the provision: short, printable ASCII; another name makes other keys.
    pub provision: String,
}

/// The profiles in use: the platform's, or those of a file.
///
/// # Errors
/// The file does not parse.
pub fn key_profiles(file: Option<&str>) -> Result<Vec<Profile>, Error> {
    toml::from_str::<Profiles>(file.unwrap_or(BUILT_IN)).map(|p| p.profile).map_err(|_| {
        Error::Field {
            field: "profiles",
            ja: "連結キーの定義を読み取れません。書き方を確かめてください。",
        }
    })
}

fn chosen<'a>(
    profiles: &'a [Profile],
    id: &str,
    specifications: &[Vec<u8>],
) -> Result<&'a Profile, Error> {
    let profile = profiles
        .iter()
        .find(|p| p.id == id)
        .ok_or(Error::Field {
            field: "profile", ja: "その名の連結キーの定義がありません。"
        })?;
    let loaded: Vec<Digest> = specifications.iter().map(|s| Digest::of(s)).collect();
    profile.check(&loaded).map_err(|e| Error::Field { field: "profile", ja: e.ja() })?;
    Ok(profile)
}

fn named(provision: &str) -> Result<(), Error> {
    let fits = !provision.is_empty()
        && provision.len() <= 40
        && provision.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if fits {
        Ok(())
    } else {
        Err(Error::Field {
            field: "provision",
            ja: "提供の名は英数字と - _ . の40字以内にしてください。",
        })
    }
}

/// How far each profile reaches among everybody cleared under the regime. No key leaves; none is made for anybody.
///
/// # Errors
/// The actor may not, or lake or database failed.
pub async fn link_key_coverage(
    on: &Deployment,
    actor: &Actor,
    profiles: &[Profile],
    regime: Regime,
) -> Result<Vec<Coverage>, Error> {
    permit(actor, Act::SeeLinks)?;
    let cleared = inspect::cleared_sources(on, regime).await?;
    // Coverage does not depend on the secrets, and what is computed under these goes nowhere.
    let nobodys = KeySecrets { base: &[0; 32], provision: &[0; 32] };
    let mut out = Vec::with_capacity(profiles.len());
    for profile in profiles {
        let holds = |s: &Id<kinds::PersonSource>| cleared.contains(&s.to_string());
        out.push(link_key::keys(&on.lake, profile, &nobodys, holds).await?.coverage);
    }
    Ok(out)
}

/// The keys of everybody cleared under the regime, for one recipient and provision.
///
/// # Errors
/// The actor may not; there is no such profile, or it claims an official id whose specification is not among
/// `specifications`; a stop waits for the vault; lake or log failed.
/// # Law
/// `anonymized.making`
pub async fn make_link_keys(
    on: &Deployment,
    actor: &Actor,
    profiles: &[Profile],
    specifications: &[Vec<u8>],
    request: &KeyRequest,
) -> Result<Released, Error> {
    let permit = permit(actor, Act::MakeLinkKeys)?;
    let profile = chosen(profiles, &request.profile, specifications)?;
    named(&request.provision)?;
    // As for a dataset: nothing while somebody's stop waits.
    let mut conn = on.reader().await?;
    match request.regime {
        Regime::Anon52 => {
            Cleared::<Anon52>::mint(&mut conn, &on.lake).await?;
        }
        Regime::Pseudo57 => {
            Cleared::<Pseudo57>::mint(&mut conn, &on.lake).await?;
        }
    }
    drop(conn);
    let cleared = inspect::cleared_sources(on, request.regime).await?;
    let mut tx = on.log.begin().await?;
    let ring = on.lake.ring().clone();
    let base = ring.secret(tx.conn(), &profile.secret_name()).await?;
    let name = profile.provision_secret_name(request.recipient, &request.provision);
    let provision = ring.secret(tx.conn(), &name).await?;
    let secrets = KeySecrets { base: base.expose(), provision: provision.expose() };
    let released =
        link_key::keys(&on.lake, profile, &secrets, |s| cleared.contains(&s.to_string())).await?;
    let c = &released.coverage;
    let event = Event {
        kind: "link_key.made",
        actor: permit.actor(),
        subject: request.recipient.to_string(),
        law: LawKey::new("anonymized.making").ok(),
        body: json!({
            "profile": profile.id, "version": profile.version, "provision": request.provision,
            "persons": c.persons, "with_key": c.with_key, "keys": c.keys,
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(released)
}

/// Carry a list of keys over from one provision to another: by old key, the new one.
///
/// # Errors
/// As [`make_link_keys`]; no keys were ever made for the first provision.
/// # Law
/// `anonymized.making`
pub async fn carry_link_keys(
    on: &Deployment,
    actor: &Actor,
    profiles: &[Profile],
    [from, to]: [&KeyRequest; 2],
    keys: &BTreeSet<String>,
) -> Result<std::collections::BTreeMap<String, String>, Error> {
    let permit = permit(actor, Act::MakeLinkKeys)?;
    let profile = chosen(profiles, &from.profile, &[])?;
    if to.profile != from.profile {
        return Err(Error::Field {
            field: "profile", ja: "引継ぎは同じ定義の中だけで行えます。"
        });
    }
    named(&to.provision)?;
    let mut tx = on.log.begin().await?;
    let ring = on.lake.ring().clone();
    let base = ring.secret(tx.conn(), &profile.secret_name()).await?;
    let old = profile.provision_secret_name(from.recipient, &from.provision);
    let old = ring
        .find_secret(tx.conn(), &old)
        .await?
        .ok_or(Error::Unknown { what: "引継ぎ元の提供" })?;
    let new = profile.provision_secret_name(to.recipient, &to.provision);
    let new = ring.secret(tx.conn(), &new).await?;
    let first = KeySecrets { base: base.expose(), provision: old.expose() };
    let second = KeySecrets { base: base.expose(), provision: new.expose() };
    let carried = link_key::rekey(&on.lake, profile, &first, &second, keys).await?;
    let event = Event {
        kind: "link_key.carried",
        actor: permit.actor(),
        subject: to.recipient.to_string(),
        law: LawKey::new("anonymized.making").ok(),
        body: json!({ "profile": profile.id, "asked": keys.len(), "carried": carried.len() }),
    };
    let _ = tx.commit(event).await?;
    Ok(carried)
}
