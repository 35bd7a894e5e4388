//! The statutory books of a fiscal year, counted from the event log; nothing in them is typed by hand.

use std::collections::BTreeMap;

use kiban_audit::StoredEvent;
use kiban_govern::{Actor, Employer, Role};
use kiban_kernel::{Date, jst_date};

use crate::{Deployment, Error};

/// A line of the books: which event it counts.
#[derive(Debug, Clone, Copy)]
pub struct BookLine {
    /// Kind of event.
    pub kind: &'static str,
    /// What the line is called.
    pub ja: &'static str,
    /// A number of the event's body that is added up, with its name; empty if there is none.
    pub sum: (&'static str, &'static str),
}

/// The lines, in the order of the books.
pub const BOOK_LINES: [BookLine; 17] = [
    line("delivery.received", "医療情報の受領", ("accepted_persons", "受け入れた人（延べ）")),
    line("stop.received", "提供停止の求めの受理", ("", "")),
    line("stop.closed", "提供停止の完了", ("", "")),
    line("notice.unnotified_ordered", "有効な通知を欠く情報の消去の決定", ("cases", "人")),
    line("erasure.closed", "有効な通知を欠く情報の消去の完了", ("", "")),
    line("application.submitted", "利用申請の受付", ("", "")),
    line("committee.advised", "審査委員会の意見", ("", "")),
    line("application.decided", "提供の可否の決定", ("", "")),
    line("contract.signed", "利用契約の締結", ("", "")),
    line("dataset.produced", "加工", ("persons", "データセットの人（延べ）")),
    line("release.approved", "提供の承認", ("", "")),
    line("dataset.delivered", "提供", ("", "")),
    line("package.fetched", "提供データの受取り", ("", "")),
    line("dataset.recalled", "提供データの回収", ("copies", "写し")),
    line("dataset.erased", "提供データの消去", ("", "")),
    line("identified.opened", "顕名情報の閲覧", ("", "")),
    line("dataset.rebuilt", "再作成", ("", "")),
];

const fn line(kind: &'static str, ja: &'static str, sum: (&'static str, &'static str)) -> BookLine {
    BookLine { kind, ja, sum }
}

/// The events of one fiscal year, by line.
#[derive(Debug, Clone)]
pub struct Books {
    /// The fiscal year: from 1 April.
    pub year: i16,
    /// Years of which there are events.
    pub years: Vec<i16>,
    /// Each line with its events, oldest first.
    pub lines: Vec<(BookLine, Vec<StoredEvent>)>,
}

/// The fiscal year of a day.
pub fn fiscal_year(date: Date) -> i16 {
    if date.month() >= 4 { date.year() } else { date.year() - 1 }
}

const READERS: [Role; 3] = [Role::Auditor, Role::SecurityOfficer, Role::GeneralManager];

/// The books of a fiscal year; of this one if none is named.
///
/// # Errors
/// The actor may not read them, or the log cannot be read.
/// # Law
/// `books`
pub async fn books(on: &Deployment, actor: &Actor, year: Option<i16>) -> Result<Books, Error> {
    let reader = actor.employer == Employer::Producer && READERS.iter().any(|r| actor.has(*r));
    if !reader {
        return Err(Error::Unknown { what: "帳簿" });
    }
    const PAGE: u64 = 1_000;
    let year = year.unwrap_or_else(|| fiscal_year(on.today()));
    let mut by_kind: BTreeMap<&str, Vec<StoredEvent>> = BTreeMap::new();
    let mut years = Vec::new();
    let size = on.log.size().await?;
    let mut from = 0;
    while from < size {
        let to = (from + PAGE).min(size);
        for event in on.log.events(from, to).await? {
            let of = fiscal_year(jst_date(event.at));
            if !years.contains(&of) {
                years.push(of);
            }
            let line = BOOK_LINES.iter().find(|line| line.kind == event.kind);
            if let Some(line) = line.filter(|_| of == year) {
                by_kind.entry(line.kind).or_default().push(event);
            }
        }
        from = to;
    }
    years.sort_unstable();
    let lines = BOOK_LINES
        .iter()
        .map(|line| (*line, by_kind.remove(line.kind).unwrap_or_default()))
        .collect();
    Ok(Books { year, years, lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fiscal_year_begins_in_april() {
        assert_eq!(fiscal_year(Date::constant(2026, 3, 31)), 2025);
        assert_eq!(fiscal_year(Date::constant(2026, 4, 1)), 2026);
    }
}
