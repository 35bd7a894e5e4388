//! Who is a node: whoever holds the cluster's key and is of the same build.
//!
//! Nodes talk over TLS with certificates on both sides. All nodes have the same certificate, made of the cluster's
//! key and the build id, and trust that one alone: no authority, no files besides the key, nothing to renew. A node
//! of another key or build makes another certificate and is refused in the handshake.

use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use ballista_core::extension::EndpointOverrideFn;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use kiban_lake::ClusterKey;
use std::sync::Arc;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, ServerTlsConfig};
use zeroize::Zeroizing;

use crate::say::Failure;

/// The name in the certificate; nodes are found by address, not by this name.
const NAME: &str = "kiban-cluster";
/// Bytes in flight on one connection and one stream: shuffles move much.
const WINDOWS: [u32; 2] = [64 << 20, 16 << 20];

/// A node's certificate and key.
#[derive(Clone)]
pub(crate) struct Node {
    identity: Identity,
    certificate: Certificate,
}

impl Node {
    pub(crate) fn of(key: &ClusterKey) -> Result<Self, Failure> {
        let seed = key.derive("node identity");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose())
            .map_err(|e| Failure::new("ノードの証明書を作れません。", &e))?;
        let certificate = pem("CERTIFICATE", &certificate(&pair));
        // PKCS #8 of an Ed25519 seed: a fixed head and the seed.
        let mut private = Zeroizing::new(PKCS8_HEAD.to_vec());
        private.extend_from_slice(seed.expose());
        let private = Zeroizing::new(pem("PRIVATE KEY", &private));
        Ok(Self {
            identity: Identity::from_pem(&certificate, private.as_bytes()),
            certificate: Certificate::from_pem(certificate),
        })
    }

    /// For what a node serves.
    pub(crate) fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(self.identity.clone())
            .client_ca_root(self.certificate.clone())
    }

    /// For every connection that the engine opens.
    pub(crate) fn endpoint(&self) -> EndpointOverrideFn {
        let tls = ClientTlsConfig::new()
            .ca_certificate(self.certificate.clone())
            .identity(self.identity.clone())
            .domain_name(NAME);
        Arc::new(move |endpoint: Endpoint| {
            let uri = endpoint.uri().to_string();
            let uri = uri.strip_prefix("http://").map_or(uri.clone(), |r| format!("https://{r}"));
            let [connection, stream] = WINDOWS;
            Ok(Endpoint::from_shared(uri)?
                .connect_timeout(Duration::from_secs(10))
                .tcp_nodelay(true)
                .http2_keep_alive_interval(Duration::from_secs(15))
                .keep_alive_timeout(Duration::from_secs(15))
                .keep_alive_while_idle(true)
                .initial_connection_window_size(connection)
                .initial_stream_window_size(stream)
                .tls_config(tls.clone())?)
        })
    }
}

const PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

fn pem(label: &str, der: &[u8]) -> String {
    // One long line: readers of PEM take it.
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
}

/// One element of DER (X.690): tag, length, content.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match content.len() {
        short @ 0..0x80 => out.push(short as u8),
        long => {
            let bytes = (long as u32).to_be_bytes();
            let bytes = &bytes[bytes.iter().take_while(|b| **b == 0).count()..];
            out.push(0x80 | bytes.len() as u8);
            out.extend_from_slice(bytes);
        }
    }
    out.extend_from_slice(&content);
    out
}

/// A self-signed certificate of one name (RFC 5280, RFC 8410), the same for the same key.
fn certificate(pair: &Ed25519KeyPair) -> Vec<u8> {
    const SEQUENCE: u8 = 0x30;
    let ed25519 = der(SEQUENCE, &[&der(0x06, &[&[0x2b, 0x65, 0x70]])]);
    let common_name = der(0x06, &[&[0x55, 4, 3]]);
    let name = der(SEQUENCE, &[&common_name, &der(0x0c, &[NAME.as_bytes()])]);
    let name = der(SEQUENCE, &[&der(0x31, &[&name])]);
    let validity =
        der(SEQUENCE, &[&der(0x17, &[b"200101000000Z"]), &der(0x18, &[b"99991231235959Z"])]);
    let public = pair.public_key().as_ref();
    let key = der(SEQUENCE, &[&ed25519, &der(0x03, &[&[0], public])]);
    let alternative = der(SEQUENCE, &[&der(0x82, &[NAME.as_bytes()])]);
    let extension =
        der(SEQUENCE, &[&der(0x06, &[&[0x55, 0x1d, 0x11]]), &der(0x04, &[&alternative])]);
    let signed = der(
        SEQUENCE,
        &[
            &der(0xa0, &[&der(0x02, &[&[2]])]),
            &der(0x02, &[&[1]]),
            &ed25519,
            &name,
            &validity,
            &name,
            &key,
            &der(0xa3, &[&der(SEQUENCE, &[&extension])]),
        ],
    );
    let signature = pair.sign(&signed);
    der(SEQUENCE, &[&signed, &ed25519, &der(0x03, &[&[0], signature.as_ref()])])
}
