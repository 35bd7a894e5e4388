//! The file `sign_in.toml` of a deployment's folder: through whose providers one may sign in.
//!
//! ```toml
//! [[provider]]
//! key = "corp"                            # in addresses: letters, digits, -
//! name = "社内認証"                        # on the button
//! issuer = "https://idp.example.jp"
//! client_id = "kiban"
//! client_secret_file = "keys/corp.secret" # none: a public client
//! two_factor_acr = ["urn:example:mfa"]    # values of acr that show two factors, beside amr
//! authority = "corp-ca.pem"               # of the provider's certificate, if it is not a public one
//! ```
//!
//! Paths are within the folder.

use std::{fs, path::Path};

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Error;

const FILE: &str = "sign_in.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    provider: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    key: String,
    name: String,
    issuer: String,
    client_id: String,
    client_secret_file: Option<String>,
    #[serde(default)]
    two_factor_acr: Vec<String>,
    authority: Option<String>,
}

/// A provider, as the settings name it. No `Debug`: it holds a secret.
pub(super) struct Provider {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) client: String,
    pub(super) secret: Option<Zeroizing<String>>,
    pub(super) trusted: Vec<String>,
}

/// The settings. No `Debug`: they hold secrets.
#[derive(Default)]
pub struct ProviderSettings {
    pub(super) providers: Vec<Provider>,
    /// Certificates of authorities beside the public ones, PEM.
    pub authorities: Vec<Vec<u8>>,
}

/// Over TLS; on a loopback address for trials.
fn is_safe(issuer: &str) -> bool {
    let loopback = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let plain = loopback.iter().any(|l| {
        issuer.strip_prefix(l).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    plain || issuer.starts_with("https://")
}

impl ProviderSettings {
    /// Read them; without the file there are no providers.
    ///
    /// # Errors
    /// The file, a secret or a certificate cannot be read, or does not say what it should.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let text = match fs::read_to_string(dir.join(FILE)) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(Error::io("read the settings of sign-in"))?,
        };
        let wrong = || Error::Field {
            field: FILE,
            ja: "sign_in.toml を読み取れません。[[provider]] の key・name・issuer（https://）・client_id を確かめてください。",
        };
        let file: File = toml::from_str(&text).map_err(|_| wrong())?;
        let mut out = Self::default();
        for named in file.provider {
            let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let key = (1..=20).contains(&named.key.len()) && named.key.chars().all(letters);
            let twice =
                out.providers.iter().any(|p| p.key == named.key || p.issuer == named.issuer);
            if !key || twice || named.name.trim().is_empty() || !is_safe(&named.issuer) {
                return Err(wrong());
            }
            let secret = match &named.client_secret_file {
                Some(path) => {
                    let text = fs::read_to_string(dir.join(path));
                    let text = text.map_err(Error::io("read a provider's secret"))?;
                    Some(Zeroizing::new(Zeroizing::new(text).trim().to_owned()))
                }
                None => None,
            };
            if let Some(path) = &named.authority {
                let pem = fs::read(dir.join(path));
                out.authorities.push(pem.map_err(Error::io("read an authority's certificate"))?);
            }
            out.providers.push(Provider {
                key: named.key,
                name: named.name,
                issuer: named.issuer,
                client: named.client_id,
                secret,
                trusted: named.two_factor_acr,
            });
        }
        Ok(out)
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.providers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_safe_providers_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ProviderSettings::read(folder.path()).unwrap().is_empty());
        fs::write(folder.path().join("secret"), " s3cret\n").unwrap();
        let one = |key: &str, issuer: &str| {
            format!(
                "[[provider]]\nkey = \"{key}\"\nname = \"社内\"\nissuer = \"{issuer}\"\nclient_id = \"kiban\"\n"
            )
        };
        let read = |text: String| {
            fs::write(folder.path().join(FILE), text).unwrap();
            ProviderSettings::read(folder.path())
        };
        let good = one("corp", "https://idp.example.jp") + "client_secret_file = \"secret\"\n";
        let settings = read(good.clone()).unwrap();
        assert_eq!(settings.providers[0].secret.as_deref().map(String::as_str), Some("s3cret"));
        assert!(read(one("a", "http://127.0.0.1:9000") + &one("b", "https://b.jp")).is_ok());
        for bad in [
            one("corp", "http://idp.example.jp"),
            one("corp", "http://localhost.evil.jp"),
            one("Corp/..", "https://idp.example.jp"),
            one("a", "https://a.jp") + &one("a", "https://b.jp"),
            one("a", "https://a.jp") + &one("b", "https://a.jp"),
            good + "client_secret = \"in the open\"\n",
            "[[provider]]\nkey = \"a\"\n".to_owned(),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
