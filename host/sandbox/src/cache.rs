//! Components that were compiled: in memory, on disk, and each of them once however many ask at the same time.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use hashlink::LruCache;
use tokio::sync::OnceCell;
use tollgate_core::Digest;
use wasmtime::{
    Engine,
    component::{Component, ComponentExportIndex, InstancePre, Linker, types::ComponentItem},
};

use crate::{
    LoadError,
    bindings::v0_1::{gate_api, stage_api, types::Failure},
    capability::{self, extension},
    disk::CodeFolder,
    host::Host,
    load::{Grants, Inspection, Kind, MODEL, Offer, is_model},
    port::Extension,
};

/// Components that are kept in memory, the least recently used given up first. One is some hundred KiB of code, that of
/// an interpreted language some ten MiB.
const KEPT_COMPONENTS: usize = 256;

/// What a stage's function returns.
pub(crate) type StageResult = (Result<stage_api::Outcome, Failure>,);

/// What a gate's function returns.
pub(crate) type GateResult = (Result<gate_api::Outcome, Failure>,);

/// A component that is ready to be called.
pub(crate) struct Loaded {
    pub(crate) pre: InstancePre<Host>,
    pub(crate) inspection: Inspection,
    /// `stage-api.run`, if it is a stage.
    pub(crate) run: Option<ComponentExportIndex>,
    /// `gate-api.check`, if it is a gate.
    pub(crate) check: Option<ComponentExportIndex>,
}

/// Where compiled components come from.
pub(crate) struct Components {
    engine: Engine,
    /// Everything that a component may import without a grant.
    base: Linker<Host>,
    extensions: Vec<Arc<dyn Extension>>,
    offer: Offer,
    folder: Option<CodeFolder>,
    kept: Mutex<LruCache<Digest, Arc<OnceCell<Arc<Loaded>>>>>,
    compiled: AtomicU64,
    loaded_from_disk: AtomicU64,
}

impl Components {
    pub(crate) fn new(
        engine: Engine,
        base: Linker<Host>,
        extensions: Vec<Arc<dyn Extension>>,
        folder: Option<CodeFolder>,
    ) -> Self {
        Self {
            offer: Offer::of(&extensions),
            engine,
            base,
            extensions,
            folder,
            kept: Mutex::new(LruCache::new(KEPT_COMPONENTS)),
            compiled: AtomicU64::new(0),
            loaded_from_disk: AtomicU64::new(0),
        }
    }

    /// How many were compiled, and how many came from disk.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.compiled.load(Ordering::Relaxed), self.loaded_from_disk.load(Ordering::Relaxed))
    }

    /// The component of this digest. Compiling takes a tenth of a second or many, so it happens on a thread of its own.
    pub(crate) async fn get(
        self: &Arc<Self>,
        digest: Digest,
        bytes: Arc<[u8]>,
        grants: Arc<Grants>,
    ) -> Result<Arc<Loaded>, LoadError> {
        let cell = self.cell(digest);
        let load = async || {
            let (this, grants) = (Arc::clone(self), Arc::clone(&grants));
            tokio::task::spawn_blocking(move || this.load(digest, &bytes, &grants))
                .await
                .unwrap_or_else(|error| Err(LoadError::Platform(error.to_string())))
        };
        let loaded = cell.get_or_try_init(load).await?;
        // Another stage, with other grants, may have loaded it.
        loaded.inspection.check_grants(&grants, &self.offer)?;
        Ok(Arc::clone(loaded))
    }

    /// What a component is and needs.
    pub(crate) fn inspect(&self, bytes: &[u8]) -> Result<Inspection, LoadError> {
        Inspection::of(bytes, &self.offer)
    }

    /// The base world and exactly the capabilities that a component needs. It is called only with grants for all of them but those
    /// that it can do without, and these say of themselves that they are not there.
    fn linker_for(&self, inspection: &Inspection) -> wasmtime::Result<Linker<Host>> {
        let mut linker = self.base.clone();
        if inspection.imports.iter().any(|import| is_model(import)) {
            capability::model::link(&mut linker.instance(MODEL)?)?;
        }
        let needed =
            |extension: &&Arc<dyn Extension>| inspection.imports.iter().any(|i| i == extension.interface());
        for extension in self.extensions.iter().filter(needed) {
            extension::link(&mut linker, extension)?;
        }
        Ok(linker)
    }

    fn cell(&self, digest: Digest) -> Arc<OnceCell<Arc<Loaded>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = kept.get(&digest) {
            return Arc::clone(cell);
        }
        let cell = Arc::new(OnceCell::new());
        kept.insert(digest, Arc::clone(&cell));
        cell
    }

    fn load(&self, expected: Digest, bytes: &[u8], grants: &Grants) -> Result<Arc<Loaded>, LoadError> {
        let found = Digest::of(bytes);
        if found != expected {
            return Err(LoadError::DigestMismatch { expected, found });
        }
        let inspection = self.inspect(bytes)?;
        inspection.check_grants(grants, &self.offer)?;
        let component = self.compile(expected, bytes)?;
        self.link(&component, inspection).map(Arc::new)
    }

    fn compile(&self, digest: Digest, bytes: &[u8]) -> Result<Component, LoadError> {
        if let Some(component) = self.folder.as_ref().and_then(|folder| folder.load(&self.engine, digest)) {
            self.loaded_from_disk.fetch_add(1, Ordering::Relaxed);
            return Ok(component);
        }
        let component = Component::new(&self.engine, bytes)
            .map_err(|error| LoadError::Malformed(format!("{error:#}")))?;
        self.compiled.fetch_add(1, Ordering::Relaxed);
        if let Some(folder) = &self.folder {
            let code = component.serialize().map_err(|error| LoadError::Platform(format!("{error:#}")))?;
            folder.keep(digest, &code);
        }
        Ok(component)
    }

    fn link(&self, component: &Component, inspection: Inspection) -> Result<Loaded, LoadError> {
        let wrong_shape = |error: wasmtime::Error| LoadError::WrongShape(format!("{error:#}"));
        let pre = self.linker_for(&inspection).and_then(|linker| linker.instantiate_pre(component));
        let pre = pre.map_err(wrong_shape)?;
        let run = function::<StageResult>(&pre, &inspection, Kind::Stage)?;
        let check = function::<GateResult>(&pre, &inspection, Kind::Gate)?;
        Ok(Loaded { pre, inspection, run, check })
    }
}

/// The function that a component of this kind exports, its type checked, so that a wrong one is refused before it runs.
fn function<R>(
    pre: &InstancePre<Host>,
    inspection: &Inspection,
    kind: Kind,
) -> Result<Option<ComponentExportIndex>, LoadError>
where
    R: wasmtime::component::ComponentNamedList + wasmtime::component::Lift,
{
    if !inspection.kinds.contains(&kind) {
        return Ok(None);
    }
    let (interface, name) = (kind.interface(), kind.function());
    let wrong = |what: &str| LoadError::WrongShape(format!("`{interface}` {what}"));
    let component = pre.component();
    let (_, instance) = component.get_export(None, interface).ok_or_else(|| wrong("is no instance"))?;
    match component.get_export(Some(&instance), name) {
        Some((ComponentItem::ComponentFunc(function), index)) => {
            function
                .typecheck::<(), R>(&pre.instance_type())
                .map_err(|error| wrong(&format!("has a `{name}` of another type: {error:#}")))?;
            Ok(Some(index))
        }
        _ => Err(wrong(&format!("has no function `{name}`"))),
    }
}
