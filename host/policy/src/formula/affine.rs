//! Formulas that grow by the same amount every day.
//!
//! Such a formula need not be evaluated again each day: score − slope × day never changes. That must be certain, so it is
//! read off the syntax: each term either does not read `age_days`, or is `age_days`, possibly with a literal factor or
//! divisor. Anything else may well be affine too, and is rescored; that costs time, never order.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::{explain::Addend, limits::children};

/// Slopes beyond this would leave the range in which thousandths of days are exact.
const SLOPE_MAX: f64 = 1_000_000.0;

/// The slope of a sum; none when it has none that is certain and whole in thousandths.
pub(super) fn slope_thousandths(addends: &[Addend]) -> Option<i64> {
    addends.iter().try_fold(0, |sum, addend| {
        let slope = if reads_age(&addend.expr) { coefficient(&addend.expr)? } else { 0.0 };
        let thousandths = slope * 1000.0;
        if thousandths.fract() != 0.0 || slope.abs() > SLOPE_MAX {
            return None;
        }
        let thousandths = thousandths as i64;
        Some(sum + if addend.negated { -thousandths } else { thousandths })
    })
}

fn reads_age(expr: &IdedExpr) -> bool {
    is_age(expr) || children(expr).into_iter().any(reads_age)
}

fn is_age(expr: &IdedExpr) -> bool {
    matches!(&expr.expr, Expr::Ident(name) if name == "age_days")
}

/// What `age_days` is multiplied with in this term.
fn coefficient(expr: &IdedExpr) -> Option<f64> {
    if is_age(expr) {
        return Some(1.0);
    }
    let Expr::Call(call) = &expr.expr else { return None };
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::NEGATE, [inner]) => coefficient(inner).map(|factor| -factor),
        (operators::MULTIPLY, [left, right]) if is_age(left) => literal(right),
        (operators::MULTIPLY, [left, right]) if is_age(right) => literal(left),
        (operators::DIVIDE, [left, right]) if is_age(left) => {
            literal(right).filter(|divisor| *divisor != 0.0).map(|divisor| 1.0 / divisor)
        }
        _ => None,
    }
}

fn literal(expr: &IdedExpr) -> Option<f64> {
    match &expr.expr {
        Expr::Literal(LiteralValue::Double(number)) => Some(*number.inner()),
        _ => None,
    }
}
