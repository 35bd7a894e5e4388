//! Pages over TLS 1.3 and 1.2 (rustls with aws-lc-rs). Handshakes run beside each other, so that a visitor who does not
//! finish one holds up nobody.

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{
    extract::{ConnectInfo, Request, connect_info::Connected},
    serve::{IncomingStream, Listener},
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{app::App, dispatch::router};

/// Longest handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Most handshakes under way.
const MOST: usize = 256;

/// Why pages cannot be served over TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file of certificates has none that can be read.
    #[error("the certificates cannot be read")]
    Certificates(#[source] rustls::pki_types::pem::Error),
    /// The file of the key has none that can be read.
    #[error("the private key cannot be read")]
    Key(#[source] rustls::pki_types::pem::Error),
    /// They do not belong together, or are of an unknown kind.
    #[error("certificates and key cannot be used")]
    Unfit(#[source] rustls::Error),
}

impl TlsError {
    /// Sentence for the user.
    pub fn ja(&self) -> &'static str {
        match self {
            Self::Certificates(_) => {
                "証明書のファイル（PEM）を読めません。--certificate を確かめてください。"
            }
            Self::Key(_) => "秘密鍵のファイル（PEM）を読めません。--key を確かめてください。",
            Self::Unfit(_) => "証明書と秘密鍵の組を使えません。対になっているか確かめてください。",
        }
    }
}

/// Certificates (the server's own first) and key, from PEM files.
///
/// # Errors
/// A file cannot be read, or the two do not belong together.
pub fn tls(certificates: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect)
        .map_err(TlsError::Certificates)?;
    if chain.is_empty() {
        return Err(TlsError::Certificates(rustls::pki_types::pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(TlsError::Key)?;
    // The provider is named: two are linked, and a choice by default would be none.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .and_then(|c| c.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A listener that hands on connections whose handshake is done.
struct TlsListener {
    address: io::Result<SocketAddr>,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    accepting: JoinHandle<()>,
}

impl TlsListener {
    fn over(listener: TcpListener, config: Arc<ServerConfig>) -> Self {
        let address = listener.local_addr();
        let (done, ready) = mpsc::channel(MOST);
        let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(config), done));
        Self { address, ready, accepting }
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (acceptor, done) = (acceptor.clone(), done.clone());
                tokio::spawn(async move {
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        // Nobody listens any more: the connection ends.
                        let _ = done.send((stream, peer)).await;
                    }
                    drop(place);
                });
            }
            // Too many open files, or a visitor who is gone already: there will be others.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        match &self.address {
            Ok(address) => Ok(*address),
            Err(e) => Err(io::Error::from(e.kind())),
        }
    }
}

/// The other end of a connection.
#[derive(Clone, Copy)]
struct Peer(SocketAddr);

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Serve over TLS until `stop` is ready.
///
/// # Errors
/// The listener failed.
pub async fn serve_tls(
    app: App,
    listener: TcpListener,
    config: Arc<ServerConfig>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let named = axum::middleware::map_request(|mut request: Request| async move {
        if let Some(ConnectInfo(Peer(peer))) = request.extensions().get().copied() {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        request
    });
    let service = router(app).layer(named).into_make_service_with_connect_info::<Peer>();
    axum::serve(TlsListener::over(listener, config), service).with_graceful_shutdown(stop).await
}
