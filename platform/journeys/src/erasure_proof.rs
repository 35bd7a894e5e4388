//! What a proof of an erasure must say, whether a use ended or a dataset was recalled.

use crate::Error;

/// How the copies were erased.
pub(crate) fn method(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 1_000 {
        return Err(Error::Field {
            field: "method",
            ja: "消去の方法を1,000字以内で書いてください。",
        });
    }
    Ok(text)
}

/// Why a proof is sent back; one that is accepted needs no reason.
pub(crate) fn reason(accept: bool, text: &str) -> Result<&str, Error> {
    let text = text.trim();
    if !accept && text.is_empty() {
        return Err(Error::Field {
            field: "reason", ja: "差し戻す理由を書いてください。"
        });
    }
    Ok(text)
}
