//! A synthetic master and local items made from it by an error model. Everything is invented but common laboratory words.

mod spoil;

use std::fmt::Write as _;

use kiban_codes::{
    candidate::LocalItem,
    master::{Layout, Master, read},
};

pub(crate) use spoil::{ERRORS, Error, spoil};

/// SplitMix64.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    pub(crate) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Name in the master, unit, ways that laboratories write it. The ways were collected apart from `data/synonyms.csv`.
pub(crate) const COMMON: &[(&str, &str, &[&str])] = &[
    (
        "アスパラギン酸アミノトランスフェラーゼ",
        "U/L",
        &["GOT", "AST", "ＡＳＴ", "AST(GOT)", "ＧＯＴ／ＡＳＴ", "S-GOT"],
    ),
    ("アラニンアミノトランスフェラーゼ", "U/L", &["GPT", "ALT", "ALT(GPT)", "ＧＰＴ"]),
    (
        "γ-グルタミルトランスフェラーゼ",
        "U/L",
        &["γ-GTP", "γGTP", "G-GTP", "ｶﾞﾝﾏGTP", "GGT", "ｒ－ＧＴＰ"],
    ),
    ("乳酸デヒドロゲナーゼ", "U/L", &["LDH", "LD", "LD(IFCC)", "ＬＤＨ"]),
    ("アルカリホスファターゼ", "U/L", &["ALP", "アルカリフォスファターゼ", "ｱﾙｶﾘﾌｫｽﾌｧﾀｰｾﾞ"]),
    ("コリンエステラーゼ", "U/L", &["ChE", "CHE", "ｺﾘﾝｴｽﾃﾗｰｾﾞ"]),
    ("クレアチンキナーゼ", "U/L", &["CK", "CPK", "ＣＰＫ"]),
    ("アミラーゼ", "U/L", &["AMY", "S-AMY", "Amylase", "ｱﾐﾗｰｾﾞ"]),
    ("総蛋白", "g/dL", &["TP", "T-P", "総タンパク", "総たん白"]),
    ("アルブミン", "g/dL", &["ALB", "Alb", "ｱﾙﾌﾞﾐﾝ"]),
    ("総ビリルビン", "mg/dL", &["T-Bil", "T.BIL", "TBIL", "総ﾋﾞﾘﾙﾋﾞﾝ", "Ｔ－ＢＩＬ"]),
    ("直接ビリルビン", "mg/dL", &["D-Bil", "DBIL", "D.BIL", "直接ﾋﾞﾘﾙﾋﾞﾝ"]),
    ("総コレステロール", "mg/dL", &["T-CHO", "TCHO", "T-Chol", "総ｺﾚｽﾃﾛｰﾙ", "総コレステ"]),
    ("HDLコレステロール", "mg/dL", &["HDL-C", "HDL-CHO", "HDL", "HDLｺﾚｽﾃﾛｰﾙ"]),
    ("LDLコレステロール", "mg/dL", &["LDL-C", "LDL-CHO", "LDL", "LDLｺﾚｽﾃﾛｰﾙ"]),
    ("トリグリセリド", "mg/dL", &["TG", "中性脂肪", "ﾄﾘｸﾞﾘｾﾗｲﾄﾞ", "Ｔ－Ｇ", "中性脂肪(TG)"]),
    ("尿素窒素", "mg/dL", &["BUN", "UN", "尿素窒素(BUN)"]),
    ("クレアチニン", "mg/dL", &["CRE", "Cre", "CREA", "CRNN", "ｸﾚｱﾁﾆﾝ"]),
    ("尿酸", "mg/dL", &["UA", "U.A", "尿酸(UA)"]),
    ("ナトリウム", "mmol/L", &["Na", "ＮＡ", "ナトリウム(Na)"]),
    ("カリウム", "mmol/L", &["K", "Ｋ", "カリウム(K)"]),
    ("クロール", "mmol/L", &["Cl", "ＣＬ", "クロル"]),
    ("カルシウム", "mg/dL", &["Ca", "ＣＡ", "ｶﾙｼｳﾑ"]),
    ("無機リン", "mg/dL", &["IP", "P", "無機燐", "iP"]),
    ("マグネシウム", "mg/dL", &["Mg", "ＭＧ"]),
    ("鉄", "ug/dL", &["Fe", "血清鉄"]),
    ("グルコース", "mg/dL", &["GLU", "血糖", "BS", "ブドウ糖", "血糖値"]),
    ("ヘモグロビンA1c", "%", &["HbA1c", "HbA1c(NGSP)", "HBA1C", "ＨｂＡ１ｃ"]),
    ("C反応性蛋白", "mg/dL", &["CRP", "ＣＲＰ定量", "CRP(定量)"]),
    ("白血球数", "10*3/uL", &["WBC", "白血球", "ＷＢＣ"]),
    ("赤血球数", "10*6/uL", &["RBC", "赤血球"]),
    ("ヘモグロビン", "g/dL", &["Hb", "HGB", "血色素", "Hgb", "血色素量"]),
    ("ヘマトクリット", "%", &["Ht", "HCT", "ﾍﾏﾄｸﾘｯﾄ", "Hct"]),
    ("血小板数", "10*3/uL", &["PLT", "血小板", "Plt"]),
    ("プロトロンビン時間", "s", &["PT", "PT(秒)", "ﾌﾟﾛﾄﾛﾝﾋﾞﾝ時間"]),
    ("活性化部分トロンボプラスチン時間", "s", &["APTT", "ＡＰＴＴ"]),
    ("フィブリノゲン", "mg/dL", &["Fib", "FIB", "ﾌｨﾌﾞﾘﾉｰｹﾞﾝ", "フイブリノーゲン"]),
    ("脳性ナトリウム利尿ペプチド", "pg/mL", &["BNP", "ＢＮＰ"]),
    ("甲状腺刺激ホルモン", "uIU/mL", &["TSH", "ＴＳＨ"]),
    ("遊離トリヨードサイロニン", "pg/mL", &["FT3", "F-T3", "free T3"]),
    ("遊離サイロキシン", "ng/dL", &["FT4", "F-T4", "Free-T4"]),
    ("フェリチン", "ng/mL", &["FERR", "ﾌｪﾘﾁﾝ", "フエリチン"]),
    ("癌胎児性抗原", "ng/mL", &["CEA", "ＣＥＡ"]),
    ("α-フェトプロテイン", "ng/mL", &["AFP", "αフェトプロテイン", "ｱﾙﾌｧﾌｪﾄﾌﾟﾛﾃｲﾝ"]),
    ("糖鎖抗原19-9", "U/mL", &["CA19-9", "ＣＡ１９－９", "CA 19-9"]),
    ("前立腺特異抗原", "ng/mL", &["PSA", "ＰＳＡ"]),
    ("リウマトイド因子", "IU/mL", &["RF", "RF定量", "リウマチ因子"]),
    ("免疫グロブリンG", "mg/dL", &["IgG", "ＩｇＧ"]),
    ("免疫グロブリンA", "mg/dL", &["IgA", "ＩｇＡ"]),
    ("免疫グロブリンM", "mg/dL", &["IgM", "ＩｇＭ"]),
];

const SYLLABLES: &[&str] = &[
    "ア",
    "イ",
    "ウ",
    "エ",
    "オ",
    "カ",
    "キ",
    "ク",
    "ケ",
    "コ",
    "サ",
    "シ",
    "ス",
    "セ",
    "ソ",
    "タ",
    "チ",
    "ト",
    "ナ",
    "ニ",
    "ネ",
    "ノ",
    "ハ",
    "ヒ",
    "フ",
    "マ",
    "ミ",
    "メ",
    "モ",
    "ラ",
    "リ",
    "ル",
    "レ",
    "ロ",
    "ガ",
    "ギ",
    "グ",
    "ゲ",
    "ゴ",
    "ザ",
    "ジ",
    "ダ",
    "デ",
    "ド",
    "バ",
    "ビ",
    "ブ",
    "ベ",
    "ボ",
    "パ",
    "ピ",
    "プ",
    "ペ",
    "ポ",
    "ン",
    "ファ",
    "フィ",
    "フェ",
    "フォ",
    "シャ",
    "シュ",
    "ショ",
    "チャ",
    "チュ",
    "ティ",
    "ディ",
    "キュ",
    "リュ",
    "ジェ",
    "ヴァ",
    "ラー",
    "リー",
    "ロー",
    "ター",
    "メー",
    "ゾー",
    "ール",
    "シン",
    "ミン",
    "ジン",
    "ゾール",
    "マイ",
    "スト",
];

pub(crate) fn word(chance: &mut Chance, least: usize, most: usize) -> String {
    let n = least + chance.below(most - least + 1);
    let mut word = String::new();
    while word.chars().count() < 2 || word.chars().filter(|c| *c != 'ー').count() < n {
        let syllable = chance.of(SYLLABLES);
        if !(word.is_empty() && syllable.starts_with(['ー', 'ン'])
            || word.ends_with('ー') && syllable.starts_with('ー'))
        {
            word.push_str(syllable);
        }
    }
    word
}

const SPECIMENS: &[(&str, &str)] = &[("023", "血清"), ("001", "尿"), ("041", "髄液")];
const METHODS: &[(&str, &str)] =
    &[("271", "可視吸光光度法"), ("051", "化学発光免疫測定法"), ("062", "ラテックス凝集比濁法")];

/// One item of the truth: where it is in the master.
pub(crate) struct Analyte {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) ways: Vec<String>,
}

/// A laboratory master of `analytes` analytes (the common ones first), each with three specimens and three methods.
pub(crate) fn laboratory(analytes: usize, seed: u64) -> (Master, Vec<Analyte>) {
    let mut chance = Chance(seed);
    let mut list: Vec<Analyte> = COMMON
        .iter()
        .map(|(name, unit, ways)| Analyte {
            name: (*name).to_owned(),
            unit: (*unit).to_owned(),
            ways: ways.iter().map(|w| (*w).to_owned()).collect(),
        })
        .collect();
    while list.len() < analytes {
        let core = word(&mut chance, 3, 6);
        let name = match chance.below(8) {
            0 => format!("抗{core}抗体"),
            1 => format!("{core}特異IgE"),
            2 => format!("{core}血中濃度"),
            3 => format!("{core}抗原定量"),
            4 => format!("遊離{core}"),
            5 => format!("{core}レセプター抗体価"),
            6 => format!("{core}結合蛋白"),
            _ => core,
        };
        if list.iter().rev().take(2000).any(|a| a.name == name) {
            continue;
        }
        let unit = chance.of(&["mg/dL", "ng/mL", "U/mL", "UA/mL", "ug/mL", "pg/mL", "IU/mL", "%"]);
        list.push(Analyte { name, unit: (*unit).to_owned(), ways: Vec::new() });
    }
    let mut text = String::from("JLAC10コード,項目名,単位,材料,測定法\n");
    for (at, analyte) in list.iter().enumerate() {
        for (material, specimen) in SPECIMENS {
            for (method, method_name) in METHODS {
                let letter = char::from(b'A' + (at / 1000 % 26) as u8);
                let digit = 1 + at / 26_000;
                let code = format!("{digit}{letter}{:03}0000{material}{method}01", at % 1000);
                writeln!(text, "{code},{},{},{specimen},{method_name}", analyte.name, analyte.unit)
                    .unwrap();
            }
        }
    }
    let import =
        read(text.as_bytes(), &Layout::shipped("jlac10").unwrap(), "synthetic", None).unwrap();
    assert_eq!(import.dropped, 0);
    (import.master, list)
}

const UNIT_WAYS: &[(&str, &[&str])] = &[
    ("U/L", &["IU/L", "U/l", "IU/l", "Ｕ／Ｌ"]),
    ("mg/dL", &["mg/dl", "ｍｇ／ｄｌ", "MG/DL", "㎎/㎗"]),
    ("g/dL", &["g/dl", "ｇ／ｄＬ"]),
    ("mmol/L", &["mEq/L", "mEq/l", "mmol/l"]),
    ("10*3/uL", &["×10^3/μL", "千/μl", "/μL", "×10^2/μL"]),
    ("10*6/uL", &["×10^4/μL", "万/μl", "10^6/mm3"]),
    ("ng/mL", &["ng/ml", "μg/L"]),
    ("uIU/mL", &["μIU/ml", "μU/mL"]),
    ("s", &["秒", "sec"]),
    ("%", &["％"]),
];

/// A local item of the analyte and the codes that its statements allow: analyte, specimen where stated (else blood), method
/// where stated.
pub(crate) fn item(
    at: usize,
    analyte: &Analyte,
    error: Error,
    master: &Master,
    chance: &mut Chance,
) -> (LocalItem, Vec<String>) {
    let specimen = usize::from(chance.once_in(4));
    let stated = specimen == 1 || chance.once_in(2);
    let method = chance.once_in(3).then(|| chance.below(METHODS.len()));
    let mut name = spoil(&analyte.name, error, &analyte.ways, chance);
    let mut item = LocalItem { code: format!("L{at:05}"), ..LocalItem::default() };
    if stated {
        match chance.below(3) {
            0 if specimen == 1 => name = format!("U-{name}"),
            1 => name = format!("{name}({})", SPECIMENS[specimen].1),
            _ => item.specimen = Some(SPECIMENS[specimen].1.to_owned()),
        }
    }
    item.method = method.map(|m| METHODS[m].1.to_owned());
    if !chance.once_in(5) {
        let ways = UNIT_WAYS.iter().find(|(u, _)| *u == analyte.unit).map_or(&[][..], |(_, w)| w);
        item.unit = Some(if ways.is_empty() {
            analyte.unit.clone()
        } else {
            (*chance.of(ways)).to_owned()
        });
    }
    item.names = vec![name];
    let truth = master.entries()[at * 9..at * 9 + 9]
        .iter()
        .filter(|e| e.specimen.as_deref() == Some(SPECIMENS[if stated { specimen } else { 0 }].1))
        .filter(|e| method.is_none_or(|m| e.method.as_deref() == Some(METHODS[m].1)))
        .map(|e| e.code.clone())
        .collect();
    (item, truth)
}

const STRENGTHS: &[&[&str]] =
    &[&["2.5mg", "5mg", "10mg"], &["25mg", "50mg", "100mg"], &["0.1g", "250mg"], &["1%", "0.5%"]];

/// A drug master of about `rows` rows: invented ingredients, forms, strengths, makers.
pub(crate) fn drugs(rows: usize, seed: u64) -> Master {
    let mut chance = Chance(seed);
    let mut text = String::from("個別医薬品コード,販売名,成分名,規格\n");
    let mut at = 0;
    while at < rows {
        let ingredient = word(&mut chance, 4, 7);
        let salt = chance.of(&["", "塩酸塩", "ナトリウム", "マレイン酸塩", "水和物"]);
        let strengths = *chance.of(STRENGTHS);
        let form = *chance.of(&["錠", "OD錠", "カプセル", "細粒", "注射液", "点眼液"]);
        for strength in strengths {
            let makers: usize = 1 + chance.below(4);
            for _ in 0..makers {
                let maker = word(&mut chance, 2, 3);
                let code = format!("{:07}F1{:03}", at / 900 + 1_000_000, at % 900 + 100);
                let name = format!("{ingredient}{form}{strength}「{maker}」");
                writeln!(text, "{code},{name},{ingredient}{salt},{strength}1{form}").unwrap();
                at += 1;
            }
        }
    }
    let import = read(text.as_bytes(), &Layout::shipped("yj").unwrap(), "synthetic", None).unwrap();
    assert_eq!(import.dropped, 0);
    import.master
}
