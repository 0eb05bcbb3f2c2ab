//! Formulas: eligibility, routing and priority.
//!
//! Properties wanted:
//!
//! * **One answer.** The same formula and the same entry on the same day give the same number, on every host. There is no
//!   clock, no randomness and no I/O; `age_days` is handed in.
//! * **No surprise in arithmetic.** All numbers are doubles: `1 + 0.1 * 4` is 1.4 and `7 / 2` is 3.5. A result that is
//!   not finite is an error that names formula, term and value; it is never an order.
//! * **No surprise at run time.** Names and functions are checked when a file is read. What a formula reads is known from
//!   its syntax ([`Formula::references`]), not from an evaluation.
//! * **Bounded.** A formula is at most 4 KiB, nested at most 64 deep (checked before the parser sees it) and 128 nodes
//!   high; its macros run over lists that exist already, so the work of an evaluation is known before it begins and is
//!   bounded too (see [`limits`]). Parser and interpreter are recursive; both run on a stack made large enough for these
//!   bounds, because neither has a bound of its own that holds in every build.
//! * **Explainable.** The terms of [`Formula::explain`], added in their order, are the result.
//!
//! The language is CEL without integers: the parser and interpreter are the `cel` crate's, and integers written in a
//! formula become doubles before it is evaluated. `docs/formulas.md` describes it for users.
//!
//! | | |
//! | --- | --- |
//! | names | `key`, `kind`, `title`, `author`, `tracker`, `backlog`, `created` (texts), `labels` (texts), `age_days` (number), `field.x` |
//! | literals | numbers, texts, `true`, `false`, lists, maps |
//! | operators | `+ - * /`, `== != < <= > >=`, `&&` `\|\|` `!`, `? :`, `in`, `[ ]` |
//! | functions | `min max floor ceil round size double has`, on texts `contains startsWith endsWith size` |
//! | macros | `exists all exists_one filter map` over `labels`, a field, or a list |
//!
//! Times (`created`, fields of type timestamp) are texts in UTC, all of one form, so that they compare as they should.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use cel::common::ast::IdedExpr;
pub use tollgate_core::record::Term;

mod affine;
mod conjunction;
mod dialect;
mod explain;
mod inputs;
pub mod limits;
mod literals;

pub use inputs::{FieldValue, Inputs};

use explain::Addend;

/// A formula that was parsed and checked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Formula {
    source: String,
    addends: Arc<[Addend]>,
    /// Where it is `a && b && …`: its parts.
    conjuncts: Arc<[Formula]>,
    references: References,
    functions: BTreeSet<String>,
    height: usize,
}

/// What a formula reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References {
    /// Names such as `labels`.
    pub builtins: BTreeSet<String>,
    /// Declared fields, without `field.`.
    pub fields: BTreeSet<String>,
}

/// Why a text is no formula.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FormulaError {
    /// What is wrong.
    pub message: String,
    /// The bytes of the formula that are.
    pub span: Option<Range<usize>>,
    /// What to do.
    pub help: Option<String>,
}

/// Why a formula has no result for an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{term}`{} {problem}", if term == formula { String::new() } else { format!(" in `{formula}`") })]
pub struct EvalError {
    /// All of it.
    pub formula: String,
    /// The term that failed.
    pub term: String,
    /// What is wrong with it, with the value: fits after the term.
    pub problem: String,
}

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    ///
    /// When it is too large, is no CEL, or uses a name, function or operator that the dialect has not.
    pub fn parse(source: &str) -> Result<Self, FormulaError> {
        let depths = limits::check_text(source)?;
        limits::with_parser_stack(|| {
            let parsed = dialect::parse(source)?;
            let conjuncts = conjunction::conjuncts(source, &depths, &parsed.root);
            let addends = explain::addends(source, &depths, parsed.root, &parsed.spans);
            Ok(Self {
                source: source.to_owned(),
                addends: addends.into(),
                conjuncts: conjuncts.into(),
                references: parsed.references,
                functions: parsed.functions,
                height: parsed.height,
            })
        })
    }

    /// As it is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads.
    pub fn references(&self) -> &References {
        &self.references
    }

    /// Whether its result can change from one day to the next.
    pub fn reads_age(&self) -> bool {
        self.references.builtins.contains("age_days")
    }

    /// How much the result grows each day, in thousandths, when that is the same for every entry and every day, and a
    /// whole number. Found in the syntax, so it is a proof and not an observation.
    pub fn slope_thousandths(&self) -> Option<i64> {
        affine::slope_thousandths(&self.addends)
    }

    /// The result, a finite number.
    ///
    /// # Errors
    ///
    /// When a term has no value, is not a number, or is not finite.
    pub fn number(&self, inputs: &Inputs<'_>) -> Result<f64, EvalError> {
        let terms = self.explain(inputs)?;
        let sum = sum_of(&terms);
        if sum.is_finite() {
            Ok(sum)
        } else {
            Err(self.failed(&self.source, format!("is {sum}, not a finite number")))
        }
    }

    /// The terms of the result. Their sum, from the left, is [`Self::number`].
    ///
    /// # Errors
    ///
    /// As for [`Self::number`].
    pub fn explain(&self, inputs: &Inputs<'_>) -> Result<Vec<Term>, EvalError> {
        self.addends.iter().map(|addend| self.term(addend, inputs)).collect()
    }

    /// The result of a condition.
    ///
    /// # Errors
    ///
    /// When it has no value, or one that is neither true nor false.
    pub fn truth(&self, inputs: &Inputs<'_>) -> Result<bool, EvalError> {
        match self.addends.as_ref() {
            [only] => match self.evaluate(&only.expr, &self.source, inputs)? {
                cel::Value::Bool(truth) => Ok(truth),
                other => {
                    Err(self
                        .failed(&self.source, format!("is {}, not true or false", dialect::describe(&other))))
                }
            },
            _ => Err(self.failed(&self.source, "is a sum, not true or false".into())),
        }
    }

    /// Of a condition `a && b && …` that is false: the first part that is.
    pub fn first_false_part(&self, inputs: &Inputs<'_>) -> Option<&str> {
        self.conjuncts.iter().find(|part| part.truth(inputs) == Ok(false)).map(Self::source)
    }

    fn term(&self, addend: &Addend, inputs: &Inputs<'_>) -> Result<Term, EvalError> {
        let value = match self.evaluate(&addend.expr, &addend.text, inputs)? {
            cel::Value::Float(value) if value.is_finite() => value,
            cel::Value::Float(value) => {
                return Err(self.failed(&addend.text, format!("is {value}, not a finite number")));
            }
            other => {
                return Err(
                    self.failed(&addend.text, format!("is {}, not a number", dialect::describe(&other)))
                );
            }
        };
        Ok(Term { text: addend.text.clone(), value: if addend.negated { -value } else { value } })
    }

    fn evaluate(&self, expr: &IdedExpr, text: &str, inputs: &Inputs<'_>) -> Result<cel::Value, EvalError> {
        limits::check_work(expr, inputs).map_err(|problem| self.failed(text, problem))?;
        let context = inputs.context(&self.references, &self.functions);
        limits::with_evaluation_stack(self.height, || cel::Value::resolve(expr, &context))
            .map_err(|error| self.failed(text, dialect::explain_error(&error, &self.references)))
    }

    fn failed(&self, term: &str, problem: String) -> EvalError {
        EvalError { formula: self.source.clone(), term: term.to_owned(), problem }
    }
}

/// The sum from the left, as the interpreter adds.
pub fn sum_of(terms: &[Term]) -> f64 {
    terms.iter().map(|term| term.value).reduce(|sum, value| sum + value).unwrap_or(0.0)
}

#[cfg(test)]
mod tests;
