use std::{fs, path::Path};

use tollgate_tracker::record;

#[test]
fn the_published_schema_is_that_of_the_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    for (name, text) in record::documents() {
        let published = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            published == text,
            "schemas/{name} differs from the code; `cargo xtask schemas` writes it anew"
        );
    }
}
