//! Notices to persons: facts of a delivery, and rows of the lake table `person_notice`.

use std::{fmt, sync::Arc};

use arrow::array::{BooleanBuilder, Date32Builder};
use kiban_kernel::{Date, Id, PartialDate, Regime, kinds};
use kiban_lake::{Columns, LakeError, Repeated, Values};

/// A notice to one person under one regime, as the holder reports it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PersonNotice {
    /// Under which regime.
    pub regime: Regime,
    /// Version of the holder's notice.
    pub version: String,
    /// Day of the notice.
    pub notified_on: Date,
    /// How it was given.
    pub channel: String,
    /// Was a guardian notified too?
    pub guardian: bool,
}

/// Days since 1970-01-01, as Arrow counts them.
pub(crate) fn days(date: Date) -> i32 {
    let epoch = Date::constant(1970, 1, 1);
    // jiff: between two civil dates there is always a number of days
    date.since(epoch).map_or(0, |span| span.get_days())
}

/// The civil date that is `days` after 1970-01-01, as Arrow counts them; `None` beyond the calendar.
pub fn date_of(days: i32) -> Option<Date> {
    use std::time::Duration;
    let epoch = Date::constant(1970, 1, 1);
    let span = Duration::from_secs(u64::from(days.unsigned_abs()) * 86_400);
    if days < 0 { epoch.checked_sub(span).ok() } else { epoch.checked_add(span).ok() }
}

/// A column of what is shown as text, and what its last row shows: who says the same again is not asked for the text.
#[derive(Debug)]
struct Shown<T>(Repeated, Option<(T, String)>);

impl<T> Default for Shown<T> {
    fn default() -> Self {
        Self(Repeated::default(), None)
    }
}

impl<T: PartialEq + fmt::Display> Shown<T> {
    fn push(&mut self, value: T) {
        match &self.1 {
            Some((last, text)) if *last == value => self.0.push(text),
            _ => {
                let text = value.to_string();
                let (_, text) = self.1.insert((value, text));
                self.0.push(text)
            }
        };
    }
}

/// Rows of `person_notice` being collected.
#[derive(Debug, Default)]
pub struct PersonNoticeRows {
    person_source: Shown<Id<kinds::PersonSource>>,
    holder: Shown<Id<kinds::Organization>>,
    delivery: Shown<Id<kinds::Delivery>>,
    regime: Repeated,
    version: Repeated,
    notified_on: Date32Builder,
    notified_on_text: Shown<Date>,
    channel: Repeated,
    guardian: BooleanBuilder,
    died_on: Date32Builder,
    died_on_text: Repeated,
    of_age_on: Date32Builder,
    rows: usize,
}

impl PersonNoticeRows {
    /// Add a notice of a person of whom something is kept. `of_age_on`: when the person comes of the age of being told in
    /// person, if he or she was younger at the notice.
    pub fn push(
        &mut self,
        person: Id<kinds::PersonSource>,
        holder: Id<kinds::Organization>,
        delivery: Id<kinds::Delivery>,
        notice: &PersonNotice,
        died_on: Option<PartialDate>,
        of_age_on: Option<Date>,
    ) {
        self.person_source.push(person);
        self.holder.push(holder);
        self.delivery.push(delivery);
        self.regime.push(notice.regime.as_str());
        self.version.push(&notice.version);
        self.notified_on.append_value(days(notice.notified_on));
        self.notified_on_text.push(notice.notified_on);
        self.channel.push(&notice.channel);
        self.guardian.append_value(notice.guardian);
        self.died_on.append_option(died_on.and_then(|d| d.full()).map(days));
        if let Some(on) = died_on {
            self.died_on_text.fill_to(self.rows);
            self.died_on_text.push(&on.to_string());
        }
        self.of_age_on.append_option(of_age_on.map(days));
        self.rows += 1;
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// None yet?
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows.
    ///
    /// # Errors
    /// Never for rows pushed here; typed so that a broken build says so.
    pub fn finish(mut self) -> Result<Columns, LakeError> {
        let days = |mut days: Date32Builder| Values::Array(Arc::new(days.finish()));
        let columns = [
            ("person_source", Values::Text(self.person_source.0)),
            ("holder", Values::Text(self.holder.0)),
            ("delivery", Values::Text(self.delivery.0)),
            ("regime", Values::Text(self.regime)),
            ("notice_version", Values::Text(self.version)),
            ("notified_on", days(self.notified_on)),
            ("notified_on_text", Values::Text(self.notified_on_text.0)),
            ("channel", Values::Text(self.channel)),
            ("guardian", Values::Array(Arc::new(self.guardian.finish()))),
            ("died_on", days(self.died_on)),
            ("died_on_text", Values::Text(self.died_on_text)),
            ("of_age_on", days(self.of_age_on)),
        ];
        let columns = columns.into_iter().map(|(name, values)| (Some(name), values)).collect();
        Columns::new("person_notice", self.rows, Vec::new(), columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for text in ["1970-01-01", "1899-12-31", "2026-11-22", "1868-01-25"] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date_of(days(date)), Some(date));
        }
        assert_eq!(days("1970-01-02".parse().unwrap()), 1);
        assert_eq!(date_of(-1), "1969-12-31".parse().ok());
    }
}
