//! Keys for another database: data, made anew for each provision, carried over.

use std::collections::BTreeSet;

use kiban_register::link::Memory;

use crate::links::{Person, World, person};

// E: keys for another database
#[tokio::test]
async fn link_keys_differ_by_provision_and_are_carried_over() {
    use kiban_kernel::Digest;
    use kiban_register::link_key::{
        Algorithm, KeyField, KeySecrets, Normalisation, Official, Profile, ProfileError,
        keys as made, rekey,
    };
    let profile = |id: &str, fields: Vec<KeyField>| Profile {
        id: id.into(),
        version: "1".into(),
        ja: "試験".into(),
        fields,
        normalisation: Normalisation::Kiban1,
        algorithm: Algorithm::HmacSha256,
        official: None,
    };
    let name = profile("id4-like", vec![KeyField::NameKana, KeyField::BirthDate, KeyField::Sex]);
    let card = profile(
        "id1-like",
        vec![
            KeyField::InsurerNo,
            KeyField::Symbol,
            KeyField::Number,
            KeyField::BirthDate,
            KeyField::Sex,
        ],
    );
    // Data, not code: an unknown field is refused, and so is an official id without its specification.
    let text = serde_json::to_string(&name).unwrap();
    assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), name);
    assert!(serde_json::from_str::<Profile>(&text.replace("name_kana", "blood")).is_err());
    let claim = Digest::of(b"the ministry's specification");
    let official =
        Profile { official: Some(Official { name: "ID4".into(), sha256: claim }), ..name.clone() };
    assert_eq!(official.check(&[]), Err(ProfileError::NotLoaded));
    assert_eq!(official.check(&[claim]), Ok(()));
    assert_eq!(profile("", vec![KeyField::Sex]).check(&[]), Err(ProfileError::Name));
    assert_eq!(profile("x", vec![]).check(&[]), Err(ProfileError::Fields));
    assert_eq!(profile("x", vec![KeyField::Sex; 2]).check(&[]), Err(ProfileError::Fields));

    let world = World::new().await;
    let mut all: Vec<Person> = (0..5).map(|n| person(n, 1)).collect();
    // 0 has a card here, and at hospital 2 another spelling and another card: several keys.
    (all[0].insurer, all[0].number) = ("06139984", "11".into());
    let mut other = person(0, 2);
    other.local = "B0".into();
    (other.insurer, other.number) = ("06270015", "22".into());
    all.push(other);
    // 4 has no kana: no key by name.
    all[4].kana.clear();
    world.take(&all).await;
    drop(world.link(&[], Memory::default()).await);
    let (base, a, b) = ([1; 32], [2; 32], [3; 32]);
    let (first, second) =
        (KeySecrets { base: &base, provision: &a }, KeySecrets { base: &base, provision: &b });
    let one = made(&world.lake, &name, &first, |_| true).await.unwrap();
    assert_eq!((one.coverage.persons, one.coverage.with_key), (5, 4));
    assert_eq!(one.coverage.lacking["name_kana"], 1);
    let cards = made(&world.lake, &card, &first, |_| true).await.unwrap();
    assert_eq!(
        (cards.coverage.with_key, cards.coverage.with_several, cards.coverage.keys),
        (1, 1, 2)
    );
    assert_eq!(cards.rows[0].0, cards.rows[1].0, "one person, one row id");
    // Another provision shares nothing with it, neither keys nor row ids.
    let two = made(&world.lake, &name, &second, |_| true).await.unwrap();
    let told = |r: &kiban_register::link_key::Released| -> BTreeSet<String> {
        r.rows.iter().flat_map(|(row, key)| [row.clone(), key.clone()]).collect()
    };
    assert!(told(&one).is_disjoint(&told(&two)));
    assert!(told(&one).is_disjoint(&told(&cards)) || one.rows[0].1 != cards.rows[0].1);
    assert_eq!(made(&world.lake, &name, &first, |_| true).await.unwrap(), one, "the same again");
    // Who holds the secrets carries the list over.
    let old: BTreeSet<String> = one.rows.iter().map(|(_, key)| key.clone()).collect();
    let carried = rekey(&world.lake, &name, &first, &second, &old).await.unwrap();
    let new: BTreeSet<String> = two.rows.iter().map(|(_, key)| key.clone()).collect();
    assert_eq!(carried.values().cloned().collect::<BTreeSet<_>>(), new);
    assert_eq!(carried.len(), old.len());
}
