//! The first record of a claims file.

use super::Form;
use crate::{
    arena::Arena,
    delimited::Charset,
    layout::Role,
    row_view::{Cells, Decoded, cell, cut},
};

/// Why a first record cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Neither `IR`, `YK`, `HM` nor `HI`, or a fee table (点数表) that does not go with it.
    #[error("the first record is not the header of a claims file")]
    Unknown,
    /// Bytes that are not CP932.
    #[error("the first record is not CP932")]
    Encoding,
}

impl HeaderError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Unknown => {
                "先頭がIR・YK・HM・HIレコードでないか、点数表の種別が正しくありません。レセプト電算処理のファイルか確認してください。".into()
            }
            Self::Encoding => {
                "先頭レコードの文字コードがCP932ではありません。保存形式を確認してください。".into()
            }
        }
    }
}

/// What the first record says: whose claims they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Kind of the file.
    pub form: Form,
    /// Is it a file of returned claims (`HI`)?
    pub returned: bool,
    /// 審査支払機関: 1 employees' insurance, 2 national health insurance, 6 other.
    pub payer_body: Option<String>,
    /// Prefecture, code.
    pub prefecture: Option<String>,
    /// 点数表: 1 medical, 3 dental, 4 pharmacy, 6 home nursing.
    pub point_table: Option<String>,
    /// Institution, seven digits.
    pub institution: Option<String>,
    /// Institution, name.
    pub institution_name: Option<String>,
    /// Month billed, `YYYYMM` or `GYYMM`.
    pub billed_month: Option<String>,
}

impl Header {
    pub(super) fn parse(line: &[u8]) -> Result<Self, HeaderError> {
        let stop = memchr::memchr2(b'\r', b'\n', line).unwrap_or(line.len());
        let line = &line[..stop];
        let charset = Charset::of(line);
        let mut cells = Cells::default();
        cut(line, b',', &mut cells);
        let id = match cell(line, &cells, 0) {
            b"IR" => "IR",
            b"YK" => "YK",
            b"HM" => "HM",
            b"HI" => "HI",
            _ => return Err(HeaderError::Unknown),
        };
        if cells.len() < 5 {
            return Err(HeaderError::Unknown);
        }
        let arena = Arena::new();
        let decoded = Decoded::of(line, charset, &arena).ok_or(HeaderError::Encoding)?;
        let text = decoded.text;
        cut(text.as_bytes(), b',', &mut cells);
        let layout = Form::Medical.layout(id).ok_or(HeaderError::Unknown)?;
        let row = decoded.row(1, text, &cells, layout);
        let form = match (id, row.raw(Role::PointTable).trim_ascii()) {
            ("YK", _) | ("HI", b"4") => Form::Pharmacy,
            ("HM", _) | ("HI", b"6") => Form::HomeNursing,
            (_, b"1") => Form::Medical,
            (_, b"3") => Form::Dental,
            _ => return Err(HeaderError::Unknown),
        };
        let text = |role| row.get(role).map(str::to_owned);
        Ok(Self {
            form,
            returned: id == "HI",
            payer_body: text(Role::PayerBody),
            prefecture: text(Role::Prefecture),
            point_table: text(Role::PointTable),
            institution: text(Role::Institution),
            institution_name: text(Role::InstitutionName),
            billed_month: text(Role::BilledMonth),
        })
    }
}
