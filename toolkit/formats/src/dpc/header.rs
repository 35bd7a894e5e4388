//! Which survey file it is, and in which order its columns stand.

use super::{File, LAYOUTS, Reader};
use crate::{
    delimited::Charset,
    layout::RecordLayout,
    row_view::{self, Cells, Decoded, RowView, Span},
};

/// Why a file cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Neither header, name nor first row are those of a survey file.
    #[error("neither header, name nor first row are those of a DPC survey file")]
    Unknown,
    /// The first line cannot be decoded.
    #[error("the first line is neither CP932 nor UTF-8")]
    Encoding,
    /// The header has no data id.
    #[error("the header has no column of the data id")]
    NoKey,
}

impl HeaderError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Unknown => "見出し行・ファイル名・列の形のいずれからもDPC調査のファイルと判断できません。ファイル名と列を確認してください。".into(),
            Self::Encoding => "1行目の文字コードがCP932でもUTF-8でもありません。保存形式を確認してください。".into(),
            Self::NoKey => "見出し行にデータ識別番号がありません。列名を確認してください。".into(),
        }
    }
}

/// What stands between the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    Byte(u8),
    /// Columns of [`EF_WIDTHS`].
    Fixed,
}

/// Widths of the columns of an EF file without delimiters, in bytes.
const EF_WIDTHS: [usize; 31] = [
    9, 10, 8, 8, 2, 4, 3, 12, 9, 8, 254, 11, 3, 12, 1, 8, 12, 8, 8, 8, 3, 8, 4, 8, 2, 3, 10, 10, 1,
    1, 3,
];

impl Delimiter {
    pub(super) fn cut(self, line: &[u8], cells: &mut Cells) {
        match self {
            Self::Byte(byte) => row_view::cut(line, byte, cells),
            Self::Fixed => {
                cells.clear();
                let mut from = 0;
                for width in EF_WIDTHS {
                    let to = (from + width).min(line.len());
                    cells.push((from as u32, to as u32));
                    from = to;
                }
            }
        }
    }
    pub(super) fn cell(self, line: &[u8], at: usize) -> Option<&[u8]> {
        match self {
            Self::Byte(byte) => line.split(|b| *b == byte).nth(at),
            Self::Fixed => {
                let from: usize = EF_WIDTHS.get(..at)?.iter().sum();
                line.get(from..from + EF_WIDTHS.get(at)?)
            }
        }
    }
}

/// The fields of a row of fixed widths, each decoded for itself, as one line in the arena; where they stand in it goes
/// to `cells`. A field whose end breaks a character is empty.
pub(super) fn widen<'a>(
    source: &[u8],
    fixed: &[Span],
    decoded: &Decoded<'a>,
    cells: &mut Cells,
) -> &'a str {
    cells.clear();
    let mut line = String::with_capacity(source.len() * 2);
    for at in 0..fixed.len() {
        let from = line.len() as u32;
        let cell = decoded.charset.decode(row_view::cell(source, fixed, at));
        line.push_str(&cell.unwrap_or_default());
        cells.push((from, line.len() as u32));
    }
    decoded.arena.text(&line)
}

/// Columns by their header.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    names: Vec<String>,
    /// For each column of the layout: where it stands in the file.
    order: Vec<Option<usize>>,
    /// Columns that no layout knows.
    unknown: Vec<(usize, String)>,
    in_order: bool,
    /// For a wide form 1: code, payload and serial number of each column.
    pub(super) wide: Vec<Option<(&'static RecordLayout, usize, String)>>,
}

impl Columns {
    pub(super) fn in_order(&self) -> bool {
        self.in_order
    }
    pub(super) fn source_of(&self, at: usize) -> Option<usize> {
        self.order.get(at).copied().flatten()
    }
    pub(super) fn order(&self, cells: &[Span], into: &mut Cells) {
        into.clear();
        for at in &self.order {
            into.push(at.and_then(|at| cells.get(at).copied()).unwrap_or_default());
        }
        if !self.wide.is_empty() {
            // Behind the key: all cells as they stand in the file.
            for cell in cells {
                into.push(*cell);
            }
        }
    }
    pub(super) fn unknown(&self) -> &[(usize, String)] {
        &self.unknown
    }
    pub(super) fn name(&self, at: usize) -> Option<&str> {
        self.names.get(at).map(String::as_str)
    }

    /// The cells of a wide row in the order of the file: it is never put into another one.
    pub(super) fn source<'s>(row: &RowView<'_, 's>) -> &'s [Span] {
        row.cells.get(5..).unwrap_or_default()
    }
    /// Is it a column of the stay's key?
    pub(super) fn is_key(&self, at: usize) -> bool {
        self.order.contains(&Some(at))
    }

    fn of(file: File, names: Vec<String>) -> Self {
        let layout = file.layout();
        let wide: Vec<_> = match file {
            File::Form1Wide => names.iter().map(|n| wide_column(n)).collect(),
            _ => Vec::new(),
        };
        let width = if file == File::Form1Wide { 5 } else { layout.width() };
        let mut order = vec![None; width];
        let mut unknown = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let place = (1..=width).find(|n| {
                order[n - 1].is_none()
                    && layout.spellings(*n).any(|known| same(name, known, *n, layout))
            });
            match place {
                Some(number) => order[number - 1] = Some(at),
                // Form 3 and 4 have columns of their own: they keep their place.
                None if matches!(file, File::Form4 | File::Form3)
                    && at < width
                    && order[at].is_none() =>
                {
                    order[at] = Some(at);
                }
                None => unknown.push((at, harmless(name, at))),
            }
        }
        let in_order = file != File::Form1Wide
            && order.iter().enumerate().all(|(n, at)| at.is_none_or(|at| at == n))
            && order.iter().flatten().count() >= names.len().min(width);
        let names = names.iter().enumerate().map(|(at, name)| harmless(name, at)).collect();
        Self { names, order, unknown, in_order, wide }
    }
}

/// Headers are words, not values; one that looks like a value is named by its place.
fn harmless(name: &str, at: usize) -> String {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let fine = (1..=40).contains(&name.chars().count()) && digits < 8 && !name.contains(';');
    if fine { name.to_owned() } else { format!("column {}", at + 1) }
}

/// `ペイロード3` is the third column of its run; other names stand alone.
fn same(name: &str, known: &str, number: usize, layout: &RecordLayout) -> bool {
    if name == known {
        return true;
    }
    let first = layout.fields.iter().find(|f| f.last > f.first && f.name == known);
    first.is_some_and(|f| {
        name.strip_prefix(known) == Some((number + 1 - usize::from(f.first)).to_string().as_str())
    })
}

/// Header text for comparing: narrow, without blanks.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).map(crate::text::narrow).collect()
}

/// A column of a wide form 1: `A006030_2`, `A006040-2-1` (payload, serial), or a name as the table has it,
/// with the serial number in it (`入院時併存症名2`).
fn wide_column(name: &str) -> Option<(&'static RecordLayout, usize, String)> {
    if let Some((code, rest)) = name.split_at_checked(7)
        && let Some(layout) = LAYOUTS.find("code", code)
    {
        let mut numbers = rest.split(['_', '-', '.', 'p', 'P']).filter(|p| !p.is_empty());
        let payload: usize = numbers.next()?.parse().ok()?;
        let serial = numbers.next().unwrap_or("").to_owned();
        return (1..=9).contains(&payload).then_some((layout, payload, serial));
    }
    let named = |name: &str| {
        LAYOUTS.form("code").find_map(|layout| {
            (1..=9).find(|n| layout.spellings(*n).any(|known| known == name)).map(|n| (layout, n))
        })
    };
    if let Some((layout, payload)) = named(name) {
        return Some((layout, payload, String::new()));
    }
    // One run of digits that is not part of ICD10 is the serial number.
    let masked = name.replace("ICD10", "ICD##");
    let from = masked.find(|c: char| c.is_ascii_digit())?;
    let digits: String = masked[from..].chars().take_while(char::is_ascii_digit).collect();
    let without =
        format!("{}{}", &masked[..from], &masked[from + digits.len()..]).replace("ICD##", "ICD10");
    named(&without).map(|(layout, payload)| (layout, payload, digits))
}

pub(super) fn recognise(file_name: &str, first_line: &[u8]) -> Result<Reader, HeaderError> {
    let stop = memchr::memchr2(b'\r', b'\n', first_line).unwrap_or(first_line.len());
    let line = &first_line[..stop];
    let by_name = file_of_name(file_name);
    let tabs = memchr::memchr_iter(b'\t', line).count();
    let commas = memchr::memchr_iter(b',', line).count();
    let delimiter = match (tabs, commas) {
        (0, 0) if line.len() == EF_WIDTHS.iter().sum::<usize>() => Delimiter::Fixed,
        (0, 0) => return Err(HeaderError::Unknown),
        (tabs, commas) if tabs >= commas => Delimiter::Byte(b'\t'),
        _ => Delimiter::Byte(b','),
    };
    if delimiter == Delimiter::Fixed {
        return match by_name {
            None | Some(File::Ef) => Ok(Reader::of(File::Ef, delimiter, None)),
            Some(_) => Err(HeaderError::Unknown),
        };
    }
    let mut spans = Cells::default();
    delimiter.cut(line, &mut spans);
    let cells: Vec<&[u8]> = (0..spans.len()).map(|at| row_view::cell(line, &spans, at)).collect();
    let bytes = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let text = Charset::of(line).decode(bytes);
    let names: Option<Vec<String>> = text.map(|t| {
        let cut = if delimiter == Delimiter::Byte(b',') { ',' } else { '\t' };
        t.split(cut).map(|n| plain(n.trim_matches('"'))).collect()
    });
    let Some(names) = names else {
        // Only a part of the first line may have been given.
        return Err(if by_name.is_some() { HeaderError::Encoding } else { HeaderError::Unknown });
    };
    if names.iter().any(|n| n == "施設コード") {
        let file = file_of_header(&names, by_name).ok_or(HeaderError::Unknown)?;
        let keyed = names.iter().any(|n| n.starts_with("データ識別"));
        if !keyed && file != File::Form3 {
            return Err(HeaderError::NoKey);
        }
        return Ok(Reader::of(file, delimiter, Some(Columns::of(file, names))));
    }
    let facility = cells[0].trim_ascii();
    if facility.len() != 9 || !facility.iter().all(u8::is_ascii_digit) {
        return Err(HeaderError::Unknown);
    }
    let file = by_name.filter(|f| *f != File::Form1Wide).or_else(|| file_of_shape(&cells));
    Ok(Reader::of(file.ok_or(HeaderError::Unknown)?, delimiter, None))
}

/// `FF1_…`, `EFn_…`, `Dn_…`.
fn file_of_name(path: &str) -> Option<File> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
    const NAMES: [(&str, File); 13] = [
        ("ff1", File::Form1),
        ("ff3", File::Form3),
        ("ff4", File::Form4),
        ("efg_", File::EfOutpatient),
        ("efn_", File::Ef),
        ("ef_", File::Ef),
        ("en_", File::E),
        ("fn_", File::F),
        ("dn_", File::D),
        ("hn_", File::H),
        ("kn_", File::K),
        ("d_", File::D),
        ("h_", File::H),
    ];
    NAMES.iter().find(|(start, _)| name.starts_with(start)).map(|(_, file)| *file)
}

fn file_of_header(names: &[String], by_name: Option<File>) -> Option<File> {
    let has = |name: &str| names.iter().any(|n| n == name);
    let payloads = names.iter().any(|n| n.starts_with("ペイロード"));
    if payloads && has("コード") {
        return Some(if has("病棟コード") { File::H } else { File::Form1 });
    }
    if has("行為明細番号") {
        let outpatient = has("外来受診年月日") || by_name == Some(File::EfOutpatient);
        return Some(match (has("行為点数"), outpatient) {
            (_, true) => File::EfOutpatient,
            (true, false) => File::Ef,
            (false, false) => File::F,
        });
    }
    if has("算定開始日") || has("分類番号") && has("行為点数") {
        return Some(File::D);
    }
    if has("行為点数") && has("順序番号") {
        return Some(File::E);
    }
    if names.iter().any(|n| n.contains("共通ID")) {
        return Some(File::K);
    }
    if !names.iter().any(|n| n.starts_with("データ識別")) {
        return Some(File::Form3);
    }
    if names.iter().filter(|n| wide_column(n).is_some()).count() >= 3 {
        return Some(File::Form1Wide);
    }
    match by_name {
        Some(File::Form1) => Some(File::Form1Wide),
        Some(file) => Some(file),
        None => {
            names.iter().any(|n| n.contains("様式") || n.contains("支払")).then_some(File::Form4)
        }
    }
}

fn file_of_shape(cells: &[&[u8]]) -> Option<File> {
    let digits = |at: usize, len: usize| {
        cells.get(at).is_some_and(|c| c.len() == len && c.iter().all(u8::is_ascii_digit))
    };
    let code = |at: usize| {
        cells.get(at).is_some_and(|c| {
            c.len() == 7
                && c[0].is_ascii_uppercase()
                && c.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        })
    };
    match cells.len() {
        31 | 32 if digits(6, 3) => Some(File::Ef),
        30..=32 if cells[28].trim_ascii().len() == 14 => Some(File::D),
        17 if digits(6, 3) => Some(File::F),
        25 if digits(17, 8) => Some(File::E),
        9..=17 if code(5) => Some(File::Form1),
        9..=18 if code(6) => Some(File::H),
        _ => None,
    }
}
