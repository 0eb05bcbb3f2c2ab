//! The binary on a terminal.

use std::{
    ffi::OsStr,
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    num::NonZero,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    process::{Child, Command},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use super::command;

/// A process whose output goes to a terminal.
pub(crate) struct OnTerminal {
    child: Child,
    master: File,
    /// What is to be seen, and what has gone out at the top.
    pub(crate) terminal: vt100::Parser,
}

/// The command in a session of its own whose terminal is its stdin, so that keys reach it: what a login does.
fn in_session(command: Command) -> Command {
    let mut session = Command::new("setsid");
    session.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args()).env_clear();
    session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    session.current_dir(command.get_current_dir().expect("it has a folder"));
    session
}

/// Lines that have gone out at the top and can still be seen by scrolling.
const SCROLLBACK: usize = 10_000;

impl OnTerminal {
    /// Starts the binary in `folder` on a terminal of this size.
    pub(crate) fn start(folder: &Path, args: &[&str], rows: u16, columns: u16) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a terminal can be made");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("a terminal can be made");
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).expect("a terminal has a size");
        let name = ptsname(&master, Vec::new()).expect("a terminal has a name");
        let open = OpenOptions::new().read(true).write(true).open(OsStr::from_bytes(name.as_bytes()));
        let other_end = open.expect("a terminal has two ends");
        let end = || other_end.try_clone().expect("a file can be opened twice");
        let mut command = in_session(command(folder, args));
        command.env_remove("NO_COLOR").env("TERM", "xterm-256color");
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("it can be started");
        let [rows, columns] = [rows, columns].map(|size| NonZero::new(size).expect("a terminal has a size"));
        Self { child, master: master.into(), terminal: vt100::Parser::new(rows, columns, SCROLLBACK) }
    }

    /// Reads on until `seen` says so; false when the process ended before.
    pub(crate) fn read_until(&mut self, seen: impl Fn(&vt100::Screen) -> bool) -> bool {
        let mut buffer = [0; 4096];
        while !seen(self.terminal.screen()) {
            // Linux reports an error where nobody has the other end open any more.
            let Ok(length @ 1..) = self.master.read(&mut buffer) else { return false };
            self.terminal.process(&buffer[..length]);
        }
        true
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupt(&mut self) {
        self.master.write_all(&[0x03]).expect("a terminal takes keys");
    }

    /// Reads to the end; the exit code.
    pub(crate) fn finish(&mut self) -> Option<i32> {
        self.read_until(|_| false);
        self.child.wait().expect("a child can be waited for").code()
    }

    /// The lines on the screen, without those at its end that are empty.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.terminal.screen().contents().lines().map(|line| line.trim_end().to_owned()).collect()
    }
}
