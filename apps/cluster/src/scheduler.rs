//! The one node that takes plans from clients, cuts them into stages and hands their tasks to workers.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ballista_core::{
    config::TaskSchedulingPolicy,
    extension::SessionConfigExt as _,
    planner::BallistaQueryPlanner,
    serde::{
        BallistaLogicalExtensionCodec, BallistaPhysicalExtensionCodec,
        protobuf::{executor_status::Status, scheduler_grpc_server::SchedulerGrpcServer},
    },
};
use ballista_scheduler::{
    cluster::BallistaCluster, config::SchedulerConfig, scheduler_process::create_scheduler,
};
use kiban_lake::{
    ClusterKey,
    remote::{
        Gateway, Served,
        node::{self, Codecs, LogicalPlanNode, PhysicalPlanNode, SessionConfig},
    },
};
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

use crate::{Node, identity, say};

/// Plans take along what their functions hold, such as the ids of persons that are left out.
pub(crate) const MESSAGE: u32 = 512 << 20;

#[derive(clap::Args, Clone)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) node: Node,
    /// 受付のポート（kiban と作業ノードが接続します。0 は空きポート）
    #[arg(long, default_value_t = 50060)]
    pub(crate) port: u16,
    /// 作業ノードが作業を取りに来るポート（0 は空きポート）
    #[arg(long, default_value_t = 50050)]
    pub(crate) work_port: u16,
    /// 一つの処理を分ける数（作業ノードのコア数の合計が目安）
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) partitions: u16,
    /// 連絡のない作業ノードを止まったとみなすまでの秒数
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(11..=3600))]
    pub(crate) worker_timeout: u64,
    /// 作業ノードがないとき、処理を待たせる秒数
    #[arg(long, default_value_t = 60)]
    pub(crate) patience: u64,
}

/// The settings of every session on the cluster: certificates, sizes, codecs.
pub(crate) fn session(
    identity: &identity::Node,
    codecs: &Codecs,
    partitions: usize,
) -> SessionConfig {
    let config = SessionConfig::new_with_ballista()
        .with_target_partitions(partitions)
        .with_ballista_use_tls(true)
        .with_ballista_override_create_grpc_client_endpoint(identity.endpoint())
        .with_ballista_grpc_client_max_message_size(MESSAGE as usize)
        .with_ballista_logical_extension_codec(Arc::clone(&codecs.logical))
        .with_ballista_physical_extension_codec(Arc::clone(&codecs.physical));
    node::config(config)
}

/// The engine's codecs with ours around them.
pub(crate) fn codecs(key: &ClusterKey) -> Result<Codecs, say::Failure> {
    Ok(Codecs::around(
        Arc::new(BallistaLogicalExtensionCodec::default()),
        Arc::new(BallistaPhysicalExtensionCodec::default()),
        key,
    )?)
}

pub(crate) async fn listen(
    at: Ipv4Addr,
    port: u16,
) -> Result<(TcpListener, SocketAddr), say::Failure> {
    let failed = |e: std::io::Error| {
        say::Failure::new(
            format!("{at}:{port} で待ち受けられません。使用中でないか確認してください。"),
            &e,
        )
    };
    let listener = TcpListener::bind((at, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// A scheduler that listens.
pub(crate) struct Running {
    /// Where clients and workers come to.
    pub(crate) gateway: SocketAddr,
    services: tokio::task::JoinSet<Result<(), say::Failure>>,
}

impl Running {
    /// Until one of its services ends.
    pub(crate) async fn ended(mut self) -> Result<Infallible, say::Failure> {
        match self.services.join_next().await {
            Some(Ok(Err(failure))) => Err(failure),
            _ => Err(say::Failure::engine("受付が止まりました。")),
        }
    }
}

pub(crate) async fn run(args: Args) -> Result<(), say::Failure> {
    let running = start(args).await?;
    say::line(&format!("クラスタの受付: {}", running.gateway));
    tokio::select! {
        ended = running.ended() => match ended {
            Ok(never) => match never {},
            Err(failure) => Err(failure),
        },
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

pub(crate) async fn start(args: Args) -> Result<Running, say::Failure> {
    let key = args.node.cluster_key()?;
    let identity = identity::Node::of(&key)?;
    let engine = |_| say::Failure::engine("受付を始められません。");
    let runtime = node::runtime(&args.node.store()?).map_err(engine)?;
    let codecs = codecs(&key)?;
    let (work, work_address) = listen(args.node.bind, args.work_port).await?;
    let (door, gateway) = listen(args.node.bind, args.port).await?;

    let settings = session(&identity, &codecs, usize::from(args.partitions));
    let sessions = settings.clone();
    let on_runtime = Arc::clone(&runtime);
    let config = SchedulerConfig {
        bind_host: args.node.bind.to_string(),
        external_host: args.node.bind.to_string(),
        bind_port: work_address.port(),
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        grpc_server_max_decoding_message_size: MESSAGE,
        grpc_server_max_encoding_message_size: MESSAGE,
        grpc_client_max_message_size: MESSAGE,
        finished_job_data_clean_up_interval_seconds: 30,
        finished_job_state_clean_up_interval_seconds: 300,
        executor_timeout_seconds: args.worker_timeout,
        expire_dead_executor_interval_seconds: 2,
        no_executors_grace_period_seconds: args.patience,
        override_config_producer: Some(Arc::new(move || sessions.clone())),
        override_session_builder: Some(Arc::new(move |config| {
            Ok(node::state(config, Arc::clone(&on_runtime)))
        })),
        override_logical_codec: Some(Arc::clone(&codecs.logical)),
        override_physical_codec: Some(Arc::clone(&codecs.physical)),
        override_create_grpc_client_endpoint: Some(identity.endpoint()),
        use_tls: true,
        ..SchedulerConfig::default()
    };
    let failed = |_| say::Failure::engine("受付を始められません。");
    let cluster = BallistaCluster::new_from_config(&config).await.map_err(failed)?;
    let nodes = cluster.cluster_state();
    let scheduler =
        create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config));
    let scheduler = SchedulerGrpcServer::new(scheduler.await.map_err(failed)?)
        .max_encoding_message_size(MESSAGE as usize)
        .max_decoding_message_size(MESSAGE as usize);

    let tls =
        |e: tonic::transport::Error| say::Failure::new("受付の暗号通信を始められません。", &e);
    let server = Server::builder()
        .tls_config(identity.server())
        .map_err(tls)?
        .add_service(scheduler)
        .serve_with_incoming(TcpIncoming::from(work).with_nodelay(Some(true)));
    let planner = BallistaQueryPlanner::<LogicalPlanNode>::with_extension(
        format!("https://{work_address}"),
        settings.ballista_config(),
        Arc::clone(&codecs.logical),
    );
    let door_keeper = Arc::new(Gateway {
        key,
        state: node::state(settings, runtime),
        planner: Arc::new(planner),
        codec: codecs.logical,
        scheduler: work_address.port(),
        workers: Arc::new(move || {
            let beats = nodes.executor_heartbeats();
            let gone = |status: &Option<Status>| {
                matches!(status, Some(Status::Dead(_) | Status::Terminating(_)))
            };
            let status = |b: &ballista_core::serde::protobuf::ExecutorHeartbeat| {
                b.status.as_ref().and_then(|s| s.status.clone())
            };
            beats.values().filter(|beat| !gone(&status(beat))).count()
        }),
        patience: Duration::from_secs(args.patience),
        told: Arc::new(|served| match served {
            Served::Rows(rows) => say::line(&format!("処理を終えました（{rows} 行）。")),
            Served::Failed(e) => say::failure(&format!("処理・接続を断りました：{}", e.ja())),
        }),
    });

    let mut services = tokio::task::JoinSet::new();
    services.spawn(async move {
        server.await.map_err(|e| say::Failure::new("受付が止まりました。", &e))
    });
    services.spawn(async move {
        door_keeper.serve(door).await.map_err(|e| say::Failure::new("受付が止まりました。", &e))
    });
    Ok(Running { gateway, services })
}
