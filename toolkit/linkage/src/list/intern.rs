//! Values once each, with small numbers.

use hashbrown::HashTable;

const MUL: u64 = 0x9E37_79B9_7F4A_7C15;

/// Mixes a number into a hash; the same on every machine and in every run.
pub(crate) fn mix(seed: u64, value: u64) -> u64 {
    let wide = u128::from(seed ^ MUL) * u128::from(value ^ 0xD6E8_FEB8_6659_FD93);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// A hash of bytes; the same on every machine and in every run.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = mix(0x51_7C_C1_B7_27_22_0A_95, bytes.len() as u64);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        hash = mix(hash, u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
    }
    let mut last = [0; 8];
    let rest = chunks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    mix(hash, u64::from_le_bytes(last))
}

/// Byte strings, each kept once; number 0 is the empty one.
#[derive(Clone)]
pub(crate) struct Interner {
    table: HashTable<u32>,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

/// Where a value stands, beside its hash: to find a value takes one look at it.
#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    start: usize,
    end: usize,
}

impl Default for Interner {
    fn default() -> Self {
        let mut new = Self { table: HashTable::new(), entries: Vec::new(), bytes: Vec::new() };
        new.intern(b"");
        new
    }
}

impl Interner {
    /// The number of a value, a new one if it was not seen.
    pub(crate) fn intern(&mut self, value: &[u8]) -> u32 {
        let hash = hash_bytes(value);
        let Self { table, entries, bytes } = self;
        let same = |id: &u32| {
            let entry = entries[*id as usize];
            entry.hash == hash && &bytes[entry.start..entry.end] == value
        };
        if let Some(id) = table.find(hash, same) {
            return *id;
        }
        let id = entries.len() as u32;
        let start = bytes.len();
        bytes.extend_from_slice(value);
        entries.push(Entry { hash, start, end: bytes.len() });
        table.insert_unique(hash, id, |id| entries[*id as usize].hash);
        id
    }
    /// The number of a value, if it was seen.
    pub(crate) fn find(&self, value: &[u8]) -> Option<u32> {
        let hash = hash_bytes(value);
        let same = |id: &u32| self.entries[*id as usize].hash == hash && self.bytes(*id) == value;
        self.table.find(hash, same).copied()
    }
    /// How many values there are, the empty one among them.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
    /// The value of a number.
    pub(crate) fn bytes(&self, id: u32) -> &[u8] {
        let entry = self.entries[id as usize];
        &self.bytes[entry.start..entry.end]
    }
    /// The value of a number as text; what is not UTF-8 is empty.
    pub(crate) fn text(&self, id: u32) -> &str {
        std::str::from_utf8(self.bytes(id)).unwrap_or_default()
    }
    /// The hash of a value, the same in every run and independent of its number.
    pub(crate) fn hash(&self, id: u32) -> u64 {
        self.entries[id as usize].hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_a_value() {
        let mut i = Interner::default();
        let ids: Vec<u32> = ["", "a", "12345678", "a", "123456789"]
            .iter()
            .map(|t| i.intern(t.as_bytes()))
            .collect();
        assert_eq!(ids, [0, 1, 2, 1, 3]);
        assert_eq!((i.text(3), i.len()), ("123456789", 4));
        assert_eq!(i.hash(1), hash_bytes(b"a"));
        assert_eq!((i.find(b"a"), i.find(b"b")), (Some(1), None));
    }
}
