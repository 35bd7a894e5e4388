//! Keys by which persons are joined with another database: profiles as data, made anew for each recipient and provision.
//!
//! A [`Profile`] says which fields, in which order, how they are brought into comparable form, by which algorithm, under
//! which version. A key is made in two steps: a *base* under the deployment's own secret of the profile, which never
//! leaves, and from it the *released* key under a secret of the recipient and the provision. So two provisions cannot be
//! joined by their keys; who holds the secrets can carry a list over from one provision to another ([`rekey`]).
//!
//! The profiles that come with the platform are *like* ID1, ID2 and ID4; none claims to equal an official id. A profile that names
//! an official specification is refused until the digest of that specification's text is loaded with it.

use std::collections::{BTreeMap, BTreeSet};

use hmac::{Hmac, KeyInit as _, Mac as _};
use kiban_kernel::{Digest, Id, kinds};
use kiban_lake::Lake;
use kiban_linkage::{Identity, Member, Normal};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::link::{LinkError, members};

type Person = Id<kinds::Person>;
type Source = Id<kinds::PersonSource>;

/// A field of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyField {
    /// 保険者番号
    InsurerNo,
    /// 記号; some insurers give none, then it is empty.
    Symbol,
    /// 番号
    Number,
    /// 枝番
    Branch,
    /// 生年月日, `YYYY-MM-DD`
    BirthDate,
    /// 性別, `M` or `F`
    Sex,
    /// 漢字氏名
    NameKanji,
    /// カナ氏名
    NameKana,
}

/// How a key is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// HMAC with SHA-256, hexadecimal.
    HmacSha256,
}

/// How values are brought into comparable form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// The rules of `kiban-linkage`, version 1.
    Kiban1,
}

/// An official specification that a profile claims to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Official {
    /// Its name.
    pub name: String,
    /// SHA-256 of its text.
    pub sha256: Digest,
}

/// A key profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its id: short, printable ASCII.
    pub id: String,
    /// Its version; another version makes other keys.
    pub version: String,
    /// Japanese name.
    pub ja: String,
    /// The fields in order.
    pub fields: Vec<KeyField>,
    /// Comparable form.
    pub normalisation: Normalisation,
    /// Computation.
    pub algorithm: Algorithm,
    /// The official specification it claims to follow, if any.
    #[serde(default)]
    pub official: Option<Official>,
}

/// A list of profiles, as a file has it (`[[profile]]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    /// The profiles.
    pub profile: Vec<Profile>,
}

/// Why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Id or version is empty, too long, or not printable ASCII.
    #[error("id or version of the profile is not short printable ASCII")]
    Name,
    /// It has no field, or one twice.
    #[error("the profile has no field, or one twice")]
    Fields,
    /// It claims an official id whose specification is not loaded.
    #[error("the profile claims an official id whose specification is not loaded")]
    NotLoaded,
}

impl ProfileError {
    /// Sentence for the user.
    pub fn ja(&self) -> &'static str {
        match self {
            Self::Name => {
                "連結キーの定義の id と version は、英数字などの短い文字列にしてください。"
            }
            Self::Fields => "連結キーの定義の項目がないか、重複しています。",
            Self::NotLoaded => {
                "公的な識別子と同じであるとする定義は、その仕様書を読み込むまで使えません。仕様書のファイルを指定してください。"
            }
        }
    }
}

impl Profile {
    /// May it be used, with these specifications' texts loaded?
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn check(&self, loaded: &[Digest]) -> Result<(), ProfileError> {
        let short =
            |t: &str| !t.is_empty() && t.len() <= 40 && t.bytes().all(|b| b.is_ascii_graphic());
        if !short(&self.id) || !short(&self.version) {
            return Err(ProfileError::Name);
        }
        let distinct: BTreeSet<&KeyField> = self.fields.iter().collect();
        if self.fields.is_empty() || distinct.len() != self.fields.len() {
            return Err(ProfileError::Fields);
        }
        match &self.official {
            Some(official) if !loaded.contains(&official.sha256) => Err(ProfileError::NotLoaded),
            _ => Ok(()),
        }
    }

    /// Name of the deployment's secret of the profile.
    pub fn secret_name(&self) -> String {
        format!("link_key/{}/{}", self.id, self.version)
    }

    /// Name of the secret of a recipient and provision.
    pub fn provision_secret_name(
        &self,
        recipient: Id<kinds::Organization>,
        provision: &str,
    ) -> String {
        format!("link_key/{}/{}/{recipient}/{provision}", self.id, self.version)
    }

    /// The values of an identity in order, or the first field that it lacks.
    fn values(&self, of: &Identity) -> Result<Vec<String>, KeyField> {
        let text = |n: &Option<Normal>| n.as_ref().map(|n| n.text.clone());
        self.fields
            .iter()
            .map(|field| {
                match field {
                    KeyField::InsurerNo => text(&of.insurer),
                    KeyField::Symbol => Some(text(&of.symbol).unwrap_or_default()),
                    KeyField::Number => text(&of.number),
                    KeyField::Branch => text(&of.branch),
                    KeyField::BirthDate => of.birth.map(|b| b.to_string()),
                    KeyField::Sex => of.sex.map(|s| s.code().to_owned()),
                    KeyField::NameKanji => text(&of.kanji),
                    KeyField::NameKana => text(&of.kana),
                }
                .ok_or(*field)
            })
            .collect()
    }
}

/// The secrets of one provision.
pub struct KeySecrets<'a> {
    /// The deployment's secret of the profile.
    pub base: &'a [u8; 32],
    /// The secret of recipient and provision.
    pub provision: &'a [u8; 32],
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        // Safety of unreachable: HMAC takes a key of any length.
        .unwrap_or_else(|_| unreachable!("HMAC takes any key"));
    for part in parts {
        // Each part with its length, so that two lists of parts never read alike.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn base(profile: &Profile, secret: &[u8; 32], of: &Identity) -> Result<[u8; 32], KeyField> {
    let values = profile.values(of)?;
    let mut parts: Vec<&[u8]> = vec![profile.id.as_bytes(), profile.version.as_bytes()];
    parts.extend(values.iter().map(String::as_bytes));
    Ok(mac(secret, &parts))
}

fn release(secret: &[u8; 32], base: &[u8; 32]) -> String {
    hex::encode(mac(secret, &[base]))
}

/// How far a profile reaches.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Coverage {
    /// Persons.
    pub persons: u64,
    /// Of these, with a key.
    pub with_key: u64,
    /// With more than one.
    pub with_several: u64,
    /// Keys in all.
    pub keys: u64,
    /// Keys that two or more persons share.
    pub shared: u64,
    /// Persons without a key, by the field that the last of their records lacks.
    pub lacking: BTreeMap<String, u64>,
}

/// Released keys of a provision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Row id of the provision and key, sorted; a person has as many rows as keys.
    pub rows: Vec<(String, String)>,
    /// How far they reach.
    pub coverage: Coverage,
}

/// Every key that each person's records give, in base form.
fn bases(
    profile: &Profile,
    secret: &[u8; 32],
    (ids, members): &(Vec<Source>, Vec<Member>),
    person_of: &BTreeMap<Source, Person>,
) -> BTreeMap<Person, (BTreeSet<[u8; 32]>, Option<KeyField>)> {
    let mut out: BTreeMap<Person, (BTreeSet<[u8; 32]>, Option<KeyField>)> = BTreeMap::new();
    for (source, member) in ids.iter().zip(members) {
        let Some(person) = person_of.get(source) else { continue };
        let (keys, lacking) = out.entry(*person).or_default();
        for identity in &member.identities {
            match base(profile, secret, identity) {
                Ok(key) => drop(keys.insert(key)),
                Err(field) => *lacking = Some(field),
            }
        }
    }
    out
}

/// The keys of all linked persons of whom `holds` says yes, for one provision.
///
/// # Errors
/// The lake failed.
pub async fn keys(
    lake: &Lake,
    profile: &Profile,
    secrets: &KeySecrets<'_>,
    holds: impl Fn(&Source) -> bool,
) -> Result<Released, LinkError> {
    let all = members(lake).await?;
    let mut person_of = crate::link::at(lake, lake.head().await?).await?;
    person_of.retain(|source, _| holds(source));
    let mut coverage = Coverage::default();
    let mut rows = Vec::new();
    let mut bearers: BTreeMap<[u8; 32], u64> = BTreeMap::new();
    for (person, (keys, lacking)) in bases(profile, secrets.base, &all, &person_of) {
        coverage.persons += 1;
        coverage.with_key += u64::from(!keys.is_empty());
        coverage.with_several += u64::from(keys.len() > 1);
        coverage.keys += keys.len() as u64;
        if let (true, Some(field)) = (keys.is_empty(), lacking) {
            let name = serde_json::to_value(field).ok();
            let name = name.and_then(|n| n.as_str().map(str::to_owned)).unwrap_or_default();
            *coverage.lacking.entry(name).or_default() += 1;
        }
        let row = hex::encode(&mac(secrets.provision, &[b"row", &person.to_bytes()])[..16]);
        for key in keys {
            *bearers.entry(key).or_default() += 1;
            rows.push((row.clone(), release(secrets.provision, &key)));
        }
    }
    coverage.shared = bearers.values().filter(|n| **n > 1).count() as u64;
    rows.sort();
    Ok(Released { rows, coverage })
}

/// Keys of one provision carried over to another of the same profile: by released key of the first, that of the second.
/// A key that nobody bears any more (a stop, a correction) is left out.
///
/// # Errors
/// The lake failed.
pub async fn rekey(
    lake: &Lake,
    profile: &Profile,
    from: &KeySecrets<'_>,
    to: &KeySecrets<'_>,
    wanted: &BTreeSet<String>,
) -> Result<BTreeMap<String, String>, LinkError> {
    let all = members(lake).await?;
    let person_of = crate::link::at(lake, lake.head().await?).await?;
    let mut out = BTreeMap::new();
    for (_, (keys, _)) in bases(profile, from.base, &all, &person_of) {
        for key in keys {
            let old = release(from.provision, &key);
            if wanted.contains(&old) {
                out.insert(old, release(to.provision, &key));
            }
        }
    }
    Ok(out)
}
