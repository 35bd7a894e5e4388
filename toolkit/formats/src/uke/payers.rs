//! Who pays a row (負担区分), and whether the rows add up to what each payer is billed.

/// Codes of 負担区分 with the payers they mean: bit 0 medical insurance, bits 1 to 4 the public programmes
/// in the order of their `KO` records. 記録条件仕様 別表21; the digits checked on a sample file.
const CODES: &[(u8, u8)] = &[
    (b'1', 0b00001),
    (b'2', 0b00011),
    (b'3', 0b00101),
    (b'4', 0b00111),
    (b'5', 0b00010),
    (b'6', 0b00100),
    (b'7', 0b00110),
    (b'9', 0b11111),
    (b'B', 0b01000),
    (b'C', 0b10000),
    (b'E', 0b01001),
    (b'G', 0b10001),
    (b'H', 0b01010),
    (b'I', 0b10010),
    (b'J', 0b01100),
    (b'K', 0b10100),
    (b'L', 0b11000),
    (b'M', 0b01011),
    (b'N', 0b10011),
    (b'O', 0b01101),
    (b'P', 0b10101),
    (b'Q', 0b11001),
    (b'R', 0b01110),
    (b'S', 0b10110),
    (b'T', 0b11010),
    (b'U', 0b11100),
    (b'V', 0b01111),
    (b'W', 0b10111),
    (b'X', 0b11011),
    (b'Y', 0b11101),
    (b'Z', 0b11110),
];

/// Points by payer.
#[derive(Debug, Default)]
pub(super) struct Sums {
    points: [i64; 5],
    rows: u32,
    unknown: bool,
}

impl Sums {
    /// Adds points of a row that these payers share.
    pub(super) fn add(&mut self, payers: &[u8], points: i64, count: i64) {
        let mask = match payers.trim_ascii() {
            [code] => CODES.iter().find(|(c, _)| c == code).map(|(_, mask)| *mask),
            _ => None,
        };
        let Some(total) = points.checked_mul(count) else {
            self.unknown = true;
            return;
        };
        self.rows += 1;
        let Some(mask) = mask else {
            self.unknown = true;
            return;
        };
        for (payer, sum) in self.points.iter_mut().enumerate() {
            if mask >> payer & 1 == 1 {
                *sum = sum.saturating_add(total);
            }
        }
    }
    /// Some points of the claim cannot be told: nothing is to be compared.
    pub(super) fn give_up(&mut self) {
        self.unknown = true;
    }
    /// The sum of a payer (0 medical, 1 to 4 public), if every row could be counted.
    pub(super) fn of(&self, payer: usize) -> Option<i64> {
        (!self.unknown && self.rows > 0).then(|| self.points.get(payer).copied()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_of_payers_has_one_code() {
        let mut masks: Vec<u8> = CODES.iter().map(|(_, m)| *m).collect();
        masks.sort_unstable();
        assert_eq!(masks, (1..=31).collect::<Vec<u8>>());
    }
}
