//! What all requests share.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use kiban_journeys::{Catalogue, Deployment, World};
use kiban_kernel::{EntropyError, Timestamp};

use crate::{fault::Fault, limit::Limiter, once::Once, session::Sessions};

/// How the pages are served.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// A demo: fictitious people, a picker of roles instead of a sign-in.
    pub demo: bool,
    /// Pages come over TLS: cookies are marked so.
    pub secure: bool,
}

pub(crate) struct Inner {
    pub(crate) on: Deployment,
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) sessions: Sessions,
    pub(crate) limiter: Limiter,
    pub(crate) once: Once,
    /// The catalogue of a snapshot, made once.
    catalogue: Mutex<Option<Arc<Catalogue>>>,
    /// One look through the lake at a time.
    looking: tokio::sync::Mutex<()>,
}

/// The pages of one deployment. Cheap to clone.
#[derive(Clone)]
pub struct App(pub(crate) Arc<Inner>);

impl App {
    /// Serve a deployment. `world` is the one it was opened with: its clock times sessions.
    ///
    /// # Errors
    /// The source of chance failed.
    pub fn new(on: Deployment, world: World, settings: Settings) -> Result<Self, EntropyError> {
        let sessions = Sessions::new(&*world.entropy)?;
        Ok(Self(Arc::new(Inner {
            on,
            world,
            settings,
            sessions,
            limiter: Limiter::default(),
            once: Once::default(),
            catalogue: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        })))
    }

    /// The deployment.
    pub fn on(&self) -> &Deployment {
        &self.0.on
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.world.clock.now()
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.0.on.dir().to_owned()
    }

    /// The catalogue of the newest snapshot.
    pub(crate) async fn catalogue(&self) -> Result<Arc<Catalogue>, Fault> {
        let head = kiban_journeys::newest_snapshot(self.on()).await?;
        let kept = || {
            let slot = self.0.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
            slot.clone().filter(|c| c.snapshot == head)
        };
        if let Some(catalogue) = kept() {
            return Ok(catalogue);
        }
        let _turn = self.0.looking.lock().await;
        if let Some(catalogue) = kept() {
            return Ok(catalogue);
        }
        let made = Arc::new(kiban_journeys::catalogue(self.on()).await?);
        let mut slot = self.0.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(made.clone());
        Ok(made)
    }

    /// Make the catalogue before anybody asks for it.
    pub async fn warm(&self) {
        if self.catalogue().await.is_err() {
            tracing::warn!("the catalogue could not be made yet");
        }
    }
}
