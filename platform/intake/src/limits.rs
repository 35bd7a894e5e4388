//! How much one delivery may hold. Every limit is a refusal with its own sentence, never an abort.

/// Limits of a sealed delivery and of what may be sealed.
///
/// The defaults let a large hospital's monthly delivery pass and stop a file that was built to harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Files in a delivery.
    pub max_files: u64,
    /// Bytes of one file, decrypted and expanded.
    pub max_file_bytes: u64,
    /// Bytes of all files together.
    pub max_total_bytes: u64,
    /// Bytes of one line of an NDJSON or CSV file, or of one SS-MIX2 file: what is held in memory at once.
    pub max_segment_bytes: u64,
    /// Segments (lines, rows, SS-MIX2 files) in a delivery.
    pub max_segments: u64,
    /// Bytes of the manifest.
    pub max_manifest_bytes: u64,
    /// Bytes of the list of notices.
    pub max_notices_bytes: u64,
    /// Bytes of one path inside the delivery.
    pub max_path_bytes: usize,
    /// An `.xz` input may expand to this many times its size (checked from 16 MiB on).
    pub max_expansion: u64,
    /// Memory the `.xz` decoder may ask for.
    pub max_xz_memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_files: 2_000_000,
            max_file_bytes: 64 << 30,
            max_total_bytes: 256 << 30,
            max_segment_bytes: 64 << 20,
            max_segments: 500_000_000,
            max_manifest_bytes: 1 << 30,
            max_notices_bytes: 1 << 30,
            max_path_bytes: 1024,
            max_expansion: 400,
            max_xz_memory_bytes: 256 << 20,
        }
    }
}

/// Below this size an `.xz` input's expansion is not judged by its ratio.
pub(crate) const EXPANSION_FLOOR: u64 = 16 << 20;
