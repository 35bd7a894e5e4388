//! The proof sheet of a stop: what a person can be shown, signed by the producer.

use std::fmt::Write as _;

use kiban_audit::note::{self, NoteError, SigningKey};
use kiban_kernel::{Regime, Timestamp, jst_date};

use super::{Stop, StoreState};

/// The sheet as a signed note. It names no person: the receipt number is what the person holds.
pub(super) fn sign(
    stop: &Stop,
    stores: &[StoreState],
    closed_at: Timestamp,
    signer: &SigningKey,
) -> Result<String, NoteError> {
    let mut text = String::new();
    let regimes: Vec<&str> = Regime::ALL
        .into_iter()
        .filter(|r| stop.regimes.contains(*r))
        .map(Regime::label_ja)
        .collect();
    // Writing to a String does not fail.
    let _ = writeln!(text, "医療情報の提供停止 処理完了証");
    let _ = writeln!(text, "format: kiban.stop-proof/1");
    let _ = writeln!(text, "stop: {}", stop.id);
    let _ = writeln!(text, "holder: {}", stop.holder);
    let _ = writeln!(text, "受付番号: {}", plain(&stop.receipt_number));
    let _ = writeln!(text, "求めの日: {}", stop.requested_on);
    let _ = writeln!(text, "求めた者: {}", stop.requester.label_ja());
    let _ = writeln!(text, "対象: {}", regimes.join("、"));
    let _ = writeln!(text, "受領: {} ({})", jst_date(stop.received_at), stop.received_at);
    let _ = writeln!(text, "完了: {} ({closed_at})", jst_date(closed_at));
    let _ = writeln!(text, "保管先ごとの消去:");
    for store in stores {
        let counts: Vec<String> =
            store.ack.counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let counts = if counts.is_empty() { "保管なし".to_owned() } else { counts.join(", ") };
        let at = store.acknowledged_at.map(|t| t.to_string()).unwrap_or_default();
        let _ = writeln!(text, "- {}: {counts} ({at})", store.store);
    }
    let _ = writeln!(text, "今後この提供元から送られる同じ方の情報は受け入れません。");
    note::sign(&text, signer)
}

/// A note holds no control characters.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
