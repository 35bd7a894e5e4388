//! A deployment: one folder, its database, log, lake and keys, opened together and by one process at a time.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use age::{secrecy::ExposeSecret as _, x25519};
use kiban_audit::{Db, Log, LogSigner};
use kiban_kernel::{Clock, Date, Entropy, Id, Kind, OsEntropy, Rules, Steps};
use kiban_lake::{Cluster, Engine, KeyRing, Lake, LakeError};

use zeroize::Zeroizing;

use crate::{
    Error,
    map_codes::MastersRead,
    uploads::{self, Scanner},
};

/// What the world gives a deployment: time, chance, and a witness of its steps.
#[derive(Clone)]
pub struct World {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Chance, for ids. Keys never come from here.
    pub entropy: Arc<dyn Entropy>,
    /// Told of each step with an effect.
    pub steps: Arc<dyn Steps>,
}

impl World {
    /// The machine's clock and chance.
    pub fn real() -> Self {
        Self {
            clock: Arc::new(kiban_kernel::SystemClock),
            entropy: Arc::new(OsEntropy),
            steps: Arc::new(kiban_kernel::NoSteps),
        }
    }
}

/// An open deployment.
pub struct Deployment {
    dir: PathBuf,
    pub(crate) log: Log,
    pub(crate) lake: Lake,
    pub(crate) rules: Rules,
    pub(crate) world: World,
    pub(crate) signer: LogSigner,
    pub(crate) intake: x25519::Identity,
    pub(crate) masters: MastersRead,
    /// Looks for malware in what people hand in.
    pub(crate) scanner: Option<Arc<dyn Scanner>>,
    // Held while the deployment is open.
    _lock: FolderLock,
}

const SIGNER: &str = "log.key";
const INTAKE: &str = "intake.key";
const LOCK: &str = ".lock";

impl Deployment {
    /// Make a deployment in a folder that holds none. `origin` names its log.
    ///
    /// # Errors
    /// The folder already holds one, or cannot be written.
    pub async fn create(dir: &Path, origin: &str, world: World) -> Result<Self, Error> {
        if dir.join("governance.sqlite").exists() || dir.join("keys").exists() {
            return Err(Error::DeploymentExists);
        }
        fs::create_dir_all(dir).map_err(Error::io("make the deployment's folder"))?;
        let keys = dir.join("keys");
        KeyRing::create(&keys, &OsEntropy)?;
        LogSigner::generate(&OsEntropy, origin)?.save(&keys.join(SIGNER))?;
        write_identity(&keys.join(INTAKE))?;
        let this = Self::open(dir, world).await?;
        // Secrets that a failed delivery would otherwise be the first to need are made now.
        this.register_keys().await?;
        let mut conn = this.reader().await?;
        kiban_vault::Vault::new(this.lake.clone()).segment_ids(&mut conn).await?;
        drop(conn);
        Ok(this)
    }

    /// Open a deployment: bring the database to this version, complete the published log, and collect
    /// what an ended process left behind.
    ///
    /// # Errors
    /// There is none, another process has it open, keys do not fit, or the database is of a newer version.
    pub async fn open(dir: &Path, world: World) -> Result<Self, Error> {
        let keys = dir.join("keys");
        if !keys.join(SIGNER).exists() {
            return Err(Error::NoDeployment);
        }
        let lock = FolderLock::take(&dir.join(LOCK))?;
        // What a process that ended while it replaced a file left beside it.
        for leftover in ["erasures.tmp", "links/memory.tmp"] {
            let _ = fs::remove_file(dir.join(leftover));
        }
        let ring = Arc::new(KeyRing::open(&keys)?);
        let signer = LogSigner::load(&keys.join(SIGNER))?;
        let intake = read_identity(&keys.join(INTAKE))?;
        let db = Db::open_file(&dir.join("governance.sqlite")).await?;
        db.migrate().await?;
        let log = Log::open(
            db.clone(),
            dir.join("audit"),
            signer.clone(),
            world.clock.clone(),
            world.steps.clone(),
        )
        .await?;
        let lake = Lake::open(dir.join("lake"), ring, db, world.steps.clone()).await?;
        // Plans run in this process unless the folder names a cluster; it is asked when the first plan runs.
        if let Some(cluster) = Cluster::configured(dir).map_err(LakeError::from)? {
            lake.run_on(Engine::Cluster(cluster));
        }
        let this = Self {
            dir: dir.to_owned(),
            log,
            lake,
            rules: Rules::built_in()?,
            world,
            signer,
            intake,
            masters: MastersRead::default(),
            scanner: uploads::configured(dir)?,
            _lock: lock,
        };
        this.collect_packages().await?;
        this.collect_attachments().await?;
        this.collect_enquiries().await?;
        this.collect_masters().await?;
        Ok(this)
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
    /// The dated rules in use.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }
    /// The civil date in Japan.
    pub fn today(&self) -> Date {
        self.world.clock.today()
    }
    /// The lake, for reading.
    pub fn lake(&self) -> &Lake {
        &self.lake
    }
    /// The event log, for reading.
    pub fn log(&self) -> &Log {
        &self.log
    }
    /// The producer's age recipient: what holders seal to.
    pub fn intake_recipient(&self) -> String {
        self.intake.to_public().to_string()
    }
    /// A new id.
    pub(crate) fn new_id<K: Kind>(&self) -> Result<Id<K>, Error> {
        Ok(Id::new(&*self.world.entropy)?)
    }
    /// A connection for reading.
    pub(crate) async fn reader(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Any>, Error> {
        Ok(self.log.db().pool().acquire().await?)
    }
}

/// The lock of one process on the folder; the system frees it when the process ends.
struct FolderLock(File);

impl FolderLock {
    fn take(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(Error::io("open the lock file"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::InUse),
            Err(TryLockError::Error(e)) => Err(Error::io("lock the deployment")(e)),
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Closing is not enough: a child process that another thread is starting holds a copy of the file until it
        // runs its program, and with the copy the lock. Should this fail, the lock goes with the last copy.
        let _ = self.0.unlock();
    }
}

fn write_identity(path: &Path) -> Result<(), Error> {
    let identity = x25519::Identity::generate().to_string();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(Error::io("write the intake key"))?;
    writeln!(file, "{}", identity.expose_secret()).map_err(Error::io("write the intake key"))?;
    file.sync_all().map_err(Error::io("write the intake key"))
}

fn read_identity(path: &Path) -> Result<x25519::Identity, Error> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(Error::io("read the intake key"))?);
    text.trim().parse().map_err(|_| Error::Unknown { what: "intake key" })
}
