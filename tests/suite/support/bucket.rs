//! A bucket on this machine that speaks as S3 does, as far as artifacts need: objects are put, asked for and fetched, by signed requests.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

/// What it keeps, by path.
type Objects = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// A bucket, for as long as the process lives.
pub(crate) struct Bucket {
    address: SocketAddr,
    objects: Objects,
    /// So many requests more are answered by an error that passes.
    unwell: Arc<Mutex<u32>>,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let (objects, unwell) = (Objects::default(), Arc::new(Mutex::new(0)));
        let (of_server, unwell_there) = (Arc::clone(&objects), Arc::clone(&unwell));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (objects, unwell) = (Arc::clone(&of_server), Arc::clone(&unwell_there));
                // Whoever goes away in the middle is not served.
                thread::spawn(move || drop(serve(stream, &objects, &unwell)));
            }
        });
        Self { address, objects, unwell }
    }

    /// Lets a command find it, and know its keys.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env("AWS_ENDPOINT_URL", format!("http://{}", self.address)).env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "the-id").env("AWS_SECRET_ACCESS_KEY", "the-s3cret");
    }

    pub(crate) fn is_unwell_for(&self, requests: u32) {
        *self.unwell.lock().expect("no thread panics with the lock") = requests;
    }

    /// Every path with its bytes; to be changed.
    pub(crate) fn objects(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<u8>>> {
        self.objects.lock().expect("no thread panics with the lock")
    }
}

fn serve(stream: TcpStream, objects: &Objects, unwell: &Mutex<u32>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let (mut length, mut is_signed) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "authorization" => is_signed = value.contains("AWS4-HMAC-SHA256 Credential=the-id/"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, answer) = answer(method, path, body, is_signed, objects, unwell);
    let told = if method == "HEAD" { &[] } else { answer.as_slice() };
    let mut stream = reader.get_ref();
    write!(
        stream,
        "HTTP/1.1 {status} Told\r\nconnection: close\r\netag: \"1\"\r\nlast-modified: Sat, 21 Nov 2026 20:00:00 GMT\r\n\
         content-length: {}\r\n\r\n",
        answer.len()
    )?;
    stream.write_all(told)
}

fn answer(
    method: &str,
    path: &str,
    body: Vec<u8>,
    is_signed: bool,
    objects: &Objects,
    unwell: &Mutex<u32>,
) -> (u16, Vec<u8>) {
    if !is_signed {
        return (403, Vec::new());
    }
    {
        let mut unwell = unwell.lock().expect("no thread panics with the lock");
        if *unwell > 0 {
            *unwell -= 1;
            return (503, Vec::new());
        }
    }
    let mut objects = objects.lock().expect("no thread panics with the lock");
    match method {
        "PUT" => {
            objects.insert(path.to_owned(), body);
            (200, Vec::new())
        }
        "GET" | "HEAD" => objects.get(path).map_or((404, Vec::new()), |bytes| (200, bytes.clone())),
        _ => (405, Vec::new()),
    }
}
