//! Values once each, with small numbers.

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
    /// Places by the last bits of a hash: its first half over the number of the value plus one; 0 is free. Never more
    /// than half full.
    slots: Vec<u64>,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

/// Where a value ends, beside its hash; it begins where the one before ends.
#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    end: usize,
}

/// Values looked up together: what they need fits the fastest memory.
const GROUP: usize = 256;

impl Default for Interner {
    fn default() -> Self {
        Self {
            slots: vec![0; 16],
            entries: vec![Entry { hash: hash_bytes(b""), end: 0 }],
            bytes: Vec::new(),
        }
    }
}

impl Interner {
    fn range(&self, id: u32) -> std::ops::Range<usize> {
        let id = id as usize;
        (if id == 0 { 0 } else { self.entries[id - 1].end })..self.entries[id].end
    }
    /// The number of a value, or the place where it would stand.
    fn look(&self, hash: u64, value: &[u8]) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            let id = (slot as u32).wrapping_sub(1);
            if slot >> 32 == hash >> 32 && &self.bytes[self.range(id)] == value {
                return Ok(id);
            }
            at = (at + 1) & mask;
        }
    }
    fn grow(&mut self) {
        let len = self.slots.len() * 2;
        let mut slots = vec![0; len];
        for (id, entry) in self.entries.iter().enumerate().skip(1) {
            let mut at = entry.hash as usize & (len - 1);
            while slots[at] != 0 {
                at = (at + 1) & (len - 1);
            }
            slots[at] = entry.hash >> 32 << 32 | (id as u64 + 1);
        }
        self.slots = slots;
    }
    fn intern_hashed(&mut self, hash: u64, value: &[u8]) -> u32 {
        if value.is_empty() {
            return 0;
        }
        match self.look(hash, value) {
            Ok(id) => id,
            Err(at) => {
                let id = self.entries.len() as u32;
                self.bytes.extend_from_slice(value);
                self.entries.push(Entry { hash, end: self.bytes.len() });
                self.slots[at] = hash >> 32 << 32 | (u64::from(id) + 1);
                if self.entries.len() * 2 > self.slots.len() {
                    self.grow();
                }
                id
            }
        }
    }
    /// The number of a value, a new one if it was not seen.
    pub(crate) fn intern(&mut self, value: &[u8]) -> u32 {
        self.intern_hashed(hash_bytes(value), value)
    }
    /// Adds the numbers of many values to `out`. A step at a time for a group of them: looks into memory that do not
    /// wait for each other take a fraction of the time.
    pub(crate) fn intern_all<'v>(
        &mut self,
        values: impl IntoIterator<Item = &'v [u8]>,
        out: &mut Vec<u32>,
    ) {
        let mut values = values.into_iter();
        let mut group: Vec<&[u8]> = Vec::with_capacity(GROUP);
        let (mut hashes, mut slots, mut ranges) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            group.clear();
            group.extend(values.by_ref().take(GROUP));
            if group.is_empty() {
                return;
            }
            let mask = self.slots.len() - 1;
            hashes.clear();
            hashes.extend(group.iter().map(|v| hash_bytes(v)));
            slots.clear();
            slots.extend(hashes.iter().map(|h| self.slots[*h as usize & mask]));
            ranges.clear();
            ranges.extend(hashes.iter().zip(&slots).map(|(hash, slot)| {
                let seen = *slot != 0 && slot >> 32 == hash >> 32;
                if seen { self.range(*slot as u32 - 1) } else { 0..0 }
            }));
            for (i, value) in group.iter().enumerate() {
                let seen =
                    ranges[i].len() == value.len() && self.bytes[ranges[i].clone()] == **value;
                out.push(match seen {
                    _ if value.is_empty() => 0,
                    true => slots[i] as u32 - 1,
                    false => self.intern_hashed(hashes[i], value),
                });
            }
        }
    }
    /// The number of a value, if it was seen.
    pub(crate) fn find(&self, value: &[u8]) -> Option<u32> {
        if value.is_empty() { Some(0) } else { self.look(hash_bytes(value), value).ok() }
    }
    /// How many values there are, the empty one among them.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
    /// The value of a number.
    pub(crate) fn bytes(&self, id: u32) -> &[u8] {
        &self.bytes[self.range(id)]
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

    #[test]
    fn many_together_as_one_by_one() {
        let values: Vec<String> = (0..5000u64)
            .map(|i| match mix(i, 1) % 3000 {
                n if n < 100 => String::new(),
                n => "x".repeat(n as usize % 20) + &n.to_string(),
            })
            .collect();
        let (mut one, mut all) = (Interner::default(), Interner::default());
        let expected: Vec<u32> = values.iter().map(|v| one.intern(v.as_bytes())).collect();
        let mut found = Vec::new();
        all.intern_all(values.iter().map(String::as_bytes), &mut found);
        assert_eq!(found, expected);
        assert!(values.iter().zip(&found).all(|(v, id)| all.text(*id) == v));
        assert_eq!(all.find(b"nowhere"), None);
    }
}
