//! `PPR-01`: diagnoses and problems, one record per `PRB`.

use super::{Reading, Segment, position, practitioner};
use crate::{
    arena::Arena,
    record::{ConditionRecord, Text},
};

pub(super) fn read(r: &mut Reading<'_, '_>) {
    let arena = r.arena;
    let message = r.message;
    let mut open: Option<ConditionRecord<'_>> = None;
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
                let problem = problem(&segment, number, arena);
                if problem.code.is_none() && problem.icd10.is_none() && problem.text.is_none() {
                    r.out.note_issue("ssmix2.no-code", position("PRB", number));
                }
                open = Some(problem);
            }
            "ZPR" => {
                if let Some(problem) = open.as_mut()
                    && suspected(&segment)
                {
                    problem.certainty = Some("suspected");
                }
            }
            "ORC" => {
                if let Some(problem) = open.as_mut() {
                    problem.practitioner = practitioner(&segment, 12, arena);
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

fn close<'a>(r: &mut Reading<'_, 'a>, problem: Option<ConditionRecord<'a>>) {
    let arena = r.arena;
    if let Some(mut problem) = problem {
        problem.action = r.status(problem.action);
        r.out.records.push(arena.record(problem));
    }
}

fn problem<'a>(prb: &Segment<'_>, number: usize, arena: &'a Arena) -> ConditionRecord<'a> {
    let icd = prb.get(10, 3);
    let is_icd = icd.as_deref().is_none_or(|system| system.to_ascii_uppercase().starts_with('I'));
    let icd10: Text<'_> = prb
        .get(10, 1)
        .filter(|_| is_icd)
        .map(|code| arena.text(&code.replace('.', "").to_ascii_uppercase()));
    let certainty = prb.get(13, 1).map(|c| match c.as_ref() {
        "1" | "疑い" | "疑" => "suspected",
        other => arena.text(other),
    });
    ConditionRecord {
        position: arena.text(&position("PRB", number)).into(),
        code: prb.own(3, 1, arena),
        code_system: prb.own(3, 3, arena),
        text: prb.own(3, 2, arena).or_else(|| prb.own(17, 1, arena)),
        icd10,
        role: prb.own(18, 1, arena).or_else(|| prb.own(10, 4, arena)),
        certainty,
        action: prb.own(1, 1, arena),
        onset_on: prb.own(16, 1, arena),
        recorded_at: prb.own(2, 1, arena),
        resolved_on: prb.own(9, 1, arena),
        outcome: prb.own(14, 1, arena),
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
