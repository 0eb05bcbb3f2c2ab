//! A line to a database on which the answer to a commit can be lost: the database has committed, and who asked for it does not know.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

/// A line, for as long as the process lives.
pub(super) struct Line {
    here: SocketAddr,
    /// To how many of the next commits the answers are lost.
    loses: Arc<AtomicU32>,
}

/// What a client says to commit, and no more: who begins speaks of what is committed.
const COMMIT: &[u8] = b"COMMIT\0";

/// What the server says when it has, or when there was nothing to be kept.
const COMMITTED: [&[u8]; 2] = [b"COMMIT\0", b"ROLLBACK\0"];

/// What becomes of something that was said.
enum Fate {
    /// The other end hears it.
    Heard,
    Lost,
    /// The line is cut before it.
    Cut,
}

impl Line {
    /// A line to the server of a database.
    pub(super) fn to(address: &str) -> Self {
        let there: SocketAddr = place(address).parse().expect("an address has a port");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let here = listener.local_addr().expect("a listener has an address");
        let loses = Arc::new(AtomicU32::new(0));
        let line = Self { here, loses: Arc::clone(&loses) };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(there) {
                    connect(&client, &server, &loses);
                }
            }
        });
        line
    }

    /// The address of a database on this line.
    pub(super) fn through(&self, address: &str) -> String {
        address.replacen(place(address), &self.here.to_string(), 1)
    }

    /// The next commit of whoever is on this line is done, and the line is cut before its answer comes. Where another one is about to
    /// commit as well, both are.
    pub(super) fn lose_next_answer(&self) {
        self.loses.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether all answers that were to be lost are: somebody committed whenever it was said.
    pub(super) fn has_lost_all(&self) -> bool {
        self.loses.load(Ordering::SeqCst) == 0
    }
}

/// Machine and port of an address.
fn place(address: &str) -> &str {
    let (_, place) = address.split_once('@').expect("an address has a user");
    place.split('/').next().unwrap_or(place)
}

/// Carries what two say to each other, until one of them hangs up or an answer is lost.
fn connect(client: &TcpStream, server: &TcpStream, loses: &Arc<AtomicU32>) {
    // Neither waits for more to say, or each question would take as long as a far server.
    for end in [client, server] {
        end.set_nodelay(true).expect("a line can be told so");
    }
    let is_cut = Arc::new(AtomicBool::new(false));
    let ends = || [client, server].map(|end| end.try_clone().expect("a socket has another name"));
    let ([mut client_end, mut server_end], cut, loses) = (ends(), Arc::clone(&is_cut), Arc::clone(loses));
    std::thread::spawn(move || {
        carry(&mut client_end, &mut server_end, |said| {
            let one_less = |left: u32| left.checked_sub(1);
            if has(said, COMMIT) && loses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
                cut.store(true, Ordering::SeqCst);
            }
            Fate::Heard
        });
    });
    let [mut client_end, mut server_end] = ends();
    std::thread::spawn(move || {
        carry(&mut server_end, &mut client_end, |said| {
            // What is answered before that is of what goes with the commit, and it is not done yet.
            match is_cut.load(Ordering::SeqCst) {
                false => Fate::Heard,
                true if COMMITTED.iter().any(|done| has(said, done)) => Fate::Cut,
                true => Fate::Lost,
            }
        });
    });
}

fn has(said: &[u8], words: &[u8]) -> bool {
    said.windows(words.len()).any(|window| window == words)
}

/// Carries what comes from one end to the other, until it is cut.
fn carry(from: &mut TcpStream, to: &mut TcpStream, mut fate: impl FnMut(&[u8]) -> Fate) {
    let mut buffer = [0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let carried = match fate(&buffer[..length]) {
            Fate::Heard => to.write_all(&buffer[..length]).is_ok(),
            Fate::Lost => true,
            Fate::Cut => false,
        };
        if !carried {
            break;
        }
    }
    for end in [from, to] {
        drop(end.shutdown(Shutdown::Both));
    }
}
