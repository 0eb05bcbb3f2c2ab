//! The one way out: data to stdout, everything else to stderr.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use super::{table::Table, text::clean};
use crate::error::{Failure, Result};

/// How wide the first word of a line of events is.
const LABEL_COLUMNS: usize = 10;

/// What is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What a word means, beside what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Notable,
    /// Wrong.
    Bad,
    /// Neither.
    Plain,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Notable => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Plain => Style::new().bold(),
        }
    }
}

/// Prints. Cheap to clone; all clones share the streams.
#[derive(Clone)]
pub(crate) struct Printer {
    format: Format,
    streams: Arc<Streams>,
}

struct Streams {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    /// Lines that stay at the foot of the terminal; every other write to stderr makes way for them.
    foot: MultiProgress,
    /// The width of stdout, where it is a terminal.
    columns: Option<u16>,
}

impl fmt::Debug for Printer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printer").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Printer {
    /// Prints to the process's streams.
    pub(crate) fn standard(format: Format) -> Self {
        let live = io::stderr().is_terminal();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let columns = io::stdout().is_terminal().then(|| console::Term::stdout().size().1);
        Self {
            format,
            streams: Arc::new(Streams {
                out: Mutex::new(Box::new(anstream::AutoStream::auto(io::stdout()))),
                err: Mutex::new(Box::new(anstream::AutoStream::auto(io::stderr()))),
                foot: MultiProgress::with_draw_target(target),
                columns,
            }),
        }
    }

    /// Whether programs read stdout.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// A table as wide as stdout.
    pub(crate) fn table(&self, headings: &[&str]) -> Table {
        Table::new(self.streams.columns, headings)
    }

    /// The foot of the terminal; hidden when stderr is none.
    pub(crate) fn foot(&self) -> &MultiProgress {
        &self.streams.foot
    }

    /// Data for people: a text to stdout, with a line break.
    ///
    /// # Errors
    ///
    /// When stdout cannot be written.
    pub(crate) fn data(&self, text: impl fmt::Display) -> Result<()> {
        self.to_stdout(&clean(&text.to_string()))
    }

    /// Data for programs: a document to stdout, on several lines.
    ///
    /// # Errors
    ///
    /// When stdout cannot be written.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<()> {
        self.to_stdout(&serde_json::to_string_pretty(value).map_err(unwritable)?)
    }

    /// Data for programs that comes bit by bit: a document on one line.
    ///
    /// # Errors
    ///
    /// When stdout cannot be written.
    pub(crate) fn json_line(&self, value: &impl Serialize) -> Result<()> {
        self.to_stdout(&serde_json::to_string(value).map_err(unwritable)?)
    }

    /// Data for whoever reads: `value` for programs, else what `text` makes of it.
    ///
    /// # Errors
    ///
    /// When stdout cannot be written.
    pub(crate) fn show<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        match self.format {
            Format::Json => self.json(value),
            Format::Text => self.data(text(value)),
        }
    }

    /// Something to know that is no data: a line to stderr.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        self.to_stderr(&clean(&text.to_string()));
    }

    /// The same, with a word in front that says what it is: `error: …`.
    pub(crate) fn tagged(&self, tone: Tone, tag: &str, text: impl fmt::Display) {
        let style = tone.style();
        self.to_stderr(&format!("{style}{tag}:{style:#} {}", clean(&text.to_string())));
    }

    /// A line of events: a word in a column of its own, and the rest.
    pub(crate) fn event(&self, tone: Tone, word: &str, rest: impl fmt::Display) {
        let style = tone.style();
        let rest = clean(&rest.to_string());
        self.to_stderr(&format!("{style}{word:<LABEL_COLUMNS$}{style:#} {rest}"));
    }

    /// A failure and its hint.
    pub(crate) fn failure(&self, failure: &Failure) {
        if matches!(failure, Failure::OutputClosed) {
            return;
        }
        self.tagged(Tone::Bad, "error", failure);
        if let Some(hint) = failure.hint() {
            self.tagged(Tone::Plain, "hint", hint);
        }
    }

    fn to_stdout(&self, text: &str) -> Result<()> {
        let written = self.streams.foot.suspend(|| {
            let mut out = lock(&self.streams.out);
            writeln!(out, "{text}").and_then(|()| out.flush())
        });
        written.map_err(unwritable)
    }

    fn to_stderr(&self, text: &str) {
        self.streams.foot.suspend(|| {
            let mut err = lock(&self.streams.err);
            // There is nobody left to tell that stderr cannot be written.
            let _unheard = writeln!(err, "{text}").and_then(|()| err.flush());
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unwritable(error: impl Into<io::Error>) -> Failure {
    let error = error.into();
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::OutputClosed,
        _ => Failure::Io { doing: "write to stdout".into(), source: error },
    }
}

/// Log lines of libraries go to stderr like everything that is no data, above what stands at the foot.
impl Write for Printer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.streams.foot.suspend(|| lock(&self.streams.err).write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        lock(&self.streams.err).flush()
    }
}

#[cfg(test)]
pub(crate) mod captured {
    //! A printer that keeps what it is given.

    use super::*;

    /// What was written to one stream.
    #[derive(Clone, Default)]
    pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        /// As text, colours left out.
        pub(crate) fn text(&self) -> String {
            anstream::adapter::strip_str(&String::from_utf8_lossy(&lock(&self.0))).to_string()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            lock(&self.0).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A printer, its stdout and its stderr.
    pub(crate) fn printer(format: Format) -> (Printer, Captured, Captured) {
        let (out, err) = (Captured::default(), Captured::default());
        let streams = Streams {
            out: Mutex::new(Box::new(out.clone())),
            err: Mutex::new(Box::new(err.clone())),
            foot: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            columns: None,
        };
        (Printer { format, streams: Arc::new(streams) }, out, err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_and_all_else_go_different_ways() {
        let (printer, out, err) = captured::printer(Format::Text);
        printer.data("two\nlines").unwrap();
        printer.note("by the way");
        printer.event(Tone::Good, "done", "LIB-1 \u{1b}[31m");
        printer.failure(&Failure::mistake_with_hint(
            "there is no entry `LIB-1`",
            "`tollgate backlog list` shows all",
        ));
        assert_eq!(out.text(), "two\nlines\n");
        insta::assert_snapshot!(err.text(), @r"
        by the way
        done       LIB-1 �[31m
        error: there is no entry `LIB-1`
        hint: `tollgate backlog list` shows all
        ");
    }
}
