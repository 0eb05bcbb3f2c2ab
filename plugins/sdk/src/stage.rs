//! A stage produces.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Artifact, Context, Effect, Failure, Outcome};

/// A stage: one entry and some settings in, data, artifacts and effects out.
pub trait Stage {
    /// The `with` table of the stage in the pipeline file. Derive `Deserialize` with `deny_unknown_fields`, so
    /// that a misspelt name is said instead of ignored.
    type Settings: DeserializeOwned;

    /// Does the work of one call.
    ///
    /// # Errors
    ///
    /// A [`Failure`] when there is nothing to hand on; its class says what the host does about it.
    fn run(ctx: &Context, settings: Self::Settings) -> Result<Outcome, Failure>;
}

/// What one call of a stage hands on.
#[derive(Clone, Debug, PartialEq)]
pub struct Produced {
    /// One line for people.
    pub summary: String,
    /// For later stages, gates and rules, by the schema in `plugin.toml`. `{}` when nothing was said.
    pub data: Value,
    /// What was written and is to be kept, in order.
    pub artifacts: Vec<Artifact>,
    /// What is asked of the world outside, in order.
    pub effects: Vec<Effect>,
}

impl Produced {
    /// A result with a one-line summary and nothing else yet.
    pub fn new(summary: impl Into<String>) -> Self {
        Produced {
            summary: summary.into(),
            data: Value::Object(serde_json::Map::new()),
            artifacts: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Sets the data. Keys of objects are written in sorted order.
    ///
    /// # Errors
    ///
    /// A failure of class `permanent` when the value is not JSON, such as a map whose keys are not text.
    pub fn data(mut self, data: impl Serialize) -> Result<Self, Failure> {
        self.data = serde_json::to_value(data)
            .map_err(|error| Failure::permanent(format!("the stage's data is not JSON: {error}")))?;
        Ok(self)
    }

    /// Adds an artifact.
    pub fn artifact(mut self, artifact: Artifact) -> Self {
        self.artifacts.push(artifact);
        self
    }

    /// Adds an effect.
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }
}
