//! The engine: DataFusion over the sealed store, with every function of ours.

use std::sync::{Arc, PoisonError};

use datafusion::{
    datasource::{
        MemTable,
        file_format::parquet::ParquetFormat,
        listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl},
    },
    execution::{
        SessionStateBuilder,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        object_store::ObjectStoreUrl,
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
    },
    prelude::{DataFrame, SessionConfig, SessionContext},
};

use crate::{
    Engine, Lake, LakeError, Snapshot, functions,
    lake::EXTENSION,
    remote::{NoCache, Planner},
    schema,
    store::SealedStore,
};

/// Where the engine finds the sealed store.
pub const STORE_URL: &str = "sealed://lake/";

/// An engine session.
#[derive(Clone)]
pub struct Session {
    ctx: SessionContext,
}

impl Session {
    /// A session that reads `lake`, on the lake's [`Engine`].
    ///
    /// # Errors
    /// The engine cannot be set up.
    pub fn new(lake: &Lake) -> Result<Self, LakeError> {
        let session = Self::on(&lake.engine())?;
        register_store(&session.ctx.runtime_env(), lake.0.store.clone())?;
        Ok(session)
    }

    /// A session without a lake: for plain tables outside any deployment, in this process.
    ///
    /// # Errors
    /// The engine cannot be set up.
    pub fn detached() -> Result<Self, LakeError> {
        Self::on(&Engine::Embedded)
    }

    fn on(engine: &Engine) -> Result<Self, LakeError> {
        // Nothing is spilled: temporary files would hold named rows in the clear.
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let runtime = RuntimeEnvBuilder::new().with_disk_manager_builder(disk).build_arc()?;
        let mut state = SessionStateBuilder::new()
            .with_config(settle(SessionConfig::new().with_information_schema(false)))
            .with_runtime_env(runtime)
            .with_default_features();
        if let Engine::Cluster(cluster) = engine {
            state = state
                .with_query_planner(Arc::new(Planner::new(Arc::clone(cluster))?))
                .with_cache_factory(Some(Arc::new(NoCache)));
        }
        let ctx = SessionContext::new_with_state(state.build());
        for function in functions::scalar() {
            ctx.register_udf(function);
        }
        for function in functions::aggregate() {
            ctx.register_udaf(function);
        }
        Ok(Self { ctx })
    }

    /// The engine's own context.
    pub fn context(&self) -> &SessionContext {
        &self.ctx
    }
}

/// Settings that every session and node shares: text stays Utf8, as the schemas declare it.
pub(crate) fn settle(mut config: SessionConfig) -> SessionConfig {
    config.options_mut().execution.parquet.schema_force_view_types = false;
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    config
}

/// Lets plans read the sealed store under [`STORE_URL`].
pub(crate) fn register_store(
    runtime: &RuntimeEnv,
    store: Arc<SealedStore>,
) -> Result<(), datafusion::error::DataFusionError> {
    let url = ObjectStoreUrl::parse(STORE_URL)?;
    runtime.register_object_store(url.as_ref(), store);
    Ok(())
}

impl Lake {
    /// Where plans of sessions made from now on run; in this process unless told otherwise.
    pub fn run_on(&self, engine: Engine) {
        *self.0.engine.write().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    /// Where plans run.
    pub fn engine(&self) -> Engine {
        self.0.engine.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A table at a snapshot as a plan over an explicit list of files. The order of rows is not
    /// defined: sort where it matters.
    ///
    /// # Errors
    /// No such table or snapshot.
    pub async fn frame(
        &self,
        session: &Session,
        table: &str,
        at: Snapshot,
    ) -> Result<DataFrame, LakeError> {
        let declared = schema::table(table).ok_or(LakeError::UnknownTable)?;
        let files = self.files(table, at).await?;
        if files.is_empty() {
            let empty = MemTable::try_new(declared.arrow(), vec![Vec::new()])?;
            return Ok(session.ctx.read_table(Arc::new(empty))?);
        }
        let urls = files.iter().map(|f| ListingTableUrl::parse(format!("{STORE_URL}{}", f.path)));
        let format = ParquetFormat::default().with_force_view_types(false);
        let options =
            ListingOptions::new(Arc::new(format)).with_file_extension(format!(".{EXTENSION}"));
        let config = ListingTableConfig::new_with_multi_paths(urls.collect::<Result<_, _>>()?)
            .with_listing_options(options)
            .with_schema(declared.arrow());
        Ok(session.ctx.read_table(Arc::new(ListingTable::try_new(config)?))?)
    }
}

/// The plan vocabulary, so that no other crate names the engine.
pub mod plan {
    pub use datafusion::{
        common::{
            Column, DFSchema, DataFusionError, JoinType, Result as EngineResult, ScalarValue,
            TableReference,
        },
        dataframe::DataFrame,
        datasource::{MemTable, TableProvider, provider_as_source},
        execution::context::SessionContext,
        functions::expr_fn as functions,
        functions_aggregate::expr_fn as aggregates,
        functions_window::expr_fn as windows,
        logical_expr::{
            AggregateUDF, ColumnarValue, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder,
            Operator, ScalarUDF, SortExpr, Volatility, case, cast, col, expr_fn, ident, lit,
            try_cast, when,
        },
        prelude::{CsvReadOptions, ParquetReadOptions},
    };
}
