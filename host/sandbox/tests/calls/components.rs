//! Guests: those built from `tests/guests`, and some made of text for what no compiler would produce.

use std::{fs, path::Path, sync::LazyLock};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::support::Component;

pub(crate) static HOSTILE_STAGE: LazyLock<Component> = LazyLock::new(|| built("hostile-stage"));
pub(crate) static HOSTILE_GATE: LazyLock<Component> = LazyLock::new(|| built("hostile-gate"));
pub(crate) static IDLE_STAGE: LazyLock<Component> = LazyLock::new(|| built("idle-stage"));

pub(crate) fn built(name: &str) -> Component {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/guests/dist/{name}.wasm"));
    Component::new(fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// A component whose function `run` is a core module's.
pub(crate) struct Stage<'t> {
    /// Beyond the world of a stage, in WIT.
    pub(crate) world: &'t str,
    /// Packages that the world names, in WIT.
    pub(crate) packages: &'t str,
    /// Imports and other items of the module, in WebAssembly text.
    pub(crate) items: &'t str,
    /// What `run` does before it returns the result; it has a local, `$count`, of 64 bits.
    pub(crate) run: &'t str,
}

impl Stage<'_> {
    /// Produces an empty object and the summary `done`.
    pub(crate) const DONE: Stage<'static> = Stage { world: "", packages: "", items: "", run: "" };

    /// Where the module may keep things.
    pub(crate) const SCRATCH: u32 = 4096;

    pub(crate) fn component(&self) -> Component {
        // The result lies at 512: `ok`, `done`, then summary, data, artifacts and effects as pointer and length.
        let module = format!(
            r#"(module
                {items}
                (memory (export "memory") 4)
                (global $top (mut i32) (i32.const 65536))
                (data (i32.const 256) "done{{}}")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
                    (global.set $top (i32.add (local.get $at) (local.get 3)))
                    (local.get $at))
                (func (export "tollgate:plugin/stage-api@0.1.0#run") (result i32)
                    (local $count i64)
                    (i32.store (i32.const 520) (i32.const 256))
                    (i32.store (i32.const 524) (i32.const 4))
                    (i32.store (i32.const 528) (i32.const 260))
                    (i32.store (i32.const 532) (i32.const 2))
                    {run}
                    (i32.const 512)))"#,
            items = self.items,
            run = self.run,
        );
        let wit = format!(
            "package test:guests; world guest {{ include tollgate:plugin/stage@0.1.0; {} }} {}",
            self.world, self.packages
        );
        component(&module, &wit)
    }
}

fn component(module: &str, wit: &str) -> Component {
    let mut resolve = Resolve::default();
    resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap();
    let package = resolve.push_str("guest.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let encoded = ComponentEncoder::default().module(&module).unwrap().validate(true).encode();
    Component::new(encoded.unwrap())
}
