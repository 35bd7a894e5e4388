//! The sealed object store: an [`ObjectStore`] over another, in which every object is a sealed file.
//!
//! The engine reads `sealed://lake/…` through it; ranges open only the pieces they touch.

use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream, stream::BoxStream};
use object_store::{
    CopyMode, CopyOptions, Error as StoreError, GetOptions, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult, UploadPart,
    path::Path,
};

use crate::{
    SealError,
    keys::KeyRing,
    seal::{self, FileKey, HEADER, Header, PIECE},
};

/// Pieces fetched at once when a whole object is streamed: 1 MiB.
const READ_AHEAD: u64 = 16;
/// Sealed bytes handed on as one part of a multipart upload; S3 asks for 5 MiB at least.
const PART: usize = 8 * 1024 * 1024;

/// See the module.
pub struct SealedStore {
    inner: Arc<dyn ObjectStore>,
    ring: Arc<KeyRing>,
}

impl SealedStore {
    /// Seal what goes into `inner` with the class keys of `ring`; the first part of a path names the class.
    pub fn new(inner: Arc<dyn ObjectStore>, ring: Arc<KeyRing>) -> Self {
        Self { inner, ring }
    }

    async fn opened(&self, location: &Path, options: GetOptions) -> StoreResult<Opened> {
        let found = self
            .inner
            .get_opts(location, GetOptions { head: true, range: None, ..options })
            .await?;
        let sealed = found.meta.size;
        let (pieces, plain) = seal::layout(sealed).map_err(broken)?;
        let header = self.inner.get_range(location, 0..HEADER as u64).await?;
        let header = Header::parse(&header).map_err(broken)?;
        let key = FileKey::existing(&self.ring, location.as_ref(), &header).map_err(broken)?;
        Ok(Opened {
            store: self.inner.clone(),
            location: location.clone(),
            meta: ObjectMeta { size: plain, ..found.meta },
            attributes: found.attributes,
            key,
            sealed,
            pieces,
        })
    }
}

/// An object whose header was read.
struct Opened {
    store: Arc<dyn ObjectStore>,
    location: Path,
    meta: ObjectMeta,
    attributes: object_store::Attributes,
    key: FileKey,
    sealed: u64,
    pieces: u64,
}

impl Opened {
    /// First and one-past-last piece of a plain range. An empty object still has its one piece.
    fn pieces_of(&self, range: &Range<u64>) -> Range<u64> {
        let end = range.end.div_ceil(PIECE as u64).clamp(1, self.pieces);
        (range.start / PIECE as u64).min(end - 1)..end
    }

    fn sealed_range(&self, pieces: &Range<u64>) -> Range<u64> {
        seal::piece_range(pieces.start, self.sealed).start
            ..seal::piece_range(pieces.end - 1, self.sealed).end
    }

    /// Open fetched pieces and cut the plain range out.
    fn plain(&self, pieces: &Range<u64>, sealed: &[u8], range: &Range<u64>) -> StoreResult<Bytes> {
        let base = self.sealed_range(pieces).start;
        let mut out = Vec::with_capacity((pieces.end - pieces.start) as usize * PIECE);
        let mut buffer = Vec::with_capacity(PIECE + seal::TAG);
        for index in pieces.clone() {
            let at = seal::piece_range(index, self.sealed);
            let piece = sealed.get((at.start - base) as usize..(at.end - base) as usize);
            buffer.clear();
            buffer.extend_from_slice(piece.ok_or_else(|| broken(SealError::Size))?);
            let last = index + 1 == self.pieces;
            out.extend_from_slice(self.key.open(index, last, &mut buffer).map_err(broken)?);
        }
        let first = pieces.start * PIECE as u64;
        let (from, to) =
            (range.start.saturating_sub(first) as usize, range.end.saturating_sub(first) as usize);
        if from > to || to > out.len() {
            return Err(broken(SealError::Size));
        }
        Ok(Bytes::from(out).slice(from..to))
    }

    async fn read(&self, range: Range<u64>) -> StoreResult<Bytes> {
        let pieces = self.pieces_of(&range);
        let sealed = self.store.get_range(&self.location, self.sealed_range(&pieces)).await?;
        self.plain(&pieces, &sealed, &range)
    }

    /// The plain range, some pieces at a time.
    fn stream(self, range: Range<u64>) -> BoxStream<'static, StoreResult<Bytes>> {
        let step = READ_AHEAD * PIECE as u64;
        stream::try_unfold(
            (self, Some(range.start), range.end),
            move |(this, next, end)| async move {
                let Some(start) = next else { return Ok(None) };
                let stop = end.min((start / PIECE as u64) * PIECE as u64 + step);
                let bytes = this.read(start..stop).await?;
                let next = (stop < end).then_some(stop);
                Ok(Some((bytes, (this, next, end))))
            },
        )
        .boxed()
    }
}

fn broken(source: SealError) -> StoreError {
    StoreError::Generic { store: "sealed", source: Box::new(source) }
}

fn plain_meta(meta: ObjectMeta) -> StoreResult<ObjectMeta> {
    let (_, size) = seal::layout(meta.size).map_err(broken)?;
    Ok(ObjectMeta { size, ..meta })
}

#[async_trait]
impl ObjectStore for SealedStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> StoreResult<PutResult> {
        let sealed = Vec::with_capacity(payload.content_length() + HEADER + seal::TAG);
        let mut sealer =
            seal::Sealer::new(&self.ring, location.as_ref(), sealed).map_err(broken)?;
        let io = |e| broken(SealError::Io(e));
        for part in payload {
            std::io::Write::write_all(&mut sealer, &part).map_err(io)?;
        }
        let sealed = sealer.finish().map_err(io)?;
        self.inner.put_opts(location, sealed.into(), opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        let sealer =
            seal::Sealer::new(&self.ring, location.as_ref(), Vec::new()).map_err(broken)?;
        let inner = self.inner.put_multipart_opts(location, opts).await?;
        Ok(Box::new(SealedUpload { inner, sealer: Some(sealer) }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        let (head, range) = (options.head, options.range.clone());
        let opened = self.opened(location, options).await?;
        let size = opened.meta.size;
        let range = match range {
            _ if head => 0..size,
            None => 0..size,
            Some(r) => r
                .as_range(size)
                .map_err(|e| StoreError::Generic { store: "sealed", source: Box::new(e) })?,
        };
        let (meta, attributes) = (opened.meta.clone(), opened.attributes.clone());
        let payload = if head { stream::empty().boxed() } else { opened.stream(range.clone()) };
        Ok(GetResult { payload: GetResultPayload::Stream(payload), meta, range, attributes })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        let opened = self.opened(location, GetOptions::default()).await?;
        let size = opened.meta.size;
        if ranges.iter().any(|r| r.start > r.end || r.end > size) {
            return Err(broken(SealError::Range));
        }
        let pieces: Vec<_> = ranges.iter().map(|r| opened.pieces_of(r)).collect();
        let wanted: Vec<_> = pieces.iter().map(|p| opened.sealed_range(p)).collect();
        let sealed = self.inner.get_ranges(location, &wanted).await?;
        (pieces.iter().zip(&sealed).zip(ranges))
            .map(|((p, bytes), range)| opened.plain(p, bytes, range))
            .collect()
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix).and_then(|meta| async move { plain_meta(meta) }).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        let found = self.inner.list_with_delimiter(prefix).await?;
        let objects = found.objects.into_iter().map(plain_meta).collect::<StoreResult<_>>()?;
        Ok(ListResult { objects, ..found })
    }

    /// A sealed object is bound to its path, so a copy is opened and sealed again.
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        if options.mode == CopyMode::Create {
            let bytes = self.get(from).await?.bytes().await?;
            let opts = PutOptions {
                mode: PutMode::Create,
                extensions: options.extensions,
                ..PutOptions::default()
            };
            self.put_opts(to, bytes.into(), opts).await?;
            return Ok(());
        }
        let mut source = self.get(from).await?.into_stream();
        let mut upload = self.put_multipart(to).await?;
        while let Some(bytes) = source.next().await {
            let part = match bytes {
                Ok(bytes) => upload.put_part(bytes.into()).await,
                Err(e) => Err(e),
            };
            if let Err(e) = part {
                upload.abort().await?;
                return Err(e);
            }
        }
        upload.complete().await.map(drop)
    }
}

/// Seals parts as they come; the last piece waits for `complete`, which alone knows that it is the last.
struct SealedUpload {
    inner: Box<dyn MultipartUpload>,
    sealer: Option<seal::Sealer<Vec<u8>>>,
}

#[async_trait]
impl MultipartUpload for SealedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let Some(sealer) = &mut self.sealer else {
            return Box::pin(async { Err(broken(SealError::Closed)) });
        };
        for part in data {
            if let Err(e) = std::io::Write::write_all(sealer, &part) {
                return Box::pin(async { Err(broken(SealError::Io(e))) });
            }
        }
        if sealer.inner_mut().len() < PART {
            return Box::pin(async { Ok(()) });
        }
        let ready = std::mem::take(sealer.inner_mut());
        self.inner.put_part(ready.into())
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        let sealer = self.sealer.take().ok_or_else(|| broken(SealError::Closed))?;
        let rest = sealer.finish().map_err(|e| broken(SealError::Io(e)))?;
        self.inner.put_part(rest.into()).await?;
        self.inner.complete().await
    }

    async fn abort(&mut self) -> StoreResult<()> {
        self.sealer = None;
        self.inner.abort().await
    }
}

impl fmt::Display for SealedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.inner)
    }
}
impl fmt::Debug for SealedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl fmt::Debug for SealedUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedUpload")
    }
}
