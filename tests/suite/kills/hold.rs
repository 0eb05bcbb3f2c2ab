//! A process that is held at some of its places while somebody does something.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
};

/// Does `act` with the name of each place at which a process is held, for as long as `body` lasts, which is told where to be held.
pub(super) fn at_each<T>(act: impl FnMut(&str) + Send, body: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let socket = folder.path().join("held");
    let listener = UnixListener::bind(&socket).expect("a socket can be made");
    std::thread::scope(|scope| {
        scope.spawn(|| listen(&listener, act));
        // However the body ends, the listener ends.
        let _over = Over(socket.clone());
        body(&socket)
    })
}

/// No place is called like that.
const OVER: &str = "over";

struct Over(PathBuf);

impl Drop for Over {
    fn drop(&mut self) {
        let line = UnixStream::connect(&self.0);
        drop(line.and_then(|mut line| writeln!(line, "{OVER}")));
    }
}

fn listen(listener: &UnixListener, mut act: impl FnMut(&str)) {
    loop {
        let (line, _) = listener.accept().expect("a socket can be listened on");
        let mut place = String::new();
        let said = BufReader::new(&line).read_line(&mut place);
        match place.trim_end() {
            OVER => return,
            // It was killed before it could say where it is.
            "" => drop(said),
            place => act(place),
        }
    }
}
