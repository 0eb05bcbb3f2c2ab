//! What can be read off a component without running it.

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{Encoding, Parser, Payload};

/// The custom section that holds a plugin's `plugin.toml`, byte for byte.
pub const MANIFEST_SECTION: &str = "tollgate:plugin";

/// The component with this manifest embedded.
pub fn embed(component: &[u8], manifest: &str) -> Vec<u8> {
    let mut plugin = component.to_vec();
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest.as_bytes().into() }
        .append_to_component(&mut plugin);
    plugin
}

/// A component seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline<'a> {
    /// The text of the section [`MANIFEST_SECTION`].
    pub manifest: &'a str,
    /// Names of what it imports, in its order, such as `tollgate:plugin/log@0.1.0`.
    pub imports: Vec<&'a str>,
    /// Names of what it exports, in its order.
    pub exports: Vec<&'a str>,
}

/// Bytes that are not a plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// Some other kind of file.
    #[error("is not a WebAssembly file")]
    NotWasm,
    /// What a compiler writes before it is made a component.
    #[error("is a core module, not a component; `wasm-tools component new` makes one of it")]
    CoreModule,
    /// Cut short, or damaged.
    #[error("is damaged or cut short at byte {offset}: {reason}")]
    Malformed {
        /// How many bytes were understood.
        offset: usize,
        /// What was wrong there.
        reason: String,
    },
    /// A component that is no plugin, or whose manifest was never embedded.
    #[error("has no custom section `{MANIFEST_SECTION}`, which holds a plugin's plugin.toml")]
    NoManifest,
    /// Which one holds cannot be said.
    #[error("has more than one custom section `{MANIFEST_SECTION}`")]
    SeveralManifests,
    /// The section does not hold a text.
    #[error("has a custom section `{MANIFEST_SECTION}` that is not UTF-8")]
    ManifestNotUtf8,
}

impl From<wasmparser::BinaryReaderError> for ComponentError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        ComponentError::Malformed { offset: error.offset(), reason: error.message().to_owned() }
    }
}

impl<'a> Outline<'a> {
    /// Reads the outline of a component. Its code is not validated.
    ///
    /// # Errors
    ///
    /// [`ComponentError`] when the bytes are not a whole component with one manifest.
    pub fn read(bytes: &'a [u8]) -> Result<Self, ComponentError> {
        if Parser::is_core_wasm(bytes) {
            return Err(ComponentError::CoreModule);
        }
        if !bytes.starts_with(b"\0asm") {
            return Err(ComponentError::NotWasm);
        }
        let mut scan = Scan::default();
        for payload in Parser::new(0).parse_all(bytes) {
            scan.take(payload?)?;
        }
        let section = match scan.manifests[..] {
            [section] => section,
            [] => return Err(ComponentError::NoManifest),
            _ => return Err(ComponentError::SeveralManifests),
        };
        let manifest = str::from_utf8(section).map_err(|_| ComponentError::ManifestNotUtf8)?;
        Ok(Outline { manifest, imports: scan.imports, exports: scan.exports })
    }
}

/// A component nests modules and components, whose sections are none of ours: only depth 1 counts.
#[derive(Default)]
struct Scan<'a> {
    depth: u32,
    manifests: Vec<&'a [u8]>,
    imports: Vec<&'a str>,
    exports: Vec<&'a str>,
}

impl<'a> Scan<'a> {
    fn take(&mut self, payload: Payload<'a>) -> Result<(), ComponentError> {
        match payload {
            Payload::Version { encoding, .. } => {
                if self.depth == 0 && encoding == Encoding::Module {
                    return Err(ComponentError::CoreModule);
                }
                self.depth += 1;
            }
            Payload::End(_) => self.depth -= 1,
            Payload::ComponentImportSection(imports) if self.depth == 1 => {
                for import in imports {
                    self.imports.push(import?.name.name);
                }
            }
            Payload::ComponentExportSection(exports) if self.depth == 1 => {
                for export in exports {
                    self.exports.push(export?.name.name);
                }
            }
            Payload::CustomSection(section) if self.depth == 1 && section.name() == MANIFEST_SECTION => {
                self.manifests.push(section.data());
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_encoder::{Component, Module, ModuleSection};

    /// A component that does nothing, with these manifests.
    pub(crate) fn component(manifests: &[&[u8]]) -> Vec<u8> {
        let mut inner = Module::new();
        inner.section(&CustomSection { name: MANIFEST_SECTION.into(), data: b"of no interest"[..].into() });
        let mut component = Component::new();
        component.section(&ModuleSection(&inner));
        for manifest in manifests {
            component.section(&CustomSection { name: MANIFEST_SECTION.into(), data: (*manifest).into() });
        }
        component.finish()
    }

    #[track_caller]
    fn check(bytes: &[u8], error: &str) {
        let found = Outline::read(bytes).expect_err("this is not a plugin");
        assert_eq!(found.to_string(), error);
    }

    #[test]
    fn the_manifest_is_that_of_the_component_and_not_of_a_module_within() {
        let bytes = component(&[b"name = 1"]);
        assert_eq!(Outline::read(&bytes).unwrap().manifest, "name = 1");
        let embedded = embed(&component(&[]), "name = 2");
        assert_eq!(Outline::read(&embedded).unwrap().manifest, "name = 2");
    }

    #[test]
    fn what_is_not_a_plugin_is_told_apart() {
        check(b"", "is not a WebAssembly file");
        check(b"#!/bin/sh", "is not a WebAssembly file");
        check(
            &Module::new().finish(),
            "is a core module, not a component; `wasm-tools component new` makes one of it",
        );
        check(&component(&[]), "has no custom section `tollgate:plugin`, which holds a plugin's plugin.toml");
        check(&component(&[b"a", b"b"]), "has more than one custom section `tollgate:plugin`");
        check(&component(&[&[0xff]]), "has a custom section `tollgate:plugin` that is not UTF-8");
        let whole = component(&[b"name = 1"]);
        check(&whole[..whole.len() - 3], "is damaged or cut short at byte 52: unexpected end-of-file");
    }

    proptest! {
        #[test]
        fn a_plugin_cut_short_anywhere_is_refused(cut in 0usize..1000) {
            let whole = component(&[b"name = 1"]);
            prop_assert!(Outline::read(&whole[..cut % whole.len()]).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
            bytes.extend(tail);
            let _outline = Outline::read(&bytes);
        }
    }
}
