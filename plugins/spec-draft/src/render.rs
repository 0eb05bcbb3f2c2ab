//! The specification as Markdown.

use std::collections::BTreeMap;

use tollgate_plugin::Entry;
use tollgate_text::spec::{NOT_STATED, StatementId, section};
use tollgate_text::{Block, Role, Shape, sentences};

use crate::draft::Draft;
use crate::statement::{Acceptance, Quote};
use crate::template::Piece;

/// Longer pieces of code and logs are named, not repeated.
const CODE_LINES_MAX: usize = 12;

/// Fills a template. A section that has nothing to say leaves no trace, not even its blank line.
pub(crate) fn render(pieces: &[Piece<'_>], draft: &Draft, entry: &Entry, pass: usize) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(literal) => push_literal(&mut text, literal),
            Piece::Word("title") => text.push_str(&draft.title),
            Piece::Word("key") => text.push_str(&entry.key),
            Piece::Word(_) => text.push_str(draft.facts.kind.as_deref().unwrap_or("")),
            Piece::Section(title) => {
                if let Some(body) = body(title, draft, entry, pass) {
                    text.push_str(&format!("## {title}\n\n{}", body.trim_end()));
                }
            }
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The titles of the sections that have something to say.
pub(crate) fn said(draft: &Draft, entry: &Entry, pass: usize, pieces: &[Piece<'_>]) -> Vec<&'static str> {
    let titles = pieces.iter().filter_map(|piece| match piece {
        Piece::Section(title) => Some(*title),
        _ => None,
    });
    titles.filter(|title| body(title, draft, entry, pass).is_some()).collect()
}

/// Appends a template's own text, with no more than one blank line where a section was left out.
fn push_literal(text: &mut String, literal: &str) {
    for c in literal.chars() {
        if c == '\n' && (text.is_empty() || text.ends_with("\n\n")) {
            continue;
        }
        text.push(c);
    }
}

fn body(title: &str, draft: &Draft, entry: &Entry, pass: usize) -> Option<String> {
    let material = &draft.material;
    match title {
        section::SUMMARY => Some(summary(draft, entry)),
        section::PROBLEM => Some(problem(draft)),
        section::REQUIREMENTS => Some(requirements(draft)),
        section::CRITERIA => Some(criteria(draft)),
        section::OUT_OF_SCOPE => quotes(draft, title, &material.out_of_scope),
        section::CONSTRAINTS => quotes(draft, title, &material.constraints),
        section::DEPENDENCIES => quotes(draft, title, &material.dependencies),
        section::QUESTIONS => questions(draft),
        section::TRACEABILITY => Some(traceability(draft)),
        section::REVIEW => review(draft),
        _ => Some(provenance(draft, entry, pass)),
    }
}

fn summary(draft: &Draft, entry: &Entry) -> String {
    let mut text = String::new();
    for block in draft.material.document.of(Role::Summary).filter(|block| block.is_prose()) {
        push_block(&mut text, block);
    }
    if text.is_empty() {
        text = format!("{}\n", first_sentence(draft).unwrap_or(&draft.title));
    }
    let facts = &draft.facts;
    let named = [("Kind", &facts.kind), ("impact", &facts.impact), ("effort", &facts.effort)];
    let mut known: Vec<String> = named
        .iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} {value}")))
        .collect();
    if let Some(priority) = entry.field_str("priority") {
        known.push(format!("priority {priority}"));
    }
    if !entry.labels.is_empty() {
        known.push(format!("labels {}", entry.labels.join(", ")));
    }
    if !known.is_empty() {
        text.push_str(&format!("\n{}.\n", known.join("; ")));
    }
    text
}

/// The first sentence on the problem, if more follows that need not be repeated.
fn first_sentence(draft: &Draft) -> Option<&str> {
    let mut blocks = draft.material.problem();
    let first = blocks.find(|block| block.shape == Shape::Paragraph)?;
    let sentences = sentences(&first.text);
    (sentences.len() > 1 || blocks.next().is_some()).then(|| sentences.first().copied()).flatten()
}

/// The entry's own account, with its own headings as bold lines.
fn problem(draft: &Draft) -> String {
    let document = &draft.material.document;
    let mut text = String::new();
    let mut open: Option<usize> = None;
    for block in draft.material.problem() {
        if open != Some(block.section) {
            open = Some(block.section);
            let title = document.section_of(block);
            let needs_heading = block.role != Role::Preamble && !title.is_empty() && !is_plain_title(title);
            if needs_heading {
                separate(&mut text);
                text.push_str(&format!("**{}**\n", title.trim_matches('*')));
            }
        }
        push_block(&mut text, block);
    }
    if text.trim().is_empty() { format!("{NOT_STATED}\n") } else { text }
}

/// A heading that says no more than this section's own.
fn is_plain_title(title: &str) -> bool {
    ["description", "beschreibung", "problem", "context", "説明"]
        .contains(&title.trim().to_lowercase().as_str())
}

fn push_block(text: &mut String, block: &Block) {
    let indent = "  ".repeat(usize::from(block.depth.saturating_sub(1)));
    match block.shape {
        Shape::Paragraph if block.depth > 0 => text.push_str(&format!("{indent}  {}\n", block.text)),
        Shape::Paragraph => {
            separate(text);
            text.push_str(&format!("{}\n", block.text));
        }
        Shape::Item { ordinal, .. } => {
            let mark = ordinal.map_or("-".to_string(), |number| format!("{number}."));
            push_item(text, &format!("{indent}{mark} {}\n", block.text));
        }
        Shape::Row => push_item(text, &format!("- {}\n", block.text)),
        Shape::Code { .. } => push_code(text, block),
        Shape::Quote => {
            separate(text);
            let lines = block.text.lines().take(CODE_LINES_MAX);
            for line in lines {
                text.push_str(&format!("> {}\n", line.trim_start_matches(['>', ' '])));
            }
        }
    }
}

/// Items follow one another without a blank line between them.
fn push_item(text: &mut String, item: &str) {
    let last = text.lines().next_back().unwrap_or("").trim_start();
    let is_item =
        last.starts_with("- ") || last.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(". ");
    if !is_item {
        separate(text);
    }
    text.push_str(item);
}

fn push_code(text: &mut String, block: &Block) {
    separate(text);
    let lines = block.text.lines().count();
    if lines > CODE_LINES_MAX {
        text.push_str(&format!(
            "_{lines} lines of code or log at line {} of the entry are not repeated._\n",
            block.line
        ));
        return;
    }
    let longest = block.text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    text.push_str(&format!("{fence}\n{}\n{fence}\n", block.text.trim_end()));
}

/// Ends the paragraph before, if there is one.
fn separate(text: &mut String) {
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
}

fn requirements(draft: &Draft) -> String {
    let lines = draft.requirements.iter().map(|requirement| {
        format!("- **{}**: {} _({})_\n", requirement.id, requirement.quote.text, requirement.quote.source)
    });
    lines.collect()
}

fn criteria(draft: &Draft) -> String {
    if draft.criteria.is_empty() {
        return format!("{NOT_STATED}\n");
    }
    let mut text = String::new();
    for criterion in &draft.criteria {
        let proves = join(&criterion.proves);
        let (id, quote) = (criterion.id, &criterion.quote);
        text.push_str(&format!("- **{id}** ({proves}): {} _({})_\n", quote.text, source(criterion)));
        for detail in &criterion.details {
            text.push_str(&format!("  - {detail}\n"));
        }
    }
    text
}

fn source(criterion: &Acceptance) -> String {
    let mut source = criterion.quote.source.clone();
    if criterion.from_statement {
        source.push_str(", the demand itself");
    }
    if criterion.done {
        source.push_str(", checked");
    }
    source
}

fn quotes(draft: &Draft, title: &str, quotes: &[Quote]) -> Option<String> {
    if quotes.is_empty() {
        return draft.wanted.contains(title).then(|| format!("{NOT_STATED}\n"));
    }
    Some(quotes.iter().map(|quote| format!("- {} _({})_\n", quote.text, quote.source)).collect())
}

fn questions(draft: &Draft) -> Option<String> {
    if draft.questions.is_empty() {
        return draft.wanted.contains(section::QUESTIONS).then(|| format!("{NOT_STATED}\n"));
    }
    let numbered = (1..).zip(&draft.questions);
    let mut text: String = numbered
        .map(|(number, question): (u32, _)| {
            format!("- **Q-{number}** ({}): {}\n", question.about.label(), question.text)
        })
        .collect();
    if draft.questions_left_out > 0 {
        text.push_str(&format!("\n_Questions left out: {}._\n", draft.questions_left_out));
    }
    Some(text)
}

fn traceability(draft: &Draft) -> String {
    let mut proofs: BTreeMap<StatementId, Vec<StatementId>> = BTreeMap::new();
    for criterion in &draft.criteria {
        for requirement in &criterion.proves {
            proofs.entry(*requirement).or_default().push(criterion.id);
        }
    }
    let mut text = "| Requirement | Acceptance criteria | Source |\n| --- | --- | --- |\n".to_string();
    for requirement in &draft.requirements {
        let proofs = proofs.get(&requirement.id).map_or("none".to_string(), |proofs| join(proofs));
        text.push_str(&format!("| {} | {proofs} | {} |\n", requirement.id, requirement.quote.source));
    }
    text
}

fn review(draft: &Draft) -> Option<String> {
    if draft.answers.is_empty() {
        return None;
    }
    let line = |answer: &crate::mend::Answer| {
        let result = match &answer.result {
            Ok(change) => format!("_Mended:_ {change}."),
            Err(reason) => format!("_Not mended:_ {reason}."),
        };
        format!(
            "- {} (`{}`, round {}): {}. {result}\n",
            answer.rule, answer.gate, answer.round, answer.finding
        )
    };
    Some(draft.answers.iter().map(line).collect())
}

fn provenance(draft: &Draft, entry: &Entry, pass: usize) -> String {
    let own = match &draft.proposed_by {
        None => "Every statement above is the entry's own".to_string(),
        Some(by) => {
            format!("What is marked as proposed is by {by}; every other statement above is the entry's own")
        }
    };
    let place = entry.url.as_ref().map(|url| format!(", <{url}>")).unwrap_or_default();
    format!(
        "- Entry `{}` of `{}`{place}\n- Revision `{}`\n- Drafted by `spec-draft` {}, pass {pass}\n- {own}; lines are counted in its text.\n",
        entry.key,
        entry.tracker,
        entry.revision,
        env!("CARGO_PKG_VERSION"),
    )
}

fn join(ids: &[StatementId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
