//! How far the writing has come, for whoever draws a bar.

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The hospital's SS-MIX2 storage is unpacked.
    HospitalA,
    /// The hospital's FHIR files are unpacked.
    HospitalB,
    /// The municipality's files are written.
    Municipality,
    /// The specialist hospital's files are written.
    Specialist,
    /// The truth is written.
    Truth,
}

impl Stage {
    /// The stage's name for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::HospitalA => "病院A(SS-MIX2標準化ストレージ)の展開",
            Self::HospitalB => "病院B(FHIR JP Core)の展開",
            Self::Municipality => "自治体(住民・資格・健診・死亡)の作成",
            Self::Specialist => "専門病院(FHIR JP Core)の作成",
            Self::Truth => "正解ファイルの作成",
        }
    }
}

/// Is told how far the work has come.
pub trait Progress {
    /// A stage begins; it has `total` units.
    fn begin(&mut self, stage: Stage, total: u64);
    /// Further `units` of the stage are done.
    fn advance(&mut self, units: u64);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&mut self, _stage: Stage, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
}
