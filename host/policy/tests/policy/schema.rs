use std::path::Path;

use tollgate_policy::schema;

#[test]
fn the_published_schemas_are_those_of_the_code() {
    for document in schema::documents() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document.path);
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == document.text,
            "{} is not what the code says; run `cargo xtask schemas` and commit the result",
            document.path
        );
    }
}

#[test]
fn every_key_is_described() {
    fn walk(schema: &serde_json::Value, path: &str, without: &mut Vec<String>) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}/{key}");
            if property["description"].as_str().is_none_or(str::is_empty) {
                without.push(path.clone());
            }
            walk(property, &path, without);
            walk(&property["additionalProperties"], &path, without);
            walk(&property["items"], &path, without);
        }
    }
    for document in schema::documents() {
        let mut without = Vec::new();
        walk(&serde_json::from_str(&document.text).unwrap(), "", &mut without);
        assert_eq!(without, Vec::<String>::new(), "{}", document.path);
    }
}
