//! What is to be seen on a terminal while the binary works, and what it leaves there; and what it writes where there is none.

use crate::support::{OnTerminal, Project};

const ROWS: u16 = 24;

/// A project whose items are read only when they have been still for a while.
fn project_that_settles() -> Project {
    let project = Project::with_one_item();
    let policy = project.read("tollgate.toml").replace("settle = \"0s\"", "settle = \"1s\"");
    project.write("tollgate.toml", &policy);
    project
}

#[test]
fn a_drain_says_what_it_waits_for_and_leaves_a_clean_screen() {
    for columns in [40, 100] {
        let project = project_that_settles();
        let mut host = OnTerminal::start(project.path(), &["run", "--drain"], ROWS, columns);
        let waits = |screen: &vt100::Screen| screen.contents().contains("changed just now");
        assert!(host.read_until(waits), "{:#?}", host.lines());
        let foot = |screen: &vt100::Screen| screen.contents().contains("under way");
        assert!(host.read_until(foot), "{:#?}", host.lines());
        assert_eq!(host.finish(), Some(0), "{:#?}", host.lines());

        let lines = host.lines();
        let sum = lines.iter().position(|line| line.starts_with("1 run ended: 1 done")).expect("a sum");
        assert!(lines[..sum].iter().any(|line| line.starts_with("done       W-1")), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("under way") || line.contains('·')), "{lines:#?}");
        assert!(lines[sum + 1..].iter().all(|line| !line.starts_with(' ')), "{lines:#?}");
        let screen = host.terminal.screen();
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert_eq!(screen.cursor_position().1, 0, "the next prompt begins a line");
    }
}

#[test]
fn an_interrupt_gives_the_terminal_back() {
    let project = Project::with_one_item();
    let mut host = OnTerminal::start(project.path(), &["run"], ROWS, 80);
    assert!(host.read_until(|screen| screen.contents().contains("done       W-1")), "{:#?}", host.lines());
    host.interrupt();
    assert_eq!(host.finish(), Some(2), "{:#?}", host.lines());
    let lines = host.lines();
    assert!(lines.iter().any(|line| line.starts_with("stopping ")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("under way") || line.contains('·')), "{lines:#?}");
    let screen = host.terminal.screen();
    assert!(!screen.hide_cursor(), "the cursor is hidden");
    assert_eq!(screen.cursor_position().1, 0, "the next prompt begins a line");
}

#[test]
fn a_watcher_follows_a_host_to_its_end() {
    let project = Project::with_one_item();
    project.write("backlog/w-2.md", &project.read("backlog/w-1.md").replace("W-1", "W-2"));
    drop(project.run(&["run", "--once"]).expect_code(0));
    let mut watch = OnTerminal::start(project.path(), &["runs", "watch"], ROWS, 80);
    assert!(watch.read_until(|screen| screen.contents().contains("1 ready")), "{:#?}", watch.lines());
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(watch.finish(), Some(0), "{:#?}", watch.lines());
    let lines = watch.lines();
    assert!(lines.iter().any(|line| line.contains("done") && line.contains("W-2")), "{lines:#?}");
    assert_eq!(lines.last().map(String::as_str), Some("nothing is left"), "{lines:#?}");
}

#[test]
fn without_a_terminal_there_is_text_alone() {
    let project = project_that_settles();
    let run = project.run(&["run", "--drain"]);
    let all = format!("{}{}", run.stdout, run.stderr);
    drop(run.expect_code(0));
    assert!(all.contains("1 item of folder:backlog changed just now"), "{all}");
    assert!(!all.contains(['\u{1b}', '\r']), "{all:?}");
}
