use std::{fs, path::Path};

use tollgate_core::record::Record;
use tollgate_tracker::record;

use crate::sample;

#[test]
fn the_published_schema_is_that_of_the_code() {
    for document in record::documents() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document.path);
        let published = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == document.text,
            "{} is not what the code says; run `cargo xtask schemas` and commit the result",
            document.path
        );
    }
}

#[test]
fn records_are_as_the_schema_says() {
    let schema = jsonschema::validator_for(&record::schema()).unwrap();
    let cancelled = Record { chain: None, ..sample::failed() };
    for record in [sample::done(), sample::failed(), sample::escalated(), cancelled] {
        let json = serde_json::to_value(&record).unwrap();
        let errors: Vec<String> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    assert!(!schema.is_valid(&serde_json::json!({ "schema": "tollgate.record/1" })));
    let schema = jsonschema::validator_for(&record::adopted_schema()).unwrap();
    assert!(schema.is_valid(&serde_json::to_value(sample::adopted()).unwrap()));
    assert!(!schema.is_valid(&serde_json::json!({ "schema": "tollgate.adopted/1" })));
}
