//! Pairs of records that linkers get wrong, by class: the same person written so differently that
//! the records seem to be of two, and two people so alike that they seem to be one.

use crate::{
    chance::{Chance, Purpose, Streams},
    day::Day,
    persons::{
        LIST_COLUMNS, ListProfile, PersonList, PersonRecord,
        household::Households,
        insurance::Insurer,
        life::{Kin, Person},
        record::Desk,
        source::{Charset, Kind, Source, column},
        tag::Tag,
    },
};

macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident $name:literal $same:literal $target:literal,)+) => {
        /// Why a pair is hard.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum HardClass {
            $($(#[$doc])* $class,)+
        }

        impl HardClass {
            /// Every class.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$class),+];

            /// The name in `hard_pairs.csv`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$class => $name,)+ }
            }

            /// Whether both records are of one person.
            pub const fn same(self) -> bool {
                match self { $(Self::$class => $same,)+ }
            }

            /// The least share of the class's pairs that a linker should get right, without other
            /// evidence than the list's.
            pub const fn target(self) -> f64 {
                match self { $(Self::$class => $target,)+ }
            }
        }
    };
}

classes! {
    /// Family and given name in each other's place.
    Swapped "swapped" true 0.9,
    /// Before and after the wedding: surname and home have changed.
    Marriage "marriage" true 0.9,
    /// A variant character, and no kana in one of the two.
    VariantKanji "variant_kanji" true 0.9,
    /// 〓 for a character, and no kana in it.
    Gaiji "gaiji" true 0.9,
    /// The same characters read otherwise.
    Reading "reading" true 0.9,
    /// Voicing added or lost.
    Voiced "voiced" true 0.95,
    /// A long vowel shortened or written with a bar.
    LongVowel "long_vowel" true 0.95,
    /// シ for ツ and their like.
    LookAlike "look_alike" true 0.95,
    /// The birth year wrong by the conversion of eras.
    EraYear "era_year" true 0.9,
    /// Month and day exchanged.
    MonthDay "month_day" true 0.9,
    /// Birth date written 01-01.
    Birth0101 "birth_0101" true 0.9,
    /// No birth date in one of the two.
    BirthMissing "birth_missing" true 0.9,
    /// Another home, telephone and insurer.
    Moved "moved" true 0.9,
    /// Another insurer from the age of 75.
    Elder "elder" true 0.9,
    /// Latin name in another order, or without the middle name.
    Foreign "foreign" true 0.85,
    /// Legal name and 通称名.
    Alias "alias" true 0.6,
    /// ベビー, and the name registered later.
    Newborn "newborn" true 0.85,
    /// Twins of one sex; the branch numbers differ.
    Twins "twins" false 0.95,
    /// Twins of one sex with like names; no branch numbers.
    TwinsAlike "twins_alike" false 0.7,
    /// Father and son, or mother and daughter, with like names in one home.
    ParentChild "parent_child" false 0.95,
    /// Siblings of one sex.
    Siblings "siblings" false 0.95,
    /// The same name, sex and birth date in another household.
    Namesakes "namesakes" false 0.8,
    /// The same sound in other characters, the same sex and birth date.
    NamesakesByEar "namesakes_by_ear" false 0.8,
    /// The same name and municipality, birth dates one digit apart.
    NearNamesakes "near_namesakes" false 0.7,
}

/// One hard pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HardPair {
    /// Why it is hard, and whether it is one person.
    pub class: HardClass,
    /// The two records; their `person` agrees with the class.
    pub records: [PersonRecord; 2],
    /// Further records of the same people. Namesakes with one record each could as well be one
    /// person who moved: these show two lives side by side.
    pub others: Vec<PersonRecord>,
}

/// Households from here on are the hard pairs': no list is so long.
const FIRST: u64 = 1 << 40;
/// Further records' numbers, beyond those of all pairs.
const FURTHER: u64 = 1 << 30;
const TRIES: u64 = 400_000;

impl PersonList {
    /// `per_class` pairs of every class, in the order of [`HardClass::ALL`]. Their people are in no
    /// list; their records have all columns and no error but the one of their class.
    pub fn hard_pairs(&self, per_class: usize) -> Vec<HardPair> {
        let households = self.households();
        let streams = Streams::new(self.params.seed, Purpose::ListHard);
        let mut out = Vec::with_capacity(per_class * HardClass::ALL.len());
        for (c, class) in HardClass::ALL.into_iter().enumerate() {
            let first = FIRST + c as u64 * TRIES * 2;
            let mut found = 0;
            for household in first..first + TRIES {
                if found == per_class {
                    break;
                }
                let chance = &mut streams.of(household);
                let nth = out.len() as u64;
                if let Some(pair) = self.pair(class, &households, household, nth, chance) {
                    out.push(pair);
                    found += 1;
                }
            }
        }
        out
    }

    fn pair(
        &self,
        class: HardClass,
        households: &Households<'_>,
        household: u64,
        nth: u64,
        chance: &mut Chance,
    ) -> Option<HardPair> {
        let members = households.of(household);
        let (start, end) = self.window;
        let anywhen = |chance: &mut Chance| start.plus(chance.between(400, end.days_since(start)));
        if class.same() {
            let person = members.iter().find(|p| fits(class, p, self.window))?;
            let (mut days, mut force) = ([anywhen(chance), end], None);
            match class {
                HardClass::Marriage => days[0] = person.family[1].0.plus(-40),
                HardClass::Moved => days[0] = person.homes[1].0.plus(-40),
                HardClass::Elder => days[0] = person.born.birthday(75).plus(-40),
                HardClass::Newborn => days[0] = person.born.plus(chance.between(0, 9)),
                _ => force = Some(tag(class)),
            }
            let one = self.written(person, 2 * nth, days[0], force, class, chance);
            let other = self.written(person, 2 * nth + 1, days[1], None, class, chance);
            let happened = match class {
                HardClass::Moved => one.tags.has(Tag::InsurerChanged),
                HardClass::Foreign => true,
                _ => force.is_none_or(|tag| one.tags.has(tag)),
            };
            let differs = one.cells[3] != other.cells[3] || !matches!(class, HardClass::Foreign);
            let records = [one, other];
            return (happened && differs).then_some(HardPair {
                class,
                records,
                others: Vec::new(),
            });
        }
        let (one, other) = two(class, households, &members, household, chance)?;
        let days = [anywhen(chance), anywhen(chance)].map(|d| d.max(one.born).max(other.born));
        let records = [
            self.written(&one, 2 * nth, days[0], None, class, chance),
            self.written(&other, 2 * nth + 1, days[1], None, class, chance),
        ];
        let mut others = Vec::new();
        if class.lives_shown() {
            // by turns: one here, the other there, again and again
            for turn in 1..=4 {
                for (person, side) in [(&one, 0), (&other, 1)] {
                    let on = start.plus(turn * 700 + side * 200);
                    let id = FURTHER * turn as u64 + 2 * nth + side as u64;
                    let mut record = self.written(person, id, on, None, class, chance);
                    record.person = (1 << 32) + 2 * nth + side as u64;
                    others.push(record);
                }
            }
        }
        Some(HardPair { class, records, others })
    }

    fn written(
        &self,
        person: &Person,
        nth: u64,
        on: Day,
        force: Option<Tag>,
        class: HardClass,
        chance: &mut Chance,
    ) -> PersonRecord {
        let seed = self.params.seed;
        let place = u16::from(super::life::at(&person.homes, on).place);
        let source = Source { kind: Kind::Hospital, place, nth: (nth % 2) as u8 };
        let mut style = source.style(seed);
        style.has = [true; 9];
        let first = nth.is_multiple_of(2);
        match class {
            HardClass::VariantKanji | HardClass::Gaiji if first => style.has[column::KANA] = false,
            HardClass::TwinsAlike => style.has[column::BRANCH] = false,
            _ => {}
        }
        let desk = Desk {
            names: &self.names,
            places: &self.places,
            profile: ListProfile::Clean,
            force: match (class, force) {
                (HardClass::Foreign, _) if person.middle.is_some() && first => {
                    Some(Tag::MiddleDropped)
                }
                (HardClass::Newborn, _) if first => Some(Tag::Newborn),
                (_, force) => force,
            },
        };
        style.charset =
            if class == HardClass::Gaiji && first { Charset::Jis208 } else { Charset::Unicode };
        let (cells, tags) = desk.write(person, source, &style, on, chance);
        let head = [super::record_id(seed, (1 << 39) + nth), source.id(), on.to_string()];
        let same = class.same();
        PersonRecord {
            cells: super::joined(head, cells),
            person: (1 << 32) + if same { nth / 2 * 2 } else { nth },
            household: person.household,
            tags,
        }
    }
}

impl HardClass {
    /// Whether each of the two has further records.
    const fn lives_shown(self) -> bool {
        matches!(self, Self::Namesakes | Self::NamesakesByEar | Self::NearNamesakes)
    }
}

/// The tag that a class forces on its first record.
fn tag(class: HardClass) -> Tag {
    match class {
        HardClass::Swapped => Tag::Swapped,
        HardClass::VariantKanji => Tag::Itaiji,
        HardClass::Gaiji => Tag::Gaiji,
        HardClass::Reading => Tag::Reading,
        HardClass::Voiced => Tag::Voiced,
        HardClass::LongVowel => Tag::LongVowel,
        HardClass::LookAlike => Tag::LookAlike,
        HardClass::EraYear => Tag::EraYear,
        HardClass::MonthDay => Tag::MonthDay,
        HardClass::Birth0101 => Tag::Birth0101,
        HardClass::BirthMissing => Tag::BirthMissing,
        HardClass::Foreign => Tag::NameOrder,
        _ => Tag::Alias,
    }
}

/// Whether the person's life has what the class needs.
fn fits(class: HardClass, person: &Person, (start, end): (Day, Day)) -> bool {
    if person.died.is_some() || (person.born > start) != (class == HardClass::Newborn) {
        return false;
    }
    match class {
        HardClass::Foreign => person.foreign(),
        HardClass::Alias => person.alias.is_some(),
        HardClass::Newborn => !person.foreign() && person.born.days_since(start) > 30,
        HardClass::Marriage => {
            person.family.len() == 2
                && matches!(person.kin, Kin::Spouse)
                && person.family[1].0.days_since(start) > 100
        }
        HardClass::Moved => {
            person.homes.len() == 2
                && person.homes[1].0.days_since(start) > 100
                && person.homes[0].1.place != person.homes[1].1.place
                && person.policies.len() > 1
        }
        HardClass::Elder => {
            let elder = person.born.birthday(75);
            elder.days_since(start) > 100 && elder < end && is_elder(person)
        }
        _ => !person.foreign(),
    }
}

/// Two people as the class needs them.
fn two(
    class: HardClass,
    households: &Households<'_>,
    members: &[Person],
    household: u64,
    chance: &mut Chance,
) -> Option<(Person, Person)> {
    if members.iter().any(|p| p.foreign() || p.died.is_some()) {
        return None;
    }
    let alike = |one: &Person, other: &Person| households.begin_alike(one, other);
    let second = match class {
        HardClass::Twins | HardClass::TwinsAlike => {
            let twin = members.iter().skip(1).position(|p| p.kin == Kin::Twin)? + 1;
            let (one, other) = (&members[twin - 1], &members[twin]);
            let right = one.male == other.male
                && one.kin == Kin::Child
                && (class == HardClass::Twins || alike(one, other));
            return right.then(|| (one.clone(), other.clone()));
        }
        HardClass::ParentChild => {
            members.iter().skip(1).find(|p| p.kin == Kin::Child && alike(&members[0], p))?.clone()
        }
        HardClass::Siblings => {
            let children: Vec<&Person> = members.iter().filter(|p| p.kin == Kin::Child).collect();
            let [one, other, ..] = children[..] else { return None };
            return (one.male == other.male).then(|| (one.clone(), other.clone()));
        }
        _ => {
            // of about the same age, so that jobs and insurers stay possible
            let model = &members[0];
            let near = |p: &Person| p.born.days_since(model.born).abs() < 700;
            let other = (household + TRIES..household + TRIES + 60)
                .filter_map(|h| households.of(h).into_iter().next())
                .find(|p| near(p) && is_elder(p) == is_elder(model))?;
            households.named_after(model, other, class, chance)?
        }
    };
    Some((members[0].clone(), second))
}

fn is_elder(person: &Person) -> bool {
    matches!(person.policies.last(), Some((_, p)) if matches!(p.insurer, Insurer::Elder(_)))
}

impl Households<'_> {
    /// Whether both given names begin with the same character.
    fn begin_alike(&self, one: &Person, other: &Person) -> bool {
        let first = |p: &Person| self.names.kanji(p.given).chars().next();
        one.male == other.male && first(one) == first(other)
    }

    /// `other` with the name and sex of `model`.
    fn named_after(
        &self,
        model: &Person,
        mut other: Person,
        class: HardClass,
        chance: &mut Chance,
    ) -> Option<Person> {
        if other.foreign() || other.died.is_some() || model.family.len() > 1 {
            return None;
        }
        (other.male, other.given, other.born) = (model.male, model.given, model.born);
        other.family = vec![(self.window.0, model.family[0].1)];
        match class {
            HardClass::NamesakesByEar => other.given = self.names.homophone(model.given, chance)?,
            HardClass::NearNamesakes => {
                let (year, month, day) = model.born.civil();
                other.born = Day::from_civil(year, month, if day > 9 { day - 9 } else { day + 10 });
                let place = model.homes[0].1.place;
                other.homes = vec![(self.window.0, self.places.within(place, chance))];
            }
            _ => {}
        }
        Some(other)
    }
}

/// Header of `hard_pairs.csv`.
pub(crate) const HARD_COLUMNS: &str = "pair_id,class,same,target,record_id_l,record_id_r";

impl HardPair {
    /// Its row of `hard_pairs.csv`.
    pub(crate) fn row(&self, nth: usize) -> [String; 6] {
        let id = LIST_COLUMNS.iter().position(|c| *c == "record_id").unwrap_or(0);
        let same = if self.class.same() { "1" } else { "0" };
        let [one, other] = &self.records;
        [
            format!("X{nth:05}"),
            self.class.name().to_owned(),
            same.to_owned(),
            self.class.target().to_string(),
            one.cells[id].clone(),
            other.cells[id].clone(),
        ]
    }
}
