//! The record for machines, around the record for people.
//!
//! ```text
//! <!-- tollgate:record v=1 run=<run> item=<item> -->
//! the summary
//! <details> the JSON </details>
//! <!-- tollgate:end run=<run> sha256=<of all between the two markers> -->
//! ```
//!
//! A marker counts only as a whole line. Nothing between the markers can be taken for one: in the summary `<` is escaped, and
//! in the JSON it is written `\u003c`.

use tollgate_core::{
    Digest, RunId,
    record::{Record, RecordError},
};

use super::{escape, summary::summary};
use crate::port::Integrity;

const BEGIN: &str = "<!-- tollgate:record v=1 run=";

/// How every version of what is written back begins.
pub const MARKER: &str = "<!-- tollgate:record";
const END: &str = "<!-- tollgate:end run=";
const CLOSE: &str = " -->";
const JSON_BEGIN: &str = "```json";
const JSON_END: &str = "```";

/// A complete section as it stands in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The run that its markers name.
    pub run: RunId,
    /// What its JSON says.
    pub record: Result<Record, RecordError>,
    /// Whether it stands as it was written.
    pub integrity: Integrity,
}

/// What stands above the first section of an item's records.
pub fn file_heading(record: &Record) -> String {
    format!(
        "# Records of {}\n\nTollgate appends here what became of its runs. Text between the sections is yours and stays.\n",
        escape::code(&record.entry.name.key)
    )
}

/// The section of a record, from marker to marker.
pub fn section(record: &Record) -> String {
    let inner = format!(
        "\n{}<details>\n<summary>Record for machines</summary>\n\n{JSON_BEGIN}\n{}\n{JSON_END}\n\n</details>\n\n",
        summary(record),
        json(record)
    );
    let item = percent_encoded(&record.entry.name.to_string());
    let digest = Digest::of(&inner).hex();
    format!("{BEGIN}{run} item={item}{CLOSE}\n{inner}{END}{run} sha256={digest}{CLOSE}\n", run = record.run)
}

/// Every complete section of a text, in its order; of several of one run the first. A section that never ends is none, and
/// so is one inside another.
pub fn read_sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut open: Option<(RunId, Vec<&str>)> = None;
    for line in text.lines() {
        if let Some(run) = begin_marker(line) {
            open = Some((run, Vec::new()));
        } else if let Some((run, written)) = end_marker(line) {
            let Some((begun, lines)) = open.take().filter(|(begun, _)| *begun == run) else { continue };
            if sections.iter().all(|section| section.run != begun) {
                sections.push(Section {
                    run,
                    record: record_in(&lines),
                    integrity: integrity(&lines, written),
                });
            }
        } else if let Some((_, lines)) = &mut open {
            lines.push(line);
        }
    }
    sections
}

fn json(record: &Record) -> String {
    let text = serde_json::to_string_pretty(record).expect("a record has no maps but those of JSON");
    text.replace('<', "\\u003c").replace('>', "\\u003e")
}

fn begin_marker(line: &str) -> Option<RunId> {
    let rest = line.trim_end().strip_prefix(BEGIN)?.strip_suffix(CLOSE)?;
    rest.split(' ').next()?.parse().ok()
}

fn end_marker(line: &str) -> Option<(RunId, Digest)> {
    let rest = line.trim_end().strip_prefix(END)?.strip_suffix(CLOSE)?;
    let (run, digest) = rest.split_once(" sha256=")?;
    Some((run.parse().ok()?, format!("sha256:{digest}").parse().ok()?))
}

fn integrity(lines: &[&str], written: Digest) -> Integrity {
    // Line ends are not part of it: a checkout on another system changes them.
    let found = Digest::of(lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    if found == written { Integrity::Intact } else { Integrity::Changed { written, found } }
}

fn record_in(lines: &[&str]) -> Result<Record, RecordError> {
    let mut after = lines.iter().skip_while(|line| **line != JSON_BEGIN).skip(1);
    let json: Vec<&str> = after.by_ref().take_while(|line| **line != JSON_END).copied().collect();
    if json.is_empty() {
        return Err(RecordError::NotJson("there is none between the markers".to_owned()));
    }
    Record::read(&json.join("\n"))
}

fn percent_encoded(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"._/:#".contains(&byte);
    text.bytes()
        .map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
