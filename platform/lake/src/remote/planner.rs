//! Plans that read the lake go to the cluster; what is in memory already is worked on where it is.

use std::sync::Arc;

use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    buffer::Buffer,
    datatypes::SchemaRef,
    ipc::reader::StreamDecoder,
};
use async_trait::async_trait;
use datafusion::{
    catalog::Session as EngineSession,
    common::{Result, internal_err, tree_node::TreeNodeRecursion},
    datasource::{listing::ListingTable, source_as_provider},
    error::DataFusionError,
    execution::session_state::CacheFactory,
    execution::{SendableRecordBatchStream, SessionState, TaskContext, context::QueryPlanner},
    logical_expr::{LogicalPlan, TableScan},
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
    physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner as _},
};
use datafusion_proto::{
    bytes::logical_plan_to_bytes_with_extension_codec, logical_plan::DefaultLogicalExtensionCodec,
};
use futures::{TryStreamExt as _, stream};

use super::{
    Cluster, ClusterError,
    codec::{Functions, Logical},
    wire::{Channel, Kind},
};
use crate::LakeError;

impl From<ClusterError> for DataFusionError {
    fn from(e: ClusterError) -> Self {
        Self::External(Box::new(e))
    }
}

/// Plans for a cluster.
#[derive(Debug)]
pub(crate) struct Planner {
    cluster: Arc<Cluster>,
    codec: Logical,
}

impl Planner {
    pub(crate) fn new(cluster: Arc<Cluster>) -> std::result::Result<Self, LakeError> {
        let functions = Functions::new(cluster.key())?;
        let codec = Logical { inner: Arc::new(DefaultLogicalExtensionCodec {}), functions };
        Ok(Self { cluster, codec })
    }
}

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn EngineSession,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // Planned here as well: the types of the answer are the embedded engine's, to the last nullable column.
        let embedded =
            DefaultPhysicalPlanner::default().create_physical_plan(plan, session).await?;
        if !reads_files(plan)? {
            return Ok(embedded);
        }
        let bytes = logical_plan_to_bytes_with_extension_codec(plan, &self.codec)
            .map_err(|_| ClusterError::NotPortable)?;
        let schema = embedded.schema();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(OnCluster {
            cluster: Arc::clone(&self.cluster),
            plan: bytes,
            properties: Arc::new(properties),
        }))
    }
}

/// Does any part of the plan read files?
fn reads_files(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(TableScan { source, .. }) = node {
            found |= source_as_provider(source)?.downcast_ref::<ListingTable>().is_some();
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// A cached frame is its plan: rows stay on the cluster and are read again.
#[derive(Debug)]
pub(crate) struct NoCache;

impl CacheFactory for NoCache {
    fn create(&self, plan: LogicalPlan, _: &SessionState) -> Result<LogicalPlan> {
        Ok(plan)
    }
}

/// A plan that runs on the cluster.
#[derive(Debug)]
struct OnCluster {
    cluster: Arc<Cluster>,
    plan: bytes::Bytes,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for OnCluster {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OnCluster: bytes={}", self.plan.len())
    }
}

impl ExecutionPlan for OnCluster {
    fn name(&self) -> &'static str {
        "OnCluster"
    }
    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }
    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }
    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }
    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a plan on the cluster has one partition");
        }
        let (cluster, plan, schema) = (Arc::clone(&self.cluster), self.plan.clone(), self.schema());
        let declared = Arc::clone(&schema);
        let answer = async move {
            let mut channel = cluster.open().await?;
            channel.send(Kind::Plan, &plan).await?;
            Ok::<_, DataFusionError>(rows(channel, declared))
        };
        let batches = stream::once(answer).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}

/// The batches of an answer. An answer that does not say that it is complete is none.
fn rows(
    channel: Channel,
    schema: SchemaRef,
) -> impl futures::Stream<Item = Result<RecordBatch>> + Send {
    let state = (channel, StreamDecoder::new(), Buffer::from_vec(Vec::<u8>::new()), schema);
    stream::try_unfold(state, |(mut channel, mut decoder, mut pending, schema)| async move {
        loop {
            while !pending.is_empty() {
                if let Some(batch) = decoder.decode(&mut pending)? {
                    // The names are the plan's: nodes may call an intermediate column otherwise.
                    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                    let columns = batch.columns().to_vec();
                    let batch =
                        RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &rows)?;
                    return Ok(Some((batch, (channel, decoder, pending, schema))));
                }
            }
            match channel.receive().await? {
                Some((Kind::Rows, bytes)) => pending = Buffer::from_vec(bytes),
                Some((Kind::End, _)) => return Ok(None),
                Some((Kind::Failed, code)) => {
                    let code = code.first().copied().unwrap_or_default();
                    return Err(ClusterError::of_code(code).into());
                }
                Some(_) | None => return Err(ClusterError::Broken.into()),
            }
        }
    })
}
