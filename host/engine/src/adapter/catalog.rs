//! The registry, as the policy's check asks it.

use tollgate_policy::{PluginCatalog, PluginFacts, PluginKind, PluginProblem};
use tollgate_registry::{Kind, Registry, ResolveError, manifest::Reads};

/// The plugins that a check may rely on.
pub struct Catalog<'r>(pub &'r Registry);

impl PluginCatalog for Catalog<'_> {
    fn find(&self, request: &str) -> Result<PluginFacts, PluginProblem> {
        let version = self.0.resolve(request).map_err(problem)?;
        let manifest = version.manifest();
        Ok(PluginFacts {
            name: version.name().to_owned(),
            version: version.semver().to_string(),
            kind: match version.kind() {
                Kind::Stage => PluginKind::Stage,
                Kind::Gate => PluginKind::Gate,
                Kind::Source => PluginKind::Source,
            },
            settings: manifest.settings.clone(),
            data: manifest.data.clone(),
            effects: manifest.effects.iter().cloned().collect(),
            capabilities: manifest.capabilities.iter().cloned().collect(),
            optional: manifest.optional.iter().cloned().collect(),
            reads: match &manifest.reads {
                Reads::All => vec!["*".to_owned()],
                Reads::Only(parts) => parts.iter().cloned().collect(),
            },
        })
    }
}

fn problem(error: ResolveError) -> PluginProblem {
    match error {
        ResolveError::UnknownName { known, .. } => PluginProblem::Unknown { known },
        ResolveError::NoVersion { versions, .. } => {
            PluginProblem::NoVersion { versions: versions.iter().map(ToString::to_string).collect() }
        }
        malformed @ (ResolveError::Request(_) | ResolveError::UnknownDigest(_)) => {
            PluginProblem::Malformed { reason: malformed.to_string() }
        }
    }
}
