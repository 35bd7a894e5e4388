//! Pages over TLS, on a real socket: the certificate, the headers, a visitor who never ends a handshake.

use std::{path::PathBuf, sync::Arc};

use kiban_web::Settings;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::TLS12,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;

use crate::support::{run, site, web::Web};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tls").join(name)
}

/// Asks once over TLS; what came back.
async fn ask(address: std::net::SocketAddr, config: ClientConfig) -> std::io::Result<String> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream
        .write_all(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await?;
    let mut out = Vec::new();
    stream.read_to_end(&mut out).await?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn client() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap()
}

fn roots(trusts: bool) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    if trusts {
        let file = fixture("localhost.crt");
        roots.add(CertificateDer::from_pem_file(file).unwrap()).unwrap();
    }
    roots
}

#[test]
fn pages_over_tls_carry_what_browsers_must_keep() {
    run(|| async {
        let settings = Settings {
            secure: true,
            origin: Some("https://localhost".to_owned()),
            ..Settings::default()
        };
        let web = Web::with(site::registered().copy().await, settings);
        let config = kiban_web::tls(&fixture("localhost.crt"), &fixture("localhost.key")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let stopping = async {
            let _ = stopped.await;
        };
        let serving =
            tokio::spawn(kiban_web::serve_tls(web.app.clone(), listener, config, stopping));
        // Somebody who never ends the handshake holds up nobody.
        let idle = TcpStream::connect(address).await.unwrap();
        let trusting = || client().with_root_certificates(roots(true)).with_no_client_auth();
        let page = ask(address, trusting()).await.unwrap();
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(page.contains("strict-transport-security: max-age=63072000"), "{page}");
        assert!(page.contains("set-cookie: __Host-kiban_session=") && page.contains("; Secure"));
        assert!(page.contains("パスキーでサインイン"));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let older = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS12])
            .unwrap()
            .with_root_certificates(roots(true))
            .with_no_client_auth();
        assert!(ask(address, older).await.unwrap().starts_with("HTTP/1.1 200"));
        let wary = client().with_root_certificates(roots(false)).with_no_client_auth();
        assert!(ask(address, wary).await.is_err(), "a certificate that nobody vouches for");
        // Plain HTTP gets no page.
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut out = Vec::new();
        let _ = plain.read_to_end(&mut out).await;
        assert!(!out.starts_with(b"HTTP/"), "{out:?}");
        drop(idle);
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
    });
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let (certificate, key) = (fixture("localhost.crt"), fixture("localhost.key"));
    let why = |c: &PathBuf, k: &PathBuf| kiban_web::tls(c, k).map(drop).unwrap_err().ja();
    assert!(why(&key, &key).contains("証明書のファイル"));
    assert!(why(&certificate, &certificate).contains("秘密鍵のファイル"));
    assert!(why(&fixture("nothing.crt"), &key).contains("証明書のファイル"));
}
