//! The country: who lives in it, who is whose patient, and each record's legal situation.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    chance::{Purpose, Shuffle, Streams},
    error::CountryError,
    hospital::{self, Hospital, Patient},
    params::Params,
    people::{self, Difference, Keys, Link, Maker, Part, Resident, Settler},
    specialist,
    standing::{Days, Deal, Dealer, Group, Regime, Standing},
    table::Tables,
};

/// A holder of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// A hospital with an SS-MIX2 standardized storage.
    HospitalA,
    /// A hospital with a FHIR JP Core export.
    HospitalB,
    /// The municipality: residents, insurance, check-ups, deaths.
    Municipality,
    /// A specialist hospital (only if asked for).
    Specialist,
}

impl Holder {
    /// All four.
    pub const ALL: [Self; 4] =
        [Self::HospitalA, Self::HospitalB, Self::Municipality, Self::Specialist];

    /// The name of its folder and in the truth.
    pub fn name(self) -> &'static str {
        match self {
            Self::HospitalA => "hospital_a",
            Self::HospitalB => "hospital_b",
            Self::Municipality => "municipality",
            Self::Specialist => "specialist",
        }
    }

    /// Its name for people (made up).
    pub fn ja(self) -> &'static str {
        match self {
            Self::HospitalA => "模擬病院A",
            Self::HospitalB => "模擬病院B",
            Self::Municipality => "模擬自治体",
            Self::Specialist => "模擬専門病院",
        }
    }
}

/// Two records of the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The person.
    pub person: String,
    /// Holder and local id of the hospital's record.
    pub first: (Holder, String),
    /// Holder and local id of the municipality's record.
    pub second: (Holder, String),
    /// Whether name, birth date and sex agree after normalisation.
    pub exact_key: bool,
    /// How they differ: `same`, `surname_changed`, `birth_date_differs`.
    pub difference: &'static str,
}

/// One record's legal situation, for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// The person's id at the holder.
    pub local_id: String,
    /// What it was made for.
    pub group: Group,
    /// Whether it reaches the first product of [`Regime::Anon`] and [`Regime::Pseudo`].
    pub reaches: [bool; 2],
    /// Whether it reaches products made after all stops.
    pub reaches_later: [bool; 2],
}

/// A simulated country, ready to be written.
pub struct Country {
    pub(crate) params: Params,
    pub(crate) tables: Tables,
    pub(crate) days: Days,
    pub(crate) hospitals: [Hospital; 2],
    pub(crate) hospital_standings: [Vec<Standing>; 2],
    pub(crate) links: Vec<Link>,
    pub(crate) residents: Vec<Resident>,
    pub(crate) standings: Vec<Standing>,
    pub(crate) specialist: Vec<Patient>,
    pub(crate) specialist_standings: Vec<Standing>,
    /// Order of the rows in the municipality's files.
    pub(crate) order: Shuffle,
    numbers: Shuffle,
}

impl std::fmt::Debug for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Country")
            .field("seed", &self.params.seed)
            .field("residents", &self.residents.len())
            .field("links", &self.links.len())
            .finish_non_exhaustive()
    }
}

impl Country {
    /// Make a country. The same parameters make the same country.
    ///
    /// # Errors
    /// Parameters out of range, fixtures that cannot be read, or no distinct name left.
    pub fn generate(params: &Params) -> Result<Self, CountryError> {
        params.check()?;
        let tables = Tables::load()?;
        let days = Days::of(&params.calendar);
        let hospitals = [
            hospital::read_ssmix2(params.fixtures.ssmix2.as_deref())?,
            hospital::read_fhir(params.fixtures.fhir.as_deref())?,
        ];
        let mut keys = Keys::default();
        let ambiguous = take_patients(&hospitals, &mut keys);
        let mut links = choose_links(params, &hospitals, &ambiguous, &tables, &days, &mut keys);

        let mut maker = Maker::new(&tables, keys, days.delivery, days.notice, params.persons);
        settle(params, &hospitals, &mut links, &mut maker)?;
        maker.fill(&Streams::new(params.seed, Purpose::Households))?;
        let Maker { residents, mut keys, .. } = maker;

        let standings = deal_residents(params, days, &residents);
        let hospital_standings =
            [0, 1].map(|h| deal_patients(params, days, h as u64 + 1, &hospitals[h].patients));
        let specialist = specialist::patients(params, &tables, &mut keys, days.delivery)?;
        let specialist_standings = deal_patients(params, days, 4, &specialist);

        let numbers = Streams::new(params.seed, Purpose::Numbers);
        Ok(Self {
            order: Shuffle::new(u64::from(params.persons), &mut numbers.of(1)),
            numbers: Shuffle::new(899_999_999, &mut numbers.of(2)),
            params: params.clone(),
            tables,
            days,
            hospitals,
            hospital_standings,
            links,
            residents,
            standings,
            specialist,
            specialist_standings,
        })
    }

    /// Residents of the municipality, the dead of the last two years included.
    pub fn residents(&self) -> usize {
        self.residents.len()
    }

    /// The holders of this country.
    pub fn holders(&self) -> Vec<Holder> {
        let with = |h: &Holder| *h != Holder::Specialist || self.params.specialist.is_some();
        Holder::ALL.into_iter().filter(with).collect()
    }

    /// Every pair of records of one person.
    pub fn pairs(&self) -> Vec<Pair> {
        self.links
            .iter()
            .map(|link| Pair {
                person: person_id(u64::from(link.resident)),
                first: (
                    [Holder::HospitalA, Holder::HospitalB][link.hospital],
                    self.patient(link).local_id.clone(),
                ),
                second: (Holder::Municipality, self.resident_id(link.resident as usize)),
                exact_key: link.difference == Difference::None,
                difference: link.difference.name(),
            })
            .collect()
    }

    /// The legal situation of every person of a holder.
    pub fn situations(&self, holder: Holder) -> impl Iterator<Item = Situation> + '_ {
        self.papers(holder).map(|(local_id, _, standing)| Situation {
            local_id,
            group: standing.group,
            reaches: Regime::ALL.map(|r| standing.reaches(r, &self.days)),
            reaches_later: Regime::ALL.map(|r| standing.reaches_later(r, &self.days)),
        })
    }

    /// Local id, birth and standing of every person of a holder.
    pub(crate) fn papers(
        &self,
        holder: Holder,
    ) -> Box<dyn Iterator<Item = (String, crate::day::Day, &Standing)> + '_> {
        match holder {
            Holder::HospitalA => zip(&self.hospitals[0].patients, &self.hospital_standings[0]),
            Holder::HospitalB => zip(&self.hospitals[1].patients, &self.hospital_standings[1]),
            Holder::Specialist => zip(&self.specialist, &self.specialist_standings),
            Holder::Municipality => Box::new((0..self.residents.len()).map(|n| {
                let i = self.order.at(n as u64) as usize;
                (self.resident_id(i), self.residents[i].born, &self.standings[i])
            })),
        }
    }

    pub(crate) fn patient(&self, link: &Link) -> &Patient {
        &self.hospitals[link.hospital].patients[link.patient]
    }

    /// 宛名番号 of the resident at a place: ten digits in no order.
    pub(crate) fn resident_id(&self, place: usize) -> String {
        format!("{}", 1_100_000_000 + self.numbers.at(place as u64))
    }
}

fn zip<'a>(
    patients: &'a [Patient],
    standings: &'a [Standing],
) -> Box<dyn Iterator<Item = (String, crate::day::Day, &'a Standing)> + 'a> {
    Box::new(patients.iter().zip(standings).map(|(p, s)| (p.local_id.clone(), p.born, s)))
}

/// Id of a person in the truth.
pub(crate) fn person_id(place: u64) -> String {
    format!("P{:08}", place + 1)
}

/// Take the keys of all patients; the places of those who share one with another patient.
fn take_patients(hospitals: &[Hospital; 2], keys: &mut Keys) -> BTreeSet<(usize, usize)> {
    let mut seen: BTreeMap<(String, i32, bool), Vec<(usize, usize)>> = BTreeMap::new();
    for (h, hospital) in hospitals.iter().enumerate() {
        for (p, patient) in hospital.patients.iter().enumerate() {
            let [family, given] = people::patient_keys(patient);
            keys.take(
                [&patient.kanji[0], &patient.kanji[1]],
                [&family, &given],
                patient.born,
                patient.male,
            );
            for name in [family + &given, patient.kanji.concat()] {
                seen.entry((name, patient.born.0, patient.male)).or_default().push((h, p));
            }
        }
    }
    seen.into_values().filter(|who| who.len() > 1).flatten().collect()
}

fn choose_links(
    params: &Params,
    hospitals: &[Hospital; 2],
    ambiguous: &BTreeSet<(usize, usize)>,
    tables: &Tables,
    days: &Days,
    keys: &mut Keys,
) -> Vec<Link> {
    let mut links = Vec::new();
    let room = params.persons as usize / 8;
    for (h, share) in [params.linked_a, params.linked_b].into_iter().enumerate() {
        let chance = &mut Streams::new(params.seed, Purpose::Links).of(h as u64);
        let patients = &hospitals[h].patients;
        let shuffle = Shuffle::new(patients.len() as u64, chance);
        let living: Vec<usize> = (0..patients.len() as u64)
            .map(|n| shuffle.at(n) as usize)
            .filter(|p| people::linkable(&patients[*p]) && !ambiguous.contains(&(h, *p)))
            .collect();
        let count = |share: f64| (share * living.len() as f64).round() as usize;
        let (exact, inexact) = (count(share).min(room), count(params.linked_inexact).min(room));
        for (n, patient) in living.into_iter().take(exact + inexact).enumerate() {
            let difference = if n < exact {
                Some(Difference::None)
            } else {
                differ(&patients[patient], n, tables, days, keys, chance)
            };
            // no free key for a difference: then this patient simply does not live here
            let Some(difference) = difference else { continue };
            links.push(Link { hospital: h, patient, resident: 0, difference });
        }
    }
    links
}

/// A difference that leaves the resident without an exact key, and distinct from everybody else.
fn differ(
    patient: &Patient,
    n: usize,
    tables: &Tables,
    days: &Days,
    keys: &mut Keys,
    chance: &mut crate::chance::Chance,
) -> Option<Difference> {
    let [family, given] = people::patient_keys(patient);
    let [kanji_family, kanji_given] = &patient.kanji;
    if n.is_multiple_of(3) {
        let born = people::wrong_birth(patient.born, days.delivery);
        if keys.take([kanji_family, kanji_given], [&family, &given], born, patient.male) {
            return Some(Difference::Birth);
        }
    }
    (0..50).find_map(|_| {
        let new = tables.surname(chance);
        let name = &tables.surnames[new as usize];
        let other = name.kanji != kanji_family && name.key != family;
        let (kanji, kana) = ([name.kanji, kanji_given.as_str()], [name.key.as_str(), &given]);
        (other && keys.take(kanji, kana, patient.born, patient.male))
            .then_some(Difference::Surname(new))
    })
}

/// Everybody who does not come from chance: linked patients by household, then the planted.
fn settle(
    params: &Params,
    hospitals: &[Hospital; 2],
    links: &mut [Link],
    maker: &mut Maker<'_>,
) -> Result<(), CountryError> {
    let chance = &mut people::planted_chance(params.seed);
    let mut homes: BTreeMap<(usize, &str), Vec<Settler<'_>>> = BTreeMap::new();
    for (n, link) in links.iter().enumerate() {
        let patient = &hospitals[link.hospital].patients[link.patient];
        let home = homes.entry((link.hospital, &patient.address)).or_default();
        home.push((n as u32, patient, link.difference));
    }
    for members in homes.into_values() {
        maker.linked(&members, links, chance);
    }
    maker.planted(Part::Mayor, 58, true, chance)?;
    maker.planted(Part::Oldest, 111, false, chance)?;
    for _ in 0..=(params.persons / 5_000).min(50) {
        let age = chance.between(48, 71);
        maker.planted(Part::HighPressure, age, true, chance)?;
        let age = chance.between(40, 55);
        maker.planted(Part::HighWeight, age, true, chance)?;
    }
    for _ in 0..params.planted_homonyms.min(params.persons / 8) {
        let (age, male) = (chance.between(25, 70), chance.chance(0.5));
        maker.planted(Part::Ordinary, age, male, chance)?;
        maker.homonym();
    }
    Ok(())
}

fn deal_residents(params: &Params, days: Days, residents: &[Resident]) -> Vec<Standing> {
    let mut dealer = Dealer::new(params.seed, 3, residents.len(), params.shares, days);
    let deal = |(i, r): (usize, &Resident)| {
        let how = match r.part {
            Part::Ordinary | Part::Twin => Deal::OwedFirst,
            Part::Linked(_) | Part::Homonym => Deal::ByShares,
            Part::Mayor | Part::Oldest | Part::HighPressure | Part::HighWeight => Deal::Common,
        };
        dealer.deal(i as u64, r.died, how)
    };
    residents.iter().enumerate().map(deal).collect()
}

fn deal_patients(params: &Params, days: Days, holder: u64, patients: &[Patient]) -> Vec<Standing> {
    let mut dealer = Dealer::new(params.seed, holder, patients.len(), params.shares, days);
    let chance = &mut Streams::new(params.seed, Purpose::Links).of(1_000 + holder);
    let shuffle = Shuffle::new(patients.len() as u64, chance);
    let mut dealt: Vec<(usize, Standing)> = (0..patients.len() as u64)
        .map(|n| {
            let p = shuffle.at(n) as usize;
            (p, dealer.deal(p as u64, patients[p].died, Deal::OwedFirst))
        })
        .collect();
    dealt.sort_by_key(|(p, _)| *p);
    dealt.into_iter().map(|(_, standing)| standing).collect()
}
