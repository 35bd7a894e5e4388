//! Which of several reasons a refusal is counted under.

use kiban_govern::gate::Reason;
use kiban_kernel::Regime;
use kiban_register::PersonGate;

/// Reason counted for a segment about a person in which nothing is read that could be listed in a notice.
const NOTHING_READ: &str = "nothing_read";

/// The sentence of a reason code that a delivery's counts hold.
pub fn reason_ja(code: &str) -> &'static str {
    if code == NOTHING_READ {
        return "読み取れる項目がなく、通知文書に記載の項目か判断できないため、保管していません。";
    }
    Reason::ja_of_code(code).unwrap_or("理由の説明がありません。")
}

/// The reason that says most about a refusal: of the item if the person passes, of the regime that is
/// nearest to passing otherwise.
pub(crate) fn refusal(gate: &PersonGate, table: Option<&str>) -> &'static str {
    let Some(table) = table else {
        return if gate.bases().is_empty() {
            nearest(|r| gate.reason(r).map(|r| r.code()))
        } else {
            NOTHING_READ
        };
    };
    let decision = gate.decide(table);
    nearest(|r| decision.reason(r).map(|r| r.code()))
}

fn nearest(code: impl Fn(Regime) -> Option<&'static str>) -> &'static str {
    const FAR: [&str; 4] = ["regime_not_in_force", "no_filing", "not_notified", "filing_ended"];
    let codes = Regime::ALL.map(|r| code(r).unwrap_or(NOTHING_READ));
    if FAR.contains(&codes[0]) && !FAR.contains(&codes[1]) { codes[1] } else { codes[0] }
}
