use std::{collections::HashSet, sync::Arc};

use arrow::{
    array::{
        ArrayRef, AsArray, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray,
    },
    datatypes::Int32Type,
};
use datafusion::prelude::{Expr, SessionContext, col};

use super::{counted, keyed::Keyed, *};

async fn run(columns: Vec<(&str, ArrayRef)>, expr: Expr) -> Vec<Option<String>> {
    let ctx = SessionContext::new();
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
            .unwrap();
    let out = ctx
        .read_batch(batch)
        .unwrap()
        .select(vec![as_text(expr).alias("out")])
        .unwrap()
        .collect()
        .await
        .unwrap();
    out.iter()
        .flat_map(|b| b.column(0).as_string::<i32>().iter().map(|v| v.map(str::to_owned)))
        .collect()
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(values.iter().map(|v| (!v.is_empty()).then_some(*v)).collect::<StringArray>())
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|v| (!v.is_empty()).then(|| (*v).to_owned())).collect()
}

#[tokio::test]
async fn bands_are_half_open_and_print_their_edges() {
    let expr = || band(col("x"), 5.0, Some(30.0), Some(150.0));
    let input = ["53.4", "50", "55", "29.9", "150", "", "陰性", "５３．４"];
    let expected = some(&["50~55", "50~55", "55~60", "30未満", "150以上", "", "", "50~55"]);
    assert_eq!(run(vec![("x", texts(&input))], expr()).await, expected);
    let numbers = Float64Array::from(vec![Some(53.4), None, Some(149.999)]);
    assert_eq!(run(vec![("x", Arc::new(numbers))], expr()).await, some(&["50~55", "", "145~150"]));
    let tenth = || band(col("x"), 0.1, None, None);
    assert_eq!(
        run(vec![("x", texts(&["0.3", "-0.05"]))], tenth()).await,
        some(&["0.3~0.4", "-0.1~0.0"])
    );
}

#[tokio::test]
async fn bounds_are_inclusive_and_leave_the_rest_as_written() {
    let expr = || bounds(col("x"), Some(50.0), Some(201.0));
    let input = ["211", "201", "200.9", "4.80", "50", "51.0", "<5"];
    let expected = some(&["201以上", "201以上", "200.9", "50以下", "50以下", "51.0", ""]);
    assert_eq!(run(vec![("x", texts(&input))], expr()).await, expected);
    let numbers = Float64Array::from(vec![Some(211.0), Some(53.0), Some(53.25)]);
    assert_eq!(
        run(vec![("x", Arc::new(numbers))], expr()).await,
        some(&["201以上", "53", "53.25"])
    );
}

#[tokio::test]
async fn dates_are_cut_in_their_own_style() {
    let to = |unit| truncate_date(col("x"), unit, DatePad::Bare, Some(1930));
    let input = || {
        vec![(
            "x",
            texts(&[
                "2003/7/26",
                "2003-07-26",
                "20030726",
                "1911/1/2",
                "平成15年7月26日",
                "x",
                "2003",
            ]),
        )]
    };
    assert_eq!(
        run(input(), to("month")).await,
        some(&["2003/7", "2003-07", "200307", "1930以前", "2003-07", "", ""])
    );
    assert_eq!(run(input(), to("year")).await[..4], some(&["2003", "2003", "2003", "1930以前"]));
    assert_eq!(run(input(), to("half_decade")).await[0].as_deref(), Some("2000~2005"));
    let days: ArrayRef =
        Arc::new(arrow::array::Date32Array::from(vec![Some(0), None, Some(12_259)]));
    assert_eq!(run(vec![("x", days)], to("month")).await, some(&["1970-01", "", "2003-07"]));
}

#[tokio::test]
async fn regions_are_found_by_name_and_by_postal_code() {
    let input = [
        "東京都千代田区霞が関1-1",
        "神奈川県横浜市西区1",
        "横浜市西区1",
        "三重県四日市市諏訪町1",
        "福岡県糟屋郡粕屋町1",
        "東京都 町田市1",
        "100-0013",
        "〒5300001",
        "どこか",
        "千葉県市川市八幡1",
        "東京都東村山市1",
        "山梨県西八代郡市川三郷町1",
    ];
    let prefectures = run(vec![("x", texts(&input))], region(col("x"), Level::Prefecture)).await;
    assert_eq!(
        prefectures,
        some(&[
            "東京都",
            "神奈川県",
            "神奈川県",
            "三重県",
            "福岡県",
            "東京都",
            "東京都",
            "大阪府",
            "",
            "千葉県",
            "東京都",
            "山梨県"
        ])
    );
    let municipalities =
        run(vec![("x", texts(&input))], region(col("x"), Level::Municipality)).await;
    assert_eq!(
        municipalities,
        some(&[
            "東京都千代田区",
            "神奈川県横浜市",
            "神奈川県横浜市",
            "三重県四日市市",
            "福岡県糟屋郡粕屋町",
            "東京都町田市",
            "東京都",
            "大阪府",
            "",
            "千葉県市川市",
            "東京都東村山市",
            "山梨県西八代郡市川三郷町"
        ])
    );
}

#[tokio::test]
async fn what_is_finer_than_a_municipality_never_passes_for_one() {
    let input = [
        "東京都霞が関町1-2-3",
        "東京都1丁目2番3市営住宅",
        "福岡県粕屋町1",
        "東京都八丈町1",
        "千葉県-2市",
        "大阪府北区1",
    ];
    let expected = some(&["東京都", "東京都", "福岡県", "東京都八丈町", "千葉県", "大阪府"]);
    assert_eq!(
        run(vec![("x", texts(&input))], region(col("x"), Level::Municipality)).await,
        expected
    );
}

#[tokio::test]
async fn codes_categories_and_residuals() {
    let input = || {
        vec![("x", texts(&["E11.9", "e119", "I10", ""])), ("y", texts(&["a", "rare", "a", "a"]))]
    };
    assert_eq!(run(input(), code_parent(col("x"), 3)).await, some(&["E11", "e11", "I10", ""]));
    assert_eq!(run(input(), code_parent(col("x"), 4)).await, some(&["E11.9", "e119", "I10", ""]));
    assert_eq!(
        run(input(), category(col("x"), "その他", ["I10"])).await,
        some(&["その他", "その他", "I10", ""])
    );
    let common =
        |values: &[&str]| Arc::new(values.iter().map(|v| (*v).to_owned()).collect::<HashSet<_>>());
    let alone = vec![counted::Member { value: col("x"), common: common(&["E11.9", "I10"]) }];
    assert_eq!(
        run(input(), counted::residual(alone, 0, "その他", Some(3))).await,
        some(&["E11", "その他", "I10", ""])
    );
    let group = || {
        vec![
            counted::Member { value: col("x"), common: common(&["E11.9", "e119", "I10"]) },
            counted::Member { value: col("y"), common: common(&["a"]) },
        ]
    };
    assert_eq!(
        run(input(), counted::residual(group(), 0, "その他", None)).await,
        some(&["E11.9", "その他", "I10", ""])
    );
    assert_eq!(
        run(input(), counted::residual(group(), 1, "その他", None)).await,
        some(&["a", "その他", "a", "a"])
    );
}

#[tokio::test]
async fn a_dictionary_column_gives_what_a_plain_one_gives() {
    let values = ["53.4", "211", "53.4", "", "7"];
    let plain = texts(&values);
    let coded: DictionaryArray<Int32Type> = DictionaryArray::new(
        Int32Array::from(vec![Some(0), Some(1), Some(0), None, Some(2)]),
        texts(&["53.4", "211", "7"]),
    );
    for expr in
        [band(col("x"), 5.0, None, None), bounds(col("x"), Some(10.0), None), as_text(col("x"))]
    {
        let a = run(vec![("x", Arc::clone(&plain))], expr.clone()).await;
        assert_eq!(a, run(vec![("x", Arc::new(coded.clone()))], expr).await);
    }
}

#[tokio::test]
async fn a_person_moves_by_one_offset_and_no_plan_shows_the_key() {
    let keyed = Keyed::new(b"0123456789abcdef0123456789abcdef", "dst_test");
    let input = vec![
        ("p", texts(&["a", "a", "b", "a"])),
        ("x", texts(&["2020/8/3", "2020/9/3", "2020/8/3", "2020"])),
    ];
    let expr = keyed.shift(col("p"), col("x"), 30, false, DatePad::Bare);
    assert!(!format!("{expr:?} {expr}").contains("0123456789abcdef"));
    let out = run(input, expr).await;
    let days = |t: &Option<String>| {
        let d = dates::Written::read(t.as_deref().unwrap()).unwrap();
        d.days().unwrap()
    };
    assert_eq!(days(&out[1]) - days(&out[0]), 31);
    assert_eq!(days(&out[0]) - dates::days_of(2020, 8, 3), keyed.offset_of("a", 30));
    assert_eq!(days(&out[2]) - dates::days_of(2020, 8, 3), keyed.offset_of("b", 30));
    assert_eq!(out[3], None, "what is no full date is emptied");
}

#[test]
fn numbers_read_back_what_they_print() {
    assert_eq!(range_of("50~55"), Some(NumberRange::Between(50.0, 55.0)));
    assert_eq!(range_of("201以上"), Some(NumberRange::From(201.0)));
    assert_eq!(range_of("30未満"), Some(NumberRange::UpTo(30.0)));
    assert_eq!(range_of("その他"), None);
    assert_eq!(number_of("inf"), None);
    assert_eq!(
        [4.8, 20.9, 211.0, 1e21, -0.0].map(format_number),
        ["4.8", "20.9", "211", "1000000000000000000000", "0"]
    );
}

#[tokio::test]
async fn members_of_a_group_in_one_plan_keep_their_own_values() {
    let common: Arc<HashSet<String>> = Arc::new(["E119", "E11.9"].map(str::to_owned).into());
    let members = || {
        ["x", "y"].map(|c| counted::Member { value: col(c), common: Arc::clone(&common) }).into()
    };
    let ctx = SessionContext::new();
    let batch =
        RecordBatch::try_from_iter([("x", texts(&["E119"])), ("y", texts(&["E11.9"]))]).unwrap();
    let out = ctx
        .read_batch(batch)
        .unwrap()
        .select(vec![
            counted::residual(members(), 0, "その他", None).alias("x"),
            counted::residual(members(), 1, "その他", None).alias("y"),
            counted::residual(members(), 1, "その他", Some(3)).alias("z"),
        ])
        .unwrap()
        .collect()
        .await
        .unwrap();
    let cell = |i: usize| out[0].column(i).as_string::<i32>().value(0).to_owned();
    assert_eq!([cell(0), cell(1), cell(2)], ["E119", "E11.9", "E11"]);
}
