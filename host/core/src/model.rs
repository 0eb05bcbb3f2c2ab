//! Language models: what they are called, where they are, what they cost.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Microcents;

/// A model that a project may ask, by everything that is said of it. The key is not among it: only where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSpec {
    /// How its provider is spoken to.
    pub provider: Provider,
    /// Where its provider is; none for the provider's own place.
    pub base_url: Option<String>,
    /// Where the key is kept; none where none is needed.
    pub key: Option<KeySource>,
    /// How long a reply may take.
    pub timeout: Duration,
    /// What a run is pinned to.
    pub pinned: PinnedModel,
}

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// By the Messages API of Anthropic.
    Anthropic,
    /// By the Chat Completions API of OpenAI, which many others speak too.
    OpenAi,
}

/// Where a key is kept. It is read there when a host starts, and never written anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In a variable of the environment.
    Environment(String),
    /// In a file; a relative path is one in the project.
    File(PathBuf),
}

/// A language model, as far as it decides what a run does and costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PinnedModel {
    /// Its name at its provider.
    pub model: String,
    /// What its tokens cost.
    pub price: TokenPrice,
    /// The longest reply that may be asked for, in tokens.
    pub max_tokens: u32,
}

/// What the tokens of a model cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenPrice {
    /// A million tokens that it reads.
    pub input_per_million: Microcents,
    /// A million tokens that it writes.
    pub output_per_million: Microcents,
}

impl TokenPrice {
    /// What these tokens cost, rounded up.
    pub fn of(&self, input_tokens: u64, output_tokens: u64) -> Microcents {
        let part = |tokens: u64, price: Microcents| u128::from(tokens) * u128::from(price.0);
        let sum = part(input_tokens, self.input_per_million)
            .saturating_add(part(output_tokens, self.output_per_million));
        Microcents(u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_priced_by_the_million_and_never_too_low() {
        let price = TokenPrice {
            input_per_million: Microcents(300_000_000),
            output_per_million: Microcents(1_500_000_000),
        };
        assert_eq!(price.of(0, 0), Microcents(0));
        assert_eq!(price.of(1_000_000, 1_000_000), Microcents(1_800_000_000));
        assert_eq!(price.of(1, 0), Microcents(300));
        let cheap = TokenPrice { input_per_million: Microcents(1), output_per_million: Microcents(0) };
        assert_eq!(cheap.of(1, 9), Microcents(1));
        assert_eq!(price.of(u64::MAX, u64::MAX), Microcents(u64::MAX));
    }
}
