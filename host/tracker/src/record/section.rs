//! The account for machines, around the account for people.
//!
//! ```text
//! <!-- tollgate:record v=1 run=<run> item=<item> -->
//! the summary
//! <details> the JSON </details>
//! <!-- tollgate:end run=<run> sha256=<of all between the two markers> -->
//! ```
//!
//! That of an adoption has `tollgate:adopted` and `adoption=<adoption>` in the places of `tollgate:record` and `run=<run>`.
//!
//! A marker counts only as a whole line. Nothing between the markers can be taken for one: in the summary `<` is escaped, and
//! in the JSON it is written `\u003c`.

use std::fmt;

use serde::Serialize;
use tollgate_core::{
    AdoptionId, Digest, RunId,
    adoption::Adoption,
    entry::EntryName,
    record::{Record, RecordError},
};

use super::{adopted, escape, summary::summary};
use crate::port::Integrity;

/// How everything that is written back begins.
pub const MARKER: &str = "<!-- tollgate:";
const BEGIN_RECORD: &str = "<!-- tollgate:record v=1 run=";
const BEGIN_ADOPTED: &str = "<!-- tollgate:adopted v=1 adoption=";
const END_RECORD: &str = "<!-- tollgate:end run=";
const END_ADOPTED: &str = "<!-- tollgate:end adoption=";
const ITEM: &str = " item=";
const CLOSE: &str = " -->";
const JSON_BEGIN: &str = "```json";
const JSON_END: &str = "```";

/// What a section is the account of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A run.
    Run(RunId),
    /// An adoption.
    Adoption(AdoptionId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(id) => write!(f, "run {id}"),
            Self::Adoption(id) => write!(f, "adoption {id}"),
        }
    }
}

/// A complete section as it stands in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Section<I = RunId, A = Record> {
    /// The run or adoption that its markers name.
    pub id: I,
    /// The item that its markers name, as `TRACKER#KEY`.
    pub item: Option<String>,
    /// What its JSON says.
    pub account: Result<A, RecordError>,
    /// Whether it stands as it was written.
    pub integrity: Integrity,
}

/// The sections of a text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sections {
    /// Of runs.
    pub records: Vec<Section>,
    /// Of adoptions.
    pub adoptions: Vec<Section<AdoptionId, Adoption>>,
    /// What has a beginning and no end, and no complete section elsewhere in the text; with the item that its marker names.
    pub unfinished: Vec<(Subject, Option<String>)>,
}

/// A section before its JSON is read.
struct Raw<'t> {
    subject: Subject,
    item: Option<String>,
    lines: Vec<&'t str>,
}

/// What stands above the first section of an item's records.
pub fn file_heading(item: &EntryName) -> String {
    format!(
        "# Records of {}\n\nTollgate appends here what became of its runs. Text between the sections is yours and stays.\n",
        escape::code(&item.key)
    )
}

/// The section of a record, from marker to marker.
pub fn section(record: &Record) -> String {
    between(BEGIN_RECORD, END_RECORD, &record.run.to_string(), &record.entry.name, &summary(record), record)
}

/// The section of an adoption, from marker to marker.
pub fn adopted_section(adoption: &Adoption) -> String {
    let summary = adopted::summary(adoption);
    between(BEGIN_ADOPTED, END_ADOPTED, &adoption.id.to_string(), &adoption.entry.name, &summary, adoption)
}

/// Every complete section of a text, in its order; of several of one run or adoption the first. A section that never ends is none,
/// and so is one inside another.
pub fn read_sections(text: &str) -> Sections {
    let (mut sections, mut begun) = (Sections::default(), Vec::new());
    let mut open: Option<Raw<'_>> = None;
    for line in text.lines() {
        if let Some((subject, item)) = begin_marker(line) {
            begun.push((subject, item.clone()));
            open = Some(Raw { subject, item, lines: Vec::new() });
        } else if let Some((subject, written)) = end_marker(line) {
            if let Some(raw) = open.take().filter(|raw| raw.subject == subject) {
                sections.add(raw, written);
            }
        } else if let Some(raw) = &mut open {
            raw.lines.push(line);
        }
    }
    for (subject, item) in begun {
        if !sections.has(subject) && sections.unfinished.iter().all(|(known, _)| *known != subject) {
            sections.unfinished.push((subject, item));
        }
    }
    sections
}

impl Sections {
    /// Whether there is a complete section of a run or adoption.
    pub fn has(&self, subject: Subject) -> bool {
        match subject {
            Subject::Run(id) => self.records.iter().any(|section| section.id == id),
            Subject::Adoption(id) => self.adoptions.iter().any(|section| section.id == id),
        }
    }

    fn add(&mut self, raw: Raw<'_>, written: Digest) {
        if self.has(raw.subject) {
            return;
        }
        let (item, integrity) = (raw.item, integrity(&raw.lines, written));
        match raw.subject {
            Subject::Run(id) => {
                let account = account_in(&raw.lines, Record::read);
                self.records.push(Section { id, item, account, integrity });
            }
            Subject::Adoption(id) => {
                let account = account_in(&raw.lines, Adoption::read);
                self.adoptions.push(Section { id, item, account, integrity });
            }
        }
    }
}

fn between(
    begin: &str,
    end: &str,
    id: &str,
    item: &EntryName,
    summary: &str,
    account: &impl Serialize,
) -> String {
    let inner = format!(
        "\n{summary}<details>\n<summary>Record for machines</summary>\n\n{JSON_BEGIN}\n{}\n{JSON_END}\n\n</details>\n\n",
        json(account)
    );
    let item = percent_encoded(&item.to_string());
    let digest = Digest::of(&inner).hex();
    format!("{begin}{id}{ITEM}{item}{CLOSE}\n{inner}{end}{id} sha256={digest}{CLOSE}\n")
}

fn json(account: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(account).expect("an account has no maps but those of JSON");
    text.replace('<', "\\u003c").replace('>', "\\u003e")
}

fn begin_marker(line: &str) -> Option<(Subject, Option<String>)> {
    let line = line.trim_end().strip_suffix(CLOSE)?;
    let (run, adoption) = (line.strip_prefix(BEGIN_RECORD), line.strip_prefix(BEGIN_ADOPTED));
    let rest = run.or(adoption)?;
    let (id, item) = match rest.split_once(ITEM) {
        Some((id, item)) => (id, percent_decoded(item.split(' ').next().unwrap_or_default())),
        None => (rest.split(' ').next()?, None),
    };
    Some((subject(id, run.is_some())?, item))
}

fn end_marker(line: &str) -> Option<(Subject, Digest)> {
    let line = line.trim_end().strip_suffix(CLOSE)?;
    let (run, adoption) = (line.strip_prefix(END_RECORD), line.strip_prefix(END_ADOPTED));
    let (id, digest) = run.or(adoption)?.split_once(" sha256=")?;
    Some((subject(id, run.is_some())?, format!("sha256:{digest}").parse().ok()?))
}

fn subject(id: &str, is_run: bool) -> Option<Subject> {
    match is_run {
        true => id.parse().ok().map(Subject::Run),
        false => id.parse().ok().map(Subject::Adoption),
    }
}

fn integrity(lines: &[&str], written: Digest) -> Integrity {
    // Line ends are not part of it: a checkout on another system changes them.
    let found = Digest::of(lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    if found == written { Integrity::Intact } else { Integrity::Changed { written, found } }
}

fn account_in<A>(
    lines: &[&str],
    read: impl FnOnce(&str) -> Result<A, RecordError>,
) -> Result<A, RecordError> {
    let mut after = lines.iter().skip_while(|line| **line != JSON_BEGIN).skip(1);
    let json: Vec<&str> = after.by_ref().take_while(|line| **line != JSON_END).copied().collect();
    if json.is_empty() {
        return Err(RecordError::NotJson("there is none between the markers".to_owned()));
    }
    read(&json.join("\n"))
}

fn percent_encoded(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"._/:#".contains(&byte);
    text.bytes()
        .map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}
