//! The bench in words, for terminals and pages alike.

use std::collections::BTreeMap;

use kiban_codes::{
    candidate::{Candidate, Verdict, Veto},
    mapping::Standing,
};
use kiban_kernel::jst_date;

use super::{By, Effect, Mapping};

/// Where a mapping stands, and since which day.
pub fn standing_ja(of: &Mapping) -> String {
    let day = |by: &By| jst_date(by.at).to_string();
    match &of.standing {
        Standing::Proposed { proposed } => format!("提案（{}）", day(proposed)),
        Standing::Signed { signed, .. } => format!("承認済み（{}）", day(signed)),
        Standing::Refused { refused, .. } => format!("却下（{}）", day(refused)),
        Standing::Withdrawn { withdrawn, .. } => format!("取下げ（{}）", day(withdrawn)),
        Standing::Replaced { by, .. } => format!("{} に置換え", by.0),
    }
}

/// Why a candidate should not be taken as it is.
pub fn caution_ja(candidate: &Candidate) -> Option<String> {
    Some(match candidate.veto.as_ref()? {
        Veto::WrongUnit(shift) => format!(
            "値を {} 倍すると他の提供元の分布と合います（{}）。単位の表示が誤っている可能性があります。",
            shift.factor, shift.rule
        ),
        Veto::Apart { .. } => "値の分布が、この項目ではありえないほど離れています。".to_owned(),
    })
}

/// What a mapping changes, a sentence each; `names` are those of organizations by id.
pub fn effect_ja(effect: &Effect, names: &BTreeMap<String, String>) -> Vec<String> {
    let p = &effect.preview;
    let what = match &effect.mapping.standing {
        Standing::Proposed { .. } => "承認すると",
        Standing::Signed { .. } => "取り下げると",
        _ => "この対応付けは終わっているため、変わる行は",
    };
    let mut out = vec![format!(
        "{what} {} 行、{} 人分が変わります（新たに標準コードが付く {}、失う {}、別のコードになる {}、換算だけが変わる {}）。",
        p.rows, p.persons_least, p.mapped, p.unmapped, p.recoded, p.reunited
    )];
    let name = |id: String| names.get(&id).cloned().unwrap_or(id);
    for own in &effect.own {
        let (Some(raw), Some(converted)) = (&own.raw, &own.converted) else { continue };
        out.push(format!(
            "{}：中央値 {}（元の値）→ {}（換算後）、{} 件",
            name(own.holder.to_string()),
            raw.median(),
            converted.median(),
            raw.count()
        ));
    }
    for (peer, verdict) in effect.peers.iter().zip(&effect.verdicts) {
        let Some(converted) = &peer.converted else { continue };
        out.push(format!(
            "  {}：中央値 {}、{} 件：{}",
            name(peer.holder.to_string()),
            converted.median(),
            converted.count(),
            verdict_ja(verdict)
        ));
    }
    out
}

fn verdict_ja(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Silent => "件数が少ないため比べられません".to_owned(),
        Verdict::Near { .. } => "分布は重なります".to_owned(),
        Verdict::WrongUnit(shift) => {
            format!("{} 倍すると重なります（{}）。単位を確かめてください", shift.factor, shift.rule)
        }
        Verdict::Apart { .. } => "分布が離れています。対応付けを確かめてください".to_owned(),
    }
}
