//! Distances between short texts.

/// Is one text the other with at most one letter put in, left out, exchanged, or two neighbours turned (optimal
/// string alignment distance of at most one)?
pub(crate) fn within_one(a: &[char], b: &[char]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let head = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let (short, long) = (&short[head..], &long[head..]);
    if short.len() < long.len() {
        return short == &long[1..];
    }
    match short.len() {
        0 => true,
        1 => true,
        _ => {
            short[1..] == long[1..]
                || (short[0] == long[1] && short[1] == long[0] && short[2..] == long[2..])
        }
    }
}

/// Jaro–Winkler similarity, 0 to 1 (Winkler 1990: prefix of up to four, scale 0.1).
pub(crate) fn jaro_winkler(a: &[char], b: &[char]) -> f64 {
    if a.is_empty() || b.is_empty() || a.len() > 64 || b.len() > 64 {
        return f64::from(u8::from(a == b));
    }
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut taken = 0u64;
    let mut matched = [0u8; 64];
    let mut common = 0;
    for (i, x) in a.iter().enumerate() {
        for j in i.saturating_sub(window)..(i + window + 1).min(b.len()) {
            if taken & (1 << j) == 0 && b[j] == *x {
                taken |= 1 << j;
                matched[common] = i as u8;
                common += 1;
                break;
            }
        }
    }
    if common == 0 {
        return 0.0;
    }
    let turned = (0..b.len())
        .filter(|j| taken & (1 << j) != 0)
        .zip(&matched)
        .filter(|(j, i)| b[*j] != a[**i as usize])
        .count();
    let m = common as f64;
    let jaro = (m / a.len() as f64 + m / b.len() as f64 + (m - (turned / 2) as f64) / m) / 3.0;
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
    jaro + prefix as f64 * 0.1 * (1.0 - jaro)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn osa(a: &[char], b: &[char]) -> usize {
        let mut d = vec![vec![0; b.len() + 1]; a.len() + 1];
        for (i, row) in d.iter_mut().enumerate() {
            row[0] = i;
        }
        d[0] = (0..=b.len()).collect();
        for i in 1..=a.len() {
            for j in 1..=b.len() {
                let cost = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (d[i - 1][j] + 1).min(d[i][j - 1] + 1).min(d[i - 1][j - 1] + cost);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(d[i - 2][j - 2] + 1);
                }
                d[i][j] = best;
            }
        }
        d[a.len()][b.len()]
    }

    fn chars(t: &str) -> Vec<char> {
        t.chars().collect()
    }

    #[test]
    fn published_examples() {
        // Winkler's own: MARTHA/MARHTA 0.961, DIXON/DICKSONX 0.813
        assert!((jaro_winkler(&chars("MARTHA"), &chars("MARHTA")) - 0.9611).abs() < 1e-3);
        assert!((jaro_winkler(&chars("DIXON"), &chars("DICKSONX")) - 0.8133).abs() < 1e-3);
    }

    proptest::proptest! {
        #[test]
        fn one_edit_as_the_full_table_says(a in "[アイウ]{0,5}", b in "[アイウ]{0,5}") {
            let (a, b) = (chars(&a), chars(&b));
            proptest::prop_assert_eq!(within_one(&a, &b), osa(&a, &b) <= 1);
            proptest::prop_assert!((jaro_winkler(&a, &b) - jaro_winkler(&b, &a)).abs() < 0.2);
        }
    }
}
