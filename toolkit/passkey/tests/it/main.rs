//! Both ceremonies against an authenticator in software, honest and not.

use kiban_passkey::{
    Assertion, Attestation, Credential, PublicKey, Refused, RelyingParty, decode, encode,
};
use kiban_testkit::{Authenticator, Created, Got};

const SITE: &str = "https://kiban.example";
const CHALLENGE: [u8; 32] = [7; 32];

fn party() -> RelyingParty {
    RelyingParty::new(SITE).unwrap()
}

fn attestation(created: Created) -> Attestation {
    Attestation { client_data: created.client_data, object: created.object }
}

fn assertion(got: Got) -> Assertion {
    Assertion {
        client_data: got.client_data,
        authenticator_data: got.authenticator_data,
        signature: got.signature,
    }
}

fn created(of: &mut Authenticator) -> Attestation {
    attestation(of.create(&encode(&CHALLENGE), b"somebody"))
}

fn got(of: &mut Authenticator) -> Assertion {
    assertion(of.get(&encode(&CHALLENGE)))
}

fn registered(of: &mut Authenticator) -> Credential {
    let answer = created(of);
    // Making the key counted, too.
    of.count += 1;
    party().register(&CHALLENGE, &answer).unwrap()
}

#[test]
fn an_honest_authenticator_registers_and_signs_in_again_and_again() {
    for mut of in [Authenticator::p256(SITE), Authenticator::ed25519(SITE)] {
        let mut credential = registered(&mut of);
        assert_eq!(credential.id, of.id);
        let kept = PublicKey::from_cose(&credential.key.to_cose()).unwrap();
        assert_eq!(kept, credential.key, "what is kept is read again");
        for n in 1..4 {
            of.count = n + 1;
            let count = party().authenticate(&CHALLENGE, &credential, &got(&mut of)).unwrap();
            assert_eq!(count, n + 1);
            credential.count = count;
        }
    }
}

#[test]
fn guarantee_own_challenge_nothing_else_passes() {
    let mut of = Authenticator::p256(SITE);
    let credential = registered(&mut of);
    let mut refused = |change: &dyn Fn(&mut Authenticator), challenge: &[u8], why: Refused| {
        let mut copy = Authenticator::p256(SITE);
        change(&mut copy);
        let made = attestation(copy.create(&encode(&CHALLENGE), b"x"));
        assert_eq!(party().register(challenge, &made), Err(why));
        change(&mut of);
        assert_eq!(party().authenticate(challenge, &credential, &got(&mut of)), Err(why));
        (of.origin, of.party, of.framed) = (SITE.to_owned(), "kiban.example".to_owned(), false);
    };
    refused(&|_| {}, &[8; 32], Refused::Challenge);
    refused(&|_| {}, &[], Refused::Challenge);
    refused(&|a| a.origin = "https://kiban.example.evil".to_owned(), &CHALLENGE, Refused::Origin);
    refused(&|a| a.origin = "http://kiban.example".to_owned(), &CHALLENGE, Refused::Origin);
    refused(&|a| a.origin = "https://kiban.example:8443".to_owned(), &CHALLENGE, Refused::Origin);
    refused(&|a| a.party = "evil.example".to_owned(), &CHALLENGE, Refused::RelyingParty);
    refused(&|a| a.framed = true, &CHALLENGE, Refused::CrossOrigin);
    // The answer to one ceremony is none to the other.
    let made = created(&mut of);
    let swapped = Assertion { client_data: made.client_data, ..got(&mut of) };
    assert_eq!(party().authenticate(&CHALLENGE, &credential, &swapped), Err(Refused::Type));
    let swapped = Attestation { client_data: got(&mut of).client_data, object: made.object };
    assert_eq!(party().register(&CHALLENGE, &swapped), Err(Refused::Type));
}

#[test]
fn guarantee_verified_one_factor_is_not_enough() {
    for (flags, why) in
        [(0x01, Refused::NotVerified), (0x04, Refused::NotPresent), (0x00, Refused::NotPresent)]
    {
        let mut of = Authenticator::ed25519(SITE);
        let credential = registered(&mut of);
        of.flags = flags;
        let made = created(&mut of);
        assert_eq!(party().register(&CHALLENGE, &made), Err(why));
        assert_eq!(party().authenticate(&CHALLENGE, &credential, &got(&mut of)), Err(why));
    }
    // A synced passkey says so from the first; a flag that appears later is another key's.
    let mut of = Authenticator::p256(SITE);
    let credential = registered(&mut of);
    of.flags = 0x0d;
    let answer = got(&mut of);
    let refused = Err(Refused::BackupFlags);
    assert_eq!(party().authenticate(&CHALLENGE, &credential, &answer), refused);
    of.flags = 0x15;
    assert_eq!(party().register(&CHALLENGE, &created(&mut of)), Err(Refused::BackupFlags));
}

#[test]
fn guarantee_key_every_changed_byte_is_refused() {
    for (mut of, mut other) in [
        (Authenticator::p256(SITE), Authenticator::p256(SITE)),
        (Authenticator::ed25519(SITE), Authenticator::ed25519(SITE)),
    ] {
        let credential = registered(&mut of);
        let foreign = got(&mut other);
        assert_eq!(
            party().authenticate(&CHALLENGE, &credential, &foreign),
            Err(Refused::Signature)
        );
        let answer = got(&mut of);
        assert!(party().authenticate(&CHALLENGE, &credential, &answer).is_ok());
        for part in 0..3 {
            let length =
                [&answer.client_data, &answer.authenticator_data, &answer.signature][part].len();
            for at in 0..length {
                let mut changed = answer.clone();
                [
                    &mut changed.client_data,
                    &mut changed.authenticator_data,
                    &mut changed.signature,
                ][part][at] ^= 0x10;
                let passed = party().authenticate(&CHALLENGE, &credential, &changed);
                assert!(passed.is_err(), "part {part}, byte {at}");
            }
        }
    }
}

#[test]
fn guarantee_counter_a_copied_key_is_noticed() {
    let mut of = Authenticator::p256(SITE);
    let mut credential = registered(&mut of);
    credential.count = 41;
    for (count, passes) in [(40, false), (41, false), (0, false), (42, true), (u32::MAX, true)] {
        of.count = count;
        // The authenticator counts on by itself; here each answer has the count of the table.
        let answer = assertion({
            let got = of.get(&encode(&CHALLENGE));
            of.count = 0;
            got
        });
        let passed = party().authenticate(&CHALLENGE, &credential, &answer);
        let expected = if passes { Ok(count) } else { Err(Refused::CounterWentBack) };
        assert_eq!(passed, expected, "{count}");
    }
    // No counter at all: 0 for ever.
    credential.count = 0;
    of.count = 0;
    assert_eq!(party().authenticate(&CHALLENGE, &credential, &got(&mut of)), Ok(0));
}

#[test]
fn guarantee_any_bytes_are_read_or_refused() {
    let mut of = Authenticator::p256(SITE);
    let made = created(&mut of);
    for at in 0..made.object.len() {
        let cut = Attestation { object: made.object[..at].to_owned(), ..made.clone() };
        assert!(party().register(&CHALLENGE, &cut).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut changed = made.clone();
            changed.object[at] ^= 1 << bit;
            // Whatever passes has a key that is read again.
            if let Ok(credential) = party().register(&CHALLENGE, &changed) {
                assert_eq!(PublicKey::from_cose(&credential.key.to_cose()), Ok(credential.key));
            }
        }
    }
    let longer = Attestation { object: [made.object.clone(), vec![0]].concat(), ..made.clone() };
    assert!(party().register(&CHALLENGE, &longer).is_err());
    let huge = Attestation { object: vec![0x81; 70_000], ..made };
    assert_eq!(party().register(&CHALLENGE, &huge), Err(Refused::Malformed("answer")));
    // A point beside the curve is no key, nor is one of an algorithm that was not asked for.
    let beside = [
        &[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..],
        &[1; 32],
        &[0x22, 0x58, 32],
        &[1; 32],
    ]
    .concat();
    assert_eq!(PublicKey::from_cose(&beside), Err(Refused::Key));
    let es384 = [
        &[0xa5, 1, 2, 3, 0x38, 34, 0x20, 1, 0x21, 0x58, 32][..],
        &[1; 32],
        &[0x22, 0x58, 32],
        &[1; 32],
    ]
    .concat();
    assert_eq!(PublicKey::from_cose(&es384), Err(Refused::Key));
    assert_eq!(decode(&encode(&[0xfb, 0xff])), Some(vec![0xfb, 0xff]));
    assert_eq!(decode("a+b="), None);
}
