//! Files that people hand in: our own checks always, a scanner's word where one is named, and nothing without it.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use kiban_journeys::uploads::Clamd;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::cases::{filled, pairs};
use crate::support::{
    Scratch, run,
    site::{self, Site},
    web::{Visitor, Web},
};

/// How the scanner behaves.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// Speaks the protocol; "worm" is malware.
    Proper,
    /// Takes everything and says nothing.
    Silent,
    /// Hangs up at once.
    HangsUp,
    /// Says that the stream is too large.
    Refuses,
}

/// A scanner that speaks the protocol of clamd, written from its manual.
async fn scanner(manner: Manner) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            tokio::spawn(serve(line, manner));
        }
    });
    address
}

async fn serve(mut line: TcpStream, manner: Manner) -> std::io::Result<()> {
    if manner == Manner::HangsUp {
        return Ok(());
    }
    let mut command = [0; 10];
    line.read_exact(&mut command).await?;
    if &command != b"zINSTREAM\0" {
        return line.write_all(b"UNKNOWN COMMAND\0").await;
    }
    let mut bytes = Vec::new();
    loop {
        let mut size = [0; 4];
        line.read_exact(&mut size).await?;
        match u32::from_be_bytes(size) as usize {
            0 => break,
            n => {
                let from = bytes.len();
                bytes.resize(from + n, 0);
                line.read_exact(&mut bytes[from..]).await?;
            }
        }
    }
    match manner {
        Manner::Silent => std::future::pending().await,
        Manner::Refuses => line.write_all(b"INSTREAM size limit exceeded. ERROR\0").await,
        _ if bytes.windows(4).any(|w| w == b"worm") => {
            line.write_all(b"stream: Test.Worm-1 FOUND\0").await
        }
        _ => line.write_all(b"stream: OK\0").await,
    }
}

async fn drafted(web: &Web) -> (Visitor, String) {
    let mut researcher = web.signed_in("researcher_university").await;
    researcher.get("/applications/new").await.is(200);
    let reply = researcher.post("/applications", &pairs(&filled("検査のある申請"))).await;
    let path = reply.is(303).location().to_owned();
    researcher.get(&path).await.is(200);
    (researcher, format!("{path}/attachments"))
}

async fn with(scanner: Clamd) -> Web {
    let mut site = site::registered().copy().await;
    site.on.scan_with(Arc::new(scanner));
    Web::of(site)
}

fn at(address: SocketAddr, wait: Duration) -> Clamd {
    Clamd::new(&address.to_string(), wait).unwrap()
}

const LONG: Duration = Duration::from_mins(1);
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n";

#[test]
fn what_the_scanner_calls_clean_is_taken_and_nothing_else() {
    run(|| async {
        let web = with(at(scanner(Manner::Proper).await, LONG)).await;
        let (mut researcher, to) = drafted(&web).await;
        researcher.post_file(&to, &[], ("計画.pdf", PDF)).await.is(303);
        // More than a chunk, and more than one.
        let long = "あ".repeat(100_000);
        researcher.post_file(&to, &[], ("a.txt", long.as_bytes())).await.is(303);
        let worm = format!("{long} worm");
        researcher
            .post_file(&to, &[], ("b.txt", worm.as_bytes()))
            .await
            .is(422)
            .shows("マルウェア");
        let stored = fs::read_dir(web.app.on().dir().join("attachments")).unwrap().count();
        assert_eq!(stored, 2, "nothing is left of what was refused");
        // The history's answer is a file, too.
        let mut intake = web.signed_in("intake").await;
        intake.get("/links/history").await;
        intake.post_file("/links/history/answer", &[], ("a.csv", b"worm")).await.is(422);
    });
}

#[test]
fn a_scanner_that_does_not_answer_lets_nothing_in() {
    run(|| async {
        for (manner, wait) in [
            (Manner::Silent, Duration::from_millis(200)),
            (Manner::HangsUp, LONG),
            (Manner::Refuses, LONG),
        ] {
            let web = with(at(scanner(manner).await, wait)).await;
            let (mut researcher, to) = drafted(&web).await;
            let reply = researcher.post_file(&to, &[], ("計画.pdf", PDF)).await;
            reply.is(503).shows("検査ができなかった");
            let kept = fs::read_dir(web.app.on().dir().join("attachments"));
            assert!(
                kept.is_ok_and(|k| k.count() == 0)
                    || !web.app.on().dir().join("attachments").exists()
            );
        }
        // Nobody listens there.
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let web = with(at(gone, LONG)).await;
        let (mut researcher, to) = drafted(&web).await;
        researcher.post_file(&to, &[], ("計画.pdf", PDF)).await.is(503);
    });
}

#[test]
fn without_a_scanner_our_own_checks_stand() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let (mut researcher, to) = drafted(&web).await;
        // The industry's test string, in two parts so that no scanner takes this file for malware.
        let test = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];
        let test = test.concat();
        researcher
            .post_file(&to, &[], ("a.txt", test.as_bytes()))
            .await
            .is(422)
            .shows("マルウェア");
        for (name, bytes) in [
            ("a.docx", &b"PK\x03\x04 not an archive"[..]),
            ("a.zip", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        ] {
            researcher.post_file(&to, &[], (name, bytes)).await.is(422);
        }
    });
}

#[test]
fn the_folder_names_the_scanner() {
    run(|| async {
        let site = site::registered().copy().await;
        let (day, dir) = (site.on.today(), site.dir.clone());
        let scratch: Option<Scratch> = site.close().await;
        let address = scanner(Manner::Proper).await;
        fs::write(dir.join("uploads.toml"), format!("[scanner]\nclamd = \"{address}\"\n")).unwrap();
        let site = Site::open(&dir, day, Arc::new(kiban_journeys::kernel::NoSteps)).await;
        let web = Web::of(site);
        let (mut researcher, to) = drafted(&web).await;
        researcher.post_file(&to, &[], ("a.txt", b"worm")).await.is(422);
        researcher.post_file(&to, &[], ("b.txt", b"plain")).await.is(303);
        drop(scratch);
    });
}
