use std::collections::{HashMap, HashSet};

use datafusion::{
    logical_expr::Expr,
    prelude::{SessionContext, col},
};
use datafusion_proto::logical_plan::DefaultLogicalExtensionCodec;

use super::*;
use crate::functions::{
    DatePad,
    counted::{self, Member, Override, cell_key},
    keyed::{FixedOutcome, Keyed, PERSON},
};

fn key(dir: &tempfile::TempDir, name: &str) -> ClusterKey {
    let path = dir.path().join(name);
    if path.exists() { ClusterKey::read(&path) } else { ClusterKey::create(&path) }.unwrap()
}

fn codec(key: &ClusterKey) -> Logical {
    Logical {
        inner: Arc::new(DefaultLogicalExtensionCodec {}),
        functions: Functions::new(key).unwrap(),
    }
}

/// The functions in an expression, outermost first.
fn functions_of(expr: &Expr) -> Vec<Arc<ScalarUDF>> {
    let Expr::ScalarFunction(call) = expr else { return Vec::new() };
    let mut found = vec![Arc::clone(&call.func)];
    found.extend(call.args.iter().flat_map(functions_of));
    found
}

/// One call of every function that holds something.
fn holding() -> Vec<Expr> {
    let keyed = Keyed::new(b"0123456789abcdef0123456789abcdef", "dst_test");
    let fixed = FixedOutcome { pseudonym: Some("K1".to_owned()), offset_days: Some(-3) };
    let fixed = Keyed::with_fixed(&[7; 32], "dst_fixed", fixed);
    let set = |values: &[&str]| Arc::new(values.iter().map(|v| (*v).to_owned()).collect());
    let members = vec![
        Member { value: col("x"), common: set(&["秘密の値"]) },
        Member { value: col("y"), common: set(&[]) },
    ];
    let bounds = HashMap::from([("F\u{1f}".to_owned(), (0.1 + 0.2, f64::MIN_POSITIVE))]);
    let decided = [Override::Empty, Override::Prefecture, Override::Text("他".to_owned())];
    let decided = decided.into_iter().enumerate();
    let decided = decided.map(|(i, o)| (cell_key(&format!("per_{i}"), "v"), o)).collect();
    vec![
        keyed.pseudonym(PERSON, col("x")),
        keyed.shift(col("x"), col("y"), 30, true, DatePad::Bare),
        fixed.pseudonym(PERSON, col("x")),
        fixed.shift(col("x"), col("y"), 9, false, DatePad::Padded),
        counted::residual(members, 1, "その他", Some(3)),
        counted::is_in(col("x"), "small", set(&["per_秘密"])),
        counted::group_bounds(col("x"), vec![col("y")], Arc::new(bounds)),
        counted::decided(col("x"), col("y"), Arc::new(decided)),
    ]
}

#[test]
fn what_a_function_holds_arrives_whole_and_only_with_the_same_key_and_build() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (codec(&key(&dir, "a")), codec(&key(&dir, "a")));
    let strangers = [key(&dir, "b"), key(&dir, "a").of_build("0")].map(|k| codec(&k));
    let mut kinds = HashSet::new();
    for function in holding().iter().flat_map(functions_of) {
        let state = state_of(&function).unwrap();
        kinds.insert(state[0]);
        let mut sealed = Vec::new();
        ours.try_encode_udf(&function, &mut sealed).unwrap();
        let back = theirs.try_decode_udf(function.name(), &sealed).unwrap();
        assert_eq!(state_of(&back).unwrap(), state, "{}", function.name());
        assert_eq!(back.name(), function.name());
        // One body for equal states.
        assert_eq!(back, theirs.try_decode_udf(function.name(), &sealed).unwrap());
        for stranger in &strangers {
            assert!(stranger.try_decode_udf(function.name(), &sealed).is_err());
        }
        assert!(theirs.try_decode_udf("kiban_other", &sealed).is_err(), "bound to its name");
        let at = sealed.len() / 2;
        sealed[at] ^= 1;
        assert!(theirs.try_decode_udf(function.name(), &sealed).is_err());
    }
    assert_eq!(kinds.len(), 7, "every kind of state");
}

#[test]
fn a_cut_state_is_refused_wherever_it_is_cut() {
    let instances = Instances::default();
    for function in holding().iter().flat_map(functions_of) {
        let state = state_of(&function).unwrap();
        for length in 0..state.len() {
            assert!(instances.restore("f", &state[..length]).is_err());
        }
        let longer = [&state[..], &[0]].concat();
        assert!(instances.restore("f", &longer).is_err());
    }
}

#[tokio::test]
async fn a_plan_on_the_wire_shows_no_state_and_its_errors_name_none() {
    let dir = tempfile::tempdir().unwrap();
    let codec = codec(&key(&dir, "a"));
    let ctx = SessionContext::new();
    let plan = ctx.sql("SELECT 'a' AS x, '2020-01-02' AS y").await.unwrap();
    let calls = holding().into_iter().enumerate().map(|(i, c)| c.alias(format!("c{i}")));
    let plan = plan.select(calls.collect::<Vec<_>>()).unwrap().into_unoptimized_plan();
    let bytes =
        datafusion_proto::bytes::logical_plan_to_bytes_with_extension_codec(&plan, &codec).unwrap();
    for secret in [&b"0123456789abcdef0123456789abcdef"[..], &[7; 32], "秘密".as_bytes()] {
        assert!(!bytes.windows(secret.len()).any(|w| w == secret));
    }
    let context = ctx.task_ctx();
    let back = datafusion_proto::bytes::logical_plan_from_bytes_with_extension_codec(
        &bytes, &context, &codec,
    );
    assert_eq!(back.unwrap().display_indent().to_string(), plan.display_indent().to_string());
    let stranger = super::tests::codec(&key(&dir, "b"));
    let refused = datafusion_proto::bytes::logical_plan_from_bytes_with_extension_codec(
        &bytes, &context, &stranger,
    );
    assert!(!refused.unwrap_err().to_string().contains("秘密"));
}
