//! The line to a provider of sign-in: HTTP/1.1 over TLS (rustls), public authorities and those that the settings name, no
//! redirects, bounded in time and size. On a loopback address without TLS.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::http::{HeaderValue, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use kiban_journeys::sign_in::{HttpRequest, HttpResponse, LineFailed, ProviderLine};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// Longest exchange.
const LONGEST: Duration = Duration::from_secs(20);
/// Largest answer, in bytes.
const LARGEST: usize = 1024 * 1024;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The line.
pub(crate) struct Outbound {
    tls: Arc<ClientConfig>,
}

impl Outbound {
    /// With authorities (PEM) beside the public ones.
    ///
    /// # Errors
    /// An authority cannot be read.
    pub(crate) fn new(authorities: &[Vec<u8>]) -> Result<Self, Cause> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for pem in authorities {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.add(certificate?)?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: Arc::new(tls) })
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, Cause> {
        let uri = request.uri().clone();
        let host = uri.host().ok_or("an address without a host")?.to_owned();
        let plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") if is_loopback(&host) => true,
            _ => return Err("an address that is not safe".into()),
        };
        let port = uri.port_u16().unwrap_or(if plain { 80 } else { 443 });
        let name = host.trim_matches(['[', ']']);
        let line = TcpStream::connect((name, port)).await?;
        if plain {
            return talk(line, request, &uri).await;
        }
        let name = ServerName::try_from(name.to_owned())?;
        let line = TlsConnector::from(self.tls.clone()).connect(name, line).await?;
        talk(line, request, &uri).await
    }
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

async fn talk(
    line: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: HttpRequest,
    uri: &Uri,
) -> Result<HttpResponse, Cause> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(line)).await?;
    // It ends when the answer is read and the sender dropped.
    let driving = tokio::spawn(connection);
    let (mut parts, body) = request.into_parts();
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    let host = uri.authority().map(|a| a.as_str()).unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    parts.headers.insert(header::HOST, HeaderValue::from_str(host)?);
    parts.uri = path.parse()?;
    let request = hyper::Request::from_parts(parts, Full::new(Bytes::from(body)));
    let answered = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, LARGEST).collect().await?.to_bytes();
        Ok(HttpResponse::from_parts(head, body.to_vec()))
    };
    let answer: Result<HttpResponse, Cause> = answered.await;
    driving.abort();
    answer
}

#[async_trait]
impl ProviderLine for Outbound {
    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, LineFailed> {
        match timeout(LONGEST, self.exchange(request)).await {
            Ok(answer) => answer.map_err(LineFailed),
            Err(e) => Err(LineFailed(Box::new(e))),
        }
    }
}
