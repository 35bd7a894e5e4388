use kiban_kernel::{Date, Id};

use super::*;

fn d(m: i8, day: i8) -> Date {
    Date::constant(2026, m, day)
}
fn certified(expires: Option<Date>) -> State {
    State::Certified { number: "M-26-01".into(), expires }
}
fn step(on: Date, state: State) -> Step {
    Step { on, state }
}
fn user(steps: Vec<Step>) -> Certification {
    Certification::from_history(
        Id::from_bytes([1; 16]),
        CertificationKind::PseudoUser(UserType::I),
        steps,
    )
    .unwrap()
}

#[test]
fn effective_from_the_day_of_certification_to_the_eve_of_its_end() {
    let c = user(vec![
        step(d(1, 5), State::Applied),
        step(d(4, 1), certified(None)),
        step(d(9, 1), State::ChangePending { number: "M-26-01".into(), expires: None }),
        step(d(10, 1), certified(None)),
        step(d(12, 1), State::Revoked),
    ]);
    for (on, ok) in [
        (d(1, 4), false),
        (d(1, 5), false),
        (d(3, 31), false),
        (d(4, 1), true),
        (d(9, 15), true),
        (d(11, 30), true),
        (d(12, 1), false),
    ] {
        assert_eq!(c.effective(on).is_ok(), ok, "{on}");
    }
    assert!(c.effective(d(12, 1)).unwrap_err().ja().contains("取消し"));
}

#[test]
fn a_limited_certification_runs_out() {
    let c = user(vec![step(d(1, 5), State::Applied), step(d(4, 1), certified(Some(d(7, 1))))]);
    assert!(c.effective(d(6, 30)).is_ok());
    let e = c.effective(d(7, 1)).unwrap_err();
    assert_eq!(e.why, WhyNot::Expired { since: d(7, 1) });
    assert!(e.law().is_some());
}

#[test]
fn a_lapse_begins_on_the_day_on_which_no_certification_is_left() {
    let org = Id::from_bytes([1; 16]);
    let of = |steps| vec![user(steps)];
    let revoked = of(vec![
        step(d(1, 5), State::Applied),
        step(d(4, 1), certified(None)),
        step(d(6, 1), State::Revoked),
    ]);
    assert_eq!(lapsed_on(org, &revoked, d(5, 31)), None);
    assert_eq!(lapsed_on(org, &revoked, d(6, 1)), Some(d(6, 1)));
    assert_eq!(lapsed_on(org, &revoked, d(9, 9)), Some(d(6, 1)));
    assert_eq!(lapsed_on(Id::from_bytes([2; 16]), &revoked, d(9, 9)), None, "never certified");
    let expired = of(vec![step(d(1, 5), State::Applied), step(d(4, 1), certified(Some(d(7, 1))))]);
    assert_eq!(lapsed_on(org, &expired, d(7, 1)), Some(d(7, 1)));
    // Renewed after an interruption: certified again; the next end counts.
    let renewed = of(vec![
        step(d(1, 5), State::Applied),
        step(d(4, 1), certified(Some(d(7, 1)))),
        step(d(8, 1), certified(Some(d(10, 1)))),
    ]);
    assert_eq!(lapsed_on(org, &renewed, d(7, 15)), Some(d(7, 1)));
    assert_eq!(lapsed_on(org, &renewed, d(9, 1)), None);
    assert_eq!(lapsed_on(org, &renewed, d(11, 1)), Some(d(10, 1)));
}

#[test]
fn steps_the_machine_lacks_are_refused_with_from_and_to() {
    let org = Id::from_bytes([1; 16]);
    let kind = CertificationKind::AnonProducer;
    let all = [
        State::Applied,
        State::Denied,
        certified(None),
        State::ChangePending { number: "x".into(), expires: None },
        State::Succeeded { by: org },
        State::Abolished,
        State::Dissolved,
        State::Revoked,
    ];
    // nothing but an application begins, nothing follows an end
    for state in &all {
        let first = Certification::from_history(org, kind, [step(d(1, 1), state.clone())]);
        assert_eq!(first.is_ok(), *state == State::Applied, "{state:?}");
    }
    for end in all.iter().filter(|s| s.is_end() && **s != State::Denied) {
        for next in &all {
            let mut c = user(vec![
                step(d(1, 1), State::Applied),
                step(d(2, 1), certified(None)),
                step(d(3, 1), end.clone()),
            ]);
            assert!(c.step(step(d(4, 1), next.clone())).is_err());
        }
    }
    let mut c = user(vec![step(d(1, 5), State::Applied)]);
    assert_eq!(
        c.step(step(d(2, 1), State::Revoked)),
        Err(StepError::NotAllowed { from: "applied", to: "revoked" })
    );
    assert!(matches!(c.step(step(d(1, 4), certified(None))), Err(StepError::Backwards { .. })));
    let blank = State::Certified { number: " ".into(), expires: None };
    assert_eq!(c.step(step(d(2, 1), blank)), Err(StepError::NoNumber));
}

#[test]
fn the_proof_of_a_certified_user_names_the_type_and_prefers_the_wider() {
    let org = Id::from_bytes([1; 16]);
    let steps = || vec![step(d(1, 5), State::Applied), step(d(4, 1), certified(None))];
    let two =
        Certification::from_history(org, CertificationKind::PseudoUser(UserType::II), steps())
            .unwrap();
    let on = d(5, 1);
    assert_eq!(pseudo_user(org, std::slice::from_ref(&two), on).unwrap().user_type(), UserType::II);
    let both = [two, user(steps())];
    assert_eq!(pseudo_user(org, &both, on).unwrap().user_type(), UserType::I);
    assert!(pseudo_user(Id::from_bytes([2; 16]), &both, on).is_err());
    assert_eq!(
        pseudo_user(org, &both, d(3, 1)).unwrap_err().why.to_string(),
        "its state is applied"
    );
    assert!(require(org, CertificationKind::Trustee, &both, on).unwrap_err().ja().contains("受託"));
}

#[test]
fn every_kind_has_a_law_key_and_reads_back() {
    for kind in CertificationKind::ALL {
        assert!(kind.law().is_some());
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
}
