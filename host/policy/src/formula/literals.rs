//! What a formula says without being evaluated: the values written in it, and divisions that no entry can save.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::{Formula, limits::children};

/// The values that are written in a formula, each once, in the order in which they stand there.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    pub(crate) texts: Vec<String>,
    pub(crate) numbers: Vec<f64>,
}

impl Formula {
    /// The values that are written in it, keys of maps included.
    pub(crate) fn literals(&self) -> Literals {
        let mut found = Literals::default();
        self.addends.iter().for_each(|addend| collect(&addend.expr, &mut found));
        found
    }

    /// The term that divides by zero, whatever the entry says.
    pub(crate) fn zero_divisor(&self) -> Option<&str> {
        self.addends.iter().find(|addend| divides_by_zero(&addend.expr)).map(|addend| addend.text.as_str())
    }
}

fn collect(expr: &IdedExpr, found: &mut Literals) {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text))
            if !found.texts.iter().any(|known| known == text.inner()) =>
        {
            found.texts.push(text.inner().to_owned());
        }
        Expr::Literal(LiteralValue::Double(number)) => add_number(*number.inner(), found),
        Expr::Literal(LiteralValue::Int(number)) => add_number(*number.inner() as f64, found),
        _ => {}
    }
    children(expr).into_iter().for_each(|child| collect(child, found));
}

fn add_number(number: f64, found: &mut Literals) {
    if !found.numbers.contains(&number) {
        found.numbers.push(number);
    }
}

fn divides_by_zero(expr: &IdedExpr) -> bool {
    let here = match &expr.expr {
        Expr::Call(call) if call.func_name == operators::DIVIDE => {
            call.args.get(1).and_then(constant) == Some(0.0)
        }
        _ => false,
    };
    here || children(expr).into_iter().any(divides_by_zero)
}

/// The value of an expression that reads nothing, where it is plain arithmetic.
fn constant(expr: &IdedExpr) -> Option<f64> {
    match &expr.expr {
        Expr::Literal(LiteralValue::Double(number)) => Some(*number.inner()),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::NEGATE, [inner]) => constant(inner).map(|value| -value),
            (operators::ADD, [left, right]) => Some(constant(left)? + constant(right)?),
            (operators::SUBSTRACT, [left, right]) => Some(constant(left)? - constant(right)?),
            (operators::MULTIPLY, [left, right]) => Some(constant(left)? * constant(right)?),
            (operators::DIVIDE, [left, right]) => Some(constant(left)? / constant(right)?),
            _ => None,
        },
        _ => None,
    }
}
