//! Source bytes: packed containers in which each person's segments lie under a key of their own.
//!
//! ```text
//! header   "KIBANSRC" (8) | container id (16)
//! segment  AES-256-GCM of the bytes, tag (16)      … one after the other
//! key      one per person and container, made from a random secret of the container, wrapped in lake_person_key
//! nonce    0 0 0 0 | start of the segment (8)
//! bound to container, segment, person, start and length
//! ```
//! To shred a person's source is to delete that person's key rows; no container is rewritten. A container
//! in which no key is left is removed. A container's secret is never stored: from the commit on, a key is had from its
//! row or not at all.
//!
//! # Memory
//! 21 bytes a person of the container being written, 16 of those that wait for the commit: keys are made when they are
//! needed, and ciphers are ready for a thousand persons at most.

mod behind;

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
};

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use itertools::Itertools as _;
use kiban_audit::Tx;
use kiban_kernel::{Id, OsEntropy, kinds};
use sqlx::AnyConnection;
use tokio::sync::mpsc;

use self::behind::Behind;
use crate::{
    DataClass, KeyError, Lake, LakeError, SealError, Secret, Snapshot, StagedWithdrawal,
    catalog::{Change, ContainerRow, VALUES_AT_ONCE, rows_of},
    durable::NewFile,
    id_table::IdTable,
    lake::{Counted, EXTENSION, Staged, blocking},
    pending::StagedPath,
    seal::TAG,
};

const MAGIC: &[u8; 8] = b"KIBANSRC";
pub(crate) const CONTAINER_HEADER: usize = 24;

const ADD_KEYS: &str = "INSERT INTO lake_person_key (person, wrapped, file_id, key_id) VALUES ";
/// Ciphers that are kept for the segments to come.
const READY: usize = 1024;
/// Values of such a row.
const KEY_VALUES: usize = 4;
const FIND_KEY: &str =
    "SELECT key_id, wrapped FROM lake_person_key WHERE person = $1 AND file_id = $2";

/// Where a segment lies. Kept as a row of table `source_segment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SegmentPlace {
    /// The segment.
    pub segment: Id<kinds::Segment>,
    /// The container.
    pub file: Id<kinds::File>,
    /// First sealed byte.
    pub start: u64,
    /// Number of source bytes.
    pub length: u64,
}

impl SegmentPlace {
    fn nonce(&self) -> Nonce {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.start.to_be_bytes());
        Nonce::assume_unique_for_key(nonce)
    }

    fn aad(&self, person: Id<kinds::PersonSource>) -> Aad<[u8; 69]> {
        let mut out = [0; 69];
        out[..5].copy_from_slice(b"kbc/1");
        out[5..21].copy_from_slice(&self.file.to_bytes());
        out[21..37].copy_from_slice(&self.segment.to_bytes());
        out[37..53].copy_from_slice(&person.to_bytes());
        out[53..61].copy_from_slice(&self.start.to_be_bytes());
        out[61..].copy_from_slice(&self.length.to_be_bytes());
        Aad::from(out)
    }
}

fn key_name(person: Id<kinds::PersonSource>, file: Id<kinds::File>) -> String {
    format!("person/{person}/{file}")
}

fn container_path(file: Id<kinds::File>) -> String {
    format!("{}/{file}.{EXTENSION}", DataClass::Source.as_str())
}

/// A person's key: nobody who has it, or those of others, can tell the secret.
fn person_key(secret: &Secret, person: Id<kinds::PersonSource>) -> Secret {
    Secret::of(secret.mac(&[b"kiban person v1\0", &person.to_bytes()]))
}

/// A container being written: sealed here, hashed and written by a thread of its own.
pub struct ContainerWriter {
    lake: Lake,
    id: Id<kinds::File>,
    path: StagedPath,
    out: Behind,
    secret: Secret,
    persons: IdTable<kinds::PersonSource, ()>,
    /// Ciphers of persons whose segments came of late: some hundred bytes each, and a microsecond to make.
    ready: HashMap<Id<kinds::PersonSource>, LessSafeKey>,
    segments: u64,
}

/// A container that no snapshot names yet. Dropped, it is garbage.
#[must_use = "a staged container is garbage until it is appended"]
pub struct StagedContainer {
    id: Id<kinds::File>,
    row: ContainerRow,
    path: StagedPath,
    secret: Secret,
    /// In their order.
    persons: Vec<Id<kinds::PersonSource>>,
}

impl StagedContainer {
    /// Number of segments.
    pub fn segments(&self) -> u64 {
        self.row.segments
    }
    /// Number of bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.row.bytes
    }
}

impl ContainerWriter {
    /// Add a person's segment: the header it is read with, if its format has one, and its bytes.
    ///
    /// # Errors
    /// The disk or the cipher failed; the container must be dropped.
    pub fn put(
        &mut self,
        segment: Id<kinds::Segment>,
        person: Id<kinds::PersonSource>,
        (header, bytes): (&[u8], &[u8]),
    ) -> Result<SegmentPlace, LakeError> {
        let place = SegmentPlace {
            segment,
            file: self.id,
            start: self.out.bytes(),
            length: (header.len() + bytes.len()) as u64,
        };
        if self.ready.len() >= READY && !self.ready.contains_key(&person) {
            self.ready.clear();
        }
        let key = match self.ready.entry(person) {
            Entry::Occupied(ready) => ready.into_mut(),
            Entry::Vacant(new) => {
                self.persons.insert(person);
                new.insert(person_key(&self.secret, person).aead()?)
            }
        };
        let seal = |plain: &mut [u8]| {
            key.seal_in_place_separate_tag(place.nonce(), place.aad(person), plain)
                .map_err(|_| LakeError::from(KeyError::Cipher))
        };
        self.out.append([header, bytes], seal)?;
        self.segments += 1;
        Ok(place)
    }

    /// Number of bytes so far: begin another container when it is large enough.
    pub fn bytes(&self) -> u64 {
        self.out.bytes()
    }

    /// Number of segments so far.
    pub fn segments(&self) -> u64 {
        self.segments
    }

    /// Make the container last on disk.
    ///
    /// # Errors
    /// The disk failed; no file stays.
    pub async fn finish(self) -> Result<StagedContainer, LakeError> {
        blocking(move || {
            let io = || LakeError::io("write a container");
            let (file, digest, bytes) = self.out.finish().map_err(io())?.finish();
            let mut persons: Vec<_> = self.persons.iter().map(|(person, ())| person).collect();
            persons.shrink_to_fit();
            persons.sort_unstable();
            file.commit(&*self.lake.0.steps).map_err(io())?;
            let row = ContainerRow {
                id: self.id.to_string(),
                path: container_path(self.id),
                digest,
                segments: self.segments,
                persons: persons.len() as u64,
                bytes,
                added: 0,
                erased: None,
            };
            Ok(StagedContainer { id: self.id, row, path: self.path, secret: self.secret, persons })
        })
        .await
    }
}

impl Lake {
    /// Begin a container of source bytes.
    ///
    /// # Errors
    /// The disk failed.
    pub fn container(&self) -> Result<ContainerWriter, LakeError> {
        let io = || LakeError::io("begin a container");
        let id = Id::<kinds::File>::new(&OsEntropy).map_err(KeyError::Entropy)?;
        let path = container_path(id);
        let staged = self.0.pending.stage(&path);
        let file = NewFile::create(&self.0.root.join(&path)).map_err(io())?;
        let out = Behind::new(Counted::new(file), [&MAGIC[..], &id.to_bytes()].concat());
        Ok(ContainerWriter {
            lake: self.clone(),
            id,
            path: staged,
            out,
            secret: Secret::random()?,
            persons: IdTable::default(),
            ready: HashMap::new(),
            segments: 0,
        })
    }

    /// As [`Lake::append`], with the containers the rows were read from and their persons' keys, in one
    /// snapshot.
    ///
    /// # Errors
    /// As [`Lake::append`].
    pub async fn append_with_sources(
        &self,
        tx: &mut Tx,
        staged: Vec<Staged>,
        containers: Vec<StagedContainer>,
    ) -> Result<Snapshot, LakeError> {
        self.append_instead(tx, staged, containers, StagedWithdrawal::default()).await
    }

    /// As [`Lake::append_with_sources`], and in the same snapshot the rows of a withdrawal leave their tables.
    ///
    /// # Errors
    /// As [`Lake::append`]; [`LakeError::Stale`] if a file of the withdrawal was rewritten meanwhile.
    pub async fn append_instead(
        &self,
        tx: &mut Tx,
        staged: Vec<Staged>,
        containers: Vec<StagedContainer>,
        withdrawal: StagedWithdrawal,
    ) -> Result<Snapshot, LakeError> {
        let kind = if withdrawal.end.is_empty() { "append" } else { "revise" };
        let staged = staged.into_iter().chain(withdrawal.staged);
        let files = staged.flat_map(|s| s.files).collect();
        // One without segments is garbage from the start.
        let containers: Vec<_> = containers.into_iter().filter(|c| c.row.segments > 0).collect();
        let add_containers = containers.iter().map(|c| c.row.clone()).collect();
        let snapshot = self
            .submit(
                tx,
                kind,
                files,
                Change { add_containers, end: withdrawal.end, ..Change::default() },
            )
            .await?;
        let paths = self.add_keys(tx, containers).await?;
        for path in paths {
            path.submit(snapshot.0);
        }
        self.0.steps.step("lake.keys.after");
        Ok(snapshot)
    }

    /// Adds the keys of all persons of the containers: one thread wraps them while the database takes those before.
    async fn add_keys(
        &self,
        tx: &mut Tx,
        containers: Vec<StagedContainer>,
    ) -> Result<Vec<StagedPath>, LakeError> {
        let (send, mut wrapped) = mpsc::channel(2);
        let lake = self.clone();
        let wrapping = blocking(move || {
            let (key_id, wrapping) = lake.0.ring.wrapping(DataClass::Source)?;
            let wrap = |(person, container): (Id<kinds::PersonSource>, &StagedContainer)| {
                let key = person_key(&container.secret, person);
                let wrapped = wrapping.wrap(&key_name(person, container.id), &key)?;
                Ok((person.to_string(), container.id.to_string(), wrapped))
            };
            // By person: each page of the index is written once, not once for each container.
            let mut keys = containers
                .iter()
                .map(|container| container.persons.iter().map(move |person| (*person, container)))
                .kmerge_by(|(a, _), (b, _)| a <= b)
                .peekable();
            while keys.peek().is_some() {
                let some = keys.by_ref().take(VALUES_AT_ONCE / KEY_VALUES).map(wrap);
                let some = some.collect::<Result<Vec<_>, KeyError>>()?;
                if send.blocking_send((key_id.clone(), some)).is_err() {
                    // The database failed: whoever waits there says so.
                    break;
                }
            }
            drop(keys);
            Ok(containers.into_iter().map(|container| container.path).collect())
        });
        let adding = async {
            while let Some((key_id, keys)) = wrapped.recv().await {
                let sql = format!("{ADD_KEYS}{}", rows_of(tx.conn(), keys.len(), KEY_VALUES));
                let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
                for (person, file, key) in keys {
                    query = query.bind(person).bind(key).bind(file).bind(&key_id);
                }
                query.execute(tx.conn()).await?;
            }
            drop(wrapped);
            Ok::<_, LakeError>(())
        };
        let (paths, added) = tokio::join!(wrapping, adding);
        added?;
        paths
    }

    /// The source bytes of a segment.
    ///
    /// # Errors
    /// [`LakeError::Shredded`] after the person's stop; a container that was changed does not open.
    pub async fn read_segment(
        &self,
        conn: &mut AnyConnection,
        place: SegmentPlace,
        person: Id<kinds::PersonSource>,
    ) -> Result<Vec<u8>, LakeError> {
        let query = sqlx::query_as::<_, (String, String)>(FIND_KEY)
            .bind(person.to_string())
            .bind(place.file.to_string());
        let (key_id, wrapped) = query.fetch_optional(conn).await?.ok_or(LakeError::Shredded)?;
        let wrapping = self.0.ring.unwrapping(DataClass::Source, &key_id)?;
        let key = wrapping.unwrap(&key_name(person, place.file), &wrapped)?.aead()?;
        let path = self.0.root.join(container_path(place.file));
        blocking(move || {
            let io = || LakeError::io("read a container");
            let mut file = File::open(path).map_err(io())?;
            let total = file.metadata().map_err(io())?.len();
            let end = place.start.checked_add(place.length).and_then(|e| e.checked_add(TAG as u64));
            if place.start < CONTAINER_HEADER as u64 || end.is_none_or(|end| end > total) {
                return Err(LakeError::Seal(SealError::Size));
            }
            file.seek(SeekFrom::Start(place.start)).map_err(io())?;
            let mut sealed = vec![0; place.length as usize + TAG];
            file.read_exact(&mut sealed).map_err(io())?;
            let plain = key.open_in_place(place.nonce(), place.aad(person), &mut sealed);
            plain.map_err(|_| SealError::Tampered { piece: 0 })?;
            sealed.truncate(place.length as usize);
            Ok(sealed)
        })
        .await
    }
}
