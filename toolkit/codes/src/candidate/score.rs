//! The score of one candidate: points of features that add up to it.

use std::borrow::Cow;

use super::{
    Domain, Facts, LocalItem, Shift, Verdict, compare,
    lexicon::lexicon,
    name::{Name, Strength},
    range,
};
use crate::{
    master::Entry,
    unit::{Conversion, Unit, factor_between},
};

/// What a feature of a candidate speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FeatureKind {
    /// Similarity of names.
    Name,
    /// Unit.
    Unit,
    /// Specimen.
    Specimen,
    /// Method.
    Method,
    /// Strength, or a time in the name.
    Strength,
    /// Reference range.
    Range,
    /// Distribution of values.
    Values,
    /// Share of results that are text.
    Texts,
}

/// One reason for or against a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// What it speaks of.
    pub kind: FeatureKind,
    /// Its points; the points of all features are the score.
    pub points: i32,
    /// The sentence shown to staff. Holds no value of a person.
    pub note: Cow<'static, str>,
}

/// Why a candidate may not be proposed as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Veto {
    /// The values fit after a factor: the stated unit is wrong. The candidate keeps its place.
    WrongUnit(Shift),
    /// The values cannot be this quantity. The candidate stands behind all others.
    Apart {
        /// Distance beyond chance and house differences, 0 to 1.
        distance: f64,
    },
}

/// An entry that a local item may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The code of the master.
    pub code: String,
    /// The name that the master shows.
    pub name: String,
    /// The sum of the points; 1,000 and more is as good as certain, below 300 hardly worth a look.
    pub score: i32,
    /// Reasons, in a fixed order.
    pub features: Vec<Feature>,
    /// Set where the distribution of values forbids it.
    pub veto: Option<Veto>,
    /// How values would be converted to the master's unit: the id of the rule.
    pub unit_rule: Option<String>,
}

/// A sentence, mostly a fixed one.
type Note = Cow<'static, str>;

/// Points of a name that is the same.
const NAME: f32 = 700.0;

/// A local item, read once.
pub(super) struct Local<'a> {
    item: &'a LocalItem,
    unit: Option<Unit>,
    specimen: Option<u16>,
    method: Option<u16>,
    strengths: Vec<Strength>,
    range: Option<range::Range>,
}

impl<'a> Local<'a> {
    pub(super) fn new(item: &'a LocalItem, names: &[Name], domain: Domain) -> Self {
        let (specimen, _) = super::facet(item.specimen.as_deref(), domain);
        let (_, method) = super::facet(item.method.as_deref(), domain);
        let mut strengths: Vec<Strength> = Vec::new();
        for strength in names.iter().flat_map(|n| &n.strengths) {
            if !strengths.contains(strength) {
                strengths.push(strength.clone());
            }
        }
        Self {
            item,
            unit: item.unit.as_deref().and_then(Unit::parse),
            specimen: specimen.or_else(|| names.iter().find_map(|n| n.specimen)),
            method: method.or_else(|| names.iter().find_map(|n| n.method)),
            strengths,
            range: item.range.as_deref().and_then(range::parse),
        }
    }
}

/// The note of the name's points, written for the candidates that are shown.
pub(super) fn explain_name(candidate: &mut Candidate) {
    for feature in candidate.features.iter_mut().filter(|f| f.kind == FeatureKind::Name) {
        let share = (feature.points as f32 / NAME * 100.0).round();
        feature.note = format!("名称の類似度 {share}％").into();
    }
}

pub(super) fn candidate(
    local: &Local<'_>,
    entry: &Entry,
    facts: &Facts,
    similarity: f32,
    domain: Domain,
) -> Candidate {
    let mut features = vec![Feature {
        kind: FeatureKind::Name,
        points: (NAME * similarity.min(1.0)).round() as i32,
        note: Cow::Borrowed(""),
    }];
    let mut add = |kind, points: i32, note: Note| features.push(Feature { kind, points, note });
    let mut unit_rule = None;
    // The master's unit, else that of a holder whose item is mapped to the entry.
    let wanted = entry
        .parsed_unit
        .as_ref()
        .or_else(|| facts.peers.iter().find_map(|peer| peer.unit.as_ref()));
    if domain == Domain::Laboratory {
        match (&local.unit, wanted) {
            (Some(a), Some(b)) => match factor_between(a, b, facts.analyte) {
                Some((_, rule)) => {
                    let (points, note) = match rule {
                        Conversion::Same => (100, "単位が同じ"),
                        Conversion::Factor => (80, "単位は倍率で換算できる"),
                        _ => (70, "単位は物質量などの規則で換算できる"),
                    };
                    add(FeatureKind::Unit, points, note.into());
                    unit_rule = Some(rule.id());
                }
                None => add(FeatureKind::Unit, -200, "単位の次元が異なる".into()),
            },
            (None, Some(_)) if local.item.unit.is_some() => {
                add(FeatureKind::Unit, -20, "院内の単位が単位表にない".into());
            }
            _ => {}
        }
        specimen(local, facts, &mut add);
        match (local.method, facts.method) {
            (Some(a), Some(b)) if a == b => add(FeatureKind::Method, 60, "測定法が同じ".into()),
            (Some(_), Some(_)) => add(FeatureKind::Method, -40, "測定法が異なる".into()),
            _ => {}
        }
    }
    if !local.strengths.is_empty() && !facts.strengths.is_empty() {
        let shared = local.strengths.iter().filter(|s| facts.strengths.contains(s)).count();
        let all = local.strengths.len() + facts.strengths.len() - shared;
        match shared {
            0 => add(FeatureKind::Strength, -150, "規格（量・時間）が異なる".into()),
            _ => add(
                FeatureKind::Strength,
                (90 * shared / all) as i32,
                "規格（量・時間）が合う".into(),
            ),
        }
    }
    ranges(local, facts, &mut add);
    let veto = values(local, facts, &mut add);
    Candidate {
        code: entry.code.clone(),
        name: entry.names[0].clone(),
        score: features.iter().map(|f| f.points).sum(),
        features,
        veto,
        unit_rule,
    }
}

fn specimen(local: &Local<'_>, facts: &Facts, add: &mut impl FnMut(FeatureKind, i32, Note)) {
    let lexicon = lexicon(Domain::Laboratory);
    let blood = |at| lexicon.specimen("serum").is_some_and(|serum| lexicon.both_blood(at, serum));
    match (local.specimen, facts.specimen) {
        (Some(a), Some(b)) if a == b => add(FeatureKind::Specimen, 80, "材料が同じ".into()),
        (Some(a), Some(b)) if lexicon.both_blood(a, b) => {
            add(FeatureKind::Specimen, 30, "材料はいずれも血液".into());
        }
        (Some(_), Some(_)) => add(FeatureKind::Specimen, -200, "材料が異なる".into()),
        (None, Some(b)) if blood(b) => {
            add(FeatureKind::Specimen, 20, "院内の材料は不明（血液とみなした）".into());
        }
        (None, Some(_)) => add(FeatureKind::Specimen, -20, "院内の材料は不明".into()),
        _ => {}
    }
}

fn factor(local: Option<&Unit>, peer: Option<&Unit>, facts: &Facts) -> Option<f64> {
    match (local, peer) {
        (Some(a), Some(b)) => factor_between(a, b, facts.analyte).map(|(f, _)| f.to_f64()),
        _ => Some(1.0),
    }
}

fn ranges(local: &Local<'_>, facts: &Facts, add: &mut impl FnMut(FeatureKind, i32, Note)) {
    let Some(here) = local.range else { return };
    let best = facts
        .peers
        .iter()
        .filter_map(|peer| {
            let factor = factor(local.unit.as_ref(), peer.unit.as_ref(), facts)?;
            range::agreement(here, factor, peer.range?)
        })
        .max_by(f64::total_cmp);
    match best {
        Some(share) if share >= 0.8 => {
            add(FeatureKind::Range, 40, "基準範囲が他の提供元と合う".into());
        }
        Some(share) if share < 0.4 => {
            add(FeatureKind::Range, -40, "基準範囲が他の提供元と異なる".into());
        }
        _ => {}
    }
}

/// The nearest of the holders decides; a veto needs every holder that has enough values.
fn values(
    local: &Local<'_>,
    facts: &Facts,
    add: &mut impl FnMut(FeatureKind, i32, Note),
) -> Option<Veto> {
    let here = local.item.values.as_ref()?;
    let peers = || {
        facts.peers.iter().filter_map(|peer| peer.values.as_ref().map(|v| (v, peer.unit.as_ref())))
    };
    if let Some(nearest) = peers()
        .map(|(values, _)| (values.text_share() - here.text_share()).abs())
        .min_by(f64::total_cmp)
        && nearest > 0.5
    {
        add(FeatureKind::Texts, -150, "数値と文字の結果の割合が他の提供元と異なる".into());
    }
    let mut near: Option<f64> = None;
    let mut wrong: Option<Shift> = None;
    let mut apart: Option<f64> = None;
    for (values, unit) in peers() {
        match compare(here, local.unit.as_ref(), values, unit, facts.analyte) {
            Verdict::Silent => {}
            Verdict::Near { distance } => near = Some(near.map_or(distance, |d| d.min(distance))),
            Verdict::WrongUnit(shift) => {
                if wrong.as_ref().is_none_or(|known| shift.distance < known.distance) {
                    wrong = Some(shift);
                }
            }
            Verdict::Apart { distance } => {
                apart = Some(apart.map_or(distance, |d| d.min(distance)));
            }
        }
    }
    if let Some(distance) = near {
        let points = (150.0 - 350.0 * distance).round() as i32;
        let note =
            if points >= 0 { "値の分布が近い" } else { "値の分布がやや異なる" };
        add(FeatureKind::Values, points, note.into());
        return None;
    }
    if let Some(shift) = wrong {
        let note = format!(
            "値の分布は{}倍すると合う（{}）。単位の誤りの疑い",
            significant(shift.factor),
            if shift.rule == "power-of-ten" { "桁違い" } else { "質量と物質量" }
        );
        add(FeatureKind::Values, 0, note.into());
        return Some(Veto::WrongUnit(shift));
    }
    apart.map(|distance| {
        add(FeatureKind::Values, -400, "値の分布が異なり、同じ検査とは考えにくい".into());
        Veto::Apart { distance }
    })
}

/// Four significant digits, for a note.
fn significant(factor: f64) -> String {
    let places = (3 - factor.abs().log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{factor:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
