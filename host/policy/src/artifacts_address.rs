//! Where a project's artifacts are.

use std::fmt;

/// Where a project's artifacts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactsAddress {
    /// Beside the store's file, or in the project's own folder where the store is no file.
    Beside,
    /// In a bucket of S3, or of what speaks as it does.
    Bucket {
        /// Its name.
        bucket: String,
        /// What the names of objects begin with; perhaps empty.
        prefix: String,
    },
}

impl ArtifactsAddress {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let place = text.strip_prefix("s3://").ok_or("expected `s3://`, a bucket, and perhaps a prefix")?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(plain) {
            return Err(
                "expected the name of a bucket after `s3://`: 3 to 63 small letters, digits, `-` and `.`",
            );
        }
        if prefix.contains(['?', '#', '\\']) || prefix.split('/').any(|part| matches!(part, "." | "..")) {
            return Err("expected a prefix of plain names with `/` between them");
        }
        Ok(Self::Bucket { bucket: bucket.into(), prefix: prefix.trim_matches('/').into() })
    }
}

impl fmt::Display for ArtifactsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beside => f.write_str("beside the store"),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}
