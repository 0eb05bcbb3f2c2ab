//! A provider of models on this machine that says what it is told to say, and does what real ones do to those who ask them.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

/// A provider, for as long as the process lives.
pub(crate) struct Provider {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A request that came.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "not every test target looks at all of it")]
pub(crate) struct Received {
    /// e.g. `POST /v1/messages HTTP/1.1`.
    pub(crate) line: String,
    /// As they were sent, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

/// What becomes of one request.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "not every test target does all of it")]
pub(crate) enum Act {
    /// A response.
    Respond { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// A response that is shorter than it says.
    Cut { body: String },
    /// The connection is closed without a response.
    HangUp,
    /// Nothing, until whoever asked goes away.
    Silence,
}

#[allow(dead_code, reason = "not every test target does all of it")]
impl Act {
    pub(crate) fn status(status: u16) -> Self {
        Self::Respond { status, headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn retry_after(status: u16, seconds: &str) -> Self {
        Self::Respond { status, headers: vec![("retry-after", seconds.to_owned())], body: String::new() }
    }

    pub(crate) fn body(body: impl ToString) -> Self {
        Self::Respond { status: 200, headers: Vec::new(), body: body.to_string() }
    }

    /// A reply as Anthropic writes it.
    pub(crate) fn anthropic(text: &str, input_tokens: u64, output_tokens: u64) -> Self {
        Self::body(json!({
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-test-1",
            "content": [{ "type": "text", "text": text }],
            "stop_reason": "end_turn",
            "usage": { "input_tokens": input_tokens, "output_tokens": output_tokens },
        }))
    }

    /// A reply as OpenAI writes it.
    pub(crate) fn openai(text: &str, input_tokens: u64, output_tokens: u64) -> Self {
        Self::body(json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "gpt-test-1",
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": text, "refusal": null },
                "finish_reason": "stop",
            }],
            "usage": {
                "prompt_tokens": input_tokens,
                "completion_tokens": output_tokens,
                "total_tokens": input_tokens + output_tokens,
            },
        }))
    }
}

impl Received {
    #[allow(dead_code, reason = "not every test target looks at all of it")]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Provider {
    /// One that does these things, one a request; what comes after them gets status 500.
    pub(crate) fn that(acts: impl IntoIterator<Item = Act>) -> Self {
        let mut acts: VecDeque<_> = acts.into_iter().collect();
        Self::answering(move |_| acts.pop_front().unwrap_or_else(|| Act::status(500)))
    }

    /// One that does what this says.
    pub(crate) fn answering(act: impl FnMut(&Received) -> Act + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let received = Arc::new(Mutex::new(Vec::new()));
        let act = Arc::new(Mutex::new(act));
        let log = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, act) = (Arc::clone(&log), Arc::clone(&act));
                thread::spawn(move || serve(stream, &log, &act));
            }
        });
        Self { address, received }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked so far, oldest first.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no thread panics with the lock").clone()
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<Received>>, act: &Mutex<impl FnMut(&Received) -> Act>) {
    let mut reader = BufReader::new(stream);
    // Whoever goes away in the middle is not served.
    let Some(received) = receive(&mut reader) else { return };
    log.lock().expect("no thread panics with the lock").push(received.clone());
    let act = act.lock().expect("no thread panics with the lock")(&received);
    let mut stream = reader.get_ref();
    let _gone = match act {
        Act::Respond { status, headers, body } => {
            let headers: String =
                headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} Told\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
            )
        }
        Act::Cut { body } => {
            let length = body.len() * 2;
            write!(stream, "HTTP/1.1 200 Told\r\ncontent-length: {length}\r\n\r\n{body}")
        }
        Act::HangUp => Ok(()),
        Act::Silence => reader.read(&mut [0]).map(drop),
    };
}

fn receive(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let line = next_line(reader)?;
    let mut headers = Vec::new();
    loop {
        let header = next_line(reader)?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received { line, headers, body: serde_json::from_slice(&body).ok()? })
}

fn next_line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    Some(line.trim_end().to_owned())
}
