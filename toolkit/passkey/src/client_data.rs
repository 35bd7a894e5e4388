//! What the browser says of the page that asked (section 5.8.1).

use serde::Deserialize;

use crate::{Refused, decode, origin::Origin};

#[derive(Deserialize)]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<String>,
}

/// Is it about our challenge, from our page?
pub(crate) fn check(
    bytes: &[u8],
    kind: &str,
    challenge: &[u8],
    origin: &Origin,
) -> Result<(), Refused> {
    // "UTF-8 decode" strips a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let data: ClientData =
        serde_json::from_slice(bytes).map_err(|_| Refused::Malformed("client data"))?;
    if data.r#type != kind {
        return Err(Refused::Type);
    }
    if decode(&data.challenge).is_none_or(|given| given != challenge) {
        return Err(Refused::Challenge);
    }
    if data.origin != origin.as_str() {
        return Err(Refused::Origin);
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(Refused::CrossOrigin);
    }
    Ok(())
}
