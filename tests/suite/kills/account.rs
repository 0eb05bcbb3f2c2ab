//! What is there in the end: everything that must be the same whether somebody was killed on the way or not.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use serde_json::{Value, json};

use crate::support::Project;

/// For each kind of thing all there are of it, in no order that depends on when they came.
pub(super) type Account = BTreeMap<&'static str, Vec<String>>;

/// What of each table counts. Times, numbers, hosts and fences do not; nor do events, which tell how it came about, nor fuel: who is told
/// another time burns another amount.
const FACTS: &[(&str, &[&str])] = &[
    ("entry", &["tracker", "title", "state", "held_for", "adopted", "rounds"]),
    ("run", &["title", "pipeline", "kind", "round", "state", "cost", "escrow"]),
    ("step", &["run_seq", "stage", "gate", "rework", "attempt", "cost"]),
    ("journal", &["run_seq", "stage", "gate", "rework", "attempt", "call", "open"]),
    ("outbox", &["entry_id", "run_seq", "kind", "path", "state"]),
    ("adoption", &["entry_id"]),
    ("prior", &["tracker", "key", "kind"]),
    ("opened", &["entry_id", "parent_id", "depth"]),
    ("child", &["run_seq", "entry_id"]),
    ("family", &["run_seq", "limit_amount", "settled", "escrow"]),
    ("hold", &["entry_id", "kind"]),
    ("ready", &["entry_id"]),
    ("inbox", &["run_seq", "who", "kind"]),
    ("signal", &["name", "who", "data"]),
    ("decision", &["entry_id", "kind", "who", "why"]),
    ("supplement", &["entry_id"]),
    ("control", &["mode", "who", "why"]),
    ("cap_period", &["cap_id", "settled", "escrow"]),
    ("policy_version", &["why"]),
];

/// What people said, each time they did.
const WORDS: [&str; 3] = ["decision", "signal", "inbox"];

/// What a person does again with the same outcome, as often as they are interrupted: it counts once.
const REPEATED: [&str; 2] = ["kind=\"stop-now\"", "kind=\"resume\""];

/// All that a store has, as it exports it.
pub(super) struct Tables(HashMap<String, Vec<Row>>);

pub(super) type Row = HashMap<String, Value>;

impl Tables {
    pub(super) fn of(project: &Project) -> Self {
        Self::of_any(project).expect("there is a store")
    }

    /// The same; none where there is no store yet.
    pub(super) fn of_any(project: &Project) -> Option<Self> {
        let file = project.path().join("account.jsonl");
        drop(fs::remove_file(&file));
        let ended = project.run(&["store", "export", "account.jsonl"]);
        if ended.code == Some(3) && ended.stderr.contains("nothing has run here") {
            return None;
        }
        drop(ended.expect_code(0));
        let export = fs::read_to_string(&file).expect("an export is text");
        fs::remove_file(&file).expect("an export can be removed");
        let (mut tables, mut name, mut columns) =
            (HashMap::<_, Vec<Row>>::new(), String::new(), Vec::<String>::new());
        for line in export.lines() {
            match serde_json::from_str(line).expect("a line of an export is JSON") {
                Value::Array(values) => {
                    let row = columns.iter().cloned().zip(values).collect();
                    tables.entry(name.clone()).or_default().push(row);
                }
                header => {
                    name = header["table"].as_str().unwrap_or_default().to_owned();
                    columns = serde_json::from_value(header["columns"].clone()).unwrap_or_default();
                }
            }
        }
        Some(Self(tables))
    }

    pub(super) fn rows(&self, table: &str) -> &[Row] {
        self.0.get(table).map(Vec::as_slice).unwrap_or_default()
    }

    /// How often people said something.
    pub(super) fn words(&self) -> usize {
        WORDS.iter().map(|table| self.rows(table).len()).sum()
    }

    /// The account of a project.
    pub(super) fn account(&self, project: &Project) -> Account {
        let titles = Titles::of(self);
        let rows = |(table, columns): &(&'static str, &[&str])| {
            let mut rows: Vec<_> = self.rows(table).iter().map(|row| titles.line(row, columns)).collect();
            rows.sort();
            rows.dedup_by(|one, other| one == other && REPEATED.iter().any(|kind| one.contains(kind)));
            (*table, rows)
        };
        let mut account: Account = FACTS.iter().map(rows).collect();
        account.insert("file", files(project.path(), project.path()));
        let records = project.records();
        account.insert(
            "record",
            records.iter().map(|(path, count)| shape(&format!("{path}: {count}"))).collect(),
        );
        account
    }
}

/// Entries and runs by what people call them: their numbers depend on the order in which they came.
struct Titles {
    entries: HashMap<Value, Value>,
    runs: HashMap<Value, Value>,
}

impl Titles {
    fn of(tables: &Tables) -> Self {
        let named = |table: &str, number: &str, name: &dyn Fn(&Row) -> Value| {
            let rows = tables.rows(table).iter();
            rows.map(|row| (Value::String(row[number].to_string()), name(row))).collect()
        };
        Self {
            entries: named("entry", "id", &|row| row["title"].clone()),
            runs: named("run", "seq", &|row| json!([row["title"], row["kind"], row["round"]])),
        }
    }

    fn line(&self, row: &Row, columns: &[&str]) -> String {
        let fact = |column: &&str| {
            let value = &row[*column];
            let number = Value::String(value.to_string());
            let name = match *column {
                "entry_id" | "parent_id" => self.entries.get(&number),
                "run_seq" => self.runs.get(&number),
                _ => None,
            };
            shape(&format!("{column}={}", name.unwrap_or(value)))
        };
        columns.iter().map(fact).collect::<Vec<_>>().join(" ")
    }
}

/// Every file that is not Tollgate's own, with what is in it. A record tells times and who it was, so only its name counts.
fn files(root: &Path, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        let name = path.strip_prefix(root).expect("below the root").display().to_string();
        let is_ours = name == ".tollgate"
            || name.contains(".tollgate-")
            || name == "tollgate.toml"
            || name.ends_with(".jsonl");
        if path.is_dir() && !is_ours {
            found.extend(files(root, &path));
        } else if !is_ours && !name.ends_with(".tollgate.md") {
            let bytes = fs::read(&path).expect("a file can be read");
            found.push(shape(&format!("{name}: {}", String::from_utf8_lossy(&bytes))));
        }
    }
    found.sort();
    found
}

/// A text without what differs from one run to the next: ids, and times of the present.
fn shape(text: &str) -> String {
    let is_id = |word: &str| {
        word.len() == 26 && word.chars().all(|letter| letter.is_ascii_digit() || letter.is_ascii_uppercase())
    };
    let is_time = |word: &str| word.len() >= 12 && word.starts_with("20") && word.contains(':');
    let words =
        text.split_inclusive(|letter: char| !(letter.is_ascii_alphanumeric() || ":-.+".contains(letter)));
    let word = |word: &str| {
        let bare = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
        match () {
            () if is_id(bare) => word.replace(bare, "<id>"),
            () if is_time(bare) => word.replace(bare, "<time>"),
            () => word.to_owned(),
        }
    };
    words.map(word).collect()
}
