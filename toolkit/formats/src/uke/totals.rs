//! Totals of a claims file (`GO`) against its claims.

use super::Form;
use crate::{
    decimal::whole,
    layout::Role,
    record::{Issue, Parsed, Record},
    row_view::{Cells, at_line, cell, cut},
};

/// Claims and points of a file, counted and declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Claims read, rejected ones too.
    pub claims: u64,
    /// Sum of their total points, of the insurer, else of the first public programme.
    pub points: i64,
    /// Claims whose total points could not be read, rejected ones among them.
    pub without_points: u64,
    declared: Option<(u64, Option<i64>, Option<i64>)>,
}

impl Totals {
    /// Counts a claim.
    pub fn add(&mut self, parsed: &Parsed<'_>) {
        self.claims += 1;
        let points = parsed.records.iter().find_map(|r| match r {
            Record::Claim(claim) => claim.points.and_then(|p| whole(p.as_bytes())),
            _ => None,
        });
        match points {
            Some(points) => self.points = self.points.saturating_add(points),
            None => self.without_points += 1,
        }
    }
    /// Takes the totals of a `GO` record; several (a file of volumes) add up.
    pub fn declare(&mut self, go_line: &[u8], line: u64) {
        let stop = memchr::memchr2(b'\r', b'\n', go_line).unwrap_or(go_line.len());
        let mut cells = Cells::default();
        let go_line = &go_line[..stop];
        cut(go_line, b',', &mut cells);
        let Some(layout) = Form::Medical.layout("GO") else { return };
        if cell(go_line, &cells, 0) != b"GO" {
            return;
        }
        let number = |role| whole(layout.at(role).map_or(&[], |at| cell(go_line, &cells, at)));
        let (claims, points) = (number(Role::TotalClaims), number(Role::TotalPoints));
        let add = |a: Option<i64>, b: Option<i64>| Some(a?.saturating_add(b?));
        self.declared = Some(match self.declared {
            None => (line, claims, points),
            Some((_, c, p)) => (line, add(c, claims), add(p, points)),
        });
    }
    /// What the `GO` records declare: claims and points.
    pub fn declared(&self) -> Option<(i64, i64)> {
        let (_, claims, points) = self.declared?;
        Some((claims?, points?))
    }
    /// Defects of the file as a whole; to be asked after its last segment.
    pub fn issues(&self) -> Vec<Issue<'static>> {
        let mut issues = Vec::new();
        let Some((line, claims, points)) = self.declared else { return issues };
        if claims.is_none() || points.is_none() {
            issues.push(Issue::new("uke.totals-unreadable", at_line(line)));
        }
        if claims.is_some_and(|c| u64::try_from(c) != Ok(self.claims)) {
            issues.push(Issue::new("uke.claims-differ", at_line(line)));
        }
        // A rejected claim has no points to add: the sum says nothing then.
        if self.without_points == 0 && points.is_some_and(|p| p != self.points) {
            issues.push(Issue::new("uke.points-differ", at_line(line)));
        }
        issues
    }
}
