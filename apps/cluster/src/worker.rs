//! A node that fetches tasks, runs them over the sealed store and hands their rows to other workers.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use arrow_flight::flight_service_server::FlightServiceServer;
use ballista_core::{
    config::TaskSchedulingPolicy, error::BallistaError, registry::BallistaFunctionRegistry,
};
use ballista_executor::{
    ArrowFlightServerProvider,
    executor_process::{ExecutorProcessConfig, start_executor_process},
    flight_service::BallistaFlightService,
};
use kiban_lake::{Cluster, remote::node};
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

use crate::{
    Node, identity,
    room::Room,
    say,
    scheduler::{MESSAGE, codecs, listen, session},
};

#[derive(clap::Args, Clone)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) node: Node,
    /// クラスタの受付（ホスト:ポート）
    #[arg(long)]
    pub(crate) scheduler: String,
    /// 他のノードがこのノードに接続するときの名前（既定は待ち受けるアドレス）
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// 他の作業ノードに行を渡すポート（0 は空きポート）
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// 同時に行う作業の数（既定はこの機械のコア数）
    #[arg(long)]
    pub(crate) cores: Option<u16>,
    /// 作業に使うメモリ（MiB）
    #[arg(long, default_value_t = 2048)]
    pub(crate) memory: u32,
    /// 途中の行を置くフォルダ。平文の行が載るため、メモリ上（tmpfs）に限ります
    #[arg(long, default_value = "/dev/shm")]
    pub(crate) work_dir: PathBuf,
    /// 作業フォルダが暗号化された場所にあることを運用者として確認済みです
    #[arg(long)]
    pub(crate) work_dir_is_encrypted: bool,
}

pub(crate) async fn run(args: Args) -> Result<(), say::Failure> {
    let key = args.node.cluster_key()?;
    let identity = identity::Node::of(&key)?;
    let codecs = codecs(&key)?;
    let store = args.node.store()?;
    let room = Room::new(&args.work_dir, args.work_dir_is_encrypted)?;
    let engine = |_| say::Failure::engine("作業ノードを始められません。");
    let runtime = node::runtime(&store).map_err(engine)?;
    // Greets the gateway first: another key or build is told in words, not as a failed handshake.
    let (scheduler_host, scheduler_port) = Cluster::at(&args.scheduler, key).scheduler().await?;
    let (listener, address) = listen(args.node.bind, args.port).await?;
    let cores = args.cores.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        |cores| usize::from(cores.max(1)),
    );

    let settings = session(&identity, &codecs, cores);
    let state = node::state(settings.clone(), Arc::clone(&runtime));
    let config = ExecutorProcessConfig {
        bind_host: args.node.bind.to_string(),
        external_host: Some(args.host.unwrap_or_else(|| args.node.bind.to_string())),
        port: address.port(),
        grpc_port: address.port(),
        scheduler_host,
        scheduler_port,
        vcores: cores,
        task_scheduling_policy: TaskSchedulingPolicy::PullStaged,
        work_dir: Some(room.path().to_string_lossy().into_owned()),
        job_data_ttl_seconds: 3_600,
        job_data_clean_up_interval_seconds: 60,
        grpc_max_decoding_message_size: MESSAGE,
        grpc_max_encoding_message_size: MESSAGE,
        memory_pool_size: Some(u64::from(args.memory) << 20),
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&state))),
        override_runtime_producer: Some(Arc::new(move |_| Ok(Arc::clone(&runtime)))),
        override_config_producer: Some(Arc::new(move || settings.clone())),
        override_logical_codec: Some(codecs.logical),
        override_physical_codec: Some(codecs.physical),
        override_arrow_flight_service: Some(flight(&identity, listener)),
        override_create_grpc_client_endpoint: Some(identity.endpoint()),
        ..ExecutorProcessConfig::default()
    };
    say::line(&format!("作業ノードを開始しました: {address}"));
    let done = start_executor_process(Arc::new(config)).await;
    drop(room);
    done.map_err(|_| {
        say::Failure::engine("作業ノードが止まりました。受付が動いているか確認してください。")
    })
}

/// The service that hands rows on, over TLS, on a port that is open already.
fn flight(identity: &identity::Node, listener: TcpListener) -> Arc<ArrowFlightServerProvider> {
    let tls = identity.server();
    let listener = Mutex::new(Some(listener));
    Arc::new(move |work_dir, _, mut shutdown, _| {
        let listener = listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        let tls = tls.clone();
        tokio::spawn(async move {
            let Some(listener) = listener else {
                return Err(BallistaError::General("the port was given away".to_owned()));
            };
            let service = FlightServiceServer::new(BallistaFlightService::new(work_dir))
                .max_decoding_message_size(MESSAGE as usize)
                .max_encoding_message_size(MESSAGE as usize);
            Server::builder()
                .tls_config(tls)
                .map_err(BallistaError::TonicError)?
                .add_service(service)
                .serve_with_incoming_shutdown(
                    TcpIncoming::from(listener).with_nodelay(Some(true)),
                    shutdown.recv(),
                )
                .await
                .map_err(BallistaError::TonicError)
        })
    })
}
