//! What a node of the cluster needs of the engine: a state with every function of ours, the sealed store, and the
//! codecs. `apps/cluster` hands them to its scheduler and workers.

use std::{path::Path, sync::Arc};

use datafusion::execution::{
    SessionStateBuilder,
    disk_manager::{DiskManagerBuilder, DiskManagerMode},
    runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
};
use object_store::local::LocalFileSystem;

pub use datafusion::{
    execution::{SessionState, context::QueryPlanner},
    prelude::SessionConfig,
};
pub use datafusion_proto::{
    logical_plan::LogicalExtensionCodec,
    physical_plan::PhysicalExtensionCodec,
    protobuf::{LogicalPlanNode, PhysicalPlanNode},
};

use super::{
    ClusterKey,
    codec::{Functions, Logical, Physical},
};
use crate::{
    KeyError, KeyRing, LakeError, functions,
    plan::EngineResult,
    session::{register_store, settle},
    store::SealedStore,
};

/// The sealed files of a deployment, as a node reads them: no catalog, no lock; plans name the files.
///
/// # Errors
/// The folder or its keys cannot be used.
pub fn store(lake: &Path, ring: KeyRing) -> Result<Arc<SealedStore>, LakeError> {
    let files = LocalFileSystem::new_with_prefix(lake)
        .map_err(|e| LakeError::io("open the lake's folder")(std::io::Error::other(e)))?;
    Ok(Arc::new(SealedStore::new(Arc::new(files), Arc::new(ring))))
}

/// A runtime that reads the sealed store and never spills: temporary files would hold named rows in the clear.
///
/// # Errors
/// The engine cannot be set up.
pub fn runtime(store: &Arc<SealedStore>) -> EngineResult<Arc<RuntimeEnv>> {
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new().with_disk_manager_builder(disk).build_arc()?;
    register_store(&runtime, Arc::clone(store))?;
    Ok(runtime)
}

/// A state with the engine's functions and ours.
pub fn state(config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionState {
    let mut builder = SessionStateBuilder::new()
        .with_config(settle(config))
        .with_runtime_env(runtime)
        .with_default_features();
    builder
        .scalar_functions()
        .get_or_insert_default()
        .extend(functions::scalar().into_iter().map(Arc::new));
    builder
        .aggregate_functions()
        .get_or_insert_default()
        .extend(functions::aggregate().into_iter().map(Arc::new));
    builder.build()
}

/// The settings of a node: text stays text, rows are never spilled.
pub fn config(config: SessionConfig) -> SessionConfig {
    settle(config)
}

/// The codecs of a node, each around the one of its engine.
pub struct Codecs {
    /// For plans as clients send them.
    pub logical: Arc<dyn LogicalExtensionCodec>,
    /// For plans as workers get them.
    pub physical: Arc<dyn PhysicalExtensionCodec>,
}

impl Codecs {
    /// Around the engine's own.
    ///
    /// # Errors
    /// The key cannot be used.
    pub fn around(
        logical: Arc<dyn LogicalExtensionCodec>,
        physical: Arc<dyn PhysicalExtensionCodec>,
        key: &ClusterKey,
    ) -> Result<Self, KeyError> {
        let functions = Functions::new(key)?;
        let also = Arc::clone(&functions);
        Ok(Self {
            logical: Arc::new(Logical { inner: logical, functions }),
            physical: Arc::new(Physical { inner: physical, functions: also }),
        })
    }
}
