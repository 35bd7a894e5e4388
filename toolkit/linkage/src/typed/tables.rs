//! The tables that the numbers of rows point into.

use crate::{
    list::{Field, Interner},
    typed::{
        Row,
        names::{Names, kana_only},
        place::Places,
    },
};

/// Values as letters, by number.
#[derive(Clone, Default)]
pub(crate) struct Chars {
    ends: Vec<u32>,
    letters: Vec<char>,
}

impl Chars {
    /// Takes in the values that came since.
    pub(crate) fn grow(&mut self, values: &Interner) {
        for id in self.ends.len() as u32..values.len() as u32 {
            self.letters.extend(values.text(id).chars());
            self.ends.push(self.letters.len() as u32);
        }
    }
    pub(crate) fn at(&self, id: u32) -> &[char] {
        let start = if id == 0 { 0 } else { self.ends[id as usize - 1] };
        &self.letters[start as usize..self.ends[id as usize] as usize]
    }
}

/// A column of plain values: their letters and hashes.
#[derive(Clone, Default)]
pub(crate) struct Plain {
    pub(crate) values: Interner,
    pub(crate) chars: Chars,
}

/// Records in comparable form, and the tables that their numbers point into.
#[derive(Clone, Default)]
pub(crate) struct Typed {
    /// In the order of the record ids.
    pub(crate) rows: Vec<Row>,
    pub(crate) kana: Names,
    pub(crate) kana_chars: Chars,
    pub(crate) kanji: Names,
    pub(crate) kanji_chars: Chars,
    /// Of each kanji value: is it kana alone?
    pub(crate) kanji_in_kana: Vec<bool>,
    pub(crate) places: Places,
    pub(crate) postal: Plain,
    pub(crate) town: Plain,
    pub(crate) phone: Plain,
    pub(crate) insurer: Plain,
    pub(crate) card: Plain,
    pub(crate) person_no: Plain,
    pub(crate) sources: Interner,
}

/// A list that was typed.
pub(crate) struct Batch {
    /// In the order of the record ids.
    pub(crate) rows: Vec<Row>,
    /// For each row its place in the file.
    pub(crate) order: Vec<u32>,
    /// Of each field: records with a value as written, and with one that is usable.
    pub(crate) filled: Vec<(Field, u64, u64)>,
    /// Record ids that were given to more than one record.
    pub(crate) repeated_ids: u64,
    /// Names written together that were cut, kana and kanji, by distinct value.
    pub(crate) cut: [u64; 2],
}

impl Typed {
    /// The tables alone.
    pub(crate) fn without_rows(&self) -> Self {
        let mut out = self.clone();
        out.rows = Vec::new();
        out
    }
    /// Brings what follows from the tables up to date with them.
    pub(crate) fn grow(&mut self) {
        self.kana_chars.grow(&self.kana.values);
        self.kanji_chars.grow(&self.kanji.values);
        for id in self.kanji_in_kana.len() as u32..self.kanji.values.len() as u32 {
            self.kanji_in_kana.push(kana_only(self.kanji.values.text(id)));
        }
        let plain = [
            &mut self.postal,
            &mut self.town,
            &mut self.phone,
            &mut self.insurer,
            &mut self.card,
            &mut self.person_no,
        ];
        for Plain { values, chars } in plain {
            chars.grow(values);
        }
    }
}
