//! Formulas held against what entries may say: every declared value, every absence that is allowed.
//!
//! A formula without a result holds the entry, so nothing runs in a wrong order; but a value that a project declares and its
//! formula does not know is a mistake that is better heard of before the first entry has it. The formula is evaluated over the
//! values that are declared (`values`, true and false, no value at all) and those that it names itself, in every combination; a
//! formula with more combinations than can be tried is left to the entries that there are.

use std::collections::BTreeMap;

use tollgate_core::Timestamp;

use crate::{
    formula::{EvalError, FieldValue, Formula, Inputs},
    policy::{Backlog, Field, FieldType, Order},
    source_map::{Place, Report},
};

/// The most evaluations of one formula.
const SAMPLES_MAX: usize = 4_000;
/// The most values tried for a name that may have any.
const POINTS_MAX: usize = 8;
const AGES: [i64; 4] = [0, 1, 30, 365];
const NOON: Timestamp = Timestamp::from_millis(1_780_315_200_000);

/// Reports formulas that cannot have a result, and declared values for which one has none.
pub(super) fn check(backlog: &Backlog, place: &Place<'_>, report: &mut Report) {
    let mut check = |name: &str, formula: &Formula, kind, place: &Place<'_>| {
        Study { backlog, name, formula, kind, without: Without::HELD }.run(place, report);
    };
    check("eligible", &backlog.eligible, Kind::Truth, &place.key("eligible"));
    if let Order::Priority(formula) = &backlog.order {
        check("priority", formula, Kind::Number, &place.key("priority"));
    }
    for (position, route) in backlog.routes.iter().enumerate() {
        if let Some(formula) = &route.when {
            check("when", formula, Kind::Truth, &place.key("pipeline").index(position).key("when"));
        }
    }
}

/// Reports a condition of a stage that cannot have a result, and declared values for which it has none.
pub(super) fn check_condition(backlog: &Backlog, formula: &Formula, place: &Place<'_>, report: &mut Report) {
    // Fields that nobody declared are reported as such.
    if formula.references().fields.iter().all(|field| backlog.fields.contains_key(field)) {
        Study { backlog, name: "when", formula, kind: Kind::Truth, without: Without::FAILED }
            .run(place, report);
    }
}

/// What becomes of entries for which a formula has no result.
#[derive(Clone, Copy)]
struct Without {
    every: &'static str,
    such: &'static str,
}

impl Without {
    const HELD: Self = Self { every: "every entry would be held", such: "such an entry would be held" };
    const FAILED: Self =
        Self { every: "every run would fail there", such: "a run of such an entry would fail there" };
}

#[derive(Clone, Copy)]
enum Kind {
    Number,
    Truth,
}

struct Study<'a> {
    backlog: &'a Backlog,
    name: &'a str,
    formula: &'a Formula,
    kind: Kind,
    without: Without,
}

/// Something that a formula reads, and values of it.
struct Dimension {
    points: Vec<Point>,
    /// Whether these are all values, or stand for all.
    is_closed: bool,
}

struct Point {
    setting: Setting,
    /// How the report names it; none where it is no more than an example.
    shown: Option<String>,
}

enum Setting {
    Field(String, Option<FieldValue>),
    Builtin(String, String),
    Labels(Vec<String>),
    Age(i64),
}

impl Study<'_> {
    fn run(&self, place: &Place<'_>, report: &mut Report) {
        if let Some(term) = self.formula.zero_divisor() {
            let help = Some("nothing divided by zero is a finite number".into());
            return report.error(place, format!("`{}` divides by zero: `{term}`", self.name), help);
        }
        let dimensions = self.dimensions();
        let sizes = dimensions.iter().map(|dimension| dimension.points.len());
        let samples = sizes.fold(1, usize::saturating_mul);
        if samples > SAMPLES_MAX {
            return;
        }
        let mut tally = Tally::new(&dimensions);
        for sample in 0..samples {
            let chosen = combination(&dimensions, sample);
            tally.add(&chosen, self.evaluate(&dimensions, &chosen).err());
        }
        match tally.first_error {
            Some(error) if !tally.any_result && dimensions.iter().all(|one| one.is_closed) => {
                let message =
                    format!("`{}` never has a result: `{}` {}", self.name, error.term, error.problem);
                report.error(place, message, Some(self.without.every.into()));
            }
            _ if !tally.any_result => {}
            _ => self.report_points(&dimensions, &tally.points, place, report),
        }
    }

    fn report_points(
        &self,
        dimensions: &[Dimension],
        tallies: &[Vec<PointTally>],
        place: &Place<'_>,
        report: &mut Report,
    ) {
        for (dimension, tallies) in dimensions.iter().zip(tallies) {
            for (point, tally) in dimension.points.iter().zip(tallies) {
                let (Some(shown), Some(error), false) = (&point.shown, &tally.first_error, tally.any_result)
                else {
                    continue;
                };
                let message = format!(
                    "`{}` has no result where {shown}: `{}` {}",
                    self.name, error.term, error.problem
                );
                report.key_warning(place, message, Some(self.without.such.into()));
            }
        }
    }

    fn dimensions(&self) -> Vec<Dimension> {
        let literals = self.formula.literals();
        let read = self.formula.references();
        let fields = read.fields.iter().filter_map(|name| self.backlog.fields.get(name));
        let fields = fields.map(|field| of_field(field, &literals.texts, &literals.numbers));
        let builtins = read.builtins.iter().map(|name| match name.as_str() {
            "age_days" => Dimension {
                points: AGES.into_iter().map(|age| example(Setting::Age(age))).collect(),
                is_closed: true,
            },
            "labels" => Dimension {
                points: [Vec::new(), literals.texts.clone()].map(|set| example(Setting::Labels(set))).into(),
                is_closed: true,
            },
            name => {
                let texts = literals.texts.iter().take(POINTS_MAX).map(String::as_str).chain(["", "text"]);
                let points = texts.map(|text| example(Setting::Builtin(name.to_owned(), text.to_owned())));
                Dimension { points: points.collect(), is_closed: false }
            }
        });
        fields.chain(builtins).collect()
    }

    fn evaluate(&self, dimensions: &[Dimension], chosen: &[usize]) -> Result<(), EvalError> {
        let mut fields = BTreeMap::new();
        let mut texts: BTreeMap<&str, &str> = BTreeMap::new();
        let (mut labels, mut age_days) = (&[][..], 0);
        for (dimension, at) in dimensions.iter().zip(chosen) {
            match &dimension.points[*at].setting {
                Setting::Field(name, Some(value)) => {
                    fields.insert(name.clone(), value.clone());
                }
                Setting::Field(_, None) => {}
                Setting::Builtin(name, text) => {
                    texts.insert(name, text);
                }
                Setting::Labels(set) => labels = set,
                Setting::Age(age) => age_days = *age,
            }
        }
        let text = |name: &str| texts.get(name).copied().unwrap_or_default();
        let inputs = Inputs {
            key: text("key"),
            kind: text("kind"),
            title: text("title"),
            labels,
            author: text("author"),
            tracker: text("tracker"),
            backlog: &self.backlog.name,
            created: NOON,
            age_days,
            fields: &fields,
        };
        match self.kind {
            Kind::Number => self.formula.number(&inputs).map(|_| ()),
            Kind::Truth => self.formula.truth(&inputs).map(|_| ()),
        }
    }
}

fn example(setting: Setting) -> Point {
    Point { setting, shown: None }
}

fn of_field(field: &Field, texts: &[String], numbers: &[f64]) -> Dimension {
    let point = |value: FieldValue, is_shown: bool| {
        let shown = is_shown.then(|| format!("`field.{}` is {}", field.name, shown(&value)));
        Point { setting: Setting::Field(field.name.clone(), Some(value)), shown }
    };
    let texts = || texts.iter().take(POINTS_MAX).cloned();
    let (mut points, is_closed): (Vec<_>, _) = match (field.kind, &field.values) {
        (FieldType::String, Some(values)) => {
            (values.iter().map(|value| point(FieldValue::Text(value.clone()), true)).collect(), true)
        }
        (FieldType::String, None) => (
            texts().chain(["text".to_owned()]).map(|text| point(FieldValue::Text(text), false)).collect(),
            false,
        ),
        (FieldType::Bool, _) => {
            ([true, false].map(|truth| point(FieldValue::Bool(truth), true)).into(), true)
        }
        (FieldType::Number, _) => {
            let named =
                numbers.iter().copied().take(POINTS_MAX).filter(|number| ![0.0, 1.0].contains(number));
            let numbers = [1.0, 0.0].into_iter().chain(named);
            (numbers.map(|number| point(FieldValue::Number(number), number == 0.0)).collect(), true)
        }
        (FieldType::Timestamp, _) => (vec![point(FieldValue::Time(NOON), false)], true),
        (FieldType::List, values) => {
            let full = values.clone().unwrap_or_else(|| texts().collect());
            (vec![point(FieldValue::List(full), false), point(FieldValue::List(Vec::new()), true)], false)
        }
    };
    if !field.required && field.default.is_none() {
        let shown = Some(format!("`field.{}` has no value", field.name));
        points.push(Point { setting: Setting::Field(field.name.clone(), None), shown });
    }
    Dimension { points, is_closed }
}

fn shown(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => format!("`{text}`"),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Bool(truth) => truth.to_string(),
        FieldValue::Time(time) => time.to_string(),
        FieldValue::List(items) if items.is_empty() => "empty".into(),
        FieldValue::List(items) => items.join(", "),
    }
}

/// One point of each dimension: the digits of the sample's number.
fn combination(dimensions: &[Dimension], sample: usize) -> Vec<usize> {
    let mut rest = sample;
    let digit = |dimension: &Dimension| {
        let digit = rest % dimension.points.len();
        rest /= dimension.points.len();
        digit
    };
    dimensions.iter().map(digit).collect()
}

#[derive(Clone, Default)]
struct PointTally {
    any_result: bool,
    first_error: Option<EvalError>,
}

/// Which points had a result, with whatever others.
struct Tally {
    any_result: bool,
    first_error: Option<EvalError>,
    points: Vec<Vec<PointTally>>,
}

impl Tally {
    fn new(dimensions: &[Dimension]) -> Self {
        let points =
            dimensions.iter().map(|dimension| vec![PointTally::default(); dimension.points.len()]).collect();
        Self { any_result: false, first_error: None, points }
    }

    fn add(&mut self, chosen: &[usize], error: Option<EvalError>) {
        self.any_result |= error.is_none();
        for (tallies, at) in self.points.iter_mut().zip(chosen) {
            let tally = &mut tallies[*at];
            tally.any_result |= error.is_none();
            if tally.first_error.is_none() {
                tally.first_error.clone_from(&error);
            }
        }
        self.first_error = self.first_error.take().or(error);
    }
}
