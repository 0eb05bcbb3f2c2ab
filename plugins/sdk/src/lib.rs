//! Write a Tollgate stage or gate in Rust.
//!
//! A stage *produces*: it reads one backlog entry and answers with data, artifacts and the effects it asks for.
//! A gate *judges* what a stage produced. Both are a type with one function; a macro makes a component of it:
//!
//! ```
//! use serde::Deserialize;
//! use serde_json::json;
//! use tollgate_plugin::{Context, Failure, Outcome, Produced, Stage, stage};
//!
//! /// The `with` table of the stage in the pipeline file.
//! #[derive(Deserialize)]
//! #[serde(default, deny_unknown_fields)]
//! struct Settings {
//!     at_most: usize,
//! }
//!
//! impl Default for Settings {
//!     fn default() -> Self {
//!         Settings { at_most: 500 }
//!     }
//! }
//!
//! struct WordCount;
//!
//! impl Stage for WordCount {
//!     type Settings = Settings;
//!
//!     fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
//!         let words = ctx.entry().body.split_whitespace().count();
//!         if words > settings.at_most {
//!             return Err(Failure::escalate(format!("{words} words are too many to read at once")));
//!         }
//!         let report = ctx.write_text("count.md", "text/markdown", &format!("{words} words\n"))?;
//!         Ok(Produced::new(format!("{words} words")).data(json!({ "words": words }))?.artifact(report).into())
//!     }
//! }
//!
//! stage!(WordCount);
//!
//! # fn main() {
//! // The same code runs natively, so its logic is tested without a sandbox.
//! use tollgate_plugin::testing;
//! let ctx = Context::for_test(testing::entry("BACK-1", "A title", "three short words"));
//! let produced = testing::run_stage::<WordCount>(&ctx, json!({})).unwrap().done().unwrap();
//! assert_eq!(produced.data, json!({ "words": 3 }));
//! assert_eq!(ctx.artifact_text("count.md").as_deref(), Some("3 words\n"));
//! # }
//! ```
//!
//! # What holds
//!
//! * A plugin built with this crate imports the base world only, and of it only what it uses, and [`model`] if it asks
//!   one. Everything in the base world answers the same however often a step is computed, so such a step may be computed again freely.
//! * The settings reach [`Stage::run`] and [`Gate::check`] typed. Settings that do not fit end the call with a
//!   failure of class `configuration` that names the field and what was expected there; no line of the plugin runs.
//! * A panic is a fault of the plugin: its message and place are written to the log before the instance traps, and
//!   the host records the step as failed. Answer a [`Failure`] for what a person or the host can do something about.
//! * The crate compiles for the host too. There a [`Context`] is a test double made by [`Context::for_test`].
//!
//! # Building
//!
//! A plugin is a library crate with a `plugin.toml` beside its `Cargo.toml`. In Tollgate's repository,
//! `cargo xtask plugins` compiles each for `wasm32-unknown-unknown` as a `cdylib`, makes a component of it, and embeds
//! the `plugin.toml` as the custom section `tollgate:plugin`.

mod context;
mod failure;
mod gate;
pub mod log;
pub mod model;
mod noun;
mod settings;
mod stage;
mod wait;

#[cfg(not(target_family = "wasm"))]
mod double;
#[cfg(target_family = "wasm")]
mod guest;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

// The generated code names this crate from outside, also where it is expanded inside.
#[cfg(target_family = "wasm")]
extern crate self as tollgate_plugin;

/// For the macros of this crate alone; nothing here is stable.
#[doc(hidden)]
#[cfg(target_family = "wasm")]
pub mod __private {
    pub use crate::guest::{GateExport, StageExport, gate, stage};
    pub use wit_bindgen;
}

pub use context::{ArtifactError, Context};
pub use failure::{Failure, FailureClass};
pub use gate::{Gate, Judgement, Verdict};
pub use noun::{Artifact, Delivered, Effect, Entry, Finding, Location, Output, Rework, Severity};
pub use stage::{Produced, Stage};
pub use wait::{Outcome, Wait, Wake, Woken};

/// Makes the component of a crate from a type that implements [`Stage`]. Once a crate.
///
/// A type that does not is refused, also natively:
///
/// ```compile_fail,E0277
/// struct NotAStage;
/// tollgate_plugin::stage!(NotAStage);
/// ```
#[macro_export]
macro_rules! stage {
    ($stage:ident) => {
        #[cfg(target_family = "wasm")]
        type TollgateStageExport = $crate::__private::StageExport<$stage>;
        #[cfg(target_family = "wasm")]
        $crate::__private::stage::export_stage!(TollgateStageExport with_types_in $crate::__private::stage);

        #[cfg(not(target_family = "wasm"))]
        const _: fn() = || {
            fn implements_stage<S: $crate::Stage>() {}
            implements_stage::<$stage>();
        };
    };
}

/// Makes the component of a crate from a type that implements [`Gate`]. Once a crate.
///
/// A type that does not is refused, also natively:
///
/// ```compile_fail,E0277
/// struct NotAGate;
/// tollgate_plugin::gate!(NotAGate);
/// ```
#[macro_export]
macro_rules! gate {
    ($gate:ident) => {
        #[cfg(target_family = "wasm")]
        type TollgateGateExport = $crate::__private::GateExport<$gate>;
        #[cfg(target_family = "wasm")]
        $crate::__private::gate::export_gate!(TollgateGateExport with_types_in $crate::__private::gate);

        #[cfg(not(target_family = "wasm"))]
        const _: fn() = || {
            fn implements_gate<G: $crate::Gate>() {}
            implements_gate::<$gate>();
        };
    };
}
