//! Letters at the holder: who is due, the batch, what is posted, what comes back, and what the gate makes of it.

use std::fs;

use kiban_intake::holder::{
    self, LetterKind, LettersRefused, NoticeText, Profile, SealError, batches, due, make_letters,
    mark_letters_returned, record_sent,
};
use kiban_kernel::{Regime, Rules};

use crate::home::{Home, day, patient, run};
use kiban_kernel::NoSteps;
use kiban_testkit::SeededEntropy;

const HEAD: &str = "local_id,name,postal_code,address,birth_on,died_on,guardian_name\n";

/// A holder whose version v1 has words.
fn written(home: &Home) {
    let mut profile = Profile::load(home.path()).unwrap();
    for version in &mut profile.notice {
        version.text = Some(NoticeText {
            purpose: "研究開発のため".into(),
            data_items: "病名、検査".into(),
            acquisition: "診療".into(),
            method: "専用線".into(),
            stop_on_request: "求めにより停止".into(),
            request_desk: "窓口 <1階>".into(),
        });
    }
    fs::write(home.path().join("profile.toml"), profile.to_text().unwrap()).unwrap();
}

fn recipients(home: &Home, rows: &str) {
    fs::write(home.path().join("recipients.csv"), format!("{HEAD}{rows}")).unwrap();
}

fn counts(home: &Home, on: &str) -> Vec<(LetterKind, Vec<String>)> {
    let due = due(home.path(), day(on), &Rules::built_in().unwrap()).unwrap();
    due.lists
        .into_iter()
        .map(|(kind, list)| (kind, list.into_iter().map(|d| d.local_id).collect()))
        .collect()
}

#[test]
fn each_kind_of_letter_finds_its_people_and_nobody_else() {
    let mut home = Home::new();
    home.notify("told", &Regime::ALL, "2025-01-10");
    home.notify("only52", &[Regime::Anon52], "2025-01-10");
    home.notify("only52-stopped57", &[Regime::Anon52], "2025-01-10");
    home.stop("only52-stopped57", "pseudo57");
    home.stop("stopped", "anon52;pseudo57");
    // Told at fifteen; sixteen on 2025-05-01.
    home.notify("young", &Regime::ALL, "2025-01-10");
    let _ = home.request("2025-06-01");
    recipients(
        &home,
        "told,甲,100-0001,架空市1,1980-01-02,,\n\
         only52,乙,100-0001,架空市2,1980-01-02,,\n\
         only52-stopped57,丙,100-0001,架空市3,1980-01-02,,\n\
         stopped,丁,100-0001,架空市4,1980-01-02,,\n\
         young,戊,100-0001,架空市5,2009-05-01,,親\n\
         new,己,100-0001,架空市6,1990-01-02,,\n\
         child,庚,100-0001,架空市7,2015-01-02,,保護者\n\
         child-alone,辛,100-0001,架空市8,2015-01-02,,\n\
         dead,壬,100-0001,架空市9,1930-01-02,2025-01-01,\n\
         nowhere,癸,100-0001,,1990-01-02,,\n",
    );
    let is = |on: &str, kind: LetterKind, who: &[&str]| {
        let found = counts(&home, on);
        let of: Vec<String> =
            found.iter().filter(|(k, _)| *k == kind).flat_map(|(_, l)| l.clone()).collect();
        assert_eq!(of, who, "{kind:?} on {on}");
    };
    is("2025-04-30", LetterKind::At16, &[]);
    is("2025-05-01", LetterKind::At16, &["young"]);
    is("2025-05-01", LetterKind::Upgrade57, &["only52"]);
    is("2025-05-01", LetterKind::First, &["child", "new"]);
    let all = due(home.path(), day("2025-05-01"), &Rules::built_in().unwrap()).unwrap();
    assert_eq!(all.settled, 2, "told, and the one who said no to 57");
    let why: Vec<(&str, u64)> = all.left_out.iter().map(|(r, n)| (r.as_str(), *n)).collect();
    assert_eq!(
        why,
        [
            ("letters.dead", 1),
            ("letters.no-address", 1),
            ("letters.no-guardian", 1),
            ("letters.stopped", 1)
        ]
    );
    assert!(all.left_out.keys().all(|r| holder::left_out_ja(r).is_some()));
}

#[test]
fn a_letter_counts_from_the_day_it_is_posted_until_it_comes_back() {
    let mut home = Home::new();
    home.notify("p2", &Regime::ALL, "2025-01-10");
    written(&home);
    let request = home.request("2025-06-01");
    drop(request);
    recipients(
        &home,
        "p1,見本 <太郎>,100-0001,\"架空市1,2\",1980-01-02,,\np2,見本 次郎,100-0001,架空市2,1980-01-02,,\n",
    );
    let rules = Rules::built_in().unwrap();
    let make = |kind, on: &str| make_letters(home.path(), kind, "v1", day(on), &rules);
    assert!(matches!(
        make(LetterKind::Upgrade57, "2025-02-01"),
        Err(SealError::Letters(LettersRefused::Nobody))
    ));
    let wrong = make_letters(home.path(), LetterKind::First, "v9", day("2025-02-01"), &rules);
    assert!(matches!(wrong, Err(SealError::Letters(LettersRefused::NoVersion))));
    let made = make(LetterKind::First, "2025-02-01").unwrap();
    assert_eq!(made.batch.persons(), 1);
    let page = fs::read_to_string(&made.pages).unwrap();
    assert_eq!(page.matches("<section>").count(), 1);
    assert!(page.contains("見本 &lt;太郎&gt; 様") && page.contains("窓口 &lt;1階&gt;"));
    assert!(page.contains("法第52条") && page.contains("法第57条"), "both regimes on one sheet");
    let list = fs::read_to_string(&made.addresses).unwrap();
    assert!(list.contains("\"架空市1,2\"") && list.lines().count() == 2);
    // Again: the same batch. Another day, before it was posted: nobody is written to twice.
    assert_eq!(make(LetterKind::First, "2025-02-01").unwrap().batch.id, made.batch.id);
    assert!(make(LetterKind::First, "2025-02-02").is_err());

    // Until it is posted nobody is told.
    let id = made.batch.id;
    let today = day("2025-06-01");
    assert!(!fs::read_to_string(home.path().join("notices.csv")).unwrap().contains("p1"));
    assert!(mark_letters_returned(home.path(), &id, &["p1".into()], today, today).is_err());
    assert!(record_sent(home.path(), &id, day("2025-01-31"), today).is_err());
    record_sent(home.path(), &id, day("2025-02-03"), today).unwrap();
    record_sent(home.path(), &id, day("2025-02-03"), today).unwrap();
    assert!(record_sent(home.path(), &id, day("2025-02-04"), today).is_err());
    let notices = fs::read_to_string(home.path().join("notices.csv")).unwrap();
    assert_eq!(notices.matches("p1,").count(), 2, "one for each regime, once");
    assert!(batches(home.path()).unwrap()[0].sent_on.is_some());

    // The gate counts from the day of the post.
    home.file("Patient.ndjson", patient("p1", "MARK-1"));
    let seal = |on: &str| {
        let request = holder::SealRequest::from_home(
            home.path().to_owned(),
            vec![home.path().join("in")],
            day(on),
        )
        .unwrap();
        run(&request, &SeededEntropy::new(2), &NoSteps)
    };
    assert!(matches!(seal("2025-03-05"), Err(SealError::NobodyToSend { withheld: 1, .. })));
    assert_eq!(seal("2025-03-06").unwrap().kept_persons, 1);

    // It comes back: closed again, and due for a second letter.
    let by_number = format!("{id}-00001");
    let unknown = ["p2".to_owned()];
    assert!(mark_letters_returned(home.path(), &id, &unknown, day("2025-02-20"), today).is_err());
    let back = mark_letters_returned(home.path(), &id, &[by_number], day("2025-02-20"), today);
    assert_eq!(back.unwrap().marked, 1);
    let again = mark_letters_returned(home.path(), &id, &["p1".into()], day("2025-02-20"), today);
    assert_eq!((again.as_ref().unwrap().marked, again.unwrap().known), (0, 1));
    assert!(matches!(seal("2025-05-01"), Err(SealError::NobodyToSend { withheld: 1, .. })));
    assert_eq!(counts(&home, "2025-05-01"), [(LetterKind::Again, vec!["p1".to_owned()])]);
    let second = make(LetterKind::Again, "2025-05-01").unwrap();
    record_sent(home.path(), &second.batch.id, day("2025-05-02"), today).unwrap();
    assert!(counts(&home, "2025-05-10").is_empty());
    assert!(seal("2025-06-01").is_err(), "the second wait runs through 1 June");
    assert_eq!(seal("2025-06-02").unwrap().kept_persons, 1);

    // A broken list stops everything.
    fs::write(home.path().join("returned.csv"), "local_id\n").unwrap();
    assert!(matches!(seal("2025-06-02"), Err(SealError::Returned(_))));
}
