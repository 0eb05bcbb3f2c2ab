//! The wasm side: bindings of the contract, and what joins them to the types an author sees.

mod convert;

use std::marker::PhantomData;

use crate::log::Level;
use crate::model::{self, Reply, Request};
use crate::{
    Artifact, ArtifactError, Context, Delivered, Entry, Gate, Output, Rework, Stage, Woken, settings,
};
use base::tollgate::plugin::{artifacts, budget, clock, input, log, types};

/// The base world. All that a plugin imports comes from here; a world with exports only adds those.
#[expect(unreachable_pub, reason = "generated code")]
pub mod base {
    wit_bindgen::generate!({ path: "../../wit", world: "base", generate_all });
}

/// The capability `model`. What a plugin does not call it does not import.
#[expect(unreachable_pub, reason = "generated code")]
pub mod asks {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package tollgate:sdk;

            world asks {
                import tollgate:plugin/model@0.1.0;
            }
        ",
        world: "tollgate:sdk/asks",
        with: {
            "tollgate:plugin/types@0.1.0": crate::guest::base::tollgate::plugin::types,
            "tollgate:plugin/model@0.1.0": generate,
        },
    });
}

/// The export of a stage.
#[expect(missing_docs, reason = "generated code")]
pub mod stage {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "stage",
        export_macro_name: "export_stage",
        pub_export_macro: true,
        runtime_path: "::tollgate_plugin::__private::wit_bindgen::rt",
        with: {
            "tollgate:plugin/types@0.1.0": crate::guest::base::tollgate::plugin::types,
            "tollgate:plugin/input@0.1.0": crate::guest::base::tollgate::plugin::input,
            "tollgate:plugin/log@0.1.0": crate::guest::base::tollgate::plugin::log,
            "tollgate:plugin/clock@0.1.0": crate::guest::base::tollgate::plugin::clock,
            "tollgate:plugin/artifacts@0.1.0": crate::guest::base::tollgate::plugin::artifacts,
            "tollgate:plugin/budget@0.1.0": crate::guest::base::tollgate::plugin::budget,
            "tollgate:plugin/stage-api@0.1.0": generate,
        },
    });
}

/// The export of a gate.
#[expect(missing_docs, reason = "generated code")]
pub mod gate {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "gate",
        export_macro_name: "export_gate",
        pub_export_macro: true,
        runtime_path: "::tollgate_plugin::__private::wit_bindgen::rt",
        with: {
            "tollgate:plugin/types@0.1.0": crate::guest::base::tollgate::plugin::types,
            "tollgate:plugin/input@0.1.0": crate::guest::base::tollgate::plugin::input,
            "tollgate:plugin/log@0.1.0": crate::guest::base::tollgate::plugin::log,
            "tollgate:plugin/clock@0.1.0": crate::guest::base::tollgate::plugin::clock,
            "tollgate:plugin/artifacts@0.1.0": crate::guest::base::tollgate::plugin::artifacts,
            "tollgate:plugin/budget@0.1.0": crate::guest::base::tollgate::plugin::budget,
            "tollgate:plugin/gate-api@0.1.0": generate,
        },
    });
}

use gate::exports::tollgate::plugin::gate_api;
use stage::exports::tollgate::plugin::stage_api;

/// What [`crate::stage!`] exports.
pub struct StageExport<S>(PhantomData<S>);

impl<S: Stage> stage_api::Guest for StageExport<S> {
    fn run() -> Result<stage_api::Outcome, types::Failure> {
        log_panics();
        let settings = settings::parse(&input::get_settings())?;
        Ok(S::run(&Context::new(Imports), settings)?.into())
    }
}

/// What [`crate::gate!`] exports.
pub struct GateExport<G>(PhantomData<G>);

impl<G: Gate> gate_api::Guest for GateExport<G> {
    fn check() -> Result<gate_api::Outcome, types::Failure> {
        log_panics();
        let settings = settings::parse(&input::get_settings())?;
        Ok(G::check(&Context::new(Imports), settings)?.into())
    }
}

/// A trap carries no message, so the panic's own has to leave before it.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| write_log(Level::Error, &panic.to_string())));
}

pub(crate) fn write_log(level: Level, message: &str) {
    log::write(level.as_str(), message);
}

/// The host, by the imports of the base world.
pub(crate) struct Imports;

impl Imports {
    pub(crate) fn entry(&self) -> Entry {
        input::get_entry().into()
    }

    pub(crate) fn prior(&self, stage: &str) -> Option<Output> {
        input::get_prior(stage).map(Output::from)
    }

    pub(crate) fn subject(&self) -> Option<Output> {
        input::get_subject().map(Output::from)
    }

    pub(crate) fn rework(&self) -> Vec<Rework> {
        input::get_rework().into_iter().map(Rework::from).collect()
    }

    pub(crate) fn delivered(&self) -> Vec<Delivered> {
        input::get_delivered().into_iter().map(Delivered::from).collect()
    }

    pub(crate) fn woken(&self) -> Option<Woken> {
        input::get_woken().map(Woken::from)
    }

    pub(crate) fn run_id(&self) -> String {
        input::get_run_id()
    }

    pub(crate) fn attempt(&self) -> u32 {
        input::get_attempt()
    }

    pub(crate) fn now(&self) -> String {
        clock::now()
    }

    pub(crate) fn fuel_left(&self) -> u64 {
        budget::fuel_left()
    }

    pub(crate) fn complete(&self, request: &Request) -> Result<Reply, model::Error> {
        asks::tollgate::plugin::model::complete(&request.into()).map(Reply::from).map_err(model::Error::from)
    }

    pub(crate) fn read(&self, artifact: &Artifact) -> Result<Vec<u8>, ArtifactError> {
        artifacts::read(&artifact.digest, 0, artifact.size_bytes)
            .map_err(|error| convert::artifact_error(&artifact.name, error))
    }

    pub(crate) fn read_text(&self, artifact: &Artifact) -> Result<String, ArtifactError> {
        artifacts::read_text(&artifact.digest).map_err(|error| convert::artifact_error(&artifact.name, error))
    }

    pub(crate) fn write(
        &self,
        name: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Artifact, ArtifactError> {
        let written = artifacts::write(name, media_type, bytes);
        written.map(Artifact::from).map_err(|error| convert::artifact_error(name, error))
    }

    pub(crate) fn write_text(
        &self,
        name: &str,
        media_type: &str,
        text: &str,
    ) -> Result<Artifact, ArtifactError> {
        let written = artifacts::write_text(name, media_type, text);
        written.map(Artifact::from).map_err(|error| convert::artifact_error(name, error))
    }
}
