//! The house itself: who may depend on whom, and that the documents speak of what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::support::repository;

/// Which crates of the workspace each crate may use.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    const LEAF: &[&str] = &["tollgate-core"];
    const ENGINE: &[&str] = &[
        "tollgate-core",
        "tollgate-model",
        "tollgate-policy",
        "tollgate-registry",
        "tollgate-sandbox",
        "tollgate-store",
        "tollgate-tracker",
    ];
    BTreeMap::from([
        ("tollgate-core", &[] as &[_]),
        ("tollgate-model", LEAF),
        ("tollgate-policy", LEAF),
        ("tollgate-store", LEAF),
        ("tollgate-sandbox", LEAF),
        ("tollgate-registry", LEAF),
        ("tollgate-tracker", LEAF),
        ("tollgate-engine", ENGINE),
    ])
}

/// Crates from elsewhere that only one crate may use.
const OWNED: &[(&str, &str)] = &[
    ("wasmtime", "tollgate-sandbox"),
    ("wasmtime-wasi", "tollgate-sandbox"),
    ("rusqlite", "tollgate-store"),
    ("tokio-postgres", "tollgate-store"),
    ("tokio-postgres-rustls", "tollgate-store"),
    ("reqwest", "tollgate-model"),
    ("octocrab", "tollgate-tracker"),
    ("tokio-postgres", "tollgate-store"),
];

fn dependencies() -> Vec<(String, BTreeSet<String>)> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(repository().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo can describe the workspace");
    let normal = |package: &cargo_metadata::Package| {
        let used = package.dependencies.iter();
        let used = used.filter(|dependency| dependency.kind == cargo_metadata::DependencyKind::Normal);
        used.map(|dependency| dependency.name.clone()).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), normal(package))).collect()
}

#[test]
fn leaf_crates_do_not_see_one_another() {
    let allowed = allowed();
    for (name, used) in dependencies() {
        let Some(allowed) = allowed.get(name.as_str()) else { continue };
        let ours = used.iter().filter(|used| used.starts_with("tollgate"));
        let surplus: Vec<_> = ours.filter(|used| !allowed.contains(&used.as_str())).collect();
        assert!(surplus.is_empty(), "{name} may not use {surplus:?}");
    }
}

#[test]
fn what_one_crate_owns_no_other_uses() {
    for (name, used) in dependencies() {
        for (foreign, owner) in OWNED {
            let stranger = name != *owner && name != "xtask";
            assert!(
                !(stranger && used.contains(*foreign)),
                "only {owner} may use {foreign}, and {name} does"
            );
        }
    }
}

/// Paths in backticks that look like files or folders of the repository.
fn paths_named_in(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|path| {
        let roots = ["host/", "wit/", "plugins/", "examples/", "tests/", "schemas/", "docs/"];
        roots.iter().any(|root| path.starts_with(root)) && !path.contains(['*', '{', '<', ' '])
    })
}

#[test]
fn documents_name_only_paths_that_are_there() {
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "wit/README.md"] {
        let text = std::fs::read_to_string(repository().join(document)).expect(document);
        for path in paths_named_in(&text) {
            assert!(repository().join(path).exists(), "{document} names `{path}`, which is not there");
        }
    }
}

#[test]
fn no_file_of_code_is_longer_than_a_thousand_lines() {
    fn visit(folder: &Path) {
        for entry in std::fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    visit(&path);
                }
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let lines = std::fs::read_to_string(&path).expect("code is text").lines().count();
                assert!(lines <= 1000, "{} has {lines} lines", path.display());
            }
        }
    }
    for folder in ["host", "plugins", "tests"] {
        visit(&repository().join(folder));
    }
}

#[test]
fn every_file_of_this_suite_is_part_of_it() {
    let main = include_str!("main.rs");
    for entry in std::fs::read_dir(repository().join("tests/suite")).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("names are text").to_owned();
        if path.extension().is_some_and(|ending| ending == "rs") && name != "main" {
            assert!(main.contains(&format!("mod {name};")), "{name}.rs is forgotten in main.rs");
        }
    }
}
