//! Households: who lives together, what they are called, and what happens to them in the window.
//! Each household is drawn from its own stream and can be drawn again at any time.

use crate::{
    chance::{Chance, Purpose, Streams},
    day::Day,
    persons::{
        compose::compose,
        insurance::{self, Policy},
        life::{Kin, Person, at},
        names::{List, Name, NameLists},
        places::{Home, Phone, Places},
    },
};

/// Share of foreign households.
const FOREIGN: f64 = 0.02;
/// Share of children named after their father or mother.
const NAMED_AFTER: f64 = 0.25;

/// Households of one list.
#[derive(Debug)]
pub(crate) struct Households<'a> {
    pub(crate) names: &'a NameLists,
    pub(crate) places: &'a Places,
    compose: Streams,
    live: Streams,
    /// First and last day of the window.
    pub(crate) window: (Day, Day),
    namesakes: f64,
}

impl<'a> Households<'a> {
    pub(crate) fn new(
        names: &'a NameLists,
        places: &'a Places,
        seed: u64,
        window: (Day, Day),
        namesakes: f64,
    ) -> Self {
        Self {
            names,
            places,
            compose: Streams::new(seed, Purpose::ListHousehold),
            live: Streams::new(seed, Purpose::ListLife),
            window,
            namesakes,
        }
    }

    /// The household's members with their lives.
    pub(crate) fn of(&self, household: u64) -> Vec<Person> {
        let mut members = self.members(household);
        let chance = &mut self.live.of(household);
        if household > 0 && chance.chance(self.namesakes) {
            self.resemble(&mut members[0], household, chance);
        }
        let apart = members.len() == 2 && members[1].kin == Kin::Twin;
        self.live(&mut members, apart, chance);
        members
    }

    /// Names, births and sexes; no life yet.
    fn members(&self, household: u64) -> Vec<Person> {
        let chance = &mut self.compose.of(household);
        let (start, end) = self.window;
        let drafts = compose(chance);
        let foreign = chance.chance(FOREIGN);
        let list = if foreign { List::ForeignFamily } else { List::Surname };
        let surname = self.names.draw(list, 0, chance);
        let mut out: Vec<Person> = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let twin = draft.kin == Kin::Twin;
            let born = match out.last() {
                Some(before) if twin => before.born,
                _ => born_at(draft.age, end, chance),
            };
            let mut person = Person {
                household,
                kin: draft.kin,
                born,
                male: draft.male,
                died: None,
                namesake: false,
                family: vec![(start, surname)],
                given: surname,
                middle: None,
                alias: None,
                homes: Vec::new(),
                phones: Vec::new(),
                policies: Vec::new(),
            };
            person.given = self.given(&person, &out, foreign, chance);
            if foreign {
                self.abroad(&mut person, chance);
            }
            if draft.kin == Kin::Grandparent && chance.chance(0.3) {
                // the wife's parent
                person.family[0].1 = self.names.draw(list, 0, chance);
            }
            person.died = dies(draft.age, end, chance).filter(|day| *day > born.max(start));
            out.push(person);
        }
        out
    }

    fn given(
        &self,
        person: &Person,
        others: &[Person],
        foreign: bool,
        chance: &mut Chance,
    ) -> Name {
        let born = person.born.civil().0;
        let list = match (foreign, person.male) {
            (false, true) => List::Male,
            (false, false) => List::Female,
            (true, true) => List::ForeignMale,
            (true, false) => List::ForeignFemale,
        };
        let like = match person.kin {
            Kin::Twin if chance.chance(0.4) => others.last(),
            Kin::Child if chance.chance(NAMED_AFTER) => {
                others.iter().find(|o| o.male == person.male && o.kin != Kin::Child)
            }
            _ => None,
        };
        let like = like.filter(|o| !foreign && o.male == person.male);
        let kindred = like.and_then(|o| self.names.kindred(o.given, born, chance));
        for _ in 0..20 {
            let name = kindred.unwrap_or_else(|| self.names.draw(list, born, chance));
            let taken = |o: &Person| {
                self.names.kana(o.given) == self.names.kana(name)
                    || self.names.kanji(o.given) == self.names.kanji(name)
            };
            if !others.iter().any(taken) {
                return name;
            }
            if kindred.is_some() {
                break;
            }
        }
        self.names.draw(list, born, chance)
    }

    fn abroad(&self, person: &mut Person, chance: &mut Chance) {
        if chance.chance(0.35) {
            person.middle = Some(self.names.draw(List::ForeignMiddle, 0, chance));
        }
        if chance.chance(0.35) {
            let list = if person.male { List::Male } else { List::Female };
            let year = person.born.civil().0;
            let family = self.names.draw(List::Surname, 0, chance);
            person.alias = Some([family, self.names.draw(list, year, chance)]);
        }
    }

    /// Give a person the name, sex and mostly the birth date of somebody in an earlier household.
    fn resemble(&self, person: &mut Person, household: u64, chance: &mut Chance) {
        let model = &self.members(chance.number() % household)[0];
        if model.foreign() || person.kin != Kin::Head {
            return;
        }
        (person.male, person.given, person.family) =
            (model.male, model.given, model.family.clone());
        (person.middle, person.alias, person.namesake) = (None, None, true);
        if chance.chance(0.5) {
            // the same sound in other characters
            person.given = self.names.homophone(model.given, chance).unwrap_or(model.given);
        }
        person.born = match chance.below(10) {
            0..6 => model.born,
            6..8 => model.born.plus(chance.between(1, 9)),
            8 => model.born.birthday(if chance.chance(0.5) { 1 } else { -1 }),
            _ => person.born,
        };
        person.died = person.died.filter(|day| *day > person.born);
    }

    /// What happens to each in the window.
    fn live(&self, members: &mut [Person], apart: bool, chance: &mut Chance) {
        let (start, end) = self.window;
        let random = |chance: &mut Chance, from: Day| {
            from.plus(chance.between(0, end.days_since(from).max(0)))
        };
        let mut homes = vec![(start, self.places.anywhere(chance))];
        for likely in [0.3, 0.15] {
            if !chance.chance(likely) {
                break;
            }
            let (last, home) = homes[homes.len() - 1];
            let day = random(chance, last);
            homes.push((day, self.places.moved(&home, chance)));
        }
        let mut landlines = vec![(start, Places::landline(&homes[0].1, chance))];
        for (day, home) in &homes[1..] {
            landlines.push((*day, Places::landline(home, chance)));
        }
        let head = insurance::career(members[0].born, &homes, self.window, chance);
        // dependents of a head of 75 and more are insured by the municipality
        let mut family = head.clone();
        if let Some(elder) = family.iter().position(|(_, p)| is_elder(p)) {
            let from = family[elder].0;
            family.truncate(elder);
            family.push((from, Policy::national(at(&homes, from), chance)));
        }
        for (nth, person) in members.iter_mut().enumerate() {
            person.homes.clone_from(&homes);
            person.policies = if nth == 0 {
                head.iter().map(|(day, p)| (*day, p.of_member(0))).collect()
            } else {
                self.cover(person, nth as u8, &family, &homes, chance)
            };
            let age = person.born.age_on(end);
            person.phones = if age >= 13 && chance.chance(0.65) {
                vec![(start, Places::mobile(chance))]
            } else {
                landlines.clone()
            };
            if person.phones.len() == 1 && chance.chance(0.12) {
                let other: Phone = Places::mobile(chance);
                person.phones.push((random(chance, start), other));
            }
        }
        if apart {
            let own = self.places.anywhere(chance);
            members[1].homes = vec![(start, own)];
            members[1].phones = vec![(start, Places::mobile(chance))];
            members[1].policies =
                insurance::career(members[1].born, &members[1].homes, self.window, chance);
        }
        self.marry(members, chance);
        self.divorce(members, chance);
    }

    /// A member's cover: own job, own age of 75, or the family's.
    fn cover(
        &self,
        person: &Person,
        nth: u8,
        family: &[(Day, Policy)],
        homes: &[(Day, Home)],
        chance: &mut Chance,
    ) -> Vec<(Day, Policy)> {
        let age = person.born.age_on(self.window.1);
        let own = match person.kin {
            Kin::Spouse => chance.chance(0.6),
            Kin::Grandparent => true,
            _ => age >= 23 && chance.chance(0.75),
        };
        if own {
            return insurance::career(person.born, homes, self.window, chance);
        }
        let elder = person.born.birthday(75);
        let mut out: Vec<(Day, Policy)> =
            family.iter().map(|(day, p)| (*day, p.of_member(nth))).collect();
        if elder <= self.window.1 {
            let from = elder.max(self.window.0);
            out.retain(|(day, _)| *day < from);
            out.push((from, Policy::elder(at(homes, from), chance)));
        }
        out
    }

    /// A couple that married in the window: before, other homes, and one bore another surname.
    fn marry(&self, members: &mut [Person], chance: &mut Chance) {
        if members.len() < 2 || members[1].kin != Kin::Spouse || members[1].foreign() {
            return;
        }
        let (start, end) = self.window;
        let first_child = members.iter().filter(|m| m.kin == Kin::Child).map(|m| m.born).min();
        let wedding = members[1].born.plus(chance.between(22 * 365, 37 * 365));
        let wedding = first_child.map_or(wedding, |born| wedding.min(born.plus(-200)));
        let again = chance.chance(0.012);
        let wedding = if again { start.plus(chance.between(200, 3_000)) } else { wedding };
        // not all weddings of the window: what changes everything at once shall not rule the score
        let counted = chance.chance(0.62);
        if !counted
            || wedding <= start
            || wedding >= end
            || members.iter().any(|m| m.died.is_some())
        {
            return;
        }
        let changes = usize::from(chance.chance(0.94));
        // some had lived together before
        let together = chance.chance(0.3);
        for (i, person) in members.iter_mut().enumerate().take(2) {
            let apart = self.places.moved(&person.homes[0].1, chance);
            let before = if together { person.homes[0].1 } else { apart };
            let after = *at(&person.homes, wedding);
            person.homes.retain(|(day, _)| *day > wedding);
            person.homes.insert(0, (wedding, after));
            person.homes.insert(0, (start, before));
            if let Some((_, Phone::Landline(..))) = person.phones.first() {
                let after = *at(&person.phones, wedding);
                person.phones.retain(|(day, _)| *day > wedding);
                person.phones.insert(0, (wedding, after));
                person.phones.insert(0, (start, Places::landline(&before, chance)));
            }
            if i == 1 && person.policies[0].1.branch > 0 {
                // a dependent from the wedding on; before, insured by a job or by a parent's
                let own = Policy::employee(&before, chance);
                let own = if chance.chance(0.3) { own.of_member(2) } else { own };
                let after = *at(&person.policies, wedding);
                person.policies.retain(|(day, _)| *day > wedding);
                person.policies.insert(0, (wedding, after));
                person.policies.insert(0, (start, own));
            }
            if i == changes {
                let maiden = self.names.draw(List::Surname, 0, chance);
                let now = person.family[0].1;
                person.family = vec![(start, maiden), (wedding, now)];
            }
        }
    }

    /// A single parent who took back the former surname in the window, the children mostly too.
    fn divorce(&self, members: &mut [Person], chance: &mut Chance) {
        let single = members.len() > 1
            && matches!(members[1].kin, Kin::Child)
            && !members[0].male
            && members[0].born.age_on(self.window.1) < 53;
        if !single || members[0].foreign() || !chance.chance(0.5) {
            return;
        }
        let (start, end) = self.window;
        let day = start.plus(chance.between(0, end.days_since(start)));
        let earlier = self.names.draw(List::Surname, 0, chance);
        let children = chance.chance(0.7);
        for person in members.iter_mut() {
            let now = person.family[0].1;
            if person.kin == Kin::Head || children {
                person.family = vec![(start, earlier), (day, now)];
            } else {
                person.family = vec![(start, earlier)];
            }
        }
    }
}

fn is_elder(policy: &Policy) -> bool {
    matches!(policy.insurer, insurance::Insurer::Elder(_))
}

/// A day on which somebody was born who is `age` at the end of the window.
fn born_at(age: i32, end: Day, chance: &mut Chance) -> Day {
    end.birthday(-age).plus(-chance.between(0, 364))
}

fn dies(age: i32, end: Day, chance: &mut Chance) -> Option<Day> {
    let risk = match age {
        ..50 => 0.003,
        50..65 => 0.01,
        65..75 => 0.05,
        75..85 => 0.13,
        _ => 0.3,
    };
    chance.chance(risk).then(|| end.plus(-chance.between(1, 2_500)))
}
