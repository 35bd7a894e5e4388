//! Numbers that people hold and type: nobody can guess them, and they read the same however they are written.

use kiban_kernel::Digest;

/// Letters of a number: no `I`, `L`, `O`, `U`.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A number of random bytes: five bits of each, in groups of four.
pub(crate) fn number(bytes: &[u8]) -> String {
    let mut out = String::new();
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 && i % 4 == 0 {
            out.push('-');
        }
        out.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    out
}

/// As it is kept and compared: the digest, under the name of what the number is for, of its letters and digits, the
/// mistakable ones read as digits.
pub(crate) fn digest_of(what: &str, number: &str) -> String {
    let plain: String = number
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    Digest::of(format!("kiban/{what}/{plain}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_the_same_however_it_is_typed() {
        let made = number(&[0, 1, 10, 31, 32, 33, 7, 8, 9, 20, 21, 22]);
        assert_eq!(made, "01AZ-0178-9MNP");
        assert_eq!(digest_of("a", &made), digest_of("a", "oIaz 0l78 9mnp"));
        assert_ne!(digest_of("a", &made), digest_of("a", "01AZ-0178-9MNQ"));
        assert_ne!(digest_of("a", &made), digest_of("b", &made));
    }
}
