//! A record's legal situation at its holder: notices, stops, death, and what follows from them for
//! each product. Written anew from the law's text, not shared with the platform's gate, which it judges.

use crate::{
    chance::{Chance, Purpose, Streams},
    day::Day,
    params::{Calendar, Shares},
};

/// The situation a record was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Notified in time under art. 52 only.
    AnonOnly,
    /// Notified in time under art. 57 only.
    PseudoOnly,
    /// Notified in time under both.
    Both,
    /// Never notified.
    Neither,
    /// The wait still runs on the delivery day, under at least one regime.
    Waiting,
    /// A stop was asked for before the delivery.
    Refused,
    /// Died before every notice.
    DeadBeforeNotice,
    /// A stop was asked for after the delivery.
    LaterStop,
}

impl Group {
    /// All groups.
    pub const ALL: [Self; 8] = [
        Self::AnonOnly,
        Self::PseudoOnly,
        Self::Both,
        Self::Neither,
        Self::Waiting,
        Self::Refused,
        Self::DeadBeforeNotice,
        Self::LaterStop,
    ];

    /// The name in `truth/regimes.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AnonOnly => "anon_only",
            Self::PseudoOnly => "pseudo_only",
            Self::Both => "both",
            Self::Neither => "neither",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::DeadBeforeNotice => "dead_before_notice",
            Self::LaterStop => "later_stop",
        }
    }
}

/// One of the two regimes of the Act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Regime {
    /// Anonymized, art. 52.
    Anon,
    /// Pseudonymized, art. 57.
    Pseudo,
}

impl Regime {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Anon, Self::Pseudo];

    /// The name in the holders' files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anon => "anon52",
            Self::Pseudo => "pseudo57",
        }
    }
}

/// When a stop was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StopPhase {
    /// Before the holder sent: `stops.csv`.
    BeforeSending,
    /// After sending and before the first product: `stops_after_sending.csv`.
    AfterSending,
    /// After the first product: `stops_after_product.csv`.
    AfterProduct,
}

impl StopPhase {
    /// All phases.
    pub const ALL: [Self; 3] = [Self::BeforeSending, Self::AfterSending, Self::AfterProduct];

    /// The name in `truth/regimes.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeSending => "before_sending",
            Self::AfterSending => "after_sending",
            Self::AfterProduct => "after_product",
        }
    }

    /// The file in the holder's folder.
    pub fn file(self) -> &'static str {
        match self {
            Self::BeforeSending => "stops.csv",
            Self::AfterSending => "stops_after_sending.csv",
            Self::AfterProduct => "stops_after_product.csv",
        }
    }
}

/// A request to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    pub(crate) on: Day,
    pub(crate) regimes: [bool; 2],
    pub(crate) phase: StopPhase,
}

/// The calendar in days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days {
    pub(crate) notice: Day,
    /// The last day of notice whose wait is over on the delivery day.
    pub(crate) last_in_time: Day,
    pub(crate) delivery: Day,
    pub(crate) product: Day,
}

impl Days {
    pub(crate) fn of(calendar: &Calendar) -> Self {
        let delivery = Day::of(calendar.delivery_date);
        Self {
            notice: Day::of(calendar.notice_date),
            last_in_time: delivery.plus(-i32::from(calendar.wait_days) - 1),
            delivery,
            product: Day::of(calendar.product_date),
        }
    }
}

/// All that the gates of holder and producer may ask about one record's person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) group: Group,
    /// Day of notice under art. 52 and art. 57.
    pub(crate) notified: [Option<Day>; 2],
    pub(crate) died: Option<Day>,
    pub(crate) stop: Option<Stop>,
    pub(crate) channel: &'static str,
}

impl Standing {
    /// The days of a group, drawn for one record. `died` is the known day of death.
    pub(crate) fn draw(
        group: Group,
        died: Option<Day>,
        days: &Days,
        variant: Option<u32>,
        chance: &mut Chance,
    ) -> Self {
        let in_time = |chance: &mut Chance| {
            let slack = days.last_in_time.days_since(days.notice);
            Some(days.notice.plus(if chance.chance(0.7) { 0 } else { chance.between(0, slack) }))
        };
        let first = in_time(chance);
        // a third exactly one day too late: day 30, still held
        let late = if chance.chance(0.34) {
            days.last_in_time.plus(1)
        } else {
            let span = days.delivery.days_since(days.last_in_time);
            days.last_in_time.plus(chance.between(1, span))
        };
        let drawn = chance.below(8);
        let variant = variant.unwrap_or(drawn);
        let notified = match group {
            Group::Both | Group::Refused | Group::LaterStop | Group::DeadBeforeNotice => {
                [first, first]
            }
            Group::AnonOnly => [first, None],
            Group::PseudoOnly => [None, first],
            Group::Neither => [None, None],
            Group::Waiting => match variant {
                0 => [Some(days.last_in_time.plus(1)), Some(days.last_in_time.plus(1))],
                1 | 2 => [first, Some(late)],
                3 => [None, Some(late)],
                _ => [Some(late), Some(late)],
            },
        };
        let since = first.unwrap_or(days.notice);
        let regimes = match variant {
            1 => [true, false],
            2 => [false, true],
            _ => [true, true],
        };
        let stop = match group {
            Group::Refused => Some(Stop {
                on: since.plus(chance.between(1, days.delivery.days_since(since) - 1)),
                regimes,
                phase: StopPhase::BeforeSending,
            }),
            Group::LaterStop if variant.is_multiple_of(2) && days.product > days.delivery => {
                Some(Stop {
                    on: days
                        .delivery
                        .plus(chance.between(1, days.product.days_since(days.delivery))),
                    regimes: [true, true],
                    phase: StopPhase::AfterSending,
                })
            }
            Group::LaterStop => Some(Stop {
                on: days.product.plus(chance.between(1, 60)),
                regimes: [true, true],
                phase: StopPhase::AfterProduct,
            }),
            _ => None,
        };
        let channel = *chance.pick(&["document", "document", "document", "post", "portal"]);
        Self { group, notified, died, stop, channel }
    }

    /// Whether the record may be sent and used under `regime` on the delivery day.
    pub(crate) fn sent(&self, regime: Regime, days: &Days) -> bool {
        let r = regime as usize;
        let Some(notified) = self.notified[r] else { return false };
        let waited = notified <= days.last_in_time;
        let alive = self.died.is_none_or(|died| died >= notified);
        let stopped = self.stop.is_some_and(|s| s.regimes[r] && s.on <= days.delivery);
        waited && alive && !stopped
    }

    /// Whether the record must reach the first product of `regime`.
    pub(crate) fn reaches(&self, regime: Regime, days: &Days) -> bool {
        let stopped = |s: Stop| s.regimes[regime as usize] && s.phase != StopPhase::AfterProduct;
        self.sent(regime, days) && !self.stop.is_some_and(stopped)
    }

    /// Whether it must still reach a product made after every stop is in effect.
    pub(crate) fn reaches_later(&self, regime: Regime, days: &Days) -> bool {
        self.sent(regime, days) && !self.stop.is_some_and(|s| s.regimes[regime as usize])
    }
}

/// How a person gets a situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deal {
    /// Notified in time under both: planted persons.
    Common,
    /// One that must occur and has not yet, else by shares.
    OwedFirst,
    /// By shares.
    ByShares,
}

/// Deals groups to a holder's persons: every group at least once, then by shares.
#[derive(Debug)]
pub(crate) struct Dealer {
    shares: Shares,
    streams: Streams,
    days: Days,
    forced: Vec<(Group, u32)>,
}

impl Dealer {
    /// `persons`: how many the holder has; small holders get the rarer variants by chance only.
    pub(crate) fn new(seed: u64, holder: u64, persons: usize, shares: Shares, days: Days) -> Self {
        // dealt from the end
        let mut forced = vec![
            (Group::Refused, 2),
            (Group::Refused, 1),
            (Group::Waiting, 3),
            (Group::Waiting, 1),
            (Group::LaterStop, 1),
            (Group::LaterStop, 0),
            (Group::Refused, 0),
            (Group::Waiting, 0),
            (Group::Neither, 0),
            (Group::PseudoOnly, 0),
            (Group::AnonOnly, 0),
        ];
        if persons < 50 {
            forced.drain(..4);
        }
        let streams = Streams::new(seed ^ (holder << 48), Purpose::Standing);
        Self { shares, streams, days, forced }
    }

    /// A situation for the living (or for those who died later than every notice), or the one that
    /// follows from `died`.
    pub(crate) fn deal(&mut self, number: u64, died: Option<Day>, how: Deal) -> Standing {
        let mut chance = self.streams.of(number);
        let died = died.filter(|d| *d <= self.days.delivery);
        if let Some(died) = died {
            return Self::of_dead(died, &self.days, &mut chance, &self.shares);
        }
        let owed = if how == Deal::OwedFirst { self.forced.pop() } else { None };
        let (group, variant) = match owed {
            Some((group, variant)) => (group, Some(variant)),
            None if how == Deal::Common => (Group::Both, None),
            None => (Self::group(&self.shares, &mut chance), None),
        };
        Standing::draw(group, None, &self.days, variant, &mut chance)
    }

    fn of_dead(died: Day, days: &Days, chance: &mut Chance, shares: &Shares) -> Standing {
        if chance.chance(shares.neither) {
            return Standing::draw(Group::Neither, Some(died), days, None, chance);
        }
        let group = if died < days.notice { Group::DeadBeforeNotice } else { Group::Both };
        let mut standing = Standing::draw(group, Some(died), days, None, chance);
        if group == Group::Both {
            // whoever died during the notices was notified on their first day, or never before death
            standing.notified = [Some(days.notice), Some(days.notice)];
        }
        standing
    }

    fn group(shares: &Shares, chance: &mut Chance) -> Group {
        let mut left = chance.unit();
        for (group, share) in [
            (Group::AnonOnly, shares.anon_only),
            (Group::PseudoOnly, shares.pseudo_only),
            (Group::Neither, shares.neither),
            (Group::Waiting, shares.waiting),
            (Group::Refused, shares.refused),
            (Group::LaterStop, shares.later_stop),
        ] {
            if left < share {
                return group;
            }
            left -= share;
        }
        Group::Both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days() -> Days {
        Days::of(&Calendar::default())
    }

    fn standing(notified: i32, died: Option<i32>) -> Standing {
        let days = days();
        Standing {
            group: Group::Both,
            notified: [Some(days.delivery.plus(notified)); 2],
            died: died.map(|d| days.delivery.plus(d)),
            stop: None,
            channel: "post",
        }
    }

    #[test]
    fn day_30_is_held_and_day_31_passes() {
        assert!(!standing(-30, None).sent(Regime::Anon, &days()));
        assert!(standing(-31, None).sent(Regime::Anon, &days()));
        assert_eq!(days().notice, days().last_in_time);
    }

    #[test]
    fn death_before_notice_holds_and_after_notice_does_not() {
        assert!(!standing(-31, Some(-32)).sent(Regime::Pseudo, &days()));
        assert!(standing(-31, Some(-20)).sent(Regime::Pseudo, &days()));
    }

    #[test]
    fn every_group_means_what_it_says() {
        let days = days();
        let streams = Streams::new(3, Purpose::Standing);
        for n in 0..4_000 {
            let group = Group::ALL[n as usize % 8];
            let died = (group == Group::DeadBeforeNotice).then(|| days.notice.plus(-1));
            let s = Standing::draw(group, died, &days, None, &mut streams.of(n));
            let sent = Regime::ALL.map(|r| s.sent(r, &days));
            let later = Regime::ALL.map(|r| s.reaches_later(r, &days));
            match group {
                Group::Both => assert_eq!((sent, later), ([true; 2], [true; 2])),
                Group::AnonOnly => assert_eq!(sent, [true, false]),
                Group::PseudoOnly => assert_eq!(sent, [false, true]),
                Group::Neither | Group::DeadBeforeNotice => assert_eq!(sent, [false; 2]),
                Group::Waiting | Group::Refused => assert_ne!(sent, [true; 2]),
                Group::LaterStop => assert_eq!((sent, later), ([true; 2], [false; 2])),
            }
        }
    }
}
