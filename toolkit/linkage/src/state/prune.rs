//! What no record bears any more goes: values, their frequencies, their entries in the dictionary.

use crate::{
    list::Interner,
    model::Counts,
    state::State,
    typed::{Chars, Names, Places, Plain, Typed},
};

/// The values that are used, with small numbers again.
struct Kept {
    /// Of each old number the new one; 0 if it went.
    to: Vec<u32>,
}

impl Kept {
    fn of(len: usize, used: impl Iterator<Item = u32>) -> Self {
        let mut to = vec![0; len];
        for id in used {
            to[id as usize] = 1;
        }
        to[0] = 0;
        let mut next = 0;
        for id in to.iter_mut().filter(|id| **id != 0) {
            next += 1;
            *id = next;
        }
        Self { to }
    }
    fn old(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.to.len() as u32).filter(|id| self.to[*id as usize] != 0)
    }
    fn values(&self, values: &Interner) -> Interner {
        let mut out = Interner::default();
        for id in self.old() {
            out.intern(values.bytes(id));
        }
        out
    }
    /// What is kept by number; a number beyond the end counts as nothing.
    fn by_number<T: Copy + Default>(&self, of: &[T]) -> Vec<T> {
        let mut out = vec![T::default()];
        out.extend(self.old().map(|id| of.get(id as usize).copied().unwrap_or_default()));
        out
    }
    fn counts(&self, counts: &mut Counts) {
        counts.of = self.by_number(&counts.of);
    }
    fn renumber(&self, id: &mut u32) {
        *id = self.to[*id as usize];
    }
}

fn names(names: &Names, kept: &Kept) -> Names {
    Names {
        values: kept.values(&names.values),
        stood: kept.by_number(&names.stood),
        all: names.all,
    }
}

fn plain(plain: &mut Plain, kept: &Kept) {
    *plain = Plain { values: kept.values(&plain.values), chars: Chars::default() };
}

/// Drops all that no row bears.
pub(super) fn prune(state: &mut State) {
    let State { typed, frequency, .. } = state;
    let rows = &typed.rows;
    let used = |of: fn(&crate::typed::Row) -> u32| rows.iter().map(of);
    let kana =
        Kept::of(typed.kana.values.len(), rows.iter().flat_map(|r| [r.family, r.given, r.full]));
    let kanji = Kept::of(
        typed.kanji.values.len(),
        rows.iter().flat_map(|r| [r.family_kanji, r.given_kanji, r.full_kanji]),
    );
    let place = Kept::of(typed.places.len(), used(|r| r.place));
    let postal = Kept::of(typed.postal.values.len(), used(|r| r.postal));
    let town = Kept::of(typed.town.values.len(), used(|r| r.town));
    let phone = Kept::of(typed.phone.values.len(), used(|r| r.phone));
    let insurer = Kept::of(typed.insurer.values.len(), used(|r| r.insurer));
    let card = Kept::of(typed.card.values.len(), used(|r| r.card));
    let person_no = Kept::of(typed.person_no.values.len(), used(|r| r.person_no));
    let source = Kept::of(typed.sources.len(), used(|r| u32::from(r.source)));
    let births: hashbrown::HashSet<u32> = rows.iter().map(|r| r.birth.packed()).collect();

    for (counts, kept) in [
        (&mut frequency.family, &kana),
        (&mut frequency.given, &kana),
        (&mut frequency.family_kanji, &kanji),
        (&mut frequency.given_kanji, &kanji),
        (&mut frequency.postal, &postal),
    ] {
        kept.counts(counts);
    }
    frequency.birth.retain(|date, _| births.contains(date));
    frequency.birth.shrink_to_fit();

    let mut places = Places::default();
    for id in place.old() {
        places.intern(typed.places.at(id).clone());
    }
    let mut rows = std::mem::take(&mut typed.rows);
    for row in &mut rows {
        for id in [&mut row.family, &mut row.given, &mut row.full] {
            kana.renumber(id);
        }
        for id in [&mut row.family_kanji, &mut row.given_kanji, &mut row.full_kanji] {
            kanji.renumber(id);
        }
        place.renumber(&mut row.place);
        postal.renumber(&mut row.postal);
        town.renumber(&mut row.town);
        phone.renumber(&mut row.phone);
        insurer.renumber(&mut row.insurer);
        card.renumber(&mut row.card);
        person_no.renumber(&mut row.person_no);
        row.source = source.to[usize::from(row.source)] as u16;
    }
    let mut new = Typed {
        rows,
        kana: names(&typed.kana, &kana),
        kanji: names(&typed.kanji, &kanji),
        places,
        sources: source.values(&typed.sources),
        postal: std::mem::take(&mut typed.postal),
        town: std::mem::take(&mut typed.town),
        phone: std::mem::take(&mut typed.phone),
        insurer: std::mem::take(&mut typed.insurer),
        card: std::mem::take(&mut typed.card),
        person_no: std::mem::take(&mut typed.person_no),
        ..Typed::default()
    };
    for (column, kept) in [
        (&mut new.postal, &postal),
        (&mut new.town, &town),
        (&mut new.phone, &phone),
        (&mut new.insurer, &insurer),
        (&mut new.card, &card),
        (&mut new.person_no, &person_no),
    ] {
        plain(column, kept);
    }
    new.grow();
    *typed = new;
}
