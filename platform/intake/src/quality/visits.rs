//! Visits against births: a visit that comes before its person's birth in the delivery waits for it.

use kiban_kernel::Date;
use kiban_lake::id_table::Place as Person;

use super::{BEFORE_BIRTH, Quality, Tally};
use crate::place::FileRef;

/// What is known of one person.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Noted {
    pub(super) birth: Option<Date>,
    /// Class of sex and age, 0 if none was told.
    pub(super) class: u16,
}

/// A day; number of the file, line.
pub(super) type Visit = (Date, u64, u64);

impl Quality {
    /// Notes a birth; visits that came before it in the delivery are judged now.
    pub(crate) fn birth(&mut self, person: Person, birth: Date) {
        self.set_aside();
        self.persons.at(person).birth.get_or_insert(birth);
        for (visit, file, line) in self.waiting.remove(&person).unwrap_or_default() {
            self.visit_of(birth, visit, file, line);
        }
    }

    /// Notes a visit; it is judged when the birth is known.
    pub(crate) fn visit(&mut self, person: Person, visit: Date, file: u64, line: u64) {
        // Only the first birth of a person counts: what was known stays so.
        if let Some((_, birth)) = self.last_born.filter(|(last, _)| *last == person) {
            return self.visit_of(birth, visit, file, line);
        }
        if let Some((last, waiting)) = &mut self.last_waiting
            && *last == person
        {
            return waiting.push((visit, file, line));
        }
        match self.persons.get(person).and_then(|noted| noted.birth) {
            Some(birth) => {
                self.last_born = Some((person, birth));
                self.visit_of(birth, visit, file, line);
            }
            None => {
                self.set_aside();
                self.last_waiting = Some((person, vec![(visit, file, line)]));
            }
        }
    }

    /// Puts the visits that wait with what is known of their person.
    fn set_aside(&mut self) {
        if let Some((person, mut visits)) = self.last_waiting.take() {
            self.waiting.entry(person).or_default().append(&mut visits);
        }
    }

    fn visit_of(&mut self, birth: Date, visit: Date, file: u64, line: u64) {
        let bad = visit < birth;
        let mut tally =
            self.before_birth.take().unwrap_or_else(|| Tally::new("encounter", BEFORE_BIRTH));
        self.tally(&mut tally, 1, u64::from(bad));
        self.before_birth = Some(tally);
        if bad {
            self.add(BEFORE_BIRTH, 1, || {
                (FileRef { number: file, hint: String::new() }, format!("line {line}"))
            });
        }
    }
}
