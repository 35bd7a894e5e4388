use super::*;
use jiff::civil::date;

#[test]
fn reads_what_japanese_records_write() {
    let day = date(2003, 7, 26);
    for text in [
        "20030726",
        "2003-07-26",
        "2003/7/26",
        "2003.7.26",
        "2003年7月26日",
        "H15.7.26",
        "平成15年7月26日",
        "4150726",
        "２００３／０７／２６",
        "20030726103000",
        "2003-07-26T10:30:00+09:00",
        " 2003-07-26 ",
    ] {
        assert_eq!(parse_date(text), Ok(day), "{text}");
    }
    assert_eq!(parse_date("平成元年1月8日"), Ok(date(1989, 1, 8)));
    assert_eq!(parse_date("T10.3.4"), Ok(date(1921, 3, 4)));
    assert_eq!(parse_date("H31.5.2"), Ok(date(2019, 5, 2)), "an era that over-ran");
}

#[test]
fn keeps_what_is_not_known_unknown() {
    assert_eq!(parse_partial("20030700").unwrap().to_string(), "2003-07");
    assert_eq!(parse_partial("2003").unwrap().to_string(), "2003");
    assert_eq!(parse_partial("41507").unwrap().to_string(), "2003-07");
    assert_eq!(parse_date("200307"), Err(DateError::Partial));
    assert_eq!(parse_partial("2003-07").unwrap().latest(), date(2003, 7, 31));
    let (a, b) = (parse_partial("2003-07").unwrap(), parse_partial("2003-07-26").unwrap());
    assert_eq!(a.partial_cmp(&b), None);
}

#[test]
fn reads_times_and_brings_them_to_japan() {
    let at = |text: &str| {
        let m = parse_moment(text).unwrap();
        (m.date.to_string(), m.time)
    };
    let expected = ("2024-02-03".to_owned(), Some((15, 8, 0)));
    assert_eq!(at("202402031508"), expected);
    assert_eq!(at("20240203150800.1234+0900"), expected);
    assert_eq!(at("2024-02-03T15:08:00+09:00"), expected);
    assert_eq!(at("2024-02-03T06:08:00Z"), expected);
    assert_eq!(at("2024-02-03 15:08"), expected);
    assert_eq!(at("2024-02-03"), ("2024-02-03".to_owned(), None));
    assert_eq!(at("2024-02-02T20:30:00-01:00"), ("2024-02-03".to_owned(), Some((6, 30, 0))));
    assert!(parse_moment("202402032508").is_err());
    assert!(parse_moment("2024-02-03T15:08:00+xx").is_err());
}

#[test]
fn refuses_the_rest() {
    for text in
        ["", "abc", "20030231", "2003-13-01", "99999999", "00000000", "-", "1-2-3-4", "６月"]
    {
        assert!(parse_partial(text).is_err(), "{text}");
    }
}

#[test]
fn the_two_common_shapes_are_read_as_all_others() {
    for year in [0, 999, 1000, 1868, 2024, 9999] {
        for (month, day) in (0..=13).flat_map(|month| (0..=32).map(move |day| (month, day))) {
            for text in
                [format!("{year:04}{month:02}{day:02}"), format!("{year:04}-{month:02}-{day:02}")]
            {
                assert_eq!(parse_partial(&text), parse_any(&text), "{text}");
            }
        }
    }
    for text in ["2024-0a-01", "2024a101", "２０２４-01", "2024--0101", "+024-01-01"] {
        assert_eq!(parse_partial(text), parse_any(text), "{text}");
    }
}
