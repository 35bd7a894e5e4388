//! The connection between a client and the gateway: sealed frames under keys that both sides make of the cluster's
//! key and of each other's random number.
//!
//! ```text
//! client  "KIBANCL1" | build, as text of 64 | random (32)
//! server  0 | random (32) | HMAC(key, "server" | all so far)      or  1 | its build: other build, and the end
//! client  HMAC(key, "client" | all so far)
//! server  0                                                       or  2: other key, and the end
//! frame   length (4) | AES-256-GCM of: kind (1) | last of its message (1) | bytes
//! ```
//! One key per direction; the nonce is the number of the frame, so that none can be left out, repeated or moved. The
//! keys hang from the cluster's key alone: whoever gets hold of the key file can open what was recorded before.

use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::{
    aead::{Aad, LessSafeKey, Nonce},
    constant_time::verify_slices_are_equal,
};
use kiban_kernel::{Entropy as _, OsEntropy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{ClusterError, ClusterKey};
use crate::{KeyError, Secret};

/// Where the plans of a lake's sessions run.
#[derive(Debug, Clone, Default)]
pub enum Engine {
    /// In this process.
    #[default]
    Embedded,
    /// On a cluster.
    Cluster(Arc<Cluster>),
}

/// A cluster as its clients know it.
pub struct Cluster {
    address: String,
    key: ClusterKey,
}

impl Cluster {
    /// The cluster whose gateway listens at `address` (`host:port`, or `df://host:port`). Nobody is asked yet.
    pub fn at(address: &str, key: ClusterKey) -> Arc<Self> {
        let address = address.strip_prefix("df://").unwrap_or(address);
        Arc::new(Self { address: address.trim_end_matches('/').to_owned(), key })
    }

    /// Greet the gateway: tells another key or build before any plan is sent.
    ///
    /// # Errors
    /// Nobody answers, or the gateway refuses.
    pub async fn greet(&self) -> Result<(), ClusterError> {
        self.open().await.map(drop)
    }

    /// Its key.
    pub fn key(&self) -> &ClusterKey {
        &self.key
    }

    /// The host of the gateway and the port of the scheduler beside it: where a worker fetches its work.
    ///
    /// # Errors
    /// The gateway is gone.
    pub async fn scheduler(&self) -> Result<(String, u16), ClusterError> {
        let mut channel = self.open().await?;
        channel.send(Kind::Join, &[]).await?;
        let Some((Kind::Join, port)) = channel.receive().await? else {
            return Err(ClusterError::Broken);
        };
        let port = port.try_into().map(u16::from_be_bytes).map_err(|_| ClusterError::Broken)?;
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        Ok((host.to_owned(), port))
    }

    /// A new connection, greeted.
    pub(super) async fn open(&self) -> Result<Channel, ClusterError> {
        let connecting = timeout(GREETING, TcpStream::connect(&self.address));
        let stream = connecting
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .map_err(ClusterError::Unreachable)?;
        let greeting = timeout(GREETING, Channel::greet(stream, &self.key));
        greeting.await.map_err(|_| ClusterError::Broken)?
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("address", &self.address).finish_non_exhaustive()
    }
}

/// How long connecting and greeting may each take.
pub(super) const GREETING: Duration = Duration::from_secs(10);

const MAGIC: &[u8; 8] = b"KIBANCL1";
const BUILD_CHARS: usize = 64;
const HELLO: usize = MAGIC.len() + BUILD_CHARS + 32;
const FINE: u8 = 0;
const OTHER_BUILD: u8 = 1;
const OTHER_KEY: u8 = 2;

/// Plain bytes in a frame.
const FRAME: usize = 1 << 20;
/// Kind, mark of the last frame, tag.
const OVERHEAD: usize = 2 + 16;
/// Longest message that is received.
const MESSAGE: usize = 1 << 30;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// A logical plan.
    Plan = 1,
    /// A piece of the answer, an Arrow IPC stream.
    Rows = 2,
    /// The answer is complete.
    End = 3,
    /// The plan failed; one byte says how.
    Failed = 4,
    /// A worker asks for the port of the scheduler, and gets it in two bytes.
    Join = 5,
}

impl Kind {
    fn of(byte: u8) -> Result<Self, ClusterError> {
        [Self::Plan, Self::Rows, Self::End, Self::Failed, Self::Join]
            .into_iter()
            .find(|k| *k as u8 == byte)
            .ok_or(ClusterError::Broken)
    }
}

/// A greeted connection.
pub(super) struct Channel {
    stream: TcpStream,
    sending: Direction,
    receiving: Direction,
}

struct Direction {
    key: LessSafeKey,
    frames: u64,
}

impl Direction {
    fn of(key: &Secret, label: &[u8], transcript: &[u8]) -> Result<Self, KeyError> {
        let key = Secret::of(key.mac(&[label, transcript])).aead()?;
        Ok(Self { key, frames: 0 })
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&self.frames.to_be_bytes());
        self.frames += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

fn broken(_: std::io::Error) -> ClusterError {
    ClusterError::Broken
}

fn random() -> Result<[u8; 32], ClusterError> {
    let mut bytes = [0; 32];
    OsEntropy.fill(&mut bytes).map_err(KeyError::Entropy)?;
    Ok(bytes)
}

fn build_text(build: &str) -> [u8; BUILD_CHARS] {
    let mut text = [b' '; BUILD_CHARS];
    let length = build.len().min(BUILD_CHARS);
    text[..length].copy_from_slice(&build.as_bytes()[..length]);
    text
}

fn short(build: &[u8]) -> String {
    let shown = build.iter().take(12).filter(|b| b.is_ascii_alphanumeric());
    shown.map(|b| char::from(*b)).collect()
}

impl Channel {
    /// The client's side of the greeting.
    async fn greet(mut stream: TcpStream, key: &ClusterKey) -> Result<Self, ClusterError> {
        let _ = stream.set_nodelay(true);
        let secret = key.greeting();
        let build = build_text(key.build());
        let mut said = [&MAGIC[..], &build, &random()?].concat();
        stream.write_all(&said).await.map_err(broken)?;
        match stream.read_u8().await.map_err(broken)? {
            FINE => {}
            OTHER_BUILD => {
                let mut theirs = [0; BUILD_CHARS];
                stream.read_exact(&mut theirs).await.map_err(broken)?;
                return Err(ClusterError::OtherBuild {
                    ours: short(&build),
                    theirs: short(&theirs),
                });
            }
            _ => return Err(ClusterError::Broken),
        }
        let (mut theirs, mut proof) = ([0; 32], [0; 32]);
        stream.read_exact(&mut theirs).await.map_err(broken)?;
        stream.read_exact(&mut proof).await.map_err(broken)?;
        said.extend_from_slice(&theirs);
        let expected = secret.mac(&[b"server", &said]);
        verify_slices_are_equal(&expected, &proof).map_err(|_| ClusterError::OtherKey)?;
        stream.write_all(&secret.mac(&[b"client", &said])).await.map_err(broken)?;
        match stream.read_u8().await.map_err(broken)? {
            FINE => {}
            OTHER_KEY => return Err(ClusterError::OtherKey),
            _ => return Err(ClusterError::Broken),
        }
        let sending = Direction::of(&secret, b"to server", &said)?;
        let receiving = Direction::of(&secret, b"to client", &said)?;
        Ok(Self { stream, sending, receiving })
    }

    /// The gateway's side of the greeting.
    pub(super) async fn answer(
        mut stream: TcpStream,
        key: &ClusterKey,
    ) -> Result<Self, ClusterError> {
        let _ = stream.set_nodelay(true);
        let secret = key.greeting();
        let mut hello = [0; HELLO];
        stream.read_exact(&mut hello).await.map_err(broken)?;
        let (magic, rest) = hello.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(ClusterError::Broken);
        }
        let ours = build_text(key.build());
        let theirs = &rest[..BUILD_CHARS];
        if theirs != ours {
            let refusal = [&[OTHER_BUILD][..], &ours].concat();
            stream.write_all(&refusal).await.map_err(broken)?;
            stream.shutdown().await.map_err(broken)?;
            return Err(ClusterError::OtherBuild { ours: short(&ours), theirs: short(theirs) });
        }
        let number = random()?;
        let said = [&hello[..], &number].concat();
        let greeting = [&[FINE][..], &number, &secret.mac(&[b"server", &said])].concat();
        stream.write_all(&greeting).await.map_err(broken)?;
        let mut proof = [0; 32];
        // A client that holds another key hears ours first, and leaves.
        stream.read_exact(&mut proof).await.map_err(|_| ClusterError::OtherKey)?;
        let expected = secret.mac(&[b"client", &said]);
        if verify_slices_are_equal(&expected, &proof).is_err() {
            stream.write_u8(OTHER_KEY).await.map_err(broken)?;
            return Err(ClusterError::OtherKey);
        }
        stream.write_u8(FINE).await.map_err(broken)?;
        let sending = Direction::of(&secret, b"to client", &said)?;
        let receiving = Direction::of(&secret, b"to server", &said)?;
        Ok(Self { stream, sending, receiving })
    }

    /// Send one message, in as many frames as it takes.
    pub(super) async fn send(&mut self, kind: Kind, message: &[u8]) -> Result<(), ClusterError> {
        let mut rest = message;
        loop {
            let (now, later) = rest.split_at(rest.len().min(FRAME));
            let mut frame = Vec::with_capacity(now.len() + OVERHEAD);
            frame.extend_from_slice(&[kind as u8, u8::from(later.is_empty())]);
            frame.extend_from_slice(now);
            let nonce = self.sending.nonce();
            self.sending
                .key
                .seal_in_place_append_tag(nonce, Aad::empty(), &mut frame)
                .map_err(|_| KeyError::Cipher)?;
            self.stream.write_u32(frame.len() as u32).await.map_err(broken)?;
            self.stream.write_all(&frame).await.map_err(broken)?;
            rest = later;
            if rest.is_empty() {
                return self.stream.flush().await.map_err(broken);
            }
        }
    }

    /// The next message; `None` if the other side ended the connection between two messages.
    pub(super) async fn receive(&mut self) -> Result<Option<(Kind, Vec<u8>)>, ClusterError> {
        let mut message = Vec::new();
        let mut begun = None;
        loop {
            let length = match self.stream.read_u32().await {
                Ok(length) => length as usize,
                Err(_) if begun.is_none() => return Ok(None),
                Err(_) => return Err(ClusterError::Broken),
            };
            if !(OVERHEAD..=FRAME + OVERHEAD).contains(&length) || message.len() + length > MESSAGE
            {
                return Err(ClusterError::Broken);
            }
            let mut frame = vec![0; length];
            self.stream.read_exact(&mut frame).await.map_err(broken)?;
            let nonce = self.receiving.nonce();
            let plain = self
                .receiving
                .key
                .open_in_place(nonce, Aad::empty(), &mut frame)
                .map_err(|_| ClusterError::Broken)?;
            let [kind, last, bytes @ ..] = plain else { return Err(ClusterError::Broken) };
            let kind = Kind::of(*kind)?;
            if begun.is_some_and(|before| before != kind) {
                return Err(ClusterError::Broken);
            }
            begun = Some(kind);
            message.extend_from_slice(bytes);
            if *last == 1 {
                return Ok(Some((kind, message)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn keys() -> (tempfile::TempDir, impl Fn(&str) -> ClusterKey) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let key = move |name: &str| {
            let file = path.join(name);
            if file.exists() { ClusterKey::read(&file) } else { ClusterKey::create(&file) }.unwrap()
        };
        (dir, key)
    }

    type Greeted = Result<Channel, ClusterError>;

    async fn both(client: ClusterKey, server: ClusterKey) -> (Greeted, Greeted) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = async {
            let (stream, _) = listener.accept().await.unwrap();
            Channel::answer(stream, &server).await
        };
        let greeting =
            async { Channel::greet(TcpStream::connect(address).await.unwrap(), &client).await };
        tokio::join!(greeting, serving)
    }

    #[tokio::test]
    async fn messages_of_any_length_arrive_in_order_and_the_end_is_seen() {
        let (_dir, key) = keys();
        let (client, server) = both(key("a"), key("a")).await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        let sent = [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME].map(|n| vec![n as u8; n]);
        let sending = async {
            for message in &sent {
                client.send(Kind::Rows, message).await.unwrap();
            }
            drop(client);
        };
        let receiving = async {
            for message in &sent {
                let (kind, found) = server.receive().await.unwrap().unwrap();
                assert_eq!(kind, Kind::Rows);
                assert!(found == *message);
            }
            assert!(server.receive().await.unwrap().is_none());
        };
        tokio::join!(sending, receiving);
    }

    #[tokio::test]
    async fn another_key_and_another_build_are_told_apart_on_both_sides() {
        let (_dir, key) = keys();
        let (client, server) = both(key("a"), key("b")).await;
        assert!(matches!(client, Err(ClusterError::OtherKey)));
        assert!(matches!(server, Err(ClusterError::OtherKey)));
        let (client, server) = both(key("a").of_build("beef"), key("a")).await;
        let Err(ClusterError::OtherBuild { ours, .. }) = client else { panic!("not refused") };
        assert_eq!(ours, "beef");
        assert!(matches!(server, Err(ClusterError::OtherBuild { .. })));
    }

    #[tokio::test]
    async fn a_changed_frame_is_refused() {
        let (_dir, key) = keys();
        let (client, server) = both(key("a"), key("a")).await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        // A frame that was sealed for another place in the stream.
        client.sending.frames = 1;
        client.send(Kind::End, b"").await.unwrap();
        assert!(matches!(server.receive().await, Err(ClusterError::Broken)));
    }
}
