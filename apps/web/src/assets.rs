//! Files that pages need, part of the binary: tokens of the Digital Agency Design System, our styles, licences.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

const TOKENS: &str = include_str!("../assets/tokens.css");
const SITE: &str = include_str!("../assets/site.css");
const LICENCE: &str = include_str!("../assets/licences/design-tokens-LICENSE.txt");
/// Passkeys cannot be used without a script.
const PASSKEY: &str = include_str!("../assets/passkey.js");
/// Keeps what is being written.
const DRAFT: &str = include_str!("../assets/draft.js");
/// Fetches parts of pages (htmx 4.0.1, 0BSD, as published on the npm registry).
const HTMX: &str = include_str!("../assets/htmx.min.js");
const HTMX_LICENCE: &str = include_str!("../assets/licences/htmx-LICENSE.txt");
const ICON: &str = include_str!("../assets/icon.svg");

/// Version in the addresses of assets: a new binary is not mixed with old styles.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// An asset by its name.
pub(crate) fn asset(name: &str) -> Response {
    let (kind, body) = match name {
        "tokens.css" => ("text/css; charset=utf-8", TOKENS),
        "site.css" => ("text/css; charset=utf-8", SITE),
        "passkey.js" => ("text/javascript; charset=utf-8", PASSKEY),
        "draft.js" => ("text/javascript; charset=utf-8", DRAFT),
        "htmx.min.js" => ("text/javascript; charset=utf-8", HTMX),
        "htmx-LICENSE.txt" => ("text/plain; charset=utf-8", HTMX_LICENCE),
        "icon.svg" => ("image/svg+xml", ICON),
        "design-tokens-LICENSE.txt" => ("text/plain; charset=utf-8", LICENCE),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_vendored_is_what_was_published() {
        let digest = kiban_kernel::Digest::of(HTMX.as_bytes()).to_string();
        let published = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130";
        assert!(digest.ends_with(published), "{digest}");
        assert!(HTMX.contains("\"4.0.1\"") && HTMX_LICENCE.contains("Zero-Clause BSD"));
    }
}
