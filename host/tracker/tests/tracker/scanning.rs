use std::{
    fs,
    io::Write as _,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink},
    process::Command,
    sync::Arc,
    time::Duration,
};

use proptest::prelude::*;
use tollgate_core::{Clock as _, time::SystemClock};
use tollgate_tracker::{FolderConfig, FolderTracker, ScanReport};

use crate::project::{Project, scan};

const ITEM: &str = "---\nid: A-1\ntitle: T\n---\nbody\n";

fn keys(report: &ScanReport) -> Vec<&str> {
    report.items.iter().map(|item| item.name.key.as_str()).collect()
}

fn skipped(report: &ScanReport) -> String {
    report.skipped.iter().map(|skipped| format!("{skipped}\n")).collect()
}

/// Puts one file beside a good one, and sees what is said of it. The good one is always read.
#[track_caller]
fn check_skipped(put: impl FnOnce(&Project), expected: &str) {
    let project = Project::new();
    project.write("backlog/good.md", ITEM);
    put(&project);
    let report = project.scan();
    assert_eq!(keys(&report), ["A-1"]);
    assert_eq!(skipped(&report), expected);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
    check_skipped(
        |project| project.write("backlog/a.md", "---\nid: A-2\nassignee: @desk\n---\n"),
        "backlog/a.md: line 3: the value needs quotes: assignee: \"@desk\"\n",
    );
    check_skipped(
        |project| project.write("backlog/b/a.md", "---\nid: A-2\n"),
        "backlog/b/a.md: line 1: the front matter that begins here never ends; put a line `---` below it\n",
    );
    check_skipped(
        |project| project.write("backlog/a.md", b"# T\n\nGeb\xfchren\n"),
        "backlog/a.md: line 3: is not UTF-8; save the file in UTF-8\n",
    );
    check_skipped(
        |project| project.write("backlog/a.md", ""),
        "backlog/a.md: is empty; write what is to be done, or remove it\n",
    );
    check_skipped(
        |project| project.write("backlog/z.md", "---\nid: A-1\n---\nanother\n"),
        "backlog/z.md: has the key `A-1` of backlog/good.md, which is taken; give it another\n",
    );
    check_skipped(
        |project| fs::create_dir(project.path("backlog/a.md")).unwrap(),
        "backlog/a.md: is a folder with the name of an item; rename it\n",
    );
}

#[test]
fn a_large_file_is_not_read() {
    check_skipped(
        |project| {
            // Sparse: it takes no room on the disk, and would take 50 MB of memory if it were read.
            let mut file = fs::File::create(project.path("backlog/a.md")).unwrap();
            file.write_all(ITEM.as_bytes()).unwrap();
            file.set_len(50_000_000).unwrap();
            project.touch("backlog/a.md", -10_000);
        },
        "backlog/a.md: has 50000000 bytes, and at most 4194304 are read; shorten it, e.g. by attaching logs elsewhere\n",
    );
}

#[test]
fn links_are_not_followed() {
    let outside = |project: &Project| project.write("outside.md", "---\nid: A-9\n---\nsecret\n");
    check_skipped(
        |project| {
            outside(project);
            symlink("../outside.md", project.path("backlog/a.md")).unwrap();
        },
        "backlog/a.md: is a link that leads out of the folder, to ../outside.md; put the file itself here\n",
    );
    check_skipped(
        |project| {
            project.write("other/x.md", "# X\n");
            symlink("../other", project.path("backlog/sub")).unwrap();
        },
        "backlog/sub: is a link that leads out of the folder, to ../other; put the file itself here\n",
    );
    check_skipped(
        |project| symlink("nowhere.md", project.path("backlog/a.md")).unwrap(),
        "backlog/a.md: is a link to nothing; remove it or mend it\n",
    );
    // What a link inside the folder leads to is read by itself.
    check_skipped(|project| symlink("good.md", project.path("backlog/a.md")).unwrap(), "");
    check_skipped(|project| symlink(".", project.path("backlog/loop")).unwrap(), "");
}

#[test]
fn pipes_are_not_opened() {
    check_skipped(
        |project| {
            let path = project.path("backlog/a.md");
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            assert!(fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
            // The pipe's own time is that of the machine's clock.
            project.clock.set_wall(SystemClock::default().now().after(Duration::from_secs(3600)));
        },
        "backlog/a.md: is no plain file; move it out of the folder or list it under `ignore`\n",
    );
}

#[test]
fn what_may_not_be_read_makes_the_scan_incomplete() {
    let project = Project::new();
    project.write("backlog/good.md", ITEM);
    project.write("backlog/closed/a.md", "# A\n");
    let closed = project.path("backlog/closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(&closed).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let report = project.scan();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!((keys(&report), report.complete), (vec!["A-1"], false));
    assert_eq!(skipped(&report), "backlog/closed: cannot be read: Permission denied (os error 13)\n");
}

#[test]
fn names_decide_what_is_read() {
    let mut project = Project::new();
    for name in ["a.md", "B.MD", "sub/deep/c.md", "done/d.md", "e.markdown", "f.txt"] {
        project.write(&format!("backlog/{name}"), "# T\n");
    }
    for name in ["README.md", "sub/readme.MD", ".hidden.md", ".git/x.md", "a.tollgate.md", "A.TOLLGATE.MD"] {
        project.write(&format!("backlog/{name}"), "# T\n");
    }
    let report = project.scan();
    assert_eq!(keys(&report), ["B", "a", "d", "c"]);
    assert!(report.skipped.is_empty() && report.complete);

    project.config.ignore = vec!["done/**".into(), "!README.md".into()];
    assert_eq!(keys(&project.scan()), ["B", "README", "a", "c"]);
}

#[test]
fn a_file_that_is_being_written_comes_later() {
    let project = Project::new();
    project.write("backlog/a.md", ITEM);
    project.touch("backlog/a.md", -1_000);
    let tracker = project.tracker();
    let first = scan(&tracker);
    assert!(keys(&first).is_empty());
    assert_eq!(first.unsettled, ["backlog/a.md"]);
    project.clock.advance(Duration::from_secs(1));
    assert_eq!(keys(&scan(&tracker)), ["A-1"]);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let errors: Vec<String> = [
        FolderConfig { ignore: vec!["a{".into()], ..FolderConfig::new("p", "backlog") },
        FolderConfig { records: ".md".into(), ..FolderConfig::new("p", "backlog") },
        FolderConfig::new("p", "./"),
    ]
    .into_iter()
    .map(|config| FolderTracker::open(config, Project::new().clock).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(errors.join("\n"), @r"
    `a{` is not a pattern of files to ignore: error parsing glob 'a{': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
    `.md` cannot end the names of record files; expected a dot, a word and `.md`, e.g. `.tollgate.md`
    `./` does not name a folder; expected a path relative to the project, e.g. `docs/backlog`
    ");
}

#[test]
fn the_examples_are_read() {
    let mut project = Project::new();
    project.config.project = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/spec-generation").into();
    let tracker = FolderTracker::open(project.config, Arc::new(SystemClock::default()));
    let report = scan(&tracker.unwrap());
    insta::assert_snapshot!(skipped(&report), @r#"
    backlog/LIB-140-reader-cable.md: line 7: the value needs quotes: assignee: "@kiosk-team"
    backlog/LIB-141-gebuehren.md: line 3: is not UTF-8; save the file in UTF-8
    backlog/LIB-142-kiosk-tax-line.md: line 3: the value needs quotes: title: "Kiosk: receipt shows the wrong line: \"tax 0.00\""
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_keep_the_rest_from_being_read(
        files in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..20),
        texts in proptest::collection::vec("(---\n)?([a-z]{1,3}: ?[&*!@\\[{\"'|>-]?.{0,9}\n){0,4}(---\n)?(\\PC|\n|[#*`>:-]){0,60}", 1..20),
    ) {
        let project = Project::new();
        project.write("backlog/good.md", ITEM);
        let texts = texts.iter().map(String::as_bytes);
        let count = files.len() + texts.len();
        for (number, bytes) in files.iter().map(Vec::as_slice).chain(texts).enumerate() {
            project.write(&format!("backlog/x{number}.md"), bytes);
        }
        let report = project.scan();
        prop_assert!(keys(&report).contains(&"A-1"));
        prop_assert_eq!(report.items.len() + report.skipped.len(), count + 1);
    }
}
