//! Bytes by their digest, in a bucket that every host reaches: Amazon's S3, or anything that speaks as it does.
//!
//! An object is there at once and whole, and whoever took it keeps it: so bytes that were put are durable, and there is nothing to sync.
//! Keys and region come from the environment by their usual names, `AWS_ACCESS_KEY_ID` and so on.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig, aws::AmazonS3Builder,
    path::Path,
};
use tollgate_core::Digest;

use super::{ArtifactError, ArtifactPlace, Result};

/// How long one request may take, and all that are made for one that fails. A step waits meanwhile.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);
const RETRIES_MAX: usize = 5;

/// A bucket of artifacts.
#[derive(Debug)]
pub struct ArtifactBucket {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    bucket: String,
}

impl ArtifactBucket {
    /// The artifacts below `prefix` in a bucket. Nothing is asked of it yet.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Bucket`] when the environment says something that cannot be.
    pub fn open(bucket: &str, prefix: &str) -> Result<Self> {
        let retry =
            RetryConfig { max_retries: RETRIES_MAX, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
        // One that is near and has no certificate names itself by `http:`; who does not is asked for one.
        let client = ClientOptions::new().with_timeout(REQUEST_TIMEOUT).with_allow_http(true);
        let builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_client_options(client)
            .with_retry(retry);
        let objects =
            builder.build().map_err(|error| bucket_error("open", &format!("s3://{bucket}"), &error))?;
        Ok(Self { objects: Arc::new(objects), prefix: Path::from(prefix), bucket: bucket.to_owned() })
    }

    fn key(&self, digest: Digest) -> Path {
        let name = digest.hex();
        self.prefix.clone().join(&name[..2]).join(name)
    }

    /// The object's own address.
    fn place_of(&self, digest: Digest) -> String {
        format!("s3://{}/{}", self.bucket, self.key(digest))
    }

    fn failed(&self, doing: &'static str, digest: Digest, error: &object_store::Error) -> ArtifactError {
        match error {
            object_store::Error::NotFound { .. } => ArtifactError::Missing { digest },
            error => bucket_error(doing, &self.place_of(digest), error),
        }
    }
}

#[async_trait]
impl ArtifactPlace for ArtifactBucket {
    fn location(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix)
    }

    async fn put(&self, bytes: Arc<[u8]>) -> Result<Digest> {
        let digest = Digest::of(&bytes);
        let key = self.key(digest);
        // What stands under a digest is never changed; one of another length was damaged.
        match self.objects.head(&key).await {
            Ok(there) if there.size == bytes.len() as u64 => return Ok(digest),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(self.failed("look for", digest, &error)),
        }
        let payload = PutPayload::from(bytes.to_vec());
        self.objects.put(&key, payload).await.map_err(|error| self.failed("write", digest, &error))?;
        Ok(digest)
    }

    async fn sync(&self, _: Vec<Digest>) -> Result<()> {
        Ok(())
    }

    async fn read(&self, digest: Digest) -> Result<Vec<u8>> {
        let failed = |error: object_store::Error| self.failed("read", digest, &error);
        let found = self.objects.get(&self.key(digest)).await.map_err(failed)?;
        let bytes = found.bytes().await.map_err(failed)?;
        if Digest::of(&bytes) == digest {
            return Ok(bytes.to_vec());
        }
        Err(ArtifactError::Damaged { digest, path: self.place_of(digest).into() })
    }

    async fn size_bytes(&self, digest: Digest) -> Result<u64> {
        let found = self.objects.head(&self.key(digest)).await;
        found.map(|object| object.size).map_err(|error| self.failed("look at", digest, &error))
    }
}

fn bucket_error(doing: &'static str, place: &str, error: &object_store::Error) -> ArtifactError {
    ArtifactError::Bucket { doing, place: place.to_owned(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn bucket() -> ArtifactBucket {
        let objects = Arc::new(InMemory::new());
        ArtifactBucket { objects, prefix: Path::from("a/b"), bucket: "library".into() }
    }

    #[test]
    fn bytes_are_read_back_under_their_digest() {
        let bucket = bucket();
        for bytes in [b"".as_slice(), b"a specification", &[0xff; 70_000]] {
            let digest = block_on(bucket.put(bytes.into())).unwrap();
            assert_eq!((digest, block_on(bucket.put(bytes.into())).unwrap()), (Digest::of(bytes), digest));
            assert_eq!(block_on(bucket.read(digest)).unwrap(), bytes);
            assert!(bucket.key(digest).to_string().starts_with("a/b/"));
        }
        let missing = block_on(bucket.read(Digest::of("never put")));
        assert!(matches!(missing, Err(ArtifactError::Missing { .. })), "{missing:?}");
    }

    #[test]
    fn damaged_bytes_are_never_handed_out_and_shorter_ones_are_put_again() {
        let bucket = bucket();
        let digest = block_on(bucket.put(b"as it was".as_slice().into())).unwrap();
        block_on(bucket.objects.put(&bucket.key(digest), "as it".into())).unwrap();
        let damaged = block_on(bucket.read(digest));
        assert!(matches!(damaged, Err(ArtifactError::Damaged { .. })), "{damaged:?}");
        block_on(bucket.put(b"as it was".as_slice().into())).unwrap();
        assert_eq!(block_on(bucket.read(digest)).unwrap(), b"as it was");
    }
}
