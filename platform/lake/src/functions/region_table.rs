//! Names of regions, as data. Prefectures in the order of JIS X 0401. Postal prefixes are recalled and true for
//! nearly all codes; a few codes at borders belong to the neighbour: confidence `memory`.

/// The 47 prefectures in the order of their official codes (JIS X 0401).
pub const PREFECTURES: [&str; 47] = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
];

/// Index into [`PREFECTURES`] by the first two digits of a postal code.
pub(super) const POSTAL: [u8; 100] = [
    0, 4, 2, 1, 0, 0, 0, 0, 0, 0, // 00-09
    12, 12, 12, 12, 12, 12, 12, 12, 12, 12, // 10-19
    12, 13, 13, 13, 13, 13, 11, 11, 11, 11, // 20-29
    7, 7, 8, 10, 10, 10, 10, 9, 19, 19, // 30-39
    18, 21, 21, 21, 22, 22, 22, 22, 22, 22, // 40-49
    20, 23, 24, 26, 26, 26, 26, 26, 26, 26, // 50-59
    25, 25, 25, 28, 29, 27, 27, 27, 30, 31, // 60-69
    32, 32, 33, 33, 34, 34, 36, 35, 38, 37, // 70-79
    39, 39, 39, 39, 40, 41, 42, 43, 44, 45, // 80-89
    46, 17, 16, 15, 14, 14, 6, 6, 3, 5, // 90-99
];

/// Designated cities and their prefectures: an address may leave the prefecture out, and the ward is not a
/// municipality.
pub(super) const DESIGNATED_CITIES: [(&str, &str); 20] = [
    ("札幌市", "北海道"),
    ("仙台市", "宮城県"),
    ("さいたま市", "埼玉県"),
    ("千葉市", "千葉県"),
    ("横浜市", "神奈川県"),
    ("川崎市", "神奈川県"),
    ("相模原市", "神奈川県"),
    ("新潟市", "新潟県"),
    ("静岡市", "静岡県"),
    ("浜松市", "静岡県"),
    ("名古屋市", "愛知県"),
    ("京都市", "京都府"),
    ("大阪市", "大阪府"),
    ("堺市", "大阪府"),
    ("神戸市", "兵庫県"),
    ("岡山市", "岡山県"),
    ("広島市", "広島県"),
    ("北九州市", "福岡県"),
    ("福岡市", "福岡県"),
    ("熊本市", "熊本県"),
];

/// Municipalities whose names hold 市, 町, 村, 区 or 郡 before the last character.
pub(super) const LONG_NAMES: [&str; 27] = [
    "四日市市",
    "廿日市市",
    "野々市市",
    "市川市",
    "市原市",
    "町田市",
    "十日町市",
    "大町市",
    "村上市",
    "村山市",
    "羽村市",
    "東村山市",
    "武蔵村山市",
    "田村市",
    "大村市",
    "郡山市",
    "郡上市",
    "大和郡山市",
    "小郡市",
    "蒲郡市",
    "余市郡余市町",
    "芳賀郡市貝町",
    "神崎郡市川町",
    "西八代郡市川三郷町",
    "佐波郡玉村町",
    "杵島郡大町町",
    "中新川郡上市町",
];

/// Towns and villages that belong to no county: the islands of Tokyo.
pub(super) const NO_COUNTY: [&str; 9] = [
    "大島町",
    "八丈町",
    "利島村",
    "新島村",
    "神津島村",
    "三宅村",
    "御蔵島村",
    "青ヶ島村",
    "小笠原村",
];
