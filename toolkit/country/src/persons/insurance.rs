//! Who insures whom: employees with their families, the self-employed and the jobless with their
//! municipality, everybody of 75 and more with the prefecture's insurer. Insurers are of realistic
//! kinds and sizes; their serial numbers (9xx) and their members are made up.

use crate::{
    chance::Chance,
    day::Day,
    details::insurer_number,
    persons::places::{Home, Places},
};

/// An insurer. Source of the kinds: 法別番号 of insurer numbers (01, 06, 31-34, 39; none for 国保).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Insurer {
    /// 全国健康保険協会, per prefecture.
    Kyokai(u8),
    /// A company's or a trade's society.
    Society(u16),
    /// A mutual aid association.
    Mutual(u8),
    /// A municipality's national health insurance, by place.
    National(u8),
    /// The prefecture's insurer of those of 75 and more, by place.
    Elder(u8),
}

/// A policy as a person holds it; the family shares all but the branch number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) insurer: Insurer,
    symbol: u32,
    number: u32,
    pub(crate) branch: u8,
}

const SOCIETIES: u32 = 400;
const MUTUALS: u32 = 24;

impl Policy {
    /// By a job.
    pub(crate) fn employee(home: &Home, chance: &mut Chance) -> Self {
        match chance.below(100) {
            0..48 => Self {
                insurer: Insurer::Kyokai(home.place),
                // 事業所: small firms, so few colleagues share a symbol
                symbol: 10_000_000 + chance.below(4_000) * 9_973,
                number: 1 + chance.below(400),
                branch: 0,
            },
            48..85 => {
                // a few societies are large
                let society = chance.below(SOCIETIES) * chance.below(SOCIETIES) / SOCIETIES;
                Self {
                    insurer: Insurer::Society(society as u16),
                    symbol: 1 + society % 7 + chance.below(60),
                    number: 1 + chance.below(90_000),
                    branch: 0,
                }
            }
            _ => {
                let mutual = chance.below(MUTUALS);
                Self {
                    insurer: Insurer::Mutual(mutual as u8),
                    symbol: mutual,
                    number: 1_000 + chance.below(900_000),
                    branch: 0,
                }
            }
        }
    }

    /// A household's with its municipality.
    pub(crate) fn national(home: &Home, chance: &mut Chance) -> Self {
        let number = 100_000 + chance.below(9_000_000);
        Self { insurer: Insurer::National(home.place), symbol: chance.below(40), number, branch: 1 }
    }

    /// A person's of 75 and more.
    pub(crate) fn elder(home: &Home, chance: &mut Chance) -> Self {
        let number = 10_000_000 + chance.below(89_000_000);
        Self { insurer: Insurer::Elder(home.place), symbol: 0, number, branch: 0 }
    }

    /// As the `nth` member of the family holds it (0: the head).
    pub(crate) fn of_member(self, nth: u8) -> Self {
        match self.insurer {
            Insurer::Elder(_) => self,
            Insurer::National(_) => Self { branch: nth + 1, ..self },
            _ => Self { branch: nth, ..self },
        }
    }

    /// Whether both name the same insured family.
    pub(crate) fn same_cover(&self, other: &Self) -> bool {
        Self { branch: 0, ..*self } == Self { branch: 0, ..*other }
    }

    /// Eight or, for national health insurance, six digits with the check digit.
    pub(crate) fn insurer_no(&self, places: &Places) -> String {
        let prefecture = |place: u8| &places.all[usize::from(place)].code[..2];
        match self.insurer {
            Insurer::Kyokai(place) => insurer_number("01", prefecture(place), "901"),
            Insurer::Society(n) => {
                let code = places.all[usize::from(n) % places.all.len()].code;
                insurer_number("06", &code[..2], &format!("9{:02}", n % 100))
            }
            Insurer::Mutual(n) => {
                let law = ["31", "32", "33", "34"][usize::from(n % 4)];
                insurer_number(law, "13", &format!("9{n:02}"))
            }
            Insurer::National(place) => {
                insurer_number("", prefecture(place), &format!("9{place:02}"))
            }
            Insurer::Elder(place) => insurer_number("39", prefecture(place), "901"),
        }
    }

    /// 記号: digits, or characters with digits; empty for those of 75 and more.
    pub(crate) fn symbol(&self, places: &Places) -> String {
        match self.insurer {
            Insurer::Kyokai(_) | Insurer::Society(_) => self.symbol.to_string(),
            Insurer::Mutual(_) => {
                format!("仮共{}", ["学", "公", "警", "地"][self.symbol as usize % 4])
            }
            Insurer::National(place) => {
                let city = places.all[usize::from(place)].city;
                let first = city.chars().next().unwrap_or('仮');
                if place % 3 == 0 { String::new() } else { format!("{first}国{}", self.symbol) }
            }
            Insurer::Elder(_) => String::new(),
        }
    }

    /// 番号.
    pub(crate) fn number(&self) -> String {
        match self.insurer {
            Insurer::National(_) => format!("{:07}", self.number),
            _ => self.number.to_string(),
        }
    }
}

/// Every policy of a working or retired person over the window, and of the family with it.
pub(crate) fn career(
    born: Day,
    homes: &[(Day, Home)],
    window: (Day, Day),
    chance: &mut Chance,
) -> Vec<(Day, Policy)> {
    let home_on = |day| crate::persons::life::at(homes, day);
    let (start, end) = window;
    let (retires, elder) = (born.birthday(65), born.birthday(75));
    let mut out: Vec<(Day, Policy)> = Vec::new();
    let day_in = |chance: &mut Chance, from: Day, to: Day| {
        from.plus(chance.between(0, to.days_since(from).max(0)))
    };
    let mut employed = start < retires && chance.chance(0.8);
    if start < elder {
        let first = home_on(start);
        out.push((
            start,
            if employed {
                Policy::employee(first, chance)
            } else {
                Policy::national(first, chance)
            },
        ));
        let work_ends = retires.min(end);
        if employed && start < work_ends {
            for _ in 0..2 {
                if !chance.chance(0.28) {
                    break;
                }
                let last = out.last().map_or(start, |(day, _)| *day);
                let leaves = day_in(chance, last, work_ends);
                if chance.chance(0.35) {
                    out.push((leaves, Policy::national(home_on(leaves), chance)));
                    let again = leaves.plus(chance.between(40, 400));
                    if again >= work_ends {
                        employed = false;
                        break;
                    }
                    out.push((again, Policy::employee(home_on(again), chance)));
                } else {
                    out.push((leaves, Policy::employee(home_on(leaves), chance)));
                }
            }
        }
        if employed && retires > start && retires < end {
            out.push((retires, Policy::national(home_on(retires), chance)));
        }
        // national insurance follows the municipality
        for &(moved, home) in homes.iter().filter(|(day, _)| *day > start) {
            let held = crate::persons::life::at(&out, moved);
            if matches!(held.insurer, Insurer::National(place) if place != home.place) {
                let place = out.partition_point(|(day, _)| *day <= moved);
                out.insert(place, (moved, Policy::national(&home, chance)));
            }
        }
    }
    if elder <= end {
        let from = elder.max(start);
        out.retain(|(day, _)| *day < from);
        out.push((from, Policy::elder(home_on(from), chance)));
        // and so does the prefecture's
        for &(moved, home) in homes.iter().filter(|(day, _)| *day > from) {
            if !matches!(out.last(), Some((_, Policy { insurer: Insurer::Elder(p), .. })) if *p == home.place)
            {
                out.push((moved, Policy::elder(&home, chance)));
            }
        }
    }
    out
}
