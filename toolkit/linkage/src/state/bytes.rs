//! A state as a file: versioned, with a checksum, and looked over before it is used.

use std::io::{Read, Write};

use crate::{
    candidate::PASSES,
    compare::{LEVELS, VARIABLES},
    constraint::{Bound, Ground, Kind},
    linker::Settings,
    list::{Ids, Interner},
    model::{CLASSES, Counts, Frequency, Model},
    state::{
        State,
        columns::{In, Out},
    },
    typed::{Names, PartialDate, Places, Row, Typed, place_of},
};

const MAGIC: &[u8; 8] = b"KIBANLKS";
/// Version of the form. Passes, levels and keys belong to it: a change of theirs makes a new version.
const VERSION: u64 = 2;

/// Why a state cannot be written, read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Writing failed.
    #[error("the state cannot be written")]
    Write(#[source] std::io::Error),
    /// Reading failed.
    #[error("the state cannot be read")]
    Read(#[source] std::io::Error),
    /// Not a state.
    #[error("this is no state of a linked list")]
    Foreign,
    /// A version that this program does not know.
    #[error("the state is of an unknown version")]
    Version,
    /// Cut short or changed.
    #[error("the state is damaged")]
    Damaged,
    /// Record ids must be different from each other.
    #[error("{count} record ids stand more than once")]
    RepeatedIds {
        /// How many.
        count: u64,
    },
}

impl StateError {
    /// One Japanese sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Write(_) => "名寄せの状態を書き込めません。".to_owned(),
            Self::Read(_) => "名寄せの状態を読み込めません。".to_owned(),
            Self::Foreign => "このファイルは名寄せの状態ではありません。".to_owned(),
            Self::Version => "名寄せの状態の版に対応していません。名簿全体をもう一度名寄せして、状態を作り直してください。".to_owned(),
            Self::Damaged => "名寄せの状態が壊れています。控えから戻すか、名簿全体をもう一度名寄せしてください。".to_owned(),
            Self::RepeatedIds { count } => format!(
                "記録番号（record_id）が重複しています（{count}件）。追加できる状態にするには、記録番号を一意にしてください。"
            ),
        }
    }
}

/// The columns of a row; names of kana, of kanji, the rest.
const COLUMNS: [fn(&mut Row) -> &mut u32; 13] = [
    |r| &mut r.family,
    |r| &mut r.given,
    |r| &mut r.full,
    |r| &mut r.family_kanji,
    |r| &mut r.given_kanji,
    |r| &mut r.full_kanji,
    |r| &mut r.postal,
    |r| &mut r.place,
    |r| &mut r.town,
    |r| &mut r.phone,
    |r| &mut r.insurer,
    |r| &mut r.card,
    |r| &mut r.person_no,
];

fn values(values: &Interner) -> impl Iterator<Item = &[u8]> + Clone {
    (1..values.len() as u32).map(|id| values.bytes(id))
}

impl State {
    /// How many record ids stand more than once.
    pub(crate) fn repeated(&self) -> u64 {
        (1..self.ids.len()).filter(|i| self.ids.at(*i - 1) == self.ids.at(*i)).count() as u64
    }

    /// Writes the state. It holds names, dates and numbers of people in plain form.
    ///
    /// # Errors
    /// [`StateError::Write`]; [`StateError::RepeatedIds`] if two records have one id.
    pub fn write(&self, to: impl Write) -> Result<(), StateError> {
        let count = self.repeated();
        if count > 0 {
            return Err(StateError::RepeatedIds { count });
        }
        let mut out = Out::new(to);
        out.raw(MAGIC)?;
        out.number(VERSION)?;
        out.number(self.settings.seed)?;
        out.reals(&[self.settings.join, self.settings.look])?;
        out.numbers(PASSES.len(), self.left_out.iter().map(|l| u32::from(*l)))?;
        let Model { share, tables, cohort, all_pairs } = &self.model;
        out.reals(share)?;
        out.reals(cohort)?;
        out.reals(&[*all_pairs])?;
        for table in tables {
            out.reals(table.as_flattened())?;
        }
        let n = self.ids.len();
        out.texts((0..n).map(|i| self.ids.at(i)))?;
        let t = &self.typed;
        for names in [&t.kana, &t.kanji] {
            out.texts(values(&names.values))?;
            out.numbers(names.stood.len(), names.stood.iter().map(|s| s.0))?;
            out.numbers(names.stood.len(), names.stood.iter().map(|s| s.1))?;
            out.reals(&[names.all])?;
        }
        for column in [&t.postal, &t.town, &t.phone, &t.insurer, &t.card, &t.person_no] {
            out.texts(values(&column.values))?;
        }
        out.texts(values(&t.sources))?;
        let places = || (1..t.places.len() as u32).map(|id| t.places.at(id));
        let areas: Vec<String> = places().map(|p| p.area.iter().collect()).collect();
        out.texts(areas.iter().map(String::as_bytes))?;
        for at in 0..3 {
            out.numbers(areas.len(), places().map(|p| p.numbers[at]))?;
        }
        out.numbers(areas.len(), places().map(|p| p.room))?;
        for column in COLUMNS {
            out.numbers(n, t.rows.iter().map(|r| *column(&mut r.clone())))?;
        }
        out.numbers(n, t.rows.iter().map(|r| r.birth.packed()))?;
        out.numbers(n, t.rows.iter().map(|r| r.on))?;
        let small =
            |r: &Row| u32::from(r.source) << 16 | u32::from(r.sex) << 8 | u32::from(r.branch);
        out.numbers(n, t.rows.iter().map(small))?;
        let f = &self.frequency;
        for counts in [&f.family, &f.given, &f.family_kanji, &f.given_kanji, &f.postal] {
            out.numbers(counts.of.len(), counts.of.iter().copied())?;
            out.reals(&[counts.weight])?;
        }
        let mut births: Vec<(u32, u32)> = f.birth.iter().map(|(d, c)| (*d, *c)).collect();
        births.sort_unstable();
        out.numbers(births.len(), births.iter().map(|b| b.0))?;
        out.numbers(births.len(), births.iter().map(|b| b.1))?;
        out.reals(&[f.birth_weight])?;
        let m = self.pairs.len();
        out.numbers(m, self.pairs.iter().map(|p| p.0))?;
        out.numbers(m, self.pairs.iter().map(|p| p.1))?;
        out.numbers(m, self.pairs.iter().map(|p| p.2.to_bits()))?;
        out.numbers(n, self.person.iter().copied())?;
        let bounds = &self.bounds;
        out.numbers(bounds.len(), bounds.iter().map(|b| b.a))?;
        out.numbers(bounds.len(), bounds.iter().map(|b| b.b))?;
        let what = |b: &Bound| u32::from(b.kind == Kind::Must) << 8 | b.ground as u32;
        out.numbers(bounds.len(), bounds.iter().map(what))?;
        out.end()
    }

    /// Reads what [`State::write`] wrote.
    ///
    /// # Errors
    /// [`StateError`], also where the file was changed so that something would point nowhere.
    pub fn read(from: impl Read) -> Result<Self, StateError> {
        let mut input = In::new(from);
        let mut magic = [0; 8];
        input.raw(&mut magic).map_err(|_| StateError::Foreign)?;
        if &magic != MAGIC {
            return Err(StateError::Foreign);
        }
        if input.number()? != VERSION {
            return Err(StateError::Version);
        }
        let seed = input.number()?;
        let thresholds = input.reals(2)?;
        let settings = Settings { seed, join: thresholds[0], look: thresholds[1] };
        let passes = input.column(PASSES.len())?;
        let left_out = std::array::from_fn(|i| passes[i] != 0);
        let model = model(&mut input)?;
        let mut ids = Ids::default();
        input.texts(|t| ids.push(t))?;
        let n = ids.len();
        let mut typed = tables(&mut input)?;
        typed.rows = rows(&mut input, n)?;
        let frequency = frequency(&mut input)?;
        let (a, b, s) = (input.numbers()?, input.numbers()?, input.numbers()?);
        if a.len() != b.len() || b.len() != s.len() {
            return Err(StateError::Damaged);
        }
        let pairs: Vec<(u32, u32, f32)> =
            a.into_iter().zip(b).zip(s).map(|((a, b), s)| (a, b, f32::from_bits(s))).collect();
        let person = input.column(n)?;
        let bounds = bounds(&mut input)?;
        input.end()?;
        let mut out =
            Self { ids, typed, frequency, model, settings, left_out, pairs, person, bounds };
        if !out.is_sound() {
            return Err(StateError::Damaged);
        }
        out.typed.grow();
        Ok(out)
    }

    /// Does everything point at something?
    fn is_sound(&mut self) -> bool {
        let n = self.ids.len() as u32;
        let t = &mut self.typed;
        let (kana, kanji) = (t.kana.values.len(), t.kanji.values.len());
        let lengths = [
            kana,
            kana,
            kana,
            kanji,
            kanji,
            kanji,
            t.postal.values.len(),
            t.places.len(),
            t.town.values.len(),
            t.phone.values.len(),
            t.insurer.values.len(),
            t.card.values.len(),
            t.person_no.values.len(),
        ];
        let rows = t.rows.iter_mut().all(|r| {
            COLUMNS.iter().zip(lengths).all(|(column, len)| (*column(r) as usize) < len)
                && usize::from(r.source) < t.sources.len().max(1)
                && r.birth.year() <= 9999
        });
        let sorted = self.pairs.windows(2).all(|w| (w[0].0, w[0].1) < (w[1].0, w[1].1));
        let person = |i: u32| self.person[i as usize];
        rows && sorted
            && self.pairs.iter().all(|(a, b, s)| a < b && *b < n && s.is_finite())
            && (0..n).all(|i| person(i) <= i && person(person(i)) == person(i))
            && (1..n as usize).all(|i| self.ids.at(i - 1) < self.ids.at(i))
            && self.bounds.iter().all(|b| b.a < b.b && b.b < n)
    }
}

fn model<R: Read>(input: &mut In<R>) -> Result<Model, StateError> {
    let (share, cohort) = (input.reals(CLASSES)?, input.reals(5)?);
    let all_pairs = input.reals(1)?[0];
    let mut tables = Vec::with_capacity(CLASSES);
    for _ in 0..CLASSES {
        let flat = input.reals(VARIABLES * LEVELS)?;
        tables.push(std::array::from_fn(|v| std::array::from_fn(|l| flat[v * LEVELS + l])));
    }
    let share = std::array::from_fn(|c| share[c]);
    Ok(Model { share, tables, cohort: std::array::from_fn(|c| cohort[c]), all_pairs })
}

fn interner<R: Read>(input: &mut In<R>) -> Result<Interner, StateError> {
    let mut out = Interner::default();
    let mut want = 1;
    let mut once = true;
    input.texts(|t| {
        once &= out.intern(t) == want;
        want += 1;
    })?;
    if once { Ok(out) } else { Err(StateError::Damaged) }
}

fn tables<R: Read>(input: &mut In<R>) -> Result<Typed, StateError> {
    let mut out = Typed::default();
    for names in [&mut out.kana, &mut out.kanji] {
        let values = interner(input)?;
        let (first, last) = (input.numbers()?, input.numbers()?);
        if first.len() != last.len() || first.len() > values.len() {
            return Err(StateError::Damaged);
        }
        *names =
            Names { values, stood: first.into_iter().zip(last).collect(), all: input.reals(1)?[0] };
    }
    for column in [
        &mut out.postal,
        &mut out.town,
        &mut out.phone,
        &mut out.insurer,
        &mut out.card,
        &mut out.person_no,
    ] {
        column.values = interner(input)?;
    }
    out.sources = interner(input)?;
    let mut areas: Vec<Vec<char>> = Vec::new();
    input.texts(|t| areas.push(String::from_utf8_lossy(t).chars().collect()))?;
    let n = areas.len();
    let numbers = [input.column(n)?, input.column(n)?, input.column(n)?];
    let rooms = input.column(n)?;
    let mut places = Places::default();
    for (i, area) in areas.into_iter().enumerate() {
        let house = std::array::from_fn(|at| numbers[at][i]);
        if places.intern(place_of(area, house, rooms[i])) as usize != i + 1 {
            return Err(StateError::Damaged);
        }
    }
    out.places = places;
    Ok(out)
}

fn rows<R: Read>(input: &mut In<R>, n: usize) -> Result<Vec<Row>, StateError> {
    let mut out = vec![Row::default(); n];
    for column in COLUMNS {
        for (row, id) in out.iter_mut().zip(input.column(n)?) {
            *column(row) = id;
        }
    }
    for (row, birth) in out.iter_mut().zip(input.column(n)?) {
        row.birth = PartialDate::from_packed(birth);
    }
    for (row, on) in out.iter_mut().zip(input.column(n)?) {
        row.on = on;
    }
    for (row, small) in out.iter_mut().zip(input.column(n)?) {
        row.source = (small >> 16) as u16;
        row.sex = (small >> 8) as u8;
        row.branch = small as u8;
    }
    Ok(out)
}

fn frequency<R: Read>(input: &mut In<R>) -> Result<Frequency, StateError> {
    let mut out = Frequency::default();
    for counts in [
        &mut out.family,
        &mut out.given,
        &mut out.family_kanji,
        &mut out.given_kanji,
        &mut out.postal,
    ] {
        *counts = Counts { of: input.numbers()?, weight: input.reals(1)?[0] };
    }
    let (dates, counts) = (input.numbers()?, input.numbers()?);
    if dates.len() != counts.len() {
        return Err(StateError::Damaged);
    }
    out.birth = dates.into_iter().zip(counts).collect();
    out.birth_weight = input.reals(1)?[0];
    Ok(out)
}

fn bounds<R: Read>(input: &mut In<R>) -> Result<Vec<Bound>, StateError> {
    let a = input.numbers()?;
    let (b, what) = (input.column(a.len())?, input.column(a.len())?);
    let ground = |n: u32| Ground::ALL.get(n as usize & 255).copied().ok_or(StateError::Damaged);
    a.into_iter()
        .zip(b)
        .zip(what)
        .map(|((a, b), what)| {
            let kind = if what >> 8 == 1 { Kind::Must } else { Kind::Cannot };
            Ok(Bound { a, b, kind, ground: ground(what)? })
        })
        .collect()
}
