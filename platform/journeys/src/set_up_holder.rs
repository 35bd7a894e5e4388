//! Hand a data holder its client: settings, signing key, and the key registered here.

use std::path::{Path, PathBuf};

use kiban_govern::Actor;
use kiban_intake::{
    holder::{self, Init, NoticeText, NoticeVersion, Profile, ProfileFiling},
    manifest::Provider,
};
use kiban_kernel::OsEntropy;

use crate::{
    Deployment, Error, Parties, party_keys,
    register_parties::{STOP_ON_REQUEST, purpose_of},
};

/// Make the folder of a data holder's client from what is registered of it, and register its key. The
/// holder keeps its lists of notices and stops beside the settings as `notices.csv` and `stops.csv`.
///
/// # Errors
/// The actor may not, the folder is a client's already, or log or disk failed.
pub async fn set_up_holder(
    on: &Deployment,
    actor: &Actor,
    parties: &Parties,
    key: &str,
    home: &Path,
) -> Result<Profile, Error> {
    let missing = |key: &str| Error::UnknownParty { key: key.to_owned() };
    let holder = parties.organization.get(key).ok_or_else(|| missing(key))?;
    let producer =
        parties.organization.get(&parties.producer).ok_or_else(|| missing(&parties.producer))?;
    let init = Init {
        holder: Parties::organization_id(key),
        provider: Provider {
            name: holder.name.clone(),
            address: holder.address.clone(),
            representative: holder.representative.clone(),
            acquisition: holder.acquisition.as_ref().map(|a| a.method.clone()).unwrap_or_default(),
        },
        producer_name: producer.name.clone(),
        producer_address: producer.address.clone(),
        producer_recipient: on.intake_recipient(),
        input_format: None,
        notices: PathBuf::from("notices.csv"),
        stops: PathBuf::from("stops.csv"),
        filing: parties
            .filing
            .iter()
            .filter(|f| f.holder == key)
            .map(|f| ProfileFiling {
                regime: f.regime,
                effective_from: f.effective_from,
                ended: None,
                wait_days: f.wait_days,
            })
            .collect(),
        notice: parties
            .notice
            .iter()
            .filter(|n| n.holder == key)
            .flat_map(|n| {
                n.regimes.iter().map(|regime| NoticeVersion {
                    version: n.version.clone(),
                    regime: *regime,
                    effective_from: Some(n.effective_from),
                    items: n.kinds.clone(),
                    text: Some(NoticeText {
                        purpose: purpose_of(*regime).to_owned(),
                        data_items: n.data_items.clone(),
                        acquisition: n.acquisition.clone(),
                        method: n.method.clone(),
                        stop_on_request: STOP_ON_REQUEST.to_owned(),
                        request_desk: n.request_desk.clone(),
                    }),
                })
            })
            .collect(),
    };
    let made = holder::init(home, init, &OsEntropy)?;
    party_keys::register_signing_key(on, actor, made.profile.holder, &made.verify_key).await?;
    Ok(made.profile)
}
