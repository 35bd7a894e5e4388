//! `PPR-01`: diagnoses and problems, one record per `PRB`.

use std::borrow::Cow;

use super::{Reading, Segment, position, practitioner};
use crate::record::{ConditionRecord, Text};

pub(super) fn read(r: &mut Reading<'_>) {
    let message = r.message;
    let mut open: Option<ConditionRecord<'static>> = None;
    let mut number = 0;
    for (_, segment) in message.segments() {
        match segment.name() {
            "PRB" => {
                number += 1;
                close(r, open.take());
                if segment.is_empty() {
                    r.out.note_issue("ssmix2.empty-segment", position("PRB", number));
                    continue;
                }
                let problem = problem(&segment, number);
                if problem.code.is_none() && problem.icd10.is_none() && problem.text.is_none() {
                    r.out.note_issue("ssmix2.no-code", position("PRB", number));
                }
                open = Some(problem);
            }
            "ZPR" => {
                if let Some(problem) = open.as_mut()
                    && suspected(&segment)
                {
                    problem.certainty = Some(Cow::Borrowed("suspected"));
                }
            }
            "ORC" => {
                if let Some(problem) = open.as_mut() {
                    problem.practitioner = practitioner(&segment, 12);
                }
            }
            _ => {}
        }
    }
    close(r, open);
    if number == 0 {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}

fn close(r: &mut Reading<'_>, problem: Option<ConditionRecord<'static>>) {
    if let Some(mut problem) = problem {
        problem.action = r.status(problem.action);
        r.out.records.push(problem.into());
    }
}

fn problem(prb: &Segment<'_>, number: usize) -> ConditionRecord<'static> {
    let icd = prb.get(10, 3);
    let is_icd = icd.as_deref().is_none_or(|system| system.to_ascii_uppercase().starts_with('I'));
    let icd10: Text<'static> = prb
        .get(10, 1)
        .filter(|_| is_icd)
        .map(|code| Cow::Owned(code.replace('.', "").to_ascii_uppercase()));
    let certainty = prb.get(13, 1).map(|c| match c.as_ref() {
        "1" | "疑い" | "疑" => Cow::Borrowed("suspected"),
        _ => Cow::Owned(c.into_owned()),
    });
    ConditionRecord {
        position: position("PRB", number).into(),
        code: prb.own(3, 1),
        code_system: prb.own(3, 3),
        text: prb.own(3, 2).or_else(|| prb.own(17, 1)),
        icd10,
        role: prb.own(18, 1).or_else(|| prb.own(10, 4)),
        certainty,
        action: prb.own(1, 1),
        onset_on: prb.own(16, 1),
        recorded_at: prb.own(2, 1),
        resolved_on: prb.own(9, 1),
        outcome: prb.own(14, 1),
        encounter_key: None,
        practitioner: None,
    }
}

/// Is the suffix modifier 「の疑い」 (8002) in `ZPR-3`?
fn suspected(zpr: &Segment<'_>) -> bool {
    zpr.field(3).repetitions().any(|suffix| {
        (1..=6).filter_map(|c| suffix.component(c)).any(|v| v == "8002" || v.contains("疑い"))
    })
}
