//! What all requests share.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use kiban_journeys::{
    Actor, Catalogue, Deployment, Passkeys, ProvidedBy, World,
    map_codes::{CodeItems, code_items},
    sign_in::{OriginError, ProviderSettings, Providers},
};
use kiban_kernel::{EntropyError, Timestamp};

use crate::{
    fault::Fault,
    limit::Limiter,
    once::Once,
    outbound::Outbound,
    session::{Sessions, Token},
};

/// How the pages are served.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A demo: fictitious people, a picker of roles instead of a sign-in.
    pub demo: bool,
    /// Pages come over TLS: cookies are marked so.
    pub secure: bool,
    /// The origin that browsers see (`https://kiban.example.jp`): passkeys are bound to it. Without one nobody can sign
    /// in; a demo has none.
    pub origin: Option<String>,
}

/// Why pages cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// Chance failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The origin can have no passkeys.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The providers of sign-in are not named as they must be.
    #[error("the providers of sign-in are not named as they must be")]
    Providers(#[source] Box<kiban_journeys::Error>),
    /// An authority of a provider's certificate cannot be used.
    #[error("an authority of a provider cannot be used")]
    Authority(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AppError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Entropy(_) => "乱数を取得できません。".to_owned(),
            Self::Origin(_) => {
                "公開するアドレス（--origin）は https://（ドメイン名） の形で指定してください。"
                    .to_owned()
            }
            Self::Providers(e) => e.ja(),
            Self::Authority(_) => {
                "認証基盤の証明書の発行者（sign_in.toml の authority、PEM）を読めません。"
                    .to_owned()
            }
        }
    }
}

/// Who gave for what at a snapshot, a number of projects and a number of deliveries to users.
type ProvidedAt = ((u64, u64, u64), Arc<Vec<ProvidedBy>>);

/// The local items at a stand of the lake and the mappings.
type ItemsAt = ((u64, u64), Arc<CodeItems>);

pub(crate) struct Inner {
    pub(crate) on: Deployment,
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) sessions: Sessions,
    /// Passkeys; none in a demo.
    pub(crate) passkeys: Option<Passkeys>,
    /// Providers through which one may sign in; none in a demo.
    pub(crate) providers: Option<Providers>,
    pub(crate) limiter: Limiter,
    pub(crate) once: Once,
    /// The catalogue of a snapshot, made once.
    catalogue: Mutex<Option<Arc<Catalogue>>>,
    /// The local items of a snapshot and a version of the mappings, made once.
    code_items: Mutex<Option<ItemsAt>>,
    /// Who gave for what, made once for each stand.
    provided: Mutex<Option<ProvidedAt>>,
    /// One look through the lake at a time.
    looking: tokio::sync::Mutex<()>,
}

/// The providers that the deployment's folder names.
fn providers_of(on: &Deployment, origin: &str) -> Result<Option<Providers>, AppError> {
    let named = |e| AppError::Providers(Box::new(e));
    let settings = ProviderSettings::read(on.dir()).map_err(named)?;
    if settings.is_empty() {
        return Ok(None);
    }
    let line = Outbound::new(&settings.authorities).map_err(AppError::Authority)?;
    Ok(Some(Providers::new(settings, origin, Arc::new(line)).map_err(named)?))
}

/// The pages of one deployment. Cheap to clone.
#[derive(Clone)]
pub struct App(pub(crate) Arc<Inner>);

impl App {
    /// Serve a deployment. `world` is the one it was opened with: its clock times sessions.
    ///
    /// # Errors
    /// The source of chance failed, or the origin can have no passkeys.
    pub fn new(on: Deployment, world: World, settings: Settings) -> Result<Self, AppError> {
        let sessions = Sessions::new(&*world.entropy)?;
        let origin = settings.origin.as_deref().filter(|_| !settings.demo);
        let passkeys = origin.map(Passkeys::new).transpose()?;
        let providers = origin.map(|o| providers_of(&on, o)).transpose()?.flatten();
        Ok(Self(Arc::new(Inner {
            on,
            world,
            settings,
            sessions,
            passkeys,
            providers,
            limiter: Limiter::default(),
            once: Once::default(),
            catalogue: Mutex::default(),
            code_items: Mutex::default(),
            provided: Mutex::default(),
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

    /// Did the visitor show who he or she is within the last minutes? In a demo nobody has anything to show.
    pub(crate) fn is_confirmed(&self, token: &Token) -> bool {
        self.0.settings.demo || self.0.sessions.is_confirmed(token, self.now())
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.0.on.dir().to_owned()
    }

    /// The catalogue of the newest snapshot, by the mappings of codes as they stand.
    pub(crate) async fn catalogue(&self) -> Result<Arc<Catalogue>, Fault> {
        let stand = kiban_journeys::newest_stand(self.on()).await?;
        let kept = || {
            let slot = self.0.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
            slot.clone().filter(|c| (c.snapshot, c.mapping_version) == stand)
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

    /// The local items of the newest snapshot, by the mappings of codes as they stand.
    pub(crate) async fn code_items(&self, actor: &Actor) -> Result<Arc<CodeItems>, Fault> {
        kiban_govern::permit(actor, kiban_govern::Act::SeeMappings)
            .map_err(kiban_journeys::Error::from)?;
        let stand = kiban_journeys::newest_stand(self.on()).await?;
        let kept = || {
            let slot = self.0.code_items.lock().unwrap_or_else(PoisonError::into_inner);
            slot.as_ref().filter(|(of, _)| *of == stand).map(|(_, items)| items.clone())
        };
        if let Some(items) = kept() {
            return Ok(items);
        }
        let _turn = self.0.looking.lock().await;
        if let Some(items) = kept() {
            return Ok(items);
        }
        let made = Arc::new(code_items(self.on(), actor, None, None).await?);
        let mut slot = self.0.code_items.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some((stand, made.clone()));
        Ok(made)
    }

    /// Who gave for what, as it stands. Anybody may ask, so it is made once and kept until something changes.
    pub(crate) async fn provided(&self) -> Result<Arc<Vec<ProvidedBy>>, Fault> {
        let stand = kiban_journeys::provided_stand(self.on()).await?;
        let kept = || {
            let slot = self.0.provided.lock().unwrap_or_else(PoisonError::into_inner);
            slot.as_ref().filter(|(of, _)| *of == stand).map(|(_, found)| found.clone())
        };
        if let Some(found) = kept() {
            return Ok(found);
        }
        let _turn = self.0.looking.lock().await;
        if let Some(found) = kept() {
            return Ok(found);
        }
        let made = Arc::new(kiban_journeys::provided_by(self.on()).await?);
        let mut slot = self.0.provided.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some((stand, made.clone()));
        Ok(made)
    }

    /// Do the day's work if it is not done: the outbox is filled, what has expired goes. What fails is tried again at the next
    /// call.
    pub async fn daily(&self) {
        match kiban_journeys::daily_work(self.on()).await {
            Ok(Some(queued)) => tracing::info!(queued, "the daily work is done"),
            Ok(None) => {}
            Err(e) => tracing::error!(error = %e, "the daily work failed"),
        }
    }

    /// Make the catalogue before anybody asks for it.
    pub async fn warm(&self) {
        if self.catalogue().await.is_err() {
            tracing::warn!("the catalogue could not be made yet");
        }
    }
}
