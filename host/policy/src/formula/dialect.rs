//! CEL as Tollgate speaks it: which names and functions there are, and numbers that are all doubles.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
};

use cel::{
    Context, Env, ExecutionError, Value,
    common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators},
    extractors::Arguments,
};

use super::{
    FormulaError, References,
    limits::{self, HEIGHT_MAX},
};
use crate::error::did_you_mean;

/// Names that are always there.
pub(crate) const BUILTINS: [&str; 9] =
    ["age_days", "author", "backlog", "created", "key", "kind", "labels", "title", "tracker"];

const FUNCTIONS: [&str; 7] = ["ceil", "double", "floor", "max", "min", "round", "size"];
const METHODS: [&str; 4] = ["contains", "endsWith", "size", "startsWith"];
const MACROS: [&str; 6] = ["all", "exists", "exists_one", "filter", "has", "map"];
const OPERATORS: [&str; 17] = [
    operators::ADD,
    operators::CONDITIONAL,
    operators::DIVIDE,
    operators::EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::IN,
    operators::INDEX,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::LOGICAL_AND,
    operators::LOGICAL_NOT,
    operators::LOGICAL_OR,
    operators::MULTIPLY,
    operators::NEGATE,
    operators::NOT_EQUALS,
    operators::SUBSTRACT,
];

/// A formula's syntax, in the dialect.
pub(super) struct Parsed {
    pub(super) root: IdedExpr,
    pub(super) spans: SourceInfo,
    pub(super) references: References,
    pub(super) functions: BTreeSet<String>,
    pub(super) height: usize,
}

static PARSER: LazyLock<Env> = LazyLock::new(|| Env::stdlib().with_optional_support(false));

/// Parses, checks every name, and makes every number a double.
pub(super) fn parse(source: &str) -> Result<Parsed, FormulaError> {
    // The grammar's runtime indexes tables by what it reads; a panic there is a formula it cannot read.
    let parsed = catch_unwind(AssertUnwindSafe(|| PARSER.parser().parse_with_source_info(source)));
    let (mut root, spans) = match parsed {
        Ok(Ok(parsed)) => parsed,
        Ok(Err(errors)) => return Err(syntax_error(source, &errors)),
        Err(_) => {
            return Err(FormulaError {
                message: "cannot be read as a formula".into(),
                span: None,
                help: None,
            });
        }
    };
    let height = limits::height(&root);
    if height > HEIGHT_MAX {
        let message = format!("a formula {height} levels high is too large; it may have {HEIGHT_MAX}");
        let help = Some("a sum has a level for each of its terms".into());
        return Err(FormulaError { message, span: None, help });
    }
    let mut check = Check {
        source,
        spans: &spans,
        references: References::default(),
        functions: BTreeSet::new(),
        scope: Vec::new(),
    };
    check.expr(&root)?;
    let Check { references, functions, .. } = check;
    doubles_only(&mut root);
    Ok(Parsed { root, spans, references, functions, height })
}

fn syntax_error(source: &str, errors: &cel::ParseErrors) -> FormulaError {
    let Some(first) = errors.errors.first() else {
        return FormulaError { message: "cannot be read as a formula".into(), span: None, help: None };
    };
    let message = first.msg.trim_start_matches("Syntax error: ");
    // The rest of the message lists every token that could stand there: too many to help.
    let message = message.split(" expecting ").next().unwrap_or(message);
    let message = if message.contains("<EOF>") {
        "it ends too early".to_owned()
    } else {
        message.replace("mismatched input", "unexpected")
    };
    let (line, column) = first.pos;
    let line_start: usize = source
        .split_inclusive('\n')
        .take(usize::try_from(line).unwrap_or(1).saturating_sub(1))
        .map(str::len)
        .sum();
    let at = (line_start + usize::try_from(column).unwrap_or(1).saturating_sub(1)).min(source.len());
    FormulaError {
        message: format!("cannot be read as a formula: {message}"),
        span: Some(at..at),
        help: None,
    }
}

struct Check<'a> {
    source: &'a str,
    spans: &'a SourceInfo,
    references: References,
    functions: BTreeSet<String>,
    /// Names that macros have bound.
    scope: Vec<&'a str>,
}

impl<'a> Check<'a> {
    fn expr<'e: 'a>(&mut self, expr: &'e IdedExpr) -> Result<(), FormulaError> {
        match &expr.expr {
            Expr::Ident(name) => self.name(expr, name),
            Expr::Select(select) => match &select.operand.expr {
                Expr::Ident(root) if root == "field" && !self.scope.contains(&"field") => {
                    self.references.fields.insert(select.field.clone());
                    Ok(())
                }
                _ => {
                    let message =
                        format!("`.{}` has no meaning here; only `field` has members", select.field);
                    self.refuse(expr, message, None)
                }
            },
            Expr::Literal(literal) => self.literal(expr, literal),
            Expr::Call(call) => self.call(expr, call),
            Expr::Comprehension(every) => {
                if every.iter_var2.is_some() {
                    return self.refuse(expr, "a macro has one variable".into(), None);
                }
                self.range(&every.iter_range)?;
                self.scope.extend([every.iter_var.as_str(), every.accu_var.as_str()]);
                for part in [&every.accu_init, &every.loop_cond, &every.loop_step, &every.result] {
                    self.expr(part)?;
                }
                self.scope.truncate(self.scope.len() - 2);
                Ok(())
            }
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    let plain = matches!(entry.key.expr, Expr::Literal(_));
                    if !plain {
                        return self.refuse(
                            &entry.key,
                            "a key of a map is a text, a number, true or false".into(),
                            None,
                        );
                    }
                    self.expr(&entry.key)?;
                    self.expr(&entry.value)
                }
                EntryExpr::StructField(_) => {
                    self.refuse(expr, "there are no messages in formulas".into(), None)
                }
            }),
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.expr(element)),
            Expr::Struct(_) => self.refuse(expr, "there are no messages in formulas".into(), None),
            Expr::Unspecified => self.refuse(expr, "cannot be read as a formula".into(), None),
        }
    }

    fn name(&mut self, expr: &IdedExpr, name: &str) -> Result<(), FormulaError> {
        if self.scope.contains(&name) {
            return Ok(());
        }
        if name == "field" {
            let help = Some("write `field.priority`".into());
            return self.refuse(expr, "`field` alone has no value".into(), help);
        }
        if !BUILTINS.contains(&name) {
            let help = did_you_mean(name, BUILTINS);
            return self.refuse(expr, format!("unknown name `{name}`"), help);
        }
        self.references.builtins.insert(name.to_owned());
        Ok(())
    }

    fn literal(&self, expr: &IdedExpr, literal: &LiteralValue) -> Result<(), FormulaError> {
        match literal {
            LiteralValue::Null => {
                let help = Some("ask `has(field.x)` whether a field has a value".into());
                self.refuse(expr, "there is no `null` in formulas".into(), help)
            }
            LiteralValue::Bytes(_) => self.refuse(expr, "there are no bytes in formulas".into(), None),
            LiteralValue::UInt(_) => {
                let help = Some("leave out the `u`".into());
                self.refuse(expr, "there are no unsigned numbers in formulas".into(), help)
            }
            LiteralValue::Boolean(_)
            | LiteralValue::Double(_)
            | LiteralValue::Int(_)
            | LiteralValue::String(_) => Ok(()),
        }
    }

    fn call<'e: 'a>(&mut self, expr: &'e IdedExpr, call: &'e CallExpr) -> Result<(), FormulaError> {
        let name = call.func_name.as_str();
        if let Some(target) = &call.target {
            if !METHODS.contains(&name) {
                let known = METHODS.into_iter().chain(MACROS.into_iter().filter(|name| *name != "has"));
                let help = did_you_mean(name, known);
                return self.refuse(expr, format!("unknown function `.{name}()`"), help);
            }
            self.expr(target)?;
        } else if name.contains(|c: char| c.is_ascii_alphanumeric())
            && name != operators::IN
            && !name.starts_with('@')
        {
            if !FUNCTIONS.contains(&name) {
                let help = did_you_mean(name, FUNCTIONS.into_iter().chain(["has"]));
                return self.refuse(expr, format!("unknown function `{name}()`"), help);
            }
            self.functions.insert(name.to_owned());
        } else if name == operators::MODULO {
            return self.refuse(expr, "there is no `%` in formulas: all numbers are doubles".into(), None);
        } else if !OPERATORS.contains(&name) && name != operators::NOT_STRICTLY_FALSE {
            return self.refuse(expr, format!("there is no `{name}` in formulas"), None);
        }
        call.args.iter().try_for_each(|argument| self.expr(argument))
    }

    /// A macro runs over a list whose length is known before the evaluation.
    fn range<'e: 'a>(&mut self, range: &'e IdedExpr) -> Result<(), FormulaError> {
        let known = match &range.expr {
            Expr::Ident(name) => name == "labels" && !self.scope.contains(&"labels"),
            Expr::Select(_) | Expr::List(_) => true,
            Expr::Comprehension(every) => matches!(every.accu_init.expr, Expr::List(_)),
            _ => false,
        };
        if !known {
            let message =
                "a macro runs over `labels`, a field, a list such as [1, 2], or `map` or `filter` of one";
            return self.refuse(range, message.into(), None);
        }
        self.expr(range)
    }

    fn refuse(&self, expr: &IdedExpr, message: String, help: Option<String>) -> Result<(), FormulaError> {
        let span = self.spans.offset_for(expr.id).map(|(start, stop)| {
            let end = self.source.len();
            let start = (start as usize).min(end);
            start..(stop as usize + 1).clamp(start, end)
        });
        Err(FormulaError { message, span, help })
    }
}

/// Makes doubles of integers, those that functions return included.
fn doubles_only(expr: &mut IdedExpr) {
    match &mut expr.expr {
        Expr::Literal(LiteralValue::Int(number)) => {
            let number = *number.inner() as f64;
            expr.expr = Expr::Literal(LiteralValue::Double(number.into()));
        }
        Expr::Call(call) => {
            call.target.iter_mut().for_each(|target| doubles_only(target));
            call.args.iter_mut().for_each(doubles_only);
            if call.func_name == "size" {
                let size = IdedExpr { id: expr.id, expr: std::mem::take(&mut expr.expr) };
                let double = CallExpr { func_name: "double".into(), target: None, args: vec![size] };
                expr.expr = Expr::Call(double);
            }
        }
        Expr::List(list) => list.elements.iter_mut().for_each(doubles_only),
        Expr::Map(map) => map.entries.iter_mut().for_each(|entry| {
            // Keys stay as they are: an integer key is found by the double that equals it.
            if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                doubles_only(&mut entry.value);
            }
        }),
        Expr::Select(select) => doubles_only(&mut select.operand),
        Expr::Comprehension(every) => {
            let every = every.as_mut();
            let parts = [
                &mut every.iter_range,
                &mut every.accu_init,
                &mut every.loop_cond,
                &mut every.loop_step,
                &mut every.result,
            ];
            parts.into_iter().for_each(doubles_only);
        }
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) => {}
    }
}

/// Adds the functions that CEL has not.
pub(super) fn add_functions(context: &mut Context<'_, '_>, wanted: &BTreeSet<String>) {
    for name in wanted {
        let added = match name.as_str() {
            "floor" => context.add_function("floor", f64::floor),
            "ceil" => context.add_function("ceil", f64::ceil),
            "round" => context.add_function("round", f64::round),
            "min" => context
                .add_function("min", |Arguments(numbers): Arguments| extreme("min", &numbers, f64::min)),
            "max" => context
                .add_function("max", |Arguments(numbers): Arguments| extreme("max", &numbers, f64::max)),
            _ => Ok(()),
        };
        added.expect("the standard library of CEL has none of these names");
    }
}

fn extreme(name: &str, arguments: &[Value], pick: fn(f64, f64) -> f64) -> Result<Value, ExecutionError> {
    let items = match arguments {
        [Value::List(items)] => items.as_slice(),
        arguments => arguments,
    };
    let mut picked: Option<f64> = None;
    for item in items {
        let Value::Float(number) = item else {
            return Err(ExecutionError::function_error(name, format!("{} is not a number", describe(item))));
        };
        // A double that is no number would vanish in a comparison; it must come out instead.
        picked = Some(picked.map_or(*number, |so_far| {
            if so_far.is_nan() || number.is_nan() { f64::NAN } else { pick(so_far, *number) }
        }));
    }
    picked
        .map(Value::Float)
        .ok_or_else(|| ExecutionError::function_error(name, "there is nothing to choose from"))
}

/// A value, for messages.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() <= 40 => format!("the text `{text}`"),
        Value::String(_) => "a text".into(),
        Value::Float(number) => format!("the number {number}"),
        Value::Bool(truth) => truth.to_string(),
        Value::List(items) => format!("a list of {}", items.len()),
        Value::Map(_) => "a map".into(),
        Value::Null => "nothing".into(),
        _ => "no value of a formula".into(),
    }
}

/// Why an evaluation failed; fits after the term.
pub(super) fn explain_error(error: &ExecutionError, read: &References) -> String {
    match error {
        ExecutionError::NoSuchKey(key) if read.fields.contains(key.as_str()) => {
            format!("reads `field.{key}`, which has no value; give it a default, or ask has(field.{key})")
        }
        ExecutionError::NoSuchKey(key) => format!("looks up `{key}`, which its map does not have"),
        ExecutionError::IndexOutOfBounds(index) => format!("has no item at {}", describe(index)),
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            let verb = match *operator {
                "sub" => "subtract",
                "mul" => "multiply",
                "div" => "divide",
                other => other,
            };
            format!("cannot {verb} {} and {}", describe(left), describe(right))
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            format!("compares {} with {}", describe(left), describe(right))
        }
        ExecutionError::NoSuchOverload(overload) => {
            let operator = overload.function().replace(['_', '@'], "");
            format!("applies `{operator}` to {}", overload.argument_types().join(" and "))
        }
        ExecutionError::FunctionError { function, message } => format!("fails in {function}(): {message}"),
        other => format!("fails: {}", other.to_string().to_lowercase()),
    }
}
