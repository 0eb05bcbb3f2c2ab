use std::collections::BTreeMap;

use proptest::prelude::*;
use tollgate_core::Timestamp;

use super::*;

const S0_14: &str = r#"{"high": 3, "medium": 2, "low": 1}[field.priority] + min(floor(age_days / 7), 5)"#;

/// An entry whose fields a test may set.
struct Entry {
    labels: Vec<String>,
    fields: BTreeMap<String, FieldValue>,
    age_days: i64,
}

impl Default for Entry {
    fn default() -> Self {
        let fields = [
            ("priority", FieldValue::Text("high".into())),
            ("effort", FieldValue::Number(8.0)),
            ("urgent", FieldValue::Bool(true)),
            ("teams", FieldValue::List(vec!["kiosk".into(), "web".into()])),
        ];
        Self {
            labels: vec!["tollgate".into(), "bug".into()],
            fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
            age_days: 10,
        }
    }
}

impl Entry {
    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            key: "BACK-12",
            kind: "task",
            title: "Scan the shelf",
            labels: &self.labels,
            author: "ada",
            tracker: "folder:backlog",
            backlog: "specs",
            created: Timestamp::from_millis(1_780_315_200_000),
            age_days: self.age_days,
            fields: &self.fields,
        }
    }
}

#[track_caller]
fn number(formula: &str, expected: f64) {
    let formula = Formula::parse(formula).unwrap_or_else(|error| panic!("{formula}: {error}"));
    assert_eq!(formula.number(&Entry::default().inputs()), Ok(expected), "{}", formula.source());
}

#[track_caller]
fn truth(formula: &str, expected: bool) {
    let formula = Formula::parse(formula).unwrap_or_else(|error| panic!("{formula}: {error}"));
    assert_eq!(formula.truth(&Entry::default().inputs()), Ok(expected), "{}", formula.source());
}

#[track_caller]
fn refused(formula: &str) -> String {
    let error = Formula::parse(formula).expect_err(formula);
    let at = error.span.map(|span| format!(" at `{}`", &formula[span])).unwrap_or_default();
    let help = error.help.map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{}{at}{help}", error.message)
}

#[track_caller]
fn failed(formula: &str) -> String {
    Formula::parse(formula).unwrap().number(&Entry::default().inputs()).expect_err(formula).to_string()
}

#[test]
fn the_part_of_a_conjunction_that_says_no_is_found() {
    #[track_caller]
    fn first_false(formula: &str, expected: Option<&str>) {
        let parsed = Formula::parse(formula).unwrap();
        assert_eq!(parsed.first_false_part(&Entry::default().inputs()), expected, "{formula}");
    }
    first_false("true && (false || false) && false", Some("(false || false)"));
    first_false("true && field.unknown == 1.0 && false", Some("false"));
    first_false("key == \"x\"&&true", Some("key == \"x\""));
    first_false("true && true", None);
    for not_taken_apart in [
        "false",
        "false || false && true",
        "false ? true && false : false",
        "key == \"a && b\" && false",
        "true && false // && true",
    ] {
        first_false(not_taken_apart, None);
    }
}

#[test]
fn all_numbers_are_doubles() {
    number("1 + 0.1 * 4", 1.4);
    number("7 / 2", 3.5);
    number("-3 + 5", 2.0);
    number("0x10", 16.0);
    number("size(labels) / 4", 0.5);
    number("labels.size() + 0.5", 2.5);
    number("[1, 2.5][1]", 2.5);
    number("[10, 20][field.effort - 7]", 20.0);
    number("{1: 5, 8: 6}[field.effort]", 6.0);
    number("{true: 3, false: 1}[field.urgent]", 3.0);
    number("double(\"2.5\")", 2.5);
}

#[test]
fn functions_are_those_of_arithmetic() {
    number("min(3, 1, 2)", 1.0);
    number("max([3, 1, 2.5])", 3.0);
    number("floor(-0.5) + ceil(0.5) + round(2.5)", 3.0);
    number("field.effort > 5 ? 1 : 0", 1.0);
    number("size(field.teams.filter(t, t.startsWith(\"k\")))", 1.0);
    number(S0_14, 4.0);
}

#[test]
fn conditions_read_labels_and_fields() {
    truth(r#""tollgate" in labels && !("wontfix" in labels)"#, true);
    truth(r#"field.priority in ["high", "medium"]"#, true);
    truth(r#"labels.exists(l, l.endsWith("ug")) && labels.all(l, size(l) > 2)"#, true);
    truth("labels.exists_one(l, l == \"bug\")", true);
    truth("has(field.missing)", false);
    truth("created < \"2027-01-01T00:00:00.000Z\" && author == \"ada\" && kind == \"task\"", true);
    truth("title.contains(\"shelf\") && key.startsWith(\"BACK-\")", true);
    truth("true // whatever ) follows", true);
}

#[test]
fn what_is_not_of_the_dialect_is_refused_with_advice() {
    insta::assert_snapshot!(refused("lables"), @"unknown name `lables` at `lables` (did you mean `labels`?)");
    insta::assert_snapshot!(refused("field"), @"`field` alone has no value at `field` (write `field.priority`)");
    insta::assert_snapshot!(refused("title.length"), @"`.length` has no meaning here; only `field` has members at `.`");
    insta::assert_snapshot!(refused("flor(age_days)"), @"unknown function `flor()` at `(` (did you mean `floor`?)");
    insta::assert_snapshot!(refused("title.contain(\"x\")"), @"unknown function `.contain()` at `(` (did you mean `contains`?)");
    insta::assert_snapshot!(refused("5 % 2"), @"there is no `%` in formulas: all numbers are doubles at `%`");
    insta::assert_snapshot!(refused("1u"), @"there are no unsigned numbers in formulas at `1u` (leave out the `u`)");
    insta::assert_snapshot!(refused("field.x == null"), @"there is no `null` in formulas at `null` (ask `has(field.x)` whether a field has a value)");
    insta::assert_snapshot!(refused("1 +"), @"cannot be read as a formula: it ends too early at ``");
    insta::assert_snapshot!(refused("\"abc"), @r#"cannot be read as a formula: token recognition error at: '"abc' at ``"#);
    insta::assert_snapshot!(refused("(labels + labels).map(l, l)"), @"a macro runs over `labels`, a field, a list such as [1, 2], or `map` or `filter` of one at `+`");
    insta::assert_snapshot!(refused("{title: 1}"), @"a key of a map is a text, a number, true or false at `title`");
    insta::assert_snapshot!(refused(""), @"cannot be read as a formula: it ends too early at ``");
}

#[test]
fn what_has_no_result_names_formula_term_and_value() {
    insta::assert_snapshot!(failed("1 + age_days / 0"), @"`age_days / 0` in `1 + age_days / 0` is inf, not a finite number");
    insta::assert_snapshot!(failed("{\"low\": 1}[field.priority] + 2"), @r#"`{"low": 1}[field.priority]` in `{"low": 1}[field.priority] + 2` looks up `high`, which its map does not have"#);
    insta::assert_snapshot!(failed("field.missing * 2"), @"`field.missing * 2` reads `field.missing`, which has no value; give it a default, or ask has(field.missing)");
    insta::assert_snapshot!(failed("2 - title"), @"`-title` in `2 - title` is the text `Scan the shelf`, not a number");
    insta::assert_snapshot!(failed("field.priority * 2"), @"`field.priority * 2` cannot multiply the text `high` and the number 2");
    insta::assert_snapshot!(failed("min(field.priority, 2)"), @"`min(field.priority, 2)` fails in min(): the text `high` is not a number");
    insta::assert_snapshot!(failed("[1][3]"), @"`[1][3]` has no item at the number 3");
    insta::assert_snapshot!(failed("0 / 0"), @"`0 / 0` is NaN, not a finite number");
    insta::assert_snapshot!(failed("1.0e308 + 1.0e308"), @"`1.0e308 + 1.0e308` is inf, not a finite number");
    insta::assert_snapshot!(failed("age_days > 3"), @"`age_days > 3` is true, not a number");
}

#[test]
fn references_are_found_in_the_syntax() {
    let formula =
        Formula::parse("false ? field.a + field.b : labels.exists(l, l == field.c) ? age_days : 0").unwrap();
    let fields: Vec<_> = formula.references().fields.iter().collect();
    let builtins: Vec<_> = formula.references().builtins.iter().collect();
    assert_eq!(fields, ["a", "b", "c"]);
    assert_eq!(builtins, ["age_days", "labels"]);
}

#[test]
fn terms_are_what_stands_between_the_operators_of_the_sum() {
    let terms = |formula: &str| {
        let terms = Formula::parse(formula).unwrap().explain(&Entry::default().inputs()).unwrap();
        terms.iter().map(|term| format!("{} = {}", term.text, term.value)).collect::<Vec<_>>().join("; ")
    };
    insta::assert_snapshot!(terms(S0_14), @r#"{"high": 3, "medium": 2, "low": 1}[field.priority] = 3; min(floor(age_days / 7), 5) = 1"#);
    insta::assert_snapshot!(terms("1 + (2 + 3)  -  4 * 2"), @"1 = 1; (2 + 3) = 5; -4 * 2 = -8");
    insta::assert_snapshot!(terms("(1 + 2)"), @"(1 + 2) = 3");
    insta::assert_snapshot!(terms("(1 + 2) - {\"ü + 1\": 5}[\"ü + 1\"] + 7"), @r#"(1 + 2) = 3; -{"ü + 1": 5}["ü + 1"] = -5; 7 = 7"#);
    insta::assert_snapshot!(terms("age_days > 3 ? 1 + 1 : 0"), @"age_days > 3 ? 1 + 1 : 0 = 2");
}

#[track_caller]
fn slope(formula: &str, expected: Option<i64>) {
    assert_eq!(Formula::parse(formula).unwrap().slope_thousandths(), expected, "{formula}");
}

#[test]
fn a_slope_is_one_that_is_certain_and_exact() {
    slope("field.effort", Some(0));
    slope("age_days", Some(1000));
    slope("field.effort * 2 + age_days * 0.1", Some(100));
    slope("2 * age_days - age_days / 4 - field.effort", Some(1750));
    slope("3 - age_days", Some(-1000));
    slope("age_days / 7", None);
    slope("min(age_days, 5)", None);
    slope("age_days * field.effort", None);
    slope("age_days > 3 ? 1 : 0", None);
    slope("age_days / 0", None);
}

#[test]
fn limits_hold_in_any_build_on_any_thread() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Formula::parse(&nested(60)).is_ok());
    insta::assert_snapshot!(Formula::parse(&nested(65)).unwrap_err(), @"brackets are nested more than 64 deep");
    insta::assert_snapshot!(Formula::parse(&"1 + ".repeat(2000)).unwrap_err(), @"a formula of 8000 bytes is too long; it may have 4096");
    let sum = |terms: usize| vec!["1"; terms].join("+");
    assert_eq!(Formula::parse(&sum(100)).unwrap().number(&Entry::default().inputs()), Ok(100.0));
    insta::assert_snapshot!(Formula::parse(&sum(2000)).unwrap_err(), @"a formula 2000 levels high is too large; it may have 128");
    // None of these may exhaust the stack; whether they are formulas does not matter.
    for part in ["-", "!", "a.", "a?b:", "[0]", "f(", "'", "\"\"\"", "1<", "{1:", "//"] {
        drop(Formula::parse(&part.repeat(limits::TEXT_BYTES_MAX / part.len())));
        drop(Formula::parse(&format!("1{}", part.repeat(limits::TEXT_BYTES_MAX / part.len() - 1))));
    }
}

#[test]
fn a_small_stack_is_enough() {
    let deepest = format!("{}age_days", "1 + (".repeat(60)) + &")".repeat(60);
    let thread = std::thread::Builder::new()
        .stack_size(128 * 1024)
        .spawn(move || Formula::parse(&deepest).unwrap().number(&Entry::default().inputs()));
    assert_eq!(thread.unwrap().join().unwrap(), Ok(70.0));
}

#[test]
fn work_is_bounded_before_it_begins() {
    let formula = "labels.exists(a, labels.exists(b, labels.exists(c, a + b == c)))";
    let formula = Formula::parse(formula).unwrap();
    let many = Entry { labels: (0..200).map(|n| n.to_string()).collect(), ..Entry::default() };
    insta::assert_snapshot!(formula.truth(&many.inputs()).unwrap_err(), @"`labels.exists(a, labels.exists(b, labels.exists(c, a + b == c)))` would take 88402004 steps; a formula may take 1000000");
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0u32..20).prop_map(|n| n.to_string()),
        Just("age_days".to_owned()),
        Just("field.effort".to_owned()),
        Just("0.25".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), prop_oneof![Just("+"), Just("-"), Just("*"), Just("/")], inner.clone())
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("min({a}, {b})")),
            inner.prop_map(|a| format!("floor({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_texts_never_panic(text in "\\PC{0,80}") {
        drop(Formula::parse(&text).map(|formula| formula.number(&Entry::default().inputs())));
    }

    #[test]
    fn texts_of_the_right_tokens_never_panic(
        parts in proptest::collection::vec(prop_oneof![
            Just("age_days"), Just("field.effort"), Just("labels"), Just("("), Just(")"), Just("["), Just("]"), Just("+"),
            Just("-"), Just("?"), Just(":"), Just("\"x\""), Just("1"), Just(","), Just("min("), Just(".exists(l,"),
            Just("in"), Just("{"), Just("}"), Just("!"), Just("=="), Just(" "),
        ], 0..30)
    ) {
        drop(Formula::parse(&parts.concat()).map(|formula| formula.number(&Entry::default().inputs())));
    }

    #[test]
    fn terms_sum_to_what_the_interpreter_gives(formula in expression(), age_days in 0i64..60) {
        let entry = Entry { age_days, ..Entry::default() };
        let sum = Formula::parse(&formula).unwrap();
        // Within brackets it is one term, so the interpreter adds by itself.
        let whole = Formula::parse(&format!("({formula})")).unwrap();
        prop_assert_eq!(whole.addends.len(), 1);
        let (sum, whole) = (sum.number(&entry.inputs()), whole.number(&entry.inputs()));
        prop_assert_eq!(sum.clone().ok(), whole.clone().ok(), "{:?} {:?}", sum, whole);
    }

    #[test]
    fn a_slope_is_what_a_day_adds(formula in expression(), age_days in 0i64..60) {
        let formula = Formula::parse(&formula).unwrap();
        let at = |age_days| formula.number(&Entry { age_days, ..Entry::default() }.inputs());
        if let (Some(slope), Ok(today), Ok(tomorrow)) = (formula.slope_thousandths(), at(age_days), at(age_days + 1)) {
            prop_assert!(((tomorrow - today) * 1000.0 - slope as f64).abs() < 1e-3);
        }
    }

    #[test]
    fn the_formula_of_the_brief_weighs_a_week_like_a_step(level in 0usize..3, age_days in 0i64..120) {
        let names = ["low", "medium", "high"];
        let priority = FieldValue::Text(names[level].into());
        let entry = Entry { fields: [("priority".to_owned(), priority)].into(), age_days, ..Entry::default() };
        let expected = (level + 1) as i64 + (age_days / 7).min(5);
        prop_assert_eq!(Formula::parse(S0_14).unwrap().number(&entry.inputs()), Ok(expected as f64));
    }
}
