//! What a component says of itself, read from its type alone: nothing is compiled and nothing runs.
//!
//! What is judged is the export that is required and every import; exports beyond that are the author's business.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use wasmparser::{ComponentExternalKind, ComponentImport, Parser, Payload, Validator, WasmFeatures};

use crate::{LoadError, port::Extension};

/// The version of the contract that this host speaks.
pub(crate) const CONTRACT: &str = "0.1";

/// The contract's package; interface names begin with it.
const PACKAGE: &str = "tollgate:plugin/";

/// What every plugin may import.
const BASE: [&str; 6] = ["types", "input", "log", "clock", "artifacts", "budget"];

/// What a stage may be granted beyond the base world: the contract's interfaces, and the grants they need.
const CAPABILITIES: [&str; 7] =
    ["model", "http", "exec", "workspace-read", "workspace", "tracker-read", "history"];

/// The capability of the contract that this host has.
pub(crate) const MODEL: &str = "tollgate:plugin/model@0.1.0";

/// The grant for `wasi:http`, the one part of WASI that could reach out.
const WASI_HTTP: &str = "wasi-http";

/// The packages of the virtual WASI.
const VIRTUAL_WASI: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// What a component can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It produces.
    Stage,
    /// It judges.
    Gate,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Stage, Self::Gate];

    /// The interface that it exports.
    pub(crate) fn interface(self) -> &'static str {
        match self {
            Self::Stage => "tollgate:plugin/stage-api@0.1.0",
            Self::Gate => "tollgate:plugin/gate-api@0.1.0",
        }
    }

    /// The function of that interface.
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Stage => "run",
            Self::Gate => "check",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Stage => "stage",
            Self::Gate => "gate",
        })
    }
}

/// What a component is and needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What it can be used as; never empty.
    pub kinds: Vec<Kind>,
    /// The version of the contract that it was built for, e.g. `0.1.0`.
    pub contract: String,
    /// Every interface that it imports, as written.
    pub imports: Vec<String>,
    /// Everything that it exports, as written.
    pub exports: Vec<String>,
    /// The grants that its imports need, each once.
    pub needs: Vec<String>,
}

impl Inspection {
    /// Reads `bytes`.
    ///
    /// # Errors
    ///
    /// When they are no valid component of this contract, whatever it was granted.
    pub(crate) fn of(bytes: &[u8], offer: &Offer) -> Result<Self, LoadError> {
        let outline = Outline::read(bytes)?;
        let needs: BTreeSet<_> =
            outline.imports.iter().map(|import| offer.need_of(import)).collect::<Result<_, _>>()?;
        let (kinds, contract) = outline.kinds()?;
        Ok(Self {
            kinds,
            contract,
            needs: needs.into_iter().flatten().collect(),
            imports: outline.imports,
            exports: outline.exports,
        })
    }

    /// Whether a call with these grants can reach beyond its input.
    pub(crate) fn reaches_out(&self, grants: &Grants) -> bool {
        self.needs.iter().any(|need| grants.cover(need))
    }

    /// Whether the host can serve the component with these grants.
    ///
    /// # Errors
    ///
    /// The first import that was not granted, or that is granted and cannot be served.
    pub(crate) fn check_grants(&self, grants: &Grants, offer: &Offer) -> Result<(), LoadError> {
        for import in &self.imports {
            let Some(grant) = offer.need_of(import)? else { continue };
            let (import, available) = (import.clone(), offer.serves(import));
            if !grants.cover(&grant) {
                // The contract has a word for a model that was not granted; an extension has none.
                if is_model(&import) && grants.optional.contains(&grant) {
                    continue;
                }
                return Err(LoadError::NotGranted { import, grant, available });
            }
            if !available {
                return Err(LoadError::NotAvailable { import, grant });
            }
        }
        Ok(())
    }
}

/// What a component may touch beyond the base world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// What its stage or gate was granted, e.g. `effect:publish-file` or `model:deep`.
    pub given: Vec<String>,
    /// What it imports and can do without, e.g. `model`: where that is not given, it is told so when it asks.
    pub optional: Vec<String>,
}

impl Grants {
    fn cover(&self, needed: &str) -> bool {
        self.given.iter().any(|given| covers(given, needed))
    }
}

/// Whether what was granted, `model` or `model:deep`, is the grant that an import needs.
fn covers(given: &str, needed: &str) -> bool {
    given.strip_prefix(needed).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// Whether an import is the interface `model`, in any version that the host speaks: others are refused before this is asked.
pub(crate) fn is_model(import: &str) -> bool {
    import.starts_with("tollgate:plugin/model@")
}

/// What a host serves beyond the base world.
#[derive(Debug, Default)]
pub(crate) struct Offer {
    /// The grant of every interface, by the interface as components import it.
    extensions: BTreeMap<String, String>,
}

impl Offer {
    pub(crate) fn of(extensions: &[Arc<dyn Extension>]) -> Self {
        let grant =
            |extension: &Arc<dyn Extension>| (extension.interface().to_owned(), extension.grant().to_owned());
        Self { extensions: extensions.iter().map(grant).collect() }
    }

    fn serves(&self, import: &str) -> bool {
        is_model(import) || self.extensions.contains_key(import)
    }

    /// The grant that an import needs; none for what every plugin may import.
    fn need_of(&self, import: &str) -> Result<Option<String>, LoadError> {
        match self.extensions.get(import) {
            Some(grant) => Ok(Some(grant.clone())),
            None => need_of(import).map(|need| need.map(str::to_owned)),
        }
    }
}

/// The grant that an import of the contract or of WASI needs.
fn need_of(import: &str) -> Result<Option<&'static str>, LoadError> {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    if let Some(interface) = name.strip_prefix(PACKAGE) {
        let known = |names: &[&'static str]| names.iter().copied().find(|known| *known == interface);
        let need = known(&CAPABILITIES);
        if need.is_none() && known(&BASE).is_none() {
            return Err(LoadError::UnknownImport { import: import.to_owned() });
        }
        return if is_known_contract(version) {
            Ok(need)
        } else {
            Err(LoadError::OtherContract { interface: import.to_owned() })
        };
    }
    if name.starts_with("wasi:http/") {
        return Ok(Some(WASI_HTTP));
    }
    if version.starts_with("0.2.") && VIRTUAL_WASI.iter().any(|package| name.starts_with(package)) {
        return Ok(None);
    }
    Err(LoadError::UnknownImport { import: import.to_owned() })
}

/// Whether `version` is `0.1.x`: within it, nothing that a component relies on changes.
fn is_known_contract(version: &str) -> bool {
    version.strip_prefix(CONTRACT).is_some_and(|rest| rest.starts_with('.'))
}

/// The names at the outer level of a component.
#[derive(Debug, Default)]
struct Outline {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Outline {
    fn read(bytes: &[u8]) -> Result<Self, LoadError> {
        if Parser::is_core_wasm(bytes) {
            return Err(LoadError::CoreModule);
        }
        if !bytes.starts_with(b"\0asm") {
            return Err(LoadError::NotWebAssembly);
        }
        let malformed = |error: wasmparser::BinaryReaderError| LoadError::Malformed(error.to_string());
        let mut outline = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(malformed)? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports {
                        let ComponentImport { name, .. } = import.map_err(malformed)?;
                        outline.imports.push(name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 1 => {
                    for export in exports {
                        let export = export.map_err(malformed)?;
                        if export.kind != ComponentExternalKind::Type {
                            outline.exports.push(export.name.name.to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        Validator::new_with_features(WasmFeatures::default()).validate_all(bytes).map_err(malformed)?;
        Ok(outline)
    }

    /// What the component can be, and by which version of the contract.
    fn kinds(&self) -> Result<(Vec<Kind>, String), LoadError> {
        let mut kinds = Vec::new();
        let mut contract = None;
        for (kind, export) in Kind::ALL.into_iter().flat_map(|k| self.exports.iter().map(move |e| (k, e))) {
            let (name, version) = export.split_once('@').unwrap_or((export, ""));
            if kind.interface().split_once('@').is_some_and(|(known, _)| known == name) {
                if !is_known_contract(version) {
                    return Err(LoadError::OtherContract { interface: export.clone() });
                }
                kinds.push(kind);
                contract = Some(version.to_owned());
            }
        }
        match contract {
            Some(contract) => Ok((kinds, contract)),
            None => Err(LoadError::WrongWorld { exports: self.exports.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(component: &str, expected: Result<&[&str], &str>) {
        let bytes = wat::parse_str(component).unwrap();
        let needs = Inspection::of(&bytes, &Offer::default()).map(|inspection| inspection.needs);
        match (needs, expected) {
            (Ok(needs), Ok(expected)) => assert_eq!(needs, expected),
            (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    /// A component that exports an empty interface of this name.
    fn exporting(import: &str, export: &str) -> String {
        format!(
            r#"(component (import "{import}" (instance)) (instance $i) (export "{export}" (instance $i)))"#
        )
    }

    #[test]
    fn a_component_needs_what_it_imports() {
        let stage = Kind::Stage.interface();
        check(&exporting("tollgate:plugin/log@0.1.0", stage), Ok(&[]));
        check(&exporting("tollgate:plugin/log@0.1.7", stage), Ok(&[]));
        check(&exporting("tollgate:plugin/model@0.1.0", stage), Ok(&["model"]));
        check(&exporting("wasi:io/streams@0.2.6", stage), Ok(&[]));
        check(&exporting("wasi:http/outgoing-handler@0.2.6", stage), Ok(&["wasi-http"]));
    }

    #[test]
    fn what_cannot_be_served_is_named() {
        let gate = Kind::Gate.interface();
        check(
            &exporting("tollgate:plugin/log@0.2.0", gate),
            Err(
                "the component speaks `tollgate:plugin/log@0.2.0`; this host speaks version 0.1 of the contract",
            ),
        );
        check(
            &exporting("tollgate:plugin/log@0.1.0", "tollgate:plugin/gate-api@1.0.0"),
            Err(
                "the component speaks `tollgate:plugin/gate-api@1.0.0`; this host speaks version 0.1 of the \
                 contract",
            ),
        );
        check(
            &exporting("tollgate:plugin/launch@0.1.0", gate),
            Err(
                "the component imports `tollgate:plugin/launch@0.1.0`, which is no part of the contract; build it \
                 without that import",
            ),
        );
        check(
            &exporting("wasi:io/streams@0.3.0", gate),
            Err(
                "the component imports `wasi:io/streams@0.3.0`, which is no part of the contract; build it without \
                 that import",
            ),
        );
        check(
            &exporting("tollgate:plugin/log@0.1.0", "wasi:cli/run@0.2.6"),
            Err("the component is neither a stage nor a gate: it exports wasi:cli/run@0.2.6"),
        );
    }

    #[test]
    fn what_stands_inside_an_inner_component_is_not_asked_for() {
        let inner = exporting("tollgate:plugin/launch@0.1.0", "tollgate:plugin/gate-api@9.0.0");
        let outer = format!(
            r#"(component {inner} (core module) (instance $i) (export "{}" (instance $i)))"#,
            Kind::Gate.interface()
        );
        check(&outer, Ok(&[]));
    }
}
