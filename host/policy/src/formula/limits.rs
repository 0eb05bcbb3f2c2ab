//! What keeps a formula from taking a host down.
//!
//! | limit | value | checked |
//! | --- | --- | --- |
//! | length | 4 KiB | before parsing |
//! | nesting of brackets | 64 | before parsing: the parser is recursive |
//! | height of the syntax tree | 128 | after parsing: the interpreter is recursive, and a sum of n terms is n high |
//! | work of one evaluation | 1,000,000 steps | before evaluating: macros run over lists, so it can be multiplied out |
//!
//! A time limit would make a result depend on how busy a machine is; a bound on work does not. A step is one node of the
//! syntax tree, and one more for each KiB of the longest text that is handed in.

use cel::common::ast::{EntryExpr, Expr, IdedExpr};

use super::{FormulaError, Inputs};

/// The longest formula.
pub const TEXT_BYTES_MAX: usize = 4 * 1024;
/// The deepest nesting of brackets.
pub const NESTING_MAX: usize = 64;
/// The highest syntax tree.
pub const HEIGHT_MAX: usize = 128;
/// The most work in one evaluation.
pub const STEPS_MAX: u64 = 1_000_000;

/// Measured in an unoptimised build: a level of the interpreter takes less than 48 KiB, one of the parser, of which a
/// formula of 4 KiB can need 4,096, less than 24 KiB. The memory is reserved, and used as far as it is needed.
const EVALUATION_BYTES_PER_LEVEL: usize = 64 * 1024;
const PARSER_BYTES: usize = 128 * 1024 * 1024;

/// Checks length and nesting, and returns the depth of brackets at every byte.
pub(super) fn check_text(source: &str) -> Result<Vec<u16>, FormulaError> {
    let refuse = |message: String, span| Err(FormulaError { message, span, help: None });
    if source.len() > TEXT_BYTES_MAX {
        let message =
            format!("a formula of {} bytes is too long; it may have {TEXT_BYTES_MAX}", source.len());
        return refuse(message, None);
    }
    let depths = bracket_depths(source);
    if let Some(at) = depths.iter().position(|&depth| usize::from(depth) > NESTING_MAX) {
        let message = format!("brackets are nested more than {NESTING_MAX} deep");
        return refuse(message, Some(at..at + 1));
    }
    Ok(depths)
}

/// How many brackets are open at each byte; brackets in texts and comments do not count.
fn bracket_depths(source: &str) -> Vec<u16> {
    let bytes = source.as_bytes();
    let mut depths = Vec::with_capacity(bytes.len());
    let mut depth: u16 = 0;
    while depths.len() < bytes.len() {
        let at = depths.len();
        let length = match bytes[at] {
            b'"' | b'\'' => text_length(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                bytes[at..].iter().position(|&b| b == b'\n').unwrap_or(bytes.len() - at)
            }
            b'(' | b'[' | b'{' => {
                depth += 1;
                1
            }
            _ => 1,
        };
        depths.extend(std::iter::repeat_n(depth, length));
        if matches!(bytes[at], b')' | b']' | b'}') {
            depth = depth.saturating_sub(1);
        }
    }
    depths
}

/// The length of the text literal that begins at `start`, or of the rest where it never ends.
fn text_length(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let raw = start > 0 && matches!(bytes[start - 1], b'r' | b'R');
    let width = if bytes[start..].starts_with(&[quote; 3]) { 3 } else { 1 };
    let mut at = start + width;
    while at < bytes.len() {
        if bytes[at..].starts_with(&[quote; 3][..width]) {
            return at + width - start;
        }
        at += if bytes[at] == b'\\' && !raw { 2 } else { 1 };
    }
    bytes.len() - start
}

/// Refuses an evaluation that would take too many steps.
pub(super) fn check_work(expr: &IdedExpr, inputs: &Inputs<'_>) -> Result<(), String> {
    let weight = 1 + inputs.longest_text_bytes() as u64 / 1024;
    let steps = steps(expr, inputs).saturating_mul(weight);
    if steps > STEPS_MAX {
        return Err(format!("would take {steps} steps; a formula may take {STEPS_MAX}"));
    }
    Ok(())
}

fn steps(expr: &IdedExpr, inputs: &Inputs<'_>) -> u64 {
    let sum = |parts: &mut dyn Iterator<Item = &IdedExpr>| {
        parts.map(|part| steps(part, inputs)).fold(1, u64::saturating_add)
    };
    match &expr.expr {
        Expr::Comprehension(every) => {
            let round = sum(&mut [&every.loop_cond, &every.loop_step].into_iter());
            let rounds = items_of(&every.iter_range, inputs);
            sum(&mut [&every.iter_range, &every.accu_init, &every.result].into_iter())
                .saturating_add(round.saturating_mul(rounds))
        }
        _ => sum(&mut children(expr).into_iter()),
    }
}

/// How many items a list has that a macro runs over; the dialect allows no other ranges.
fn items_of(range: &IdedExpr, inputs: &Inputs<'_>) -> u64 {
    match &range.expr {
        Expr::Ident(_) => inputs.labels.len() as u64,
        Expr::Select(select) => inputs.items_of_field(&select.field) as u64,
        Expr::List(list) => list.elements.len() as u64,
        Expr::Comprehension(every) => items_of(&every.iter_range, inputs),
        _ => 0,
    }
}

/// The expressions directly inside one.
pub(super) fn children(expr: &IdedExpr) -> Vec<&IdedExpr> {
    match &expr.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Comprehension(every) => {
            vec![&every.iter_range, &every.accu_init, &every.loop_cond, &every.loop_step, &every.result]
        }
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Struct(structure) => {
            structure.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect()
        }
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        EntryExpr::StructField(field) => vec![&field.value],
    }
}

/// How many nodes the longest way from the root to a leaf has.
pub(super) fn height(expr: &IdedExpr) -> usize {
    1 + children(expr).into_iter().map(height).max().unwrap_or(0)
}

/// Runs the parser, and what else recurses into a tree whose height is not known yet.
pub(super) fn with_parser_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::grow(PARSER_BYTES, work)
}

/// Runs the interpreter on a tree of this height.
pub(super) fn with_evaluation_stack<T>(height: usize, work: impl FnOnce() -> T) -> T {
    let needed = (height + 4) * EVALUATION_BYTES_PER_LEVEL;
    stacker::maybe_grow(needed, needed, work)
}
