//! What can be drawn anew of a resident whenever it is written: address, phone, numbers, spelling.

use crate::{
    chance::{Chance, Purpose, Shuffle, Streams},
    country::Country,
    day::Day,
    hospital::Insured,
    kana,
    people::{Difference, Part, Resident},
    table::{Place, Tables},
};

/// The municipality in which everybody lives: a row of the table of places.
const HOME: &str = "所沢市";

/// Streams and shuffles from which details are drawn.
#[derive(Debug)]
pub(crate) struct Detailer<'a> {
    country: &'a Country,
    house: Streams,
    person: Streams,
    phones: Shuffle,
    mobiles: Shuffle,
    insured: Shuffle,
    late_elders: Shuffle,
}

/// A household's shared values.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) postal: String,
    pub(crate) address: String,
    phone: String,
    number: String,
}

/// A resident's values.
#[derive(Debug)]
pub(crate) struct Details {
    pub(crate) local_id: String,
    pub(crate) kanji: [String; 2],
    pub(crate) kana: [String; 2],
    pub(crate) house: House,
    pub(crate) phone: String,
    pub(crate) occupation: &'static str,
    pub(crate) moved_in: Day,
}

impl<'a> Detailer<'a> {
    pub(crate) fn new(country: &'a Country) -> Self {
        let seed = country.params.seed;
        let numbers = Streams::new(seed, Purpose::Numbers);
        let shuffle = |size, n| Shuffle::new(size, &mut numbers.of(n));
        Self {
            country,
            house: Streams::new(seed, Purpose::House),
            person: Streams::new(seed, Purpose::Person),
            phones: shuffle(10_000_000, 3),
            mobiles: shuffle(30_000_000, 4),
            insured: shuffle(9_000_000, 5),
            late_elders: shuffle(90_000_000, 6),
        }
    }

    pub(crate) fn home(tables: &Tables) -> &Place {
        tables.places.iter().find(|p| p.city == HOME).unwrap_or(&tables.places[0])
    }

    /// Six digits of the municipality's insurer number, its check digit included.
    pub(crate) fn national_insurer(&self) -> String {
        insurer_number("", &Self::home(&self.country.tables).code[..2], "998")
    }

    /// Eight digits of the prefecture's insurer of those of 75 and more.
    pub(crate) fn elder_insurer(&self) -> String {
        insurer_number("39", &Self::home(&self.country.tables).code[..2], "998")
    }

    fn house(&self, household: u32) -> House {
        let chance = &mut self.house.of(u64::from(household));
        let home = Self::home(&self.country.tables);
        let (address, postal) = address(&self.country.tables, home, chance);
        let phone = self.phones.at(u64::from(household) % 10_000_000);
        House {
            postal,
            address,
            phone: format!("099-{:03}-{:04}", phone / 10_000, phone % 10_000),
            number: (1_000_000 + self.insured.at(u64::from(household) % 9_000_000)).to_string(),
        }
    }

    pub(crate) fn of(&self, place: usize) -> Details {
        let resident = &self.country.residents[place];
        let chance = &mut self.person.of(place as u64);
        let (kanji, kana) = self.names(resident);
        let house = self.house(resident.household);
        let age = resident.born.age_on(self.country.days.delivery);
        let own = self.mobiles.at(place as u64 % 30_000_000);
        let phone = if age >= 16 && chance.chance(0.35) {
            // a subscriber number that begins with 0 is not assigned
            let (net, rest) = (7 + own / 10_000_000, own % 10_000_000);
            format!("0{net}0-0{:03}-{:04}", rest / 10_000, rest % 10_000)
        } else {
            house.phone.clone()
        };
        let drawn = self.country.tables.occupation(age, chance);
        let occupation = if resident.part == Part::Mayor { "市長" } else { drawn };
        let lived = self.country.days.notice.days_since(resident.born).max(0);
        let moved_in = resident.born.plus(if chance.chance(0.4) {
            14.min(lived)
        } else {
            chance.between(0, lived)
        });
        let local_id = self.country.resident_id(place);
        Details { local_id, kanji, kana, house, phone, occupation, moved_in }
    }

    /// Full names as the municipality knows them, kana in full width.
    pub(crate) fn names(&self, resident: &Resident) -> ([String; 2], [String; 2]) {
        let tables = &self.country.tables;
        if let Part::Linked(link) = resident.part {
            let link = &self.country.links[link as usize];
            let patient = self.country.patient(link);
            let (mut kanji, mut kana) = (patient.kanji.clone(), patient.kana.clone());
            if let Difference::Surname(new) = link.difference {
                let new = &tables.surnames[new as usize];
                (kanji[0], kana[0]) = (new.kanji.to_owned(), new.kana.to_owned());
            }
            return (kanji, kana);
        }
        let family = &tables.surnames[resident.surname as usize];
        let given = &tables.given(resident.male)[resident.given as usize];
        (
            [family.kanji.to_owned(), given.kanji.to_owned()],
            [family.kana.to_owned(), given.kana.to_owned()],
        )
    }

    /// Every insurance the municipality's register knows: insured as, 1 head or 2 family, from, to.
    pub(crate) fn insurances(
        &self,
        place: usize,
        details: &Details,
    ) -> Vec<(Insured, &'static str, Day, Option<Day>)> {
        let resident = &self.country.residents[place];
        let (today, died) = (self.country.days.delivery, resident.died);
        let mut out = Vec::new();
        if let Part::Linked(link) = resident.part {
            let link = &self.country.links[link as usize];
            let known = self.country.patient(link).insured.as_ref();
            if let Some(insured) = known.filter(|_| link.difference == Difference::None) {
                let relation = if insured.branch == "01" { "1" } else { "2" };
                out.push((insured.clone(), relation, details.moved_in, None));
                return out;
            }
        }
        let elder_from = resident.born.birthday(75);
        let elder = elder_from <= died.unwrap_or(today);
        if resident.national && elder_from > details.moved_in {
            let insured = Insured {
                insurer_no: self.national_insurer(),
                insurer_name: "模擬自治体国民健康保険".into(),
                symbol: "模国".into(),
                number: details.house.number.clone(),
                branch: format!("{:02}", resident.member),
            };
            let relation = if resident.member == 1 { "1" } else { "2" };
            let end = if elder { Some(elder_from) } else { died.map(|d| d.plus(1)) };
            out.push((insured, relation, details.moved_in, end));
        }
        if elder {
            let number = 10_000_000 + self.late_elders.at(place as u64);
            let insured = Insured {
                insurer_no: self.elder_insurer(),
                insurer_name: "模擬後期高齢者医療広域連合".into(),
                number: number.to_string(),
                ..Insured::default()
            };
            out.push((insured, "1", elder_from.max(details.moved_in), died.map(|d| d.plus(1))));
        }
        out
    }
}

/// A made-up address of a place: the block does not exist (99丁目); and a made-up postal code.
pub(crate) fn address(tables: &Tables, place: &Place, chance: &mut Chance) -> (String, String) {
    let town = chance.pick(&tables.towns);
    let (block, house) = (chance.between(1, 40), chance.between(1, 30));
    let mut text = format!("{}{}{town}99丁目{block}番{house}号", place.prefecture, place.city);
    if chance.chance(0.4) {
        let building = chance.pick(&tables.buildings);
        let room = chance.between(1, 12) * 100 + chance.between(1, 9);
        text = format!("{text} {building}{room}");
    }
    (text, format!("{}-99{:02}", place.postal, chance.below(100)))
}

/// Insurer number with its check digit (weights 2 and 1 from the right, digit sums, modulus 10).
pub(crate) fn insurer_number(law: &str, prefecture: &str, number: &str) -> String {
    let digits = format!("{law}{prefecture}{number}");
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let product = u32::from(b - b'0') * if i % 2 == 0 { 2 } else { 1 };
            product / 10 + product % 10
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// How one clerk wrote a kana name: half width mostly, never changing what it says.
pub(crate) fn kana_style(name: &[String; 2], chance: &mut Chance) -> String {
    match chance.below(20) {
        0..14 => kana::half_width(&name.join(" ")),
        14..17 => name.join("　"),
        17 => name.concat(),
        18 => kana::half_width(&name.concat()),
        _ => kana::hiragana(&name.join("　")),
    }
}

/// How one clerk wrote a date of birth.
pub(crate) fn date_style(day: Day, chance: &mut Chance) -> String {
    match chance.below(20) {
        0..12 => day.era_letter(),
        12..15 => day.compact(),
        15..17 => day.slashed(),
        17 => day.to_string(),
        18 => day.era_kanji(),
        _ => kana::wide_digits(&day.era_kanji()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insurer_numbers_carry_their_check_digit() {
        // 06139877 stands in the FHIR fixture: check digit 7
        assert_eq!(insurer_number("06", "13", "987"), "06139877");
        assert_eq!(insurer_number("01", "13", "001"), "01130012");
        assert_eq!(insurer_number("", "13", "101"), "131011");
    }
}
