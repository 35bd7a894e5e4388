//! The cluster's door: takes plans from clients, has them run, sends the rows back.

use std::{fmt, sync::Arc, time::Duration};

use arrow::{array::RecordBatch, ipc::writer::StreamWriter};
use datafusion::{
    error::DataFusionError,
    execution::{SendableRecordBatchStream, SessionState, context::QueryPlanner},
    logical_expr::LogicalPlan,
};
use datafusion_proto::{
    bytes::logical_plan_from_bytes_with_extension_codec, logical_plan::LogicalExtensionCodec,
};
use futures::{FutureExt as _, StreamExt as _};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::{
    ClusterError, ClusterKey,
    wire::{Channel, GREETING, Kind},
};

/// A plan whose workers end is tried so often.
const ATTEMPTS: u32 = 3;
/// How often a waiting plan looks whether there are workers.
const LOOK: Duration = Duration::from_millis(500);

/// How many workers the cluster has now.
pub type Workers = Arc<dyn Fn() -> usize + Send + Sync>;

/// What the gateway needs of the cluster's engine.
pub struct Gateway {
    /// The cluster's key.
    pub key: ClusterKey,
    /// A state of [`super::node::state`] with the cluster's settings.
    pub state: SessionState,
    /// Makes a plan of one partition that runs on the workers.
    pub planner: Arc<dyn QueryPlanner + Send + Sync>,
    /// The codec of the nodes.
    pub codec: Arc<dyn LogicalExtensionCodec>,
    /// The port of the scheduler on this host.
    pub scheduler: u16,
    /// How many workers there are.
    pub workers: Workers,
    /// How long a plan may wait for the first worker, and for another one when all ended.
    pub patience: Duration,
    /// Told of each connection.
    pub told: Arc<dyn Fn(&Served) + Send + Sync>,
}

/// What became of a connection.
#[derive(Debug)]
pub enum Served {
    /// A plan ran; so many rows went back.
    Rows(u64),
    /// Refused, or failed. Names no value.
    Failed(ClusterError),
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl Gateway {
    /// Serve clients until the task ends.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> std::io::Result<()> {
        loop {
            let (stream, _) = listener.accept().await?;
            let this = Arc::clone(&self);
            tokio::spawn(async move {
                if let Err(e) = this.client(stream).await {
                    (this.told)(&Served::Failed(e));
                }
            });
        }
    }

    async fn client(&self, stream: TcpStream) -> Result<(), ClusterError> {
        let greeting = timeout(GREETING, Channel::answer(stream, &self.key));
        let mut channel = greeting.await.map_err(|_| ClusterError::Broken)??;
        while let Some((kind, message)) = channel.receive().await? {
            match kind {
                Kind::Plan => {}
                Kind::Join => {
                    channel.send(Kind::Join, &self.scheduler.to_be_bytes()).await?;
                    continue;
                }
                _ => return Err(ClusterError::Broken),
            }
            match self.run(&message, &mut channel).await {
                Ok(rows) => {
                    channel.send(Kind::End, &[]).await?;
                    (self.told)(&Served::Rows(rows));
                }
                Err(ClusterError::Broken) => return Err(ClusterError::Broken),
                Err(e) => {
                    channel.send(Kind::Failed, &[e.code()]).await?;
                    (self.told)(&Served::Failed(e));
                }
            }
        }
        Ok(())
    }

    /// Runs a plan, again if workers ended before the first rows were sent.
    async fn run(&self, plan: &[u8], channel: &mut Channel) -> Result<u64, ClusterError> {
        let context = self.state.task_ctx();
        let codec = self.codec.as_ref();
        let plan = logical_plan_from_bytes_with_extension_codec(plan, &context, codec)
            .map_err(|_| ClusterError::NotPortable)?;
        let mut attempt = 1;
        loop {
            self.wait_for_workers().await?;
            let mut sent = 0;
            match self.attempt(&plan, channel, &mut sent).await {
                Ok(()) => return Ok(sent),
                Err(ClusterError::WorkersLost) if sent == 0 && attempt < ATTEMPTS => attempt += 1,
                Err(e) => return Err(e),
            }
        }
    }

    async fn wait_for_workers(&self) -> Result<(), ClusterError> {
        let mut waited = Duration::ZERO;
        while (self.workers)() == 0 {
            if waited >= self.patience {
                return Err(ClusterError::NoWorkers);
            }
            sleep(LOOK).await;
            waited += LOOK;
        }
        Ok(())
    }

    async fn attempt(
        &self,
        plan: &LogicalPlan,
        channel: &mut Channel,
        sent: &mut u64,
    ) -> Result<(), ClusterError> {
        let mut rows = self.start(plan).await.map_err(|e| reason(&e))?;
        let schema = rows.schema();
        let ipc = |e: arrow::error::ArrowError| reason(&e.into());
        let mut writer = StreamWriter::try_new(Vec::new(), &schema).map_err(ipc)?;
        while let Some(batch) = self.next(&mut rows).await? {
            writer.write(&batch).map_err(ipc)?;
            *sent += batch.num_rows() as u64;
            channel.send(Kind::Rows, &std::mem::take(writer.get_mut())).await?;
        }
        Ok(())
    }

    async fn start(
        &self,
        plan: &LogicalPlan,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let physical = self.planner.create_physical_plan(plan, &self.state).await?;
        physical.execute(0, self.state.task_ctx())
    }

    /// The next batch; a plan that waits while there is no worker at all ends when patience does.
    async fn next(
        &self,
        rows: &mut SendableRecordBatchStream,
    ) -> Result<Option<RecordBatch>, ClusterError> {
        let mut next = rows.next().fuse();
        let mut alone = Duration::ZERO;
        loop {
            tokio::select! {
                batch = &mut next => return batch.transpose().map_err(|e| reason(&e)),
                () = sleep(LOOK) => {
                    alone = if (self.workers)() == 0 { alone + LOOK } else { Duration::ZERO };
                    if alone > self.patience {
                        return Err(ClusterError::NoWorkers);
                    }
                }
            }
        }
    }
}

/// Why the engine failed, without what it says: its words may quote data.
fn reason(e: &DataFusionError) -> ClusterError {
    let words = e.to_string();
    let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
    if says(&["Resources exhausted", "ResourcesExhausted", "memory pool"]) {
        ClusterError::OutOfMemory
    } else if says(&["FetchFailed", "Fetch partition", "xecutor", "onnect", "transport", "Grpc"]) {
        ClusterError::WorkersLost
    } else {
        ClusterError::Failed
    }
}
