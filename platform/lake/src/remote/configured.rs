//! Which cluster a deployment uses: a file of two lines in its folder, or none.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Cluster, ClusterError, ClusterKey};

/// The file in a deployment's folder.
///
/// ```toml
/// address = "df://10.0.0.5:50060"
/// key = "keys/cluster.key"         # may be left out; seen from the deployment's folder
/// ```
pub const CLUSTER_FILE: &str = "cluster.toml";

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    address: String,
    #[serde(default = "beside_the_others")]
    key: PathBuf,
}

fn beside_the_others() -> PathBuf {
    PathBuf::from("keys/cluster.key")
}

impl Cluster {
    /// The cluster that the deployment in `folder` is told to use, if any. Nobody is asked yet.
    ///
    /// # Errors
    /// The file is malformed, or its key cannot be read.
    pub fn configured(folder: &Path) -> Result<Option<Arc<Self>>, ClusterError> {
        let text = match fs::read_to_string(folder.join(CLUSTER_FILE)) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err(ClusterError::Configuration),
        };
        let file: File = toml::from_str(&text).map_err(|_| ClusterError::Configuration)?;
        let key = ClusterKey::read(&folder.join(file.key))?;
        Ok(Some(Self::at(&file.address, key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_without_the_file_has_no_cluster_and_a_bad_file_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let configured = || Cluster::configured(dir.path());
        assert!(configured().unwrap().is_none());
        let write = |text: &str| fs::write(dir.path().join(CLUSTER_FILE), text).unwrap();
        write("adress = \"df://h:1\"");
        assert!(matches!(configured(), Err(ClusterError::Configuration)));
        write("address = \"df://h:1/\"");
        assert!(matches!(configured(), Err(ClusterError::Key(crate::KeyError::Missing))));
        fs::create_dir(dir.path().join("keys")).unwrap();
        ClusterKey::create(&dir.path().join("keys/cluster.key")).unwrap();
        assert!(format!("{:?}", configured().unwrap().unwrap()).contains("\"h:1\""));
    }
}
