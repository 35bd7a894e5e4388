//! Why the cluster could not be used. Never a value, a plan or a path of the data.

use datafusion::error::DataFusionError;

use crate::KeyError;

/// Why the cluster could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The cluster's key failed.
    #[error("the cluster's key failed")]
    Key(#[source] KeyError),
    /// The deployment's `cluster.toml` is not of the known shape.
    #[error("cluster.toml is malformed")]
    Configuration,
    /// Nobody answers at the address.
    #[error("the cluster cannot be reached")]
    Unreachable(#[source] std::io::Error),
    /// The other side holds another key.
    #[error("the other node holds another cluster key")]
    OtherKey,
    /// The other side is of another build.
    #[error("the other node is of build {theirs}, this one of {ours}")]
    OtherBuild {
        /// Beginning of our build id.
        ours: String,
        /// Beginning of theirs.
        theirs: String,
    },
    /// What came over the wire was cut, changed or no message of this protocol.
    #[error("the connection to the cluster broke")]
    Broken,
    /// The cluster has no worker.
    #[error("the cluster has no worker")]
    NoWorkers,
    /// Workers ended while they worked on the plan, and repeating did not help.
    #[error("workers ended while they worked on the plan")]
    WorkersLost,
    /// The plan needs more memory than a worker may take.
    #[error("the plan needs more memory than the workers may take")]
    OutOfMemory,
    /// The plan holds something that cannot travel.
    #[error("the plan cannot be sent to the cluster")]
    NotPortable,
    /// The plan failed on the cluster.
    #[error("the plan failed on the cluster")]
    Failed,
    /// A number that stands in no message of this protocol.
    #[error("the cluster's answer is not understood")]
    Unknown,
}

impl ClusterError {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Key(e) => format!("クラスタの鍵を使えません。{}", e.ja()),
            Self::Configuration => {
                "cluster.toml を読み取れません。address（df://ホスト:ポート）と key（鍵ファイル）を確認してください。".into()
            }
            Self::Unreachable(_) => {
                "クラスタに接続できません。アドレスと、kiban-cluster が動いていることを確認してください。".into()
            }
            Self::OtherKey => {
                "クラスタの鍵が一致しません。すべてのノードに同じ鍵ファイルを置いてください。".into()
            }
            Self::OtherBuild { ours, theirs } => format!(
                "クラスタのノードと版が異なります（こちら {ours}、相手 {theirs}）。同じ版にそろえてください。"
            ),
            Self::Broken => "クラスタとの通信が途切れました。出力はありません。もう一度実行してください。".into(),
            Self::NoWorkers => "クラスタに作業ノードがありません。kiban-cluster worker を起動してください。".into(),
            Self::WorkersLost => {
                "作業ノードが処理の途中で止まりました。出力はありません。ノードを確認して、もう一度実行してください。".into()
            }
            Self::OutOfMemory => {
                "作業ノードのメモリが足りません。--memory を増やすか、作業ノードを増やしてください。出力はありません。".into()
            }
            Self::NotPortable => "この処理はクラスタに送れません。クラスタの指定を外して実行してください。".into(),
            Self::Failed | Self::Unknown => "クラスタでの処理に失敗しました。出力はありません。".into(),
        }
    }

    /// What the cluster says in an error of the engine, however deep the engine put it.
    pub fn within(error: &DataFusionError) -> Option<&Self> {
        match error {
            DataFusionError::External(inner) => inner.downcast_ref(),
            DataFusionError::Context(_, inner) => Self::within(inner),
            DataFusionError::Shared(inner) => Self::within(inner),
            _ => None,
        }
    }

    /// The number that stands for it on the wire.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::NoWorkers => 1,
            Self::WorkersLost => 2,
            Self::OutOfMemory => 3,
            Self::NotPortable => 4,
            _ => 5,
        }
    }

    /// The error of a number on the wire.
    pub(crate) fn of_code(code: u8) -> Self {
        match code {
            1 => Self::NoWorkers,
            2 => Self::WorkersLost,
            3 => Self::OutOfMemory,
            4 => Self::NotPortable,
            5 => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

impl From<KeyError> for ClusterError {
    fn from(e: KeyError) -> Self {
        Self::Key(e)
    }
}
