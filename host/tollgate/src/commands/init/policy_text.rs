//! The policy of a new project, as text: what was found, what follows from it, and what else can be said.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use super::survey::{ASKING_LABEL, Survey, UNASSIGNED, Words};

/// Words for priorities, the most urgent first; those on one line mean the same.
const URGENCIES: [&[&str]; 5] = [
    &["critical", "blocker", "urgent", "highest", "p0"],
    &["high", "major", "p1"],
    &["medium", "normal", "moderate", "p2"],
    &["low", "minor", "p3"],
    &["lowest", "trivial", "p4"],
];

/// How many names a comment lists.
const NAMES_MAX: usize = 12;

/// The text of `tollgate.toml`.
pub(super) fn write(survey: &Survey, owner: &str) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _infallible = write_all(&mut text, survey, owner);
    text
}

/// A text as TOML writes it.
pub(super) fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn write_all(text: &mut String, survey: &Survey, owner: &str) -> fmt::Result {
    let name = backlog_name(&survey.folder);
    writeln!(text, "# Made by `tollgate init` of what is in {}.", survey.folder)?;
    writeln!(
        text,
        "# `tollgate check` checks this file; `tollgate check --defaults` shows what else can be said here.\n"
    )?;
    writeln!(text, "[backlog.{name}]")?;
    let advice =
        if owner == UNASSIGNED { "    # who answers for what enters: a person or a team" } else { "" };
    writeln!(text, "owner    = {}{advice}", quote(owner))?;
    writeln!(text, "zone     = \"UTC\"    # whose midnight begins a day, e.g. \"Europe/Berlin\"")?;
    writeln!(text, "pipeline = \"spec-generation\"\n")?;
    write_eligible(text, survey)?;
    write_order(text, survey)?;
    let trusted = trusted_texts(survey);
    if !trusted.is_empty() {
        writeln!(
            text,
            "\n# Headings are text that anyone who may edit an item may write. The rules above read these all the same."
        )?;
        writeln!(text, "trust_text = [{}]", trusted.join(", "))?;
    }
    write_source(text, &name, survey)?;
    write_fields(text, &name, survey)
}

/// What enters.
fn write_eligible(text: &mut String, survey: &Survey) -> fmt::Result {
    let (free, taken) = survey.open_states();
    let mut rules = Vec::new();
    writeln!(
        text,
        "# What enters. Nothing else does, so an item that nobody meant to run does not run by accident."
    )?;
    if survey.is_asked_for() {
        rules.push(format!("\"{ASKING_LABEL}\" in labels"));
    } else {
        writeln!(
            text,
            "# To take only what somebody asked for, add `\"{ASKING_LABEL}\" in labels` and give items that label."
        )?;
    }
    if let Some(state) = &survey.state {
        let mut states: Vec<_> = free.iter().map(|state| formula_text(state)).collect();
        if state.silent > 0 {
            writeln!(text, "# {} no status; they count as open.", says(state.silent))?;
            states.push("\"\"".to_owned());
        }
        if !taken.is_empty() {
            writeln!(
                text,
                "# Left out, because somebody is at it or it cannot go on: {}.",
                comment(&taken.join(", "))
            )?;
        }
        rules.push(format!("field.status in [{}]", states.join(", ")));
    }
    if rules.is_empty() {
        rules.push("true".to_owned());
    }
    writeln!(text, "eligible = {}\n", literal(&rules.join(" && ")))
}

/// What comes first.
fn write_order(text: &mut String, survey: &Survey) -> fmt::Result {
    let Some(words) = &survey.priority else {
        writeln!(text, "# What comes first: the oldest. `priority = '…'` takes a formula instead.")?;
        return writeln!(text, "order_by = [\"created\"]");
    };
    let map: Vec<_> =
        urgencies(words).iter().map(|(word, value)| format!("{}: {value}", formula_text(word))).collect();
    writeln!(
        text,
        "# What comes first: the largest. A week of waiting counts as much as one step of priority, for five weeks at most."
    )?;
    let formula = format!("{{{}}}[field.priority] + min(floor(age_days / 7), 5)", map.join(", "));
    writeln!(text, "priority = {}", literal(&formula))
}

fn write_source(text: &mut String, name: &str, survey: &Survey) -> fmt::Result {
    writeln!(text, "\n[[backlog.{name}.source]]")?;
    writeln!(text, "folder = {}", quote(&survey.folder))?;
    writeln!(
        text,
        "# No file is ever moved. `on_done = \"completed/\"`, `on_failed = \"on-hold/\"` and `claim_marker` would show the work in folders."
    )?;
    if !survey.members.is_empty() {
        writeln!(
            text,
            "# Front matter of {} items: {}.",
            survey.items,
            comment(&most_used(&survey.members))
        )?;
        writeln!(
            text,
            "# `key`, `title`, `labels`, `created`, `depends` and `state` name a member where it is called otherwise."
        )?;
    }
    if !survey.labels.is_empty() {
        writeln!(text, "# Labels: {}.", comment(&most_used(&survey.labels)))?;
    }
    if survey.dependent > 0 {
        writeln!(text, "# {} on others; an entry waits until those are done.", depends(survey.dependent))?;
    }
    Ok(())
}

fn write_fields(text: &mut String, name: &str, survey: &Survey) -> fmt::Result {
    if survey.state.is_none() && survey.priority.is_none() {
        return Ok(());
    }
    writeln!(
        text,
        "\n# What is known of an entry. One without a field that has no default is held until it has it."
    )?;
    writeln!(text, "[backlog.{name}.fields]")?;
    if let Some(state) = &survey.state {
        let default = if state.silent > 0 { ", default = \"\"" } else { "" };
        writeln!(
            text,
            "status   = {{ type = \"string\", purpose = \"eligibility\", from = {}{default} }}",
            places(state)
        )?;
    }
    if let Some(words) = &survey.priority {
        let ranked = urgencies(words);
        let default = match ranked.get(ranked.len() / 2) {
            Some((middle, _)) if words.silent > 0 => format!(", default = {}", quote(middle)),
            _ => String::new(),
        };
        let values: Vec<_> = ranked.iter().map(|(word, _)| quote(word)).collect();
        let values = values.join(", ");
        let from = places(words);
        writeln!(
            text,
            "priority = {{ type = \"string\", purpose = \"order\", from = {from}, values = [{values}]{default} }}"
        )?;
    }
    Ok(())
}

/// Names by how many items have them, the most used first, and how many more there are.
fn most_used(names: &BTreeMap<String, usize>) -> String {
    let mut ranked: Vec<_> = names.iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut shown: Vec<_> =
        ranked.iter().take(NAMES_MAX).map(|(name, items)| format!("{name} ({items})")).collect();
    if ranked.len() > NAMES_MAX {
        shown.push(format!("and {} more", ranked.len() - NAMES_MAX));
    }
    shown.join(", ")
}

/// The words that are in use, the most urgent first, with what each counts. A word that nobody knows counts least.
fn urgencies(words: &Words) -> Vec<(&str, usize)> {
    let mut by_word = BTreeMap::new();
    for word in words.values.keys() {
        let known = URGENCIES.iter().position(|same| same.contains(&word.to_lowercase().as_str()));
        // A word that differs in its letters' case is the same word to the policy.
        by_word.entry(word.to_lowercase()).or_insert((word.as_str(), known.unwrap_or(URGENCIES.len())));
    }
    let mut ranked: Vec<_> =
        by_word.into_values().map(|(word, place)| (word, URGENCIES.len() - place)).collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    ranked
}

fn trusted_texts(survey: &Survey) -> Vec<String> {
    // Only rules on eligibility ask whose word a field is; the order may read any.
    let state = survey.state.as_ref().filter(|state| state.is_text()).map(|_| quote("status"));
    state.into_iter().collect()
}

fn places(words: &Words) -> String {
    let places: Vec<_> = words.from.iter().map(|place| quote(place)).collect();
    match places.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// A text in a formula.
fn formula_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A formula as TOML writes it: as it is, unless it holds what ends a literal.
fn literal(formula: &str) -> String {
    if formula.contains(['\'', '\n', '\r']) { quote(formula) } else { format!("'{formula}'") }
}

/// Text of items in a comment: on one line.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn says(items: usize) -> String {
    if items == 1 { "1 item has".to_owned() } else { format!("{items} items have") }
}

fn depends(items: usize) -> String {
    if items == 1 { "1 item depends".to_owned() } else { format!("{items} items depend") }
}

/// The folder's name as a key: letters, digits and hyphens.
fn backlog_name(folder: &str) -> String {
    let last = folder.rsplit('/').next().unwrap_or(folder).to_lowercase();
    let kept: String = last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let trimmed = kept.trim_matches(|c: char| !c.is_ascii_alphabetic());
    if trimmed.is_empty() { "backlog".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_called_like_its_folder() {
        let names = ["docs/Backlog", "2. Ideen & Mängel", "", "日本"].map(backlog_name);
        assert_eq!(names, ["backlog", "ideen---m-ngel", "backlog", "backlog"]);
    }

    #[test]
    fn hostile_words_stay_words() {
        assert_eq!(formula_text(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(literal("x == 'y'"), r#""x == 'y'""#);
        assert_eq!(comment("a\n[backlog]"), "a [backlog]");
    }
}
