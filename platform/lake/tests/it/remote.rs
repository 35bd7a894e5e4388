//! A lake's plans through the gateway, with a cluster of one: this process, planning with the embedded engine.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use arrow::{array::RecordBatch, compute::concat_batches};
use datafusion::{
    catalog::Session as EngineSession,
    error::Result,
    execution::context::QueryPlanner,
    logical_expr::LogicalPlan,
    physical_plan::{ExecutionPlan, coalesce_partitions::CoalescePartitionsExec},
    physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner as _},
};
use datafusion_proto::{
    logical_plan::DefaultLogicalExtensionCodec, physical_plan::DefaultPhysicalExtensionCodec,
};
use kiban_kernel::NoSteps;
use kiban_lake::{
    Cluster, ClusterError, ClusterKey, Engine, KeyRing, Session,
    functions::{DatePad, as_text, counted, keyed::Keyed, newest_known},
    plan::*,
    remote::{
        Gateway, Served,
        node::{self, Codecs, SessionConfig},
    },
};
use tokio::net::TcpListener;

use crate::support::Deployment;

#[derive(Debug)]
struct OneNode;

#[async_trait::async_trait]
impl QueryPlanner for OneNode {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn EngineSession,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = DefaultPhysicalPlanner::default().create_physical_plan(plan, session).await?;
        Ok(Arc::new(CoalescePartitionsExec::new(plan)))
    }
}

/// A gateway over the deployment's files; gives its engine and what it told.
async fn gateway(d: &Deployment, workers: usize) -> (Engine, Arc<Mutex<Vec<String>>>) {
    let path = d.dir.join("cluster.key");
    let key =
        || if path.exists() { ClusterKey::read(&path) } else { ClusterKey::create(&path) }.unwrap();
    let ring = KeyRing::open(&d.dir.join("keys")).unwrap();
    let runtime = node::runtime(&node::store(&d.dir.join("lake"), ring).unwrap()).unwrap();
    let codecs = Codecs::around(
        Arc::new(DefaultLogicalExtensionCodec {}),
        Arc::new(DefaultPhysicalExtensionCodec {}),
        &key(),
    );
    let heard = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&heard);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = Gateway {
        key: key(),
        state: node::state(SessionConfig::new().with_target_partitions(3), runtime),
        planner: Arc::new(OneNode),
        codec: codecs.unwrap().logical,
        scheduler: 7,
        workers: Arc::new(move || workers),
        patience: Duration::ZERO,
        told: Arc::new(move |served| {
            let words = match served {
                Served::Rows(rows) => format!("{rows} rows"),
                Served::Failed(e) => e.to_string(),
            };
            telling.lock().unwrap().push(words);
        }),
    };
    tokio::spawn(Arc::new(gateway).serve(listener));
    let cluster = Cluster::at(&format!("df://{address}"), key());
    assert_eq!(cluster.scheduler().await.unwrap(), ("127.0.0.1".to_owned(), 7));
    (Engine::Cluster(cluster), heard)
}

async fn rows(frame: DataFrame) -> RecordBatch {
    let by = frame.schema().fields().iter().map(|f| ident(f.name()).sort(true, true)).collect();
    let batches = frame.sort(by).unwrap().collect().await.unwrap();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// A join, the newest of each person, functions that hold something, counts, distinct rows, rows in memory.
async fn answers(d: &Deployment) -> Vec<RecordBatch> {
    let session = Session::new(&d.lake).unwrap();
    let head = d.lake.head().await.unwrap();
    let frame = |table| d.lake.frame(&session, table, head);
    let links = frame("person_link").await.unwrap();
    let links =
        links.select(vec![ident("person_source").alias("s"), ident("person").alias("p")]).unwrap();
    let base = frame("measurement").await.unwrap();
    let joined = base.join(links, JoinType::Left, &["person_source"], &["s"], None).unwrap();
    let cached = joined.filter(ident("p").is_not_null()).unwrap().cache().await.unwrap();
    let keyed = Keyed::new(&[5; 32], "dst_x");
    let common: HashSet<String> = (0..2_000).map(|n| format!("{n} code")).collect();
    let common = Arc::new(common);
    let stays = counted::is_in(ident("code"), "codes", Arc::clone(&common));
    let member = counted::Member { value: ident("code"), common };
    let selected = cached
        .clone()
        .filter(ident("code").is_null().or(stays))
        .unwrap()
        .select(vec![
            keyed.pseudonym("person", ident("person_source")).alias("person_id"),
            keyed.shift(ident("s"), ident("measured_at"), 30, true, DatePad::Bare).alias("at"),
            counted::residual(vec![member], 0, "その他", Some(3)).alias("code"),
            as_text(ident("value_num")).alias("value"),
        ])
        .unwrap();
    let newest = cached
        .clone()
        .aggregate(
            vec![ident("p")],
            vec![
                newest_known(ident("code"), vec![ident("value_num").sort(false, false)])
                    .unwrap()
                    .alias("code"),
                aggregates::count(lit(1)).alias("n"),
            ],
        )
        .unwrap();
    let distinct = selected.clone().select(vec![ident("person_id")]).unwrap().distinct().unwrap();
    let few = rows(distinct.clone()).await;
    let memory = MemTable::try_new(few.schema(), vec![vec![few]]).unwrap();
    let memory = session.context().read_table(Arc::new(memory)).unwrap();
    let beside = selected
        .clone()
        .join(memory, JoinType::LeftSemi, &["person_id"], &["person_id"], None)
        .unwrap();
    assert_eq!(cached.count().await.unwrap(), 60);
    vec![rows(selected).await, rows(newest).await, rows(distinct).await, rows(beside).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_gives_the_same_through_the_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    d.append("measurement", &(0..3_000).map(|n| (n % 50, n as i64)).collect::<Vec<_>>()).await;
    d.append("person_link", &[(1, 1)]).await;
    let here = answers(&d).await;
    let (engine, heard) = gateway(&d, 1).await;
    d.lake.run_on(engine);
    assert_eq!(answers(&d).await, here);
    // It did travel, and no row was left on the way: one plan per answer.
    let heard = heard.lock().unwrap();
    assert!(heard.contains(&"60 rows".to_owned()) || heard.len() >= 5, "{heard:?}");
    assert!(here.iter().all(|b| b.num_rows() > 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_workers_the_reason_arrives_and_with_one_the_plan_runs() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    d.append("condition", &(0..100).map(|n| (1, n)).collect::<Vec<_>>()).await;
    let count = async || {
        let session = Session::new(&d.lake).unwrap();
        let frame = d.lake.frame(&session, "condition", d.lake.head().await.unwrap()).await;
        frame.unwrap().filter(ident("code").is_not_null()).unwrap().count().await
    };
    let (engine, _) = gateway(&d, 0).await;
    d.lake.run_on(engine);
    let failed = count().await.unwrap_err();
    assert!(matches!(ClusterError::within(&failed), Some(ClusterError::NoWorkers)));
    assert!(kiban_lake::LakeError::from(failed).ja().contains("作業ノード"));

    let (engine, _) = gateway(&d, 1).await;
    d.lake.run_on(engine);
    assert_eq!(count().await.unwrap(), 100);
}
