use kiban_kernel::OsEntropy;
use proptest::prelude::*;

use super::*;

fn key(name: &str) -> SigningKey {
    SigningKey::generate(&OsEntropy, name).unwrap()
}

/// The example of the format's reference implementation (golang.org/x/mod/sumdb/note).
#[test]
fn the_reference_example_is_reproduced() {
    let key = SigningKey::from_text(
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n",
    )
    .unwrap();
    assert_eq!(
        key.verify_key().to_string(),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    );
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let note = format!(
        "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    );
    assert_eq!(sign(text, &key).unwrap(), note);
    assert_eq!(verify(&note, &[key.verify_key().clone()]).unwrap(), text);
}

#[test]
fn two_signatures_and_unknown_keys() {
    let (holder, producer, stranger) = (key("holder.invalid"), key("producer.invalid"), key("x"));
    let note = countersign(&sign("received\n", &holder).unwrap(), &producer).unwrap();
    for known in [&holder, &producer] {
        let keys = [known.verify_key().clone(), known.verify_key().clone()];
        assert_eq!(verify(&note, &keys).unwrap(), "received\n");
    }
    let unknown = [stranger.verify_key().clone()];
    assert_eq!(verify(&note, &unknown), Err(NoteError::Unsigned));
    assert_eq!(verify(&note, &[]), Err(NoteError::Unsigned));
    let changed = note.replacen("received", "refused!", 1);
    assert_eq!(verify(&changed, &[holder.verify_key().clone()]), Err(NoteError::Signature));
    // A key of the same name is another key.
    let namesake = [key("holder.invalid").verify_key().clone()];
    assert_eq!(verify(&note, &namesake), Err(NoteError::Unsigned));
}

#[test]
fn what_cannot_be_a_note_is_refused() {
    let key = key("a.invalid");
    for text in ["", "no newline", "tab\there\n", "nul\0\n", "delete\u{7f}\n"] {
        assert_eq!(sign(text, &key), Err(NoteError::Text), "{text:?}");
    }
    assert_eq!(sign(&"x".repeat(MAX_TEXT + 1), &key), Err(NoteError::TooLong));
    let longest = format!("{}\n", "x".repeat(MAX_TEXT - 1));
    let note = sign(&longest, &key).unwrap();
    assert_eq!(verify(&note, &[key.verify_key().clone()]).unwrap(), longest);
    for name in ["", "a b", "a+b", "a\nb", "a\u{3000}b"] {
        assert!(matches!(SigningKey::generate(&OsEntropy, name), Err(NoteError::Name)));
    }
    for text in ["", "a", "a+b+c", "PRIVATE+KEY+a+00000000+AAAA"] {
        assert!(text.parse::<VerifyKey>().is_err() && SigningKey::from_text(text).is_err());
    }
}

proptest! {
    #[test]
    fn every_text_round_trips_and_no_changed_byte_passes(
        text in "([ -~ぁ-ん一-龠]{0,12}\n){1,5}", at: prop::sample::Index, flip in 1..=255_u8
    ) {
        let key = SigningKey::from_text(
            "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
        )?;
        let keys = [key.verify_key().clone()];
        let note = sign(&text, &key)?;
        prop_assert_eq!(verify(&note, &keys)?, text);
        let mut bytes = note.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(changed) = String::from_utf8(bytes) {
            prop_assert!(verify(&changed, &keys).is_err());
        }
    }
}
