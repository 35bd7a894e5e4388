//! The build id: a digest of what two nodes of a cluster must share. Functions travel by name and plans in the
//! engine's own form, so both nodes must be built from the same sources of this crate and the same `Cargo.lock`.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![here.join("../../Cargo.lock"), here.join("Cargo.toml")];
    for folder in ["src", "../../schemas/v1"] {
        under(&here.join(folder), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
        let bytes = fs::read(file)?;
        let name = file.strip_prefix(&here).unwrap_or(file).to_string_lossy().into_owned();
        for part in [name.as_bytes(), &bytes] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    println!("cargo:rerun-if-changed=src");
    let mut id = String::new();
    for byte in hash.finalize() {
        let _ = write!(id, "{byte:02x}");
    }
    println!("cargo:rustc-env=KIBAN_ENGINE_BUILD={id}");
    Ok(())
}

fn under(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            under(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
