//! A small country of made-up people: households with twins, two house styles, typing errors, moves.

use std::fmt::Write as _;

/// A seeded source of numbers.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

const FAMILY_A: [(&str, &str); 12] = [
    ("山", "ヤマ"),
    ("川", "カワ"),
    ("村", "ムラ"),
    ("松", "マツ"),
    ("石", "イシ"),
    ("森", "モリ"),
    ("西", "ニシ"),
    ("北", "キタ"),
    ("高", "タカ"),
    ("浜", "ハマ"),
    ("島", "シマ"),
    ("沢", "サワ"),
];
const FAMILY_B: [(&str, &str); 8] = [
    ("田", "タ"),
    ("本", "モト"),
    ("野", "ノ"),
    ("井", "イ"),
    ("口", "グチ"),
    ("崎", "サキ"),
    ("原", "ハラ"),
    ("谷", "タニ"),
];
const GIVEN_A: [(&str, &str); 12] = [
    ("和", "カズ"),
    ("正", "マサ"),
    ("浩", "ヒロ"),
    ("隆", "タカ"),
    ("信", "ノブ"),
    ("俊", "トシ"),
    ("由", "ユ"),
    ("美", "ミ"),
    ("恵", "ケイ"),
    ("千", "チ"),
    ("久", "ヒサ"),
    ("智", "トモ"),
];
const GIVEN_B: [(&str, &str); 10] = [
    ("子", "コ"),
    ("江", "エ"),
    ("夫", "オ"),
    ("也", "ヤ"),
    ("介", "スケ"),
    ("人", "ト"),
    ("美", "ミ"),
    ("香", "カ"),
    ("代", "ヨ"),
    ("明", "アキ"),
];

type Name = (String, String);

fn name(dice: &mut Dice, first: &[(&str, &str)], last: &[(&str, &str)]) -> Name {
    let (a, b) = (first[dice.below(first.len())], last[dice.below(last.len())]);
    (format!("{}{}", a.0, b.0), format!("{}{}", a.1, b.1))
}

struct Person {
    family: Name,
    given: Name,
    sex: usize,
    birth: (usize, usize, usize),
    home: [usize; 3],
    phone: usize,
    card: usize,
    branch: usize,
}

/// A list with `households` households: its rows without header, and each row's person.
pub(crate) fn country(households: usize, seed: u64) -> (Vec<String>, Vec<usize>) {
    let mut dice = Dice::new(seed);
    let mut people = Vec::new();
    for _ in 0..households {
        let family = name(&mut dice, &FAMILY_A, &FAMILY_B);
        let home = [dice.below(40), 1 + dice.below(30), 1 + dice.below(30)];
        let (phone, card) = (dice.below(90_000_000), dice.below(9_000_000));
        let mut births = vec![1940 + dice.below(50), 1940 + dice.below(50)];
        births.extend((0..dice.below(3)).map(|_| 1990 + dice.below(30)));
        for (branch, year) in births.into_iter().enumerate() {
            let birth = (year, 1 + dice.below(12), 1 + dice.below(28));
            for twin in 0..1 + usize::from(branch > 1 && dice.one_in(15)) {
                people.push(Person {
                    family: family.clone(),
                    given: name(&mut dice, &GIVEN_A, &GIVEN_B),
                    sex: dice.below(2),
                    birth,
                    home,
                    phone,
                    card,
                    branch: branch + 10 * twin,
                });
            }
        }
    }
    let (mut rows, mut truth) = (Vec::new(), Vec::new());
    for (who, p) in people.iter().enumerate() {
        let (mut home, mut phone, mut card) = (p.home, p.phone, p.card);
        for visit in 0..1 + dice.below(4) {
            if dice.one_in(20) {
                home = [dice.below(40), 1 + dice.below(30), 1 + dice.below(30)];
                phone = dice.below(90_000_000);
            }
            if dice.one_in(15) {
                card = dice.below(9_000_000);
            }
            rows.push(row(&mut dice, p, visit, (home, phone, card), rows.len()));
            truth.push(who);
        }
    }
    (rows, truth)
}

fn row(
    dice: &mut Dice,
    p: &Person,
    visit: usize,
    (home, phone, card): ([usize; 3], usize, usize),
    id: usize,
) -> String {
    let (mut family, mut given) = (p.family.clone(), p.given.clone());
    if dice.one_in(50) {
        given.1.pop();
    }
    if dice.one_in(60) {
        std::mem::swap(&mut family, &mut given);
    }
    let (y, m, d) = p.birth;
    let d = if dice.one_in(60) { 1 + dice.below(28) } else { d };
    let area = 1_000_000 + 7 * home[0];
    let mut out = format!("R{id:06},");
    let on = format!("{}-{:02}-15", 2015 + 2 * visit, 1 + dice.below(12));
    if dice.one_in(2) {
        let sex = ["1", "2"][p.sex];
        let _ = write!(
            out,
            "A,{on},{}　{},{}　{},{sex},{y}-{m:02}-{d:02},{}-{:04},東京都千代田区第{}町{}丁目{}番地,03-{:04}-{:04},06{:06},{},{},{:02}",
            family.0,
            given.0,
            family.1,
            given.1,
            area / 10_000,
            area % 10_000,
            home[0],
            home[1],
            home[2],
            phone / 10_000,
            phone % 10_000,
            card % 97,
            card % 991,
            card,
            p.branch
        );
    } else {
        let sex = ["男", "女"][p.sex];
        let _ = write!(
            out,
            "B,{on},{}{},{}{},{sex},{y}{m:02}{d:02},{area},千代田区第{}町{}－{},03{phone:08},,,,",
            family.0, given.0, family.1, given.1, home[0], home[1], home[2]
        );
    }
    out
}

pub(crate) const HEADER: &str = "record_id,source_id,recorded_on,name_kanji,name_kana,sex,birth_date,postal_code,address,phone,insurer_no,symbol,number,branch";

/// The file of some rows.
pub(crate) fn file(rows: &[String]) -> String {
    let mut out = HEADER.to_owned();
    for row in rows {
        out.push('\n');
        out.push_str(row);
    }
    out.push('\n');
    out
}
