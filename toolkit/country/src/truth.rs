//! The truth: who is who, what must reach which product, and what must never be seen in one.

use std::{collections::HashMap, path::Path};

use crate::{
    country::{Country, Holder, person_id},
    details::Detailer,
    error::CountryError,
    file::{Style, TextFile},
    hospital::{self, Identifiers, Patient, below_municipality, kind},
    people::{Difference, Part},
    progress::Progress,
    standing::Regime,
};

fn yes(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

pub(crate) fn write(
    country: &Country,
    dir: &Path,
    progress: &mut dyn Progress,
) -> Result<(), CountryError> {
    persons(country, dir)?;
    pairs(country, dir)?;
    regimes(country, dir)?;
    progress.advance(country.residents.len() as u64);
    planted(country, dir)?;
    identifiers(country, dir)?;
    progress.advance(country.residents.len() as u64);
    Ok(())
}

fn persons(country: &Country, dir: &Path) -> Result<(), CountryError> {
    let mut out =
        TextFile::create(dir, "persons.csv", Style::Plain, "person_id,holder,local_id,exact_key")?;
    let linked: HashMap<(usize, usize), &crate::people::Link> =
        country.links.iter().map(|l| ((l.hospital, l.patient), l)).collect();
    let exact = |d: Difference| yes(d == Difference::None);
    let town = Holder::Municipality.name();
    for (i, resident) in country.residents.iter().enumerate() {
        let key = match resident.part {
            Part::Linked(link) => exact(country.links[link as usize].difference),
            _ => "",
        };
        out.row(&[person_id(i as u64).as_str(), town, &country.resident_id(i), key])?;
    }
    let mut next = country.residents.len() as u64;
    let mut patient = |patient: &Patient, holder: Holder, link: Option<&crate::people::Link>| {
        let (id, key) = match link {
            Some(link) => (person_id(u64::from(link.resident)), exact(link.difference)),
            None => {
                next += 1;
                (person_id(next - 1), "")
            }
        };
        out.row(&[id.as_str(), holder.name(), &patient.local_id, key])
    };
    for (h, holder) in [Holder::HospitalA, Holder::HospitalB].into_iter().enumerate() {
        for (p, one) in country.hospitals[h].patients.iter().enumerate() {
            patient(one, holder, linked.get(&(h, p)).copied())?;
        }
    }
    for one in &country.specialist {
        patient(one, Holder::Specialist, None)?;
    }
    out.finish().map(drop)
}

fn pairs(country: &Country, dir: &Path) -> Result<(), CountryError> {
    let header = "person_id,holder_a,local_id_a,holder_b,local_id_b,exact_key,difference";
    let mut out = TextFile::create(dir, "pairs.csv", Style::Plain, header)?;
    for pair in country.pairs() {
        out.row(&[
            pair.person.as_str(),
            pair.first.0.name(),
            &pair.first.1,
            pair.second.0.name(),
            &pair.second.1,
            yes(pair.exact_key),
            pair.difference,
        ])?;
    }
    out.finish().map(drop)
}

fn regimes(country: &Country, dir: &Path) -> Result<(), CountryError> {
    let header = "holder,local_id,group,notified_anon,notified_pseudo,died_on,stop_on,stop_regimes,\
                  stop_phase,sent_anon,sent_pseudo,reaches_anon,reaches_pseudo,\
                  reaches_anon_after_stops,reaches_pseudo_after_stops";
    let mut out = TextFile::create(dir, "regimes.csv", Style::Plain, header)?;
    for holder in country.holders() {
        for (local_id, _, s) in country.papers(holder) {
            let day = |d: Option<crate::day::Day>| d.map(|d| d.to_string()).unwrap_or_default();
            let days = &country.days;
            let each = |f: &dyn Fn(Regime) -> bool| Regime::ALL.map(|r| yes(f(r)));
            let sent = each(&|r| s.sent(r, days));
            let first = each(&|r| s.reaches(r, days));
            let later = each(&|r| s.reaches_later(r, days));
            out.row(&[
                holder.name(),
                &local_id,
                s.group.name(),
                &day(s.notified[0]),
                &day(s.notified[1]),
                &day(s.died),
                &day(s.stop.map(|stop| stop.on)),
                &s.stop.map(|stop| stop_regimes(stop.regimes)).unwrap_or_default(),
                s.stop.map_or("", |stop| stop.phase.name()),
                sent[0],
                sent[1],
                first[0],
                first[1],
                later[0],
                later[1],
            ])?;
        }
    }
    out.finish().map(drop)
}

/// The regimes of a stop, as the holders' files write them.
pub(crate) fn stop_regimes(regimes: [bool; 2]) -> String {
    let named = Regime::ALL.iter().zip(regimes).filter(|(_, on)| *on).map(|(r, _)| r.name());
    named.collect::<Vec<_>>().join(";")
}

/// Persons planted for a test: kind, holder, local id.
fn planted(country: &Country, dir: &Path) -> Result<(), CountryError> {
    let mut out = TextFile::create(dir, "planted.csv", Style::Plain, "kind,holder,local_id,of")?;
    for (i, resident) in country.residents.iter().enumerate() {
        let kind = match resident.part {
            Part::Ordinary | Part::Linked(_) => continue,
            Part::Mayor => "mayor",
            Part::Oldest => "oldest",
            Part::HighPressure => "systolic_211_and_more",
            Part::HighWeight => "weight_150_and_more",
            Part::Homonym => "homonym",
            Part::Twin => "twin",
        };
        // a homonym and a twin follow the person they resemble
        let of = match resident.part {
            Part::Homonym | Part::Twin => country.resident_id(i - 1),
            _ => String::new(),
        };
        out.row(&[kind, Holder::Municipality.name(), &country.resident_id(i), &of])?;
    }
    out.finish().map(drop)
}

fn identifiers(country: &Country, dir: &Path) -> Result<(), CountryError> {
    let mut out = TextFile::create(dir, "identifiers.csv", Style::Plain, "holder,kind,value")?;
    for (h, holder) in [Holder::HospitalA, Holder::HospitalB].into_iter().enumerate() {
        for (kind, value) in &country.hospitals[h].identifiers {
            out.row(&[holder.name(), kind, value])?;
        }
    }
    for (kind, value) in hospital::fhir_record_keys(country.params.fixtures.fhir.as_deref())? {
        out.row(&[Holder::HospitalB.name(), kind, &value])?;
    }
    for (kind, value) in crate::specialist::identifiers(&country.specialist) {
        out.row(&[Holder::Specialist.name(), kind, &value])?;
    }
    let detailer = Detailer::new(country);
    let town = Holder::Municipality.name();
    // what a household shares is written once: its members follow one another
    let mut shared = Identifiers::new();
    let mut household = None;
    for (place, resident) in country.residents.iter().enumerate() {
        if household != Some(resident.household) {
            household = Some(resident.household);
            shared.clear();
        }
        let details = detailer.of(place);
        let below = below_municipality(&details.house.address).unwrap_or_default().to_owned();
        let mut own = vec![
            (kind::LOCAL_ID, details.local_id.clone()),
            (kind::NAME_KANJI, details.kanji.join(" ")),
            (kind::NAME_KANA, details.kana.join(" ")),
            (kind::PHONE, details.phone.clone()),
            (kind::ADDRESS, details.house.address.clone()),
            (kind::ADDRESS_BELOW, below),
        ];
        for (insured, ..) in detailer.insurances(place, &details) {
            own.push((kind::INSURED, insured.number));
        }
        for (kind, value) in own {
            if !value.is_empty() && shared.insert((kind, value.clone())) {
                out.row(&[town, kind, &value])?;
            }
        }
    }
    out.finish().map(drop)
}
