//! Notices to persons: facts of a delivery, and rows of the lake table `person_notice`.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BooleanBuilder, Date32Builder, RecordBatch, StringBuilder},
    error::ArrowError,
};
use kiban_kernel::{Date, Id, PartialDate, Regime, kinds};

/// A notice to one person under one regime, as the holder reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Rows of `person_notice` being collected.
#[derive(Debug, Default)]
pub struct PersonNoticeRows {
    person_source: StringBuilder,
    holder: StringBuilder,
    delivery: StringBuilder,
    regime: StringBuilder,
    version: StringBuilder,
    notified_on: Date32Builder,
    notified_on_text: StringBuilder,
    channel: StringBuilder,
    guardian: BooleanBuilder,
    died_on: Date32Builder,
    died_on_text: StringBuilder,
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
        self.person_source.append_value(person.to_string());
        self.holder.append_value(holder.to_string());
        self.delivery.append_value(delivery.to_string());
        self.regime.append_value(notice.regime.as_str());
        self.version.append_value(&notice.version);
        self.notified_on.append_value(days(notice.notified_on));
        self.notified_on_text.append_value(notice.notified_on.to_string());
        self.channel.append_value(&notice.channel);
        self.guardian.append_value(notice.guardian);
        self.died_on.append_option(died_on.and_then(|d| d.full()).map(days));
        self.died_on_text.append_option(died_on.map(|d| d.to_string()));
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

    /// The rows; starts anew.
    ///
    /// # Errors
    /// Never for rows pushed here; typed so that a broken build says so.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        let columns: [(&str, ArrayRef, bool); 12] = [
            ("person_source", Arc::new(self.person_source.finish()), false),
            ("holder", Arc::new(self.holder.finish()), false),
            ("delivery", Arc::new(self.delivery.finish()), false),
            ("regime", Arc::new(self.regime.finish()), false),
            ("notice_version", Arc::new(self.version.finish()), false),
            ("notified_on", Arc::new(self.notified_on.finish()), true),
            ("notified_on_text", Arc::new(self.notified_on_text.finish()), true),
            ("channel", Arc::new(self.channel.finish()), true),
            ("guardian", Arc::new(self.guardian.finish()), false),
            ("died_on", Arc::new(self.died_on.finish()), true),
            ("died_on_text", Arc::new(self.died_on_text.finish()), true),
            ("of_age_on", Arc::new(self.of_age_on.finish()), true),
        ];
        RecordBatch::try_from_iter_with_nullable(columns)
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
