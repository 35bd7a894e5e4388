//! Signed notes (C2SP `signed-note`, Ed25519): the one signature format of the platform, for
//! checkpoints, receipts, bundle and package manifests.
//!
//! A note is a text that ends in a newline, an empty line, and one signature line per key. It holds
//! no control characters but newlines and at most [`MAX_TEXT`] bytes; of anything longer, sign its
//! digest.

use std::{fmt, fs, io, io::Write as _, path::Path, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey as Ed25519;
use kiban_kernel::{Entropy, EntropyError};
use signed_note::{
    Note, NoteError as Inner, Signer as _, StandardSigner, StandardVerifier, Verifier as _,
    VerifierList,
};
use zeroize::Zeroizing;

/// Largest text that can be signed, in bytes (a limit of the format's parsers; a kilobyte is left
/// for signatures).
pub const MAX_TEXT: usize = 999_000;

/// Why a key, a text or a note was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The name is empty or holds white space or a plus sign.
    #[error("the key's name is not allowed")]
    Name,
    /// The text is not a key of this kind.
    #[error("the key is malformed")]
    Key,
    /// The text does not end in a newline or holds a control character.
    #[error("the text cannot be a note")]
    Text,
    /// The text is longer than [`MAX_TEXT`].
    #[error("the text is too long for a note")]
    TooLong,
    /// The note has no signature block, or it is malformed.
    #[error("the note is malformed")]
    Malformed,
    /// A signature in the name of a known key is not its signature.
    #[error("the note's signature does not hold")]
    Signature,
    /// None of the known keys signed.
    #[error("the note is not signed by a known key")]
    Unsigned,
    /// The source of chance failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl NoteError {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Name => "鍵の名前に使えない文字が含まれています（空白・+ は不可）。",
            Self::Key => "鍵の形式が正しくありません。正しい鍵ファイルを指定してください。",
            Self::Text => {
                "署名する文書の形式が正しくありません（改行で終わり、制御文字を含まないこと）。"
            }
            Self::TooLong => "署名する文書が長すぎます。",
            Self::Malformed => {
                "署名付き文書の形式が正しくありません。送り主に再発行を依頼してください。"
            }
            Self::Signature => "署名が一致しません。文書が改変されたか、別の鍵で署名されています。",
            Self::Unsigned => {
                "登録済みの鍵による署名がありません。送り主の鍵の登録を確認してください。"
            }
            Self::Entropy(_) => "乱数を得られません。機器の状態を確認してください。",
        }
        .into()
    }
}

/// A private signing key. Not `Debug`; its text form is wiped when dropped.
#[derive(Clone)]
pub struct SigningKey {
    signer: StandardSigner,
    text: Zeroizing<String>,
    verify: VerifyKey,
}

impl SigningKey {
    /// A new key in the name of `name` (by custom a host and path, such as `kiban.example/log`).
    ///
    /// # Errors
    /// The name is not allowed, or chance failed.
    pub fn generate(entropy: &dyn Entropy, name: &str) -> Result<Self, NoteError> {
        if !signed_note::is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(NoteError::Name);
        }
        let mut seed = Zeroizing::new([0_u8; 32]);
        entropy.fill(&mut *seed)?;
        let public = signed_note::new_ed25519_verifier_key(
            name,
            &Ed25519::from_bytes(&seed).verifying_key(),
        );
        let verify: VerifyKey = public.parse()?;
        let mut private = Zeroizing::new([1_u8; 33]);
        private[1..].copy_from_slice(&*seed);
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(private.as_slice()));
        let text = format!("PRIVATE+KEY+{name}+{:08x}+{}", verify.verifier.key_id(), *encoded);
        Self::from_text(&Zeroizing::new(text))
    }

    /// Read the text form, `PRIVATE+KEY+name+id+key`.
    ///
    /// # Errors
    /// Malformed.
    pub fn from_text(text: &str) -> Result<Self, NoteError> {
        let text = text.trim_end();
        let signer = StandardSigner::new(text).map_err(|_| NoteError::Key)?;
        // The last element may itself hold plus signs (base 64), so count from the front.
        let encoded = text.splitn(5, '+').nth(4).ok_or(NoteError::Key)?;
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(encoded).map_err(|_| NoteError::Key)?);
        let seed: Zeroizing<[u8; 32]> =
            Zeroizing::new(bytes.get(1..).and_then(|b| b.try_into().ok()).ok_or(NoteError::Key)?);
        let public = signed_note::new_ed25519_verifier_key(
            signer.name(),
            &Ed25519::from_bytes(&seed).verifying_key(),
        );
        Ok(Self { verify: public.parse()?, signer, text: Zeroizing::new(text.to_owned()) })
    }

    /// The text form. Keep it secret.
    pub fn to_text(&self) -> &Zeroizing<String> {
        &self.text
    }

    /// The key others verify with.
    pub fn verify_key(&self) -> &VerifyKey {
        &self.verify
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        self.verify.name()
    }

    /// Write the key to a new file that only its owner may read; an existing file is not touched.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), KeyFileError> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(KeyFileError::Write)?;
        let write = |file: &mut fs::File| {
            file.write_all(self.text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        };
        write(&mut file).map_err(KeyFileError::Write)
    }

    /// Read a key file, refusing one that others than its owner may read or write.
    ///
    /// # Errors
    /// Missing, too open, or malformed.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(path).map_err(KeyFileError::Read)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(KeyFileError::TooOpen);
            }
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(KeyFileError::Read)?);
        Ok(Self::from_text(&text)?)
    }
}

/// Why a key file was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("the key file cannot be read")]
    Read(#[source] io::Error),
    /// It cannot be written, or exists already.
    #[error("the key file cannot be written")]
    Write(#[source] io::Error),
    /// Others than the owner may read it.
    #[error("the key file may be read by others than its owner")]
    TooOpen,
    /// It does not hold a key.
    #[error(transparent)]
    Key(#[from] NoteError),
}

impl KeyFileError {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Read(_) => "鍵ファイルを読めません。場所と権限を確認してください。".into(),
            Self::Write(_) => {
                "鍵ファイルを書けません。既にあるか、書き込みの権限がありません。".into()
            }
            Self::TooOpen => {
                "鍵ファイルが所有者以外にも読める状態です。権限を 600 にしてください。".into()
            }
            Self::Key(e) => e.ja(),
        }
    }
}

/// A public key; text form `name+id+key`.
#[derive(Clone)]
pub struct VerifyKey {
    verifier: StandardVerifier,
    text: String,
}

impl VerifyKey {
    /// The key's name.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }
}

impl FromStr for VerifyKey {
    type Err = NoteError;
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let text = text.trim_end();
        let verifier = StandardVerifier::new(text).map_err(|_| NoteError::Key)?;
        Ok(Self { verifier, text: text.to_owned() })
    }
}
impl fmt::Display for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl PartialEq for VerifyKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for VerifyKey {}

/// Sign a text that ends in a newline.
///
/// # Errors
/// The text cannot be a note.
pub fn sign(text: &str, key: &SigningKey) -> Result<String, NoteError> {
    if text.len() > MAX_TEXT {
        return Err(NoteError::TooLong);
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(NoteError::Text);
    }
    let note = Note::new(text.as_bytes(), &[]).map_err(|_| NoteError::Text)?;
    add(note, key)
}

/// Add a second key's signature to a note.
///
/// # Errors
/// The note is malformed.
pub fn countersign(note: &str, key: &SigningKey) -> Result<String, NoteError> {
    add(Note::from_bytes(note.as_bytes()).map_err(|_| NoteError::Malformed)?, key)
}

fn add(mut note: Note, key: &SigningKey) -> Result<String, NoteError> {
    note.add_sigs(&[&key.signer]).map_err(|_| NoteError::Key)?;
    String::from_utf8(note.to_bytes()).map_err(|_| NoteError::Text)
}

/// The note's text, if at least one of `keys` signed it and no signature in the name of one of
/// them is false. Signatures of unknown keys are passed over.
///
/// # Errors
/// Malformed, unsigned, or falsely signed.
pub fn verify(note: &str, keys: &[VerifyKey]) -> Result<String, NoteError> {
    let note = Note::from_bytes(note.as_bytes()).map_err(|_| NoteError::Malformed)?;
    let mut known: Vec<&VerifyKey> = Vec::new();
    for key in keys {
        if !known.contains(&key) {
            known.push(key);
        }
    }
    let known = VerifierList::new(
        known.into_iter().map(|k| Box::new(k.verifier.clone()) as Box<_>).collect(),
    );
    match note.verify(&known) {
        Ok(_) => String::from_utf8(note.text().to_vec()).map_err(|_| NoteError::Malformed),
        Err(Inner::UnverifiedNote) => Err(NoteError::Unsigned),
        Err(_) => Err(NoteError::Signature),
    }
}

#[cfg(test)]
mod tests;
