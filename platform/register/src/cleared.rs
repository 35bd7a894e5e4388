//! What may be used under one regime: a snapshot from which everybody who said no is gone.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`, `stop`

use std::{fmt, marker::PhantomData};

use kiban_kernel::{Bases, Regime};
use kiban_lake::{Lake, LakeError, Snapshot};
use sqlx::AnyConnection;

use crate::{
    stop::{self, TouchingStop},
    store::StoreError,
};

mod sealed {
    pub trait Sealed {}
}

/// A regime as a type: [`Anon52`] or [`Pseudo57`], and no other.
pub trait Basis: sealed::Sealed + Send + Sync + 'static {
    /// The regime.
    const REGIME: Regime;
}

/// Art. 52: anonymized processing.
#[derive(Debug, Clone, Copy)]
pub enum Anon52 {}
/// Art. 57: pseudonymized processing.
#[derive(Debug, Clone, Copy)]
pub enum Pseudo57 {}

impl sealed::Sealed for Anon52 {}
impl sealed::Sealed for Pseudo57 {}
impl Basis for Anon52 {
    const REGIME: Regime = Regime::Anon52;
}
impl Basis for Pseudo57 {
    const REGIME: Regime = Regime::Pseudo57;
}

/// Records cleared under one regime: a snapshot, and how many stops had been applied to it. Holds no rows.
///
/// Made by [`Cleared::mint`] and [`Cleared::again`] alone.
///
/// ```compile_fail,E0451
/// use kiban_register::{Cleared, Anon52};
/// let forged: Cleared<Anon52> = Cleared { snapshot: kiban_lake::Snapshot(1), watermark: 0, basis: Default::default() };
/// ```
///
/// ```compile_fail,E0308
/// use kiban_register::{Anon52, Cleared, Pseudo57};
/// fn pseudonymize(_: Cleared<Pseudo57>) {}
/// fn of_legacy_persons(cleared: Cleared<Anon52>) { pseudonymize(cleared) }
/// ```
pub struct Cleared<B: Basis> {
    snapshot: Snapshot,
    watermark: u64,
    basis: PhantomData<fn() -> B>,
}

/// Why records cannot be cleared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClearError {
    /// Stops were received that the vault has not applied.
    #[error("{count} stop requests wait for the vault")]
    OpenStops {
        /// How many.
        count: u64,
    },
    /// Nothing was ever taken in.
    #[error("the lake is empty")]
    Empty,
    /// The snapshot to be cleared again does not exist.
    #[error("there is no such snapshot")]
    NoSnapshot,
    /// The register of stops does not answer: nobody can say who asked to stop, so nothing is cleared.
    #[error("the register of stops does not answer")]
    Silent(#[source] StoreError),
    /// The lake could not be read.
    #[error("the lake cannot be read")]
    Lake(#[from] LakeError),
}

impl ClearError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::OpenStops { count } => format!(
                "提供停止の求め{count}件がまだ保管庫に適用されていません。適用（stop apply）してからやり直してください。"
            ),
            Self::Empty => "医療情報がまだ受け入れられていません。".to_owned(),
            Self::NoSnapshot => "指定のスナップショットがありません。".to_owned(),
            Self::Silent(_) => {
                "提供停止の登録簿が応答しないため、誰が停止を求めているか確かめられません。データセットは作らず、何も出力していません。登録簿を復旧してからやり直してください。"
                    .to_owned()
            }
            Self::Lake(e) => e.ja(),
        }
    }
}

impl<B: Basis> Cleared<B> {
    /// Clear the newest snapshot under the regime.
    ///
    /// # Errors
    /// A stop under the regime was received that the vault has not applied, or nothing is there.
    pub async fn mint(conn: &mut AnyConnection, lake: &Lake) -> Result<Self, ClearError> {
        // the watermark first: a stop that comes in between is then found as one since the watermark
        let watermark = stop::watermark(&mut *conn).await.map_err(ClearError::Silent)?;
        let snapshot = lake.head().await?;
        if snapshot.0 == 0 {
            return Err(ClearError::Empty);
        }
        Self::no_open_stops(conn).await?;
        Ok(Self { snapshot, watermark, basis: PhantomData })
    }

    /// Clear an earlier snapshot again, for a rebuild, with the stops that came since.
    /// Rows of those persons are gone from the snapshot too.
    ///
    /// # Errors
    /// As [`Cleared::mint`], or there is no such snapshot.
    pub async fn again(
        conn: &mut AnyConnection,
        lake: &Lake,
        snapshot: Snapshot,
        watermark: u64,
    ) -> Result<(Self, Vec<TouchingStop>), ClearError> {
        let now = stop::watermark(&mut *conn).await.map_err(ClearError::Silent)?;
        if snapshot.0 == 0 || lake.head().await?.0 < snapshot.0 || now < watermark {
            return Err(ClearError::NoSnapshot);
        }
        Self::no_open_stops(&mut *conn).await?;
        let since = stop::since(conn, watermark).await.map_err(ClearError::Silent)?;
        Ok((Self { snapshot, watermark: now, basis: PhantomData }, since))
    }

    async fn no_open_stops(conn: &mut AnyConnection) -> Result<(), ClearError> {
        match stop::unapplied(conn, B::REGIME).await.map_err(ClearError::Silent)? {
            0 => Ok(()),
            count => Err(ClearError::OpenStops { count }),
        }
    }

    /// The snapshot.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot
    }

    /// How many stops had been received, all of them applied.
    pub fn watermark(&self) -> u64 {
        self.watermark
    }

    /// The regime.
    pub fn regime(&self) -> Regime {
        B::REGIME
    }

    /// The bit that a row's `bases` must hold to be used.
    pub fn bit(&self) -> u8 {
        Bases::NONE.with(B::REGIME).bits()
    }
}

impl<B: Basis> Clone for Cleared<B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B: Basis> Copy for Cleared<B> {}
impl<B: Basis> fmt::Debug for Cleared<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Cleared<{}>(snapshot {}, watermark {})",
            B::REGIME,
            self.snapshot.0,
            self.watermark
        )
    }
}
