//! The scanner's protocol: `INSTREAM` of ClamAV's daemon (clamd(8)): chunks, each with its length in four bytes, an empty
//! one at the end; one line comes back, ended by a zero byte.

use std::time::Duration;

use async_trait::async_trait;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{ScanError, Scanner, Verdict};

/// Bytes of a chunk.
const CHUNK: usize = 64 * 1024;
/// Longest answer that is read.
const LONGEST: u64 = 4 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Address {
    Tcp(String),
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

/// ClamAV's daemon.
#[derive(Debug, Clone)]
pub struct Clamd {
    address: Address,
    longest: Duration,
}

impl Clamd {
    /// The daemon at `host:port` or `unix:/path`, waited for at most so long. `None`: it is no address.
    pub fn new(address: &str, longest: Duration) -> Option<Self> {
        #[cfg(unix)]
        if let Some(path) = address.strip_prefix("unix:") {
            let address = Address::Unix(path.into());
            return path.starts_with('/').then_some(Self { address, longest });
        }
        let (host, port) = address.rsplit_once(':')?;
        let fits = !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0);
        fits.then(|| Self { address: Address::Tcp(address.to_owned()), longest })
    }

    async fn ask(&self, bytes: &[u8]) -> Result<Verdict, ScanError> {
        match &self.address {
            Address::Tcp(address) => talk(TcpStream::connect(address).await?, bytes).await,
            #[cfg(unix)]
            Address::Unix(path) => talk(tokio::net::UnixStream::connect(path).await?, bytes).await,
        }
    }
}

#[async_trait]
impl Scanner for Clamd {
    async fn scan(&self, bytes: &[u8]) -> Result<Verdict, ScanError> {
        tokio::time::timeout(self.longest, self.ask(bytes)).await.unwrap_or(Err(ScanError::Silent))
    }
}

async fn talk(
    mut line: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &[u8],
) -> Result<Verdict, ScanError> {
    let sent = send(&mut line, bytes).await;
    let mut answer = Vec::new();
    // A daemon that will not take so much says so and hangs up: its words count, not the broken line.
    match line.take(LONGEST).read_to_end(&mut answer).await {
        Ok(_) => {}
        Err(e) if answer.is_empty() => return Err(e.into()),
        Err(_) => {}
    }
    match verdict(&answer) {
        Some(Verdict::Clean) => sent.map(|()| Verdict::Clean).map_err(ScanError::from),
        Some(verdict) => Ok(verdict),
        None => Err(ScanError::Answer),
    }
}

async fn send(line: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    line.write_all(b"zINSTREAM\0").await?;
    for chunk in bytes.chunks(CHUNK) {
        line.write_all(&(chunk.len() as u32).to_be_bytes()).await?;
        line.write_all(chunk).await?;
    }
    line.write_all(&[0; 4]).await?;
    line.flush().await
}

/// `stream: OK` is clean, `stream: NAME FOUND` is not, all else is no answer.
fn verdict(answer: &[u8]) -> Option<Verdict> {
    let line = answer.strip_suffix(b"\0")?;
    let line = std::str::from_utf8(line).ok()?.trim();
    let said = line.strip_prefix("stream: ")?;
    match said {
        "OK" => Some(Verdict::Clean),
        _ if said.ends_with(" FOUND") => Some(Verdict::Malware),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_line_that_says_ok_is_clean() {
        assert_eq!(verdict(b"stream: OK\0"), Some(Verdict::Clean));
        assert_eq!(verdict(b"stream: Eicar-Test-Signature FOUND\0"), Some(Verdict::Malware));
        for none in [
            &b"stream: OK"[..],
            b"",
            b"\0",
            b"OK\0",
            b"INSTREAM size limit exceeded. ERROR\0",
            b"stream: OK ERROR\0",
            b"stream: NOT OK\0",
            b"stream: OK\0stream: OK\0",
        ] {
            assert_eq!(verdict(none), None);
        }
    }

    #[test]
    fn addresses_are_a_host_with_its_port_or_a_path() {
        let fits = |a| Clamd::new(a, Duration::from_secs(1)).is_some();
        assert!(fits("127.0.0.1:3310") && fits("[::1]:3310") && fits("clamd.local:3310"));
        assert!(!fits("127.0.0.1") && !fits(":3310") && !fits("x:0") && !fits("x:99999"));
        #[cfg(unix)]
        assert!(fits("unix:/run/clamd.ctl") && !fits("unix:clamd.ctl"));
    }
}
