//! The terms of a sum.
//!
//! A formula `a + b - c` has three terms. Evaluating them one by one and adding from the left is what the interpreter does
//! anyway, so the terms give the same result, to the last bit, and an error can name the term that failed.

use cel::common::ast::{Expr, IdedExpr, SourceInfo, operators};

/// A part of a sum.
#[derive(Debug)]
pub(super) struct Addend {
    /// As it stands in the formula, with a minus when it is subtracted.
    pub(super) text: String,
    pub(super) negated: bool,
    pub(super) expr: IdedExpr,
}

/// Takes a sum apart at the operators that stand outside all brackets; anything else is one term.
pub(super) fn addends(source: &str, depths: &[u16], root: IdedExpr, spans: &SourceInfo) -> Vec<Addend> {
    let mut rest = root;
    let mut end = source.len();
    let mut found = Vec::new();
    while let Some((at, negated)) = operator_outside(&rest, depths, spans) {
        let (left, right) = match operands(rest) {
            Ok(operands) => operands,
            Err(whole) => {
                rest = whole;
                break;
            }
        };
        found.push(Addend { text: signed(&source[at + 1..end], negated), negated, expr: right });
        rest = left;
        end = at;
    }
    found.push(Addend { text: signed(&source[..end], false), negated: false, expr: rest });
    found.reverse();
    found
}

/// Where the operator of this sum or difference stands, if it does so outside all brackets, and whether it subtracts.
fn operator_outside(expr: &IdedExpr, depths: &[u16], spans: &SourceInfo) -> Option<(usize, bool)> {
    let Expr::Call(call) = &expr.expr else { return None };
    let negated = match call.func_name.as_str() {
        operators::ADD => false,
        operators::SUBSTRACT => true,
        _ => return None,
    };
    let at = spans.offset_for(expr.id)?.0 as usize;
    (depths.get(at) == Some(&0)).then_some((at, negated))
}

/// Both operands, or the expression as it was where it has not two.
fn operands(expr: IdedExpr) -> Result<(IdedExpr, IdedExpr), IdedExpr> {
    let IdedExpr { id, expr } = expr;
    match expr {
        Expr::Call(mut call) if call.args.len() == 2 => match (call.args.pop(), call.args.pop()) {
            (Some(right), Some(left)) => Ok((left, right)),
            _ => Err(IdedExpr { id, expr: Expr::Call(call) }),
        },
        expr => Err(IdedExpr { id, expr }),
    }
}

fn signed(text: &str, negated: bool) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if negated { format!("-{text}") } else { text }
}
