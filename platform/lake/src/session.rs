//! The engine: DataFusion over the sealed store, with every function of ours.

use std::sync::Arc;

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
        runtime_env::RuntimeEnvBuilder,
    },
    prelude::{DataFrame, SessionConfig, SessionContext},
};

use crate::{Lake, LakeError, Snapshot, functions, lake::EXTENSION, schema};

/// Where the engine finds the sealed store.
pub const STORE_URL: &str = "sealed://lake/";

/// An engine session.
#[derive(Clone)]
pub struct Session {
    ctx: SessionContext,
}

impl Session {
    /// A session that reads `lake`.
    ///
    /// # Errors
    /// The engine cannot be set up.
    pub fn new(lake: &Lake) -> Result<Self, LakeError> {
        let session = Self::detached()?;
        let url = ObjectStoreUrl::parse(STORE_URL)?;
        session.ctx.runtime_env().register_object_store(url.as_ref(), lake.0.store.clone());
        Ok(session)
    }

    /// A session without a lake: for plain tables outside any deployment.
    ///
    /// # Errors
    /// The engine cannot be set up.
    pub fn detached() -> Result<Self, LakeError> {
        // Nothing is spilled: temporary files would hold named rows in the clear.
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let runtime = RuntimeEnvBuilder::new().with_disk_manager_builder(disk).build_arc()?;
        let mut config = SessionConfig::new().with_information_schema(false);
        // Text stays Utf8, as the schemas declare it, and decimals in SQL text are exact.
        config.options_mut().execution.parquet.schema_force_view_types = false;
        config.options_mut().sql_parser.map_string_types_to_utf8view = false;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_default_features()
            .build();
        let ctx = SessionContext::new_with_state(state);
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

impl Lake {
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
