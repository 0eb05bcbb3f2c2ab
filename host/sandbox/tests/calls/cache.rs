//! A component is compiled once, and what was kept is used only if it is whole.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;
use tempfile::TempDir;
use tollgate_sandbox::{Grants, Metrics, Sandbox, SandboxError, SandboxOptions};

use crate::{
    components::{HOSTILE_STAGE, Stage},
    support::Try,
};

fn sandbox(folder: &Path) -> Sandbox {
    let cache_dir = Some(folder.join("code"));
    Sandbox::new(SandboxOptions { cache_dir, max_live_calls: 1, ..SandboxOptions::default() }).unwrap()
}

/// A new sandbox over the folder serves a call, and does this for it.
async fn check(folder: &Path, compiled: u64, loaded_from_disk: u64) {
    let sandbox = sandbox(folder);
    let component = Stage::DONE.component();
    let report = Try::stage(&component, json!({})).on(&sandbox).await.unwrap();
    assert!(report.recomputable, "{:?}", report.outcome);
    assert_eq!(sandbox.metrics(), Metrics { compiled, loaded_from_disk });
}

fn only_file(folder: &Path) -> PathBuf {
    let engine = fs::read_dir(folder.join("code")).unwrap().next().unwrap().unwrap().path();
    let files: Vec<_> = fs::read_dir(engine).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[tokio::test]
async fn the_second_start_compiles_nothing() {
    let folder = TempDir::new().unwrap();
    check(folder.path(), 1, 0).await;
    check(folder.path(), 0, 1).await;
}

#[tokio::test]
async fn a_file_that_decayed_is_compiled_again() {
    let folder = TempDir::new().unwrap();
    check(folder.path(), 1, 0).await;
    let file = only_file(folder.path());
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for decayed in
        [&flipped[..], &whole[..whole.len() - 1], &whole[..32], &whole[..7], &[], &vec![0; whole.len()]]
    {
        fs::write(&file, decayed).unwrap();
        check(folder.path(), 1, 0).await;
        assert_eq!(fs::read(&file).unwrap(), whole);
        check(folder.path(), 0, 1).await;
    }
}

#[tokio::test]
async fn many_who_ask_at_once_compile_once() {
    let folder = TempDir::new().unwrap();
    let sandbox = sandbox(folder.path());
    let given = |grant: &str| Grants { given: vec![grant.to_owned()], optional: Vec::new() };
    let grants = [given("effect:set-state"), given("effect:publish-file")];
    let prepare = |at: usize| {
        let (digest, bytes) = (HOSTILE_STAGE.digest, Arc::clone(&HOSTILE_STAGE.bytes));
        let (sandbox, grants) = (sandbox.clone(), grants[at % 2].clone());
        tokio::spawn(async move { sandbox.prepare(digest, bytes, grants).await.map(|ready| ready.digest()) })
    };
    for asked in (0..8).map(prepare).collect::<Vec<_>>() {
        assert_eq!(asked.await.unwrap(), Ok(HOSTILE_STAGE.digest));
    }
    assert_eq!(sandbox.metrics(), Metrics { compiled: 1, loaded_from_disk: 0 });
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_may_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let options = SandboxOptions { cache_dir: Some(folder.path().into()), ..SandboxOptions::default() };
    match Sandbox::new(options) {
        Err(SandboxError::CacheDir { reason, .. }) => insta::assert_snapshot!(
            reason,
            @"others may enter it (mode 755), and what is in it is run; `chmod 700` it, or name another folder"
        ),
        other => panic!("{:?}", other.map(|sandbox| sandbox.metrics())),
    }
}
