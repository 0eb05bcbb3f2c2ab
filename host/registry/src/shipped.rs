//! The plugins that are part of this program. `cargo xtask plugins` builds them; a new one is one line here.

use crate::version::{Origin, Version};

const COMPONENTS: &[&[u8]] = &[
    include_bytes!("../../../plugins/dist/publish.wasm"),
    include_bytes!("../../../plugins/dist/spec-draft.wasm"),
    include_bytes!("../../../plugins/dist/spec-lint.wasm"),
    include_bytes!("../../../plugins/dist/spec-review.wasm"),
    include_bytes!("../../../plugins/dist/split.wasm"),
    include_bytes!("../../../plugins/dist/triage.wasm"),
    include_bytes!("../../../plugins/dist/wait-for.wasm"),
];

pub(crate) fn versions() -> impl Iterator<Item = Version> {
    COMPONENTS.iter().map(|component| {
        Version::read(*component, Origin::Shipped)
            .expect("`cargo xtask plugins` reads every component that it writes")
    })
}

#[cfg(test)]
mod tests {
    use crate::{Kind, Registry};

    #[test]
    fn what_is_shipped_is_there_under_its_name() {
        let registry = Registry::shipped();
        let shipped: Vec<_> =
            registry.versions().iter().map(|version| (version.name(), version.kind())).collect();
        assert_eq!(
            shipped,
            [
                ("publish", Kind::Stage),
                ("spec-draft", Kind::Stage),
                ("spec-lint", Kind::Gate),
                ("spec-review", Kind::Gate),
                ("split", Kind::Stage),
                ("triage", Kind::Stage),
                ("wait-for", Kind::Stage)
            ]
        );
        assert_eq!(registry.resolve("spec-lint@^1").unwrap().manifest().rules.len(), 12);
    }

    #[test]
    fn every_component_under_dist_is_shipped() {
        let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist");
        let files = crate::project::component_files(dist.as_ref()).unwrap();
        let names: Vec<_> = files.iter().filter_map(|file| file.file_stem()?.to_str()).collect();
        let registry = Registry::shipped();
        assert_eq!(names, registry.versions().iter().map(|version| version.name()).collect::<Vec<_>>());
    }
}
