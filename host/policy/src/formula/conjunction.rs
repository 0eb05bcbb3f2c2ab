//! The parts of a condition that must all hold, so that a refusal can name the one that does not.

use cel::common::ast::{Expr, IdedExpr, operators};

use super::Formula;

/// The parts of `a && b && …`, each a formula as it stands there; none where the condition is anything else.
pub(super) fn conjuncts(source: &str, depths: &[u16], root: &IdedExpr) -> Vec<Formula> {
    match &root.expr {
        // Nothing binds less tightly than the root, so every `&&` outside brackets joins two parts of it.
        Expr::Call(call) if call.func_name == operators::LOGICAL_AND => {}
        _ => return Vec::new(),
    }
    // What stands in a comment is no operator, and which `//` begins one only the parser knows.
    if source.contains("//") {
        return Vec::new();
    }
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, operator) in source.match_indices("&&") {
        if depths.get(at) == Some(&0) {
            parts.push(&source[begin..at]);
            begin = at + operator.len();
        }
    }
    parts.push(&source[begin..]);
    // An operator that stands in a text cuts it into what is no formula; then the whole has to speak for itself.
    parts.into_iter().map(|part| Formula::parse(part.trim())).collect::<Result<_, _>>().unwrap_or_default()
}
