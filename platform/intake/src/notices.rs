//! The holder's two lists: who was notified (`notices.csv`) and who asked to stop (`stops.csv`).
//!
//! Both are CSV with a header, UTF-8 (with or without BOM); ids and codes are ASCII, so a list written in
//! CP932 reads the same unless a free column holds Japanese.

mod list;

use std::{borrow::Cow, fmt::Write as _};

use kiban_kernel::{Bases, Date, PartialDate, Regime, parse_date, parse_partial};

use self::list::Packing;
pub use self::list::{Notices, Told};

/// One notice to one person under one regime.
#[derive(Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// The holder's key of the person.
    pub local_id: String,
    /// Regime.
    pub regime: Regime,
    /// Version of the holder's notice.
    pub notice_version: String,
    /// Day of the notice.
    pub notified_on: Date,
    /// How it was given.
    pub channel: String,
    /// Was a guardian notified?
    pub guardian: bool,
    /// Day of death, if the holder knows it.
    pub died_on: Option<PartialDate>,
    /// Day on which its letter came back: it then counts for nothing. Not in the list itself; `returned.csv` says so.
    pub returned_on: Option<Date>,
}

impl std::fmt::Debug for NoticeRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NoticeRow({})", self.regime)
    }
}

/// One stop request received by the holder.
#[derive(Clone, PartialEq, Eq)]
pub struct StopRow {
    /// The holder's key of the person.
    pub local_id: String,
    /// Regimes it names.
    pub regimes: Bases,
    /// Day of the request.
    pub requested_on: Date,
    /// Number of the receipt the holder gave.
    pub receipt_no: String,
}

impl std::fmt::Debug for StopRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StopRow({:?})", self.regimes)
    }
}

/// A list that cannot be read; nothing is sent on the strength of half a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}")]
pub struct ListError {
    /// Line, from 1 (the header); 0 if the list as a whole is unreadable.
    pub line: u64,
    /// Name of the column, empty for the line as a whole.
    pub column: &'static str,
}

pub(crate) struct Table<'a> {
    rows: csv::Reader<&'a [u8]>,
    columns: Vec<(&'static str, usize)>,
}

pub(crate) fn open<'a>(
    bytes: &'a [u8],
    needed: &[&'static str],
    optional: &[&'static str],
) -> Result<Table<'a>, ListError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rows = csv::ReaderBuilder::new().flexible(false).from_reader(bytes);
    let header = rows.byte_headers().map_err(|_| ListError { line: 1, column: "" })?.clone();
    let mut columns = Vec::new();
    for name in needed.iter().chain(optional) {
        match header.iter().position(|h| h.trim_ascii() == name.as_bytes()) {
            Some(at) => columns.push((*name, at)),
            None if needed.contains(name) => return Err(ListError { line: 1, column: name }),
            None => {}
        }
    }
    Ok(Table { rows, columns })
}

pub(crate) struct Row<'a> {
    record: &'a csv::ByteRecord,
    columns: &'a [(&'static str, usize)],
    line: u64,
}

impl Row<'_> {
    pub(crate) fn text(&self, column: &'static str) -> Result<Cow<'_, str>, ListError> {
        let at = self.columns.iter().find(|(n, _)| *n == column).map(|(_, at)| *at);
        let bytes = at.and_then(|at| self.record.get(at)).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| self.error(column))?;
        Ok(Cow::Borrowed(text.trim()))
    }
    fn id(&self) -> Result<String, ListError> {
        let id = self.text("local_id")?;
        if id.is_empty() { Err(self.error("local_id")) } else { Ok(id.into_owned()) }
    }
    pub(crate) fn error(&self, column: &'static str) -> ListError {
        ListError { line: self.line, column }
    }
}

pub(crate) fn each(
    mut table: Table<'_>,
    mut f: impl FnMut(&Row<'_>) -> Result<(), ListError>,
) -> Result<(), ListError> {
    let mut record = csv::ByteRecord::new();
    let mut line = 1;
    loop {
        line += 1;
        match table.rows.read_byte_record(&mut record) {
            Ok(true) => {
                f(&Row { record: &record, columns: &table.columns, line })?;
            }
            Ok(false) => return Ok(()),
            Err(_) => return Err(ListError { line, column: "" }),
        }
    }
}

const NOTICE_COLUMNS: [&str; 6] =
    ["local_id", "regime", "notice_version", "notified_on", "channel", "guardian"];

/// Reads `notices.csv`.
///
/// # Errors
/// The first line and column that cannot be read.
pub fn parse_notices(bytes: &[u8]) -> Result<Vec<NoticeRow>, ListError> {
    let mut out = Vec::with_capacity(memchr::memchr_iter(b'\n', bytes).count());
    each_notice(bytes, |row| out.push(row))?;
    Ok(out)
}

/// As [`parse_notices`], packed.
///
/// # Errors
/// As [`parse_notices`].
pub fn pack_notices(bytes: &[u8]) -> Result<Notices, ListError> {
    let mut packing = Packing::default();
    each_notice(bytes, |row| packing.push(row))?;
    Ok(packing.finish())
}

fn each_notice(bytes: &[u8], mut take: impl FnMut(NoticeRow)) -> Result<(), ListError> {
    each(open(bytes, &NOTICE_COLUMNS, &["died_on"])?, |row| {
        let died = row.text("died_on")?;
        take(NoticeRow {
            local_id: row.id()?,
            regime: row.text("regime")?.parse().map_err(|_| row.error("regime"))?,
            notice_version: row.text("notice_version")?.into_owned(),
            notified_on: parse_date(&row.text("notified_on")?)
                .map_err(|_| row.error("notified_on"))?,
            channel: row.text("channel")?.into_owned(),
            guardian: match &*row.text("guardian")? {
                "1" | "true" => true,
                "" | "0" | "false" => false,
                _ => return Err(row.error("guardian")),
            },
            died_on: match &*died {
                "" => None,
                text => Some(parse_partial(text).map_err(|_| row.error("died_on"))?),
            },
            returned_on: None,
        });
        Ok(())
    })
}

/// Reads `stops.csv`. A stop that names no regime is taken for both.
///
/// # Errors
/// The first line and column that cannot be read.
pub fn parse_stops(bytes: &[u8]) -> Result<Vec<StopRow>, ListError> {
    let mut out = Vec::new();
    each(open(bytes, &["local_id", "regimes", "requested_on"], &["receipt_no"])?, |row| {
        let regimes = row.text("regimes")?;
        let regimes: Bases = if regimes.is_empty() {
            Bases::BOTH
        } else {
            let parsed: Result<Bases, _> =
                regimes.split([';', ' ', '+']).map(|r| r.trim().parse::<Regime>()).collect();
            parsed.map_err(|_| row.error("regimes"))?
        };
        out.push(StopRow {
            local_id: row.id()?,
            regimes,
            requested_on: parse_date(&row.text("requested_on")?)
                .map_err(|_| row.error("requested_on"))?,
            receipt_no: row.text("receipt_no")?.into_owned(),
        });
        Ok(())
    })?;
    Ok(out)
}

/// A letter that came back to the holder.
#[derive(Clone, PartialEq, Eq)]
pub struct ReturnedRow {
    /// The holder's key of the person.
    pub local_id: String,
    /// Version of the notice it carried.
    pub notice_version: String,
    /// Day of the notice.
    pub notified_on: Date,
    /// Day on which it came back.
    pub returned_on: Date,
}

impl std::fmt::Debug for ReturnedRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReturnedRow({})", self.returned_on)
    }
}

const RETURNED_COLUMNS: [&str; 4] = ["local_id", "notice_version", "notified_on", "returned_on"];

/// Reads `returned.csv`.
///
/// # Errors
/// The first line and column that cannot be read; a letter that came back before it was sent.
pub fn parse_returned(bytes: &[u8]) -> Result<Vec<ReturnedRow>, ListError> {
    let mut out = Vec::new();
    each(open(bytes, &RETURNED_COLUMNS, &[])?, |row| {
        let date = |column| parse_date(&row.text(column)?).map_err(|_| row.error(column));
        let (notified_on, returned_on) = (date("notified_on")?, date("returned_on")?);
        if returned_on < notified_on {
            return Err(row.error("returned_on"));
        }
        out.push(ReturnedRow {
            local_id: row.id()?,
            notice_version: row.text("notice_version")?.into_owned(),
            notified_on,
            returned_on,
        });
        Ok(())
    })?;
    Ok(out)
}

/// Writes `returned.csv`.
pub fn write_returned<'a>(rows: impl IntoIterator<Item = &'a ReturnedRow>) -> String {
    let mut out = format!("{}\n", RETURNED_COLUMNS.join(","));
    for row in rows {
        let _ = writeln!(
            out,
            "{},{},{},{}",
            field(&row.local_id),
            field(&row.notice_version),
            row.notified_on,
            row.returned_on,
        );
    }
    out
}

/// Marks the notices whose letters came back: under whichever regime the sheet carried.
pub fn mark_returned(notices: &mut [NoticeRow], returned: &[ReturnedRow]) {
    use std::collections::HashMap;
    let mut days: HashMap<(&str, &str, Date), Date> = HashMap::new();
    for r in returned {
        days.insert((&r.local_id, &r.notice_version, r.notified_on), r.returned_on);
    }
    for n in notices {
        let key = (n.local_id.as_str(), n.notice_version.as_str(), n.notified_on);
        n.returned_on = days.get(&key).copied();
    }
}

/// Writes `notices.csv` as it travels in a bundle.
pub fn write_notices<'a>(rows: impl IntoIterator<Item = &'a NoticeRow>) -> String {
    let mut out = format!("{},died_on\n", NOTICE_COLUMNS.join(","));
    for row in rows {
        let died = row.died_on.map(|d| d.to_string()).unwrap_or_default();
        let _ = writeln!(
            out,
            "{},{},{},{},{},{},{died}",
            field(&row.local_id),
            row.regime,
            field(&row.notice_version),
            row.notified_on,
            field(&row.channel),
            u8::from(row.guardian),
        );
    }
    out
}

/// A CSV field, quoted where needed.
pub fn field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_round_trip_and_name_what_they_cannot_read() {
        let text = "\u{feff}local_id,regime,notice_version,notified_on,channel,guardian,died_on\r\n\
                    001,anon52,v1,2024-04-01,counter,0,\r\n\"a,b\",pseudo57,v2,2024/4/2,post,1,2024-05\r\n";
        let rows = parse_notices(text.as_bytes()).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].died_on.unwrap().to_string(), "2024-05");
        assert_eq!(parse_notices(write_notices(&rows).as_bytes()).unwrap(), rows);
        let bad = text.replace("2024/4/2", "soon");
        assert_eq!(
            parse_notices(bad.as_bytes()),
            Err(ListError { line: 3, column: "notified_on" })
        );
        assert_eq!(parse_notices(b"local_id\n"), Err(ListError { line: 1, column: "regime" }));
        let stops = parse_stops(b"local_id,regimes,requested_on,receipt_no\n1,anon52;pseudo57,2024-05-01,R1\n2,,2024-05-01,\n").unwrap();
        assert!(stops.iter().all(|s| s.regimes == Bases::BOTH));
        assert!(parse_stops(b"local_id,regimes,requested_on\n1,all,2024-05-01\n").is_err());
    }
}
