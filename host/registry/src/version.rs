//! One version of one plugin.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use tollgate_core::Digest;

use crate::component::{ComponentError, Outline};
use crate::manifest::{Kind, Manifest, ManifestError};

/// One version of one plugin: a component, its digest, and what it says of itself.
#[derive(Clone)]
pub struct Version {
    manifest: Manifest,
    digest: Digest,
    origin: Origin,
    component: Cow<'static, [u8]>,
}

/// Where a version was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is part of this program.
    Shipped,
    /// A file of the project.
    File(PathBuf),
}

/// Bytes that are not a version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// They are not a component with a manifest.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The manifest does not make sense.
    #[error("has a manifest that does not hold: {0}")]
    Manifest(#[from] ManifestError),
}

impl Version {
    /// Reads the version that a component says it is.
    ///
    /// # Errors
    ///
    /// [`VersionError`] when the bytes are not a component with a manifest that makes sense.
    pub fn read(component: impl Into<Cow<'static, [u8]>>, origin: Origin) -> Result<Self, VersionError> {
        let component = component.into();
        let manifest = Manifest::parse(Outline::read(&component)?.manifest)?;
        Ok(Version { manifest, digest: Digest::of(&component), origin, component })
    }

    /// The plugin's name.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// The semantic version.
    pub fn semver(&self) -> &semver::Version {
        &self.manifest.version
    }

    /// Stage, gate or source.
    pub fn kind(&self) -> Kind {
        self.manifest.kind
    }

    /// What the plugin says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The digest of the component, manifest included.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Where it was found.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The component itself.
    pub fn component(&self) -> &[u8] {
        &self.component
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name(), self.semver())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({}, {:?})", self.digest, self.origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Shipped => f.write_str("shipped"),
            Origin::File(path) => path.display().fmt(f),
        }
    }
}
