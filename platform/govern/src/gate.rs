//! The gate: may this person's items of this kind be collected under this regime on this day?
//!
//! Decided at the holder before sending and again at the producer, from the same facts by the same code.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`, `unlawful_receipt`

use std::time::Duration;

use kiban_kernel::{Date, LawKey, PartialDate, Regime, RuleError, Rules};

use crate::law_key;

/// A holder's filing with the ministers under one regime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilingFact {
    /// First day in effect.
    pub effective_from: Date,
    /// First day no longer in effect.
    pub ended: Option<Date>,
    /// The wait this holder's notice promises, if longer than the rule's; a shorter one is ignored.
    pub wait_days: Option<i64>,
}

/// A person's notice under one regime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeFact<'a> {
    /// Which version of the holder's notice.
    pub version: &'a str,
    /// Day of the notice.
    pub notified_on: Date,
    /// Table kinds the version lists; `None`: the register does not hold this version for this regime.
    pub items: Option<&'a [String]>,
    /// Was a guardian notified too?
    pub guardian: bool,
    /// Was the person old enough to be notified alone ([`of_age`])? Unknown birth counts as old enough.
    pub person_age_ok: bool,
    /// What makes the notice count for nothing.
    pub bar: Option<NoticeBar>,
}

/// Why a notice that was sent counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeBar {
    /// The letter came back: the person was not told.
    Returned {
        /// Day on which it came back.
        on: Date,
    },
    /// Its version changes what persons and ministers must be told of beforehand, and they were not.
    ChangeUntold,
}

/// A stop request on file for the person and regime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopFact {
    /// Day of the request.
    pub requested_on: Date,
}

/// What is known of one person at one holder under one regime, for one kind of item.
#[derive(Debug, Clone, Copy)]
pub struct GateFacts<'a> {
    /// The holder's filing under the regime.
    pub filing: Option<FilingFact>,
    /// The person's notice under the regime.
    pub notice: Option<NoticeFact<'a>>,
    /// A stop that names the regime.
    pub stop: Option<StopFact>,
    /// Day of death, as far as known.
    pub died_on: Option<PartialDate>,
    /// Canonical table kind: `condition`, `measurement` …
    pub kind: &'a str,
    /// Does the register hold the holder lawful in how it acquired the data (Art. 55, 56)?
    pub acquisition_lawful: bool,
}

/// Why an item may not be collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The regime itself is not in force on the day.
    #[error("the regime is not in force on this day")]
    RegimeNotInForce,
    /// A stop request is on file.
    #[error("the person or family asked to stop")]
    Stopped,
    /// A stop was taken back, and the notice is older than that.
    #[error("the stop was withdrawn on {on}; the notice is older")]
    NoticeBeforeWithdrawal {
        /// Day of the withdrawal.
        on: Date,
    },
    /// A stop was taken back, and the item is older than the new notice, or does not say when it arose.
    #[error("the item is older than the notice of {from} after a withdrawn stop")]
    BeforeNewNotice {
        /// Day of the new notice.
        from: Date,
    },
    /// The holder filed nothing under the regime.
    #[error("the holder has no filing under this regime")]
    NoFiling,
    /// The filing takes effect later.
    #[error("the holder's filing takes effect on {from}")]
    FilingNotYet {
        /// First day in effect.
        from: Date,
    },
    /// The filing ended.
    #[error("the holder's filing ended on {on}")]
    FilingEnded {
        /// First day no longer in effect.
        on: Date,
    },
    /// The person was not notified under the regime.
    #[error("the person was not notified under this regime")]
    NotNotified,
    /// The letter of the notice came back.
    #[error("the letter of the notice came back on {on}")]
    NoticeReturned {
        /// Day on which it came back.
        on: Date,
    },
    /// The version changes items that have to be told beforehand, and this was not done.
    #[error("the change that this version of the notice makes was not told beforehand")]
    ChangeUntold,
    /// The version of the notice is not on file.
    #[error("this version of the notice is not on file for the regime")]
    NoticeVersionUnknown,
    /// The person died before being notified.
    #[error("the person died before the notice")]
    DiedBeforeNotice,
    /// The day of death is known too roughly to tell.
    #[error("whether the person died before the notice cannot be told")]
    DeathOrderUnclear,
    /// A guardian had to be notified too.
    #[error("the person was under age and no guardian was notified")]
    GuardianMissing,
    /// The wait runs.
    #[error("the wait after notice runs through {until}")]
    Waiting {
        /// Last day of the wait: held on it, passing from the next day.
        until: Date,
    },
    /// Not medical information by Art. 2.
    #[error("the item is not medical information")]
    NotMedicalInformation,
    /// The notice does not list the item.
    #[error("the notice does not list this item")]
    ItemNotListed,
    /// The holder did not acquire the data lawfully.
    #[error("the holder's acquisition is not recorded as lawful")]
    AcquisitionUnlawful,
    /// A dated rule the gate needs is missing or of the wrong type: nothing passes.
    #[error("a rule the gate needs is not in force on this day")]
    RuleMissing,
}

impl Reason {
    /// Machine-readable code, stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RegimeNotInForce => "regime_not_in_force",
            Self::Stopped => "stopped",
            Self::NoticeBeforeWithdrawal { .. } => "notice_before_withdrawal",
            Self::BeforeNewNotice { .. } => "before_new_notice",
            Self::NoFiling => "no_filing",
            Self::FilingNotYet { .. } => "filing_not_yet",
            Self::FilingEnded { .. } => "filing_ended",
            Self::NotNotified => "not_notified",
            Self::NoticeReturned { .. } => "notice_returned",
            Self::ChangeUntold => "change_untold",
            Self::NoticeVersionUnknown => "notice_version_unknown",
            Self::DiedBeforeNotice => "died_before_notice",
            Self::DeathOrderUnclear => "death_order_unclear",
            Self::GuardianMissing => "guardian_missing",
            Self::Waiting { .. } => "wait_running",
            Self::NotMedicalInformation => "not_medical_information",
            Self::ItemNotListed => "item_not_listed",
            Self::AcquisitionUnlawful => "acquisition_unlawful",
            Self::RuleMissing => "rule_missing",
        }
    }

    /// The sentence of a [`Reason::code`], for counts that kept the code alone.
    pub fn ja_of_code(code: &str) -> Option<&'static str> {
        Some(match code {
            "regime_not_in_force" => "その日はまだ制度が施行されていません。",
            "stopped" => "本人または遺族等から提供停止の求めがあります。",
            "notice_before_withdrawal" => {
                "提供停止の求めが撤回されましたが、その後の新しい通知がありません。あらためて通知してください。"
            }
            "before_new_notice" => {
                "提供停止の求めの撤回後にあらためて通知した日より前の情報、または日付の分からない情報は収集できません。"
            }
            "no_filing" => {
                "医療情報取扱事業者の届出がありません。主務大臣への届出を済ませ、登録してください。"
            }
            "filing_not_yet" => "届出の効力がまだ生じていません。",
            "filing_ended" => "届出の効力が終了しています。",
            "not_notified" => {
                "本人への通知がありません。通知の後、待機期間を経て送付してください。"
            }
            "notice_returned" => {
                "通知の書面が返送されており、本人に通知したことになりません。あらためて通知してください。"
            }
            "change_untold" => {
                "この版の通知文書は、あらかじめ本人への通知と主務大臣への届出を要する変更を含みますが、済んだことが記録されていません。"
            }
            "notice_version_unknown" => "通知文書の版が登録されていません。版を登録してください。",
            "died_before_notice" => "通知前に死亡した者の情報は収集できません。",
            "death_order_unclear" => {
                "死亡日が年月までしか分からず、通知前の死亡でないことを確かめられません。"
            }
            "guardian_missing" => {
                "通知時に未成年（規則の年齢未満）ですが、保護者等への通知がありません。"
            }
            "wait_running" => "通知後の待機期間中です。",
            "not_medical_information" => "法の定める医療情報に当たりません。",
            "item_not_listed" => "通知文書に記載のない項目です。",
            "acquisition_unlawful" => "取得の経緯が適法と確認されていません。",
            "rule_missing" => "その日に効力のある規則値がなく、判断できません。",
            _ => return None,
        })
    }

    /// Sentence for the user.
    pub fn ja(&self) -> String {
        let base = Self::ja_of_code(self.code()).unwrap_or_default();
        match self {
            Self::Waiting { until } => format!("{base}{until}まで保留し、翌日から送付できます。"),
            Self::NoticeBeforeWithdrawal { on } => format!("{base}撤回の日：{on}。"),
            Self::BeforeNewNotice { from } => format!("{base}新しい通知の日：{from}。"),
            Self::FilingNotYet { from } => format!("{base}{from}から有効です。"),
            Self::NoticeReturned { on } => format!("{base}返送の日：{on}。"),
            Self::FilingEnded { on } => format!("{base}終了日：{on}。"),
            _ => base.to_owned(),
        }
    }

    /// Law key; the regime tells Art. 52 from Art. 57.
    pub fn law(&self, regime: Regime) -> Option<LawKey> {
        law_key(match self {
            Self::Stopped | Self::NoticeBeforeWithdrawal { .. } | Self::BeforeNewNotice { .. } => {
                "stop"
            }
            Self::DiedBeforeNotice | Self::DeathOrderUnclear => "notice.death",
            Self::GuardianMissing => "notice.guardian",
            Self::Waiting { .. } => "notice.wait",
            Self::NotMedicalInformation => "medical_information",
            Self::AcquisitionUnlawful => "receipt_record",
            _ => match regime {
                Regime::Anon52 => "notice.anonymized",
                Regime::Pseudo57 => "notice.pseudonymized",
            },
        })
    }
}

/// May the item pass on day `on`?
///
/// # Errors
/// The first reason that stands against it, in this order: regime, stop, filing, notice, death, guardian,
/// wait, item, acquisition.
pub fn decide(
    facts: &GateFacts<'_>,
    regime: Regime,
    on: Date,
    rules: &Rules,
) -> Result<(), Reason> {
    let in_force = match regime {
        Regime::Anon52 => "regime.anon52",
        Regime::Pseudo57 => "regime.pseudo57",
    };
    if rules.flag(in_force, on) != Ok(true) {
        return Err(Reason::RegimeNotInForce);
    }
    if facts.stop.is_some() {
        return Err(Reason::Stopped);
    }
    let filing = facts.filing.ok_or(Reason::NoFiling)?;
    if on < filing.effective_from {
        return Err(Reason::FilingNotYet { from: filing.effective_from });
    }
    if let Some(ended) = filing.ended.filter(|ended| *ended <= on) {
        return Err(Reason::FilingEnded { on: ended });
    }
    let notice = facts.notice.ok_or(Reason::NotNotified)?;
    match notice.bar {
        Some(NoticeBar::Returned { on }) => return Err(Reason::NoticeReturned { on }),
        Some(NoticeBar::ChangeUntold) => return Err(Reason::ChangeUntold),
        None => {}
    }
    let items = notice.items.ok_or(Reason::NoticeVersionUnknown)?;
    if let Some(died) = facts.died_on {
        if died.latest() < notice.notified_on {
            return Err(Reason::DiedBeforeNotice);
        }
        if died.earliest() < notice.notified_on {
            return Err(Reason::DeathOrderUnclear);
        }
    }
    if !notice.person_age_ok && !notice.guardian {
        return Err(Reason::GuardianMissing);
    }
    let until = wait_until(notice.notified_on, filing.wait_days, on, rules)
        .map_err(|_| Reason::RuleMissing)?;
    if on <= until {
        return Err(Reason::Waiting { until });
    }
    item(facts.kind, items, on, rules)?;
    if !facts.acquisition_lawful {
        return Err(Reason::AcquisitionUnlawful);
    }
    Ok(())
}

fn item(kind: &str, listed: &[String], on: Date, rules: &Rules) -> Result<(), Reason> {
    let medical = rules.list("medical_information.kinds", on).map_err(|_| Reason::RuleMissing)?;
    if medical.iter().any(|k| k == kind) {
        return if listed.iter().any(|k| k == kind) { Ok(()) } else { Err(Reason::ItemNotListed) };
    }
    let accompanying =
        rules.list("medical_information.accompanying", on).map_err(|_| Reason::RuleMissing)?;
    if !accompanying.iter().any(|k| k == kind) {
        return Err(Reason::NotMedicalInformation);
    }
    if listed.iter().any(|k| medical.contains(k)) { Ok(()) } else { Err(Reason::ItemNotListed) }
}

/// Last day of the wait after a notice: held on it, passing from the next day.
///
/// The rule's number of days in force on `on`, or the holder's own if longer.
///
/// # Errors
/// No rule is in force.
pub fn wait_until(
    notified_on: Date,
    holder_days: Option<i64>,
    on: Date,
    rules: &Rules,
) -> Result<Date, RuleError> {
    let days = rules.int("notice.wait_days", on)?.max(holder_days.unwrap_or(0)).max(0);
    let last = if rules.flag("notice.first_day_counts", on)? { days - 1 } else { days };
    Ok(match u64::try_from(last) {
        Ok(days) => notified_on.saturating_add(Duration::from_secs(days.saturating_mul(86_400))),
        Err(_) => notified_on.yesterday().unwrap_or(Date::MIN),
    })
}

/// Was a person born on `birth` old enough on `on` to be notified without a guardian? A birth known in part
/// is read as late as it may mean.
///
/// # Errors
/// No rule is in force.
pub fn of_age(birth: PartialDate, on: Date, rules: &Rules) -> Result<bool, RuleError> {
    let age = rules.int("notice.guardian_under_age_years", on)?;
    let born = birth.latest();
    let birthday_passed = (on.month(), on.day()) >= (born.month(), born.day());
    let years = i64::from(on.year()) - i64::from(born.year()) - i64::from(!birthday_passed);
    Ok(years >= age)
}

/// The day on which a person born on `birth` comes of the age of being told without a guardian, by the rule in force on
/// `on`. A birth known in part is read as late as it may mean; who was born on 29 February comes of age on 1 March of a year
/// without that day.
///
/// # Errors
/// No rule is in force.
pub fn of_age_on(birth: PartialDate, on: Date, rules: &Rules) -> Result<Date, RuleError> {
    let years = rules.int("notice.guardian_under_age_years", on)?;
    let born = birth.latest();
    let year = born.year().saturating_add(i16::try_from(years).unwrap_or(0));
    Ok(Date::new(year, born.month(), born.day())
        .or_else(|_| Date::new(year, born.month() + 1, 1))
        .unwrap_or(Date::MAX))
}

#[cfg(test)]
mod tests;
