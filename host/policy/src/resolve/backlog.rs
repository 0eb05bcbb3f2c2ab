//! A backlog's table, resolved.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::tz::TimeZone;
use tollgate_core::{rank::Direction, refine};

use super::{field, inside, name, not_blank, pipeline, zone};
use crate::{
    done::Done,
    error::did_you_mean,
    fields,
    formula::Formula,
    policy::{
        Backlog, Depends, Expectation, Field, FieldType, FolderSource, FrontMatterNames, Given, Intake,
        Moves, Order, OrderKey, OrderSource, Purpose, Refine, Route, Shelves,
    },
    project::{
        BacklogTable, ClaimMarker, DoneChoice, DoneTable, DuplicatesChoice, ExpectTable, GivenTable,
        IntakeTable, PipelineChoice, ScheduleTable, SourceTable,
    },
    schedule::{Cron, Schedule},
    source_map::{Place, Report},
    units,
};

const CLOSED_STATES: [&str; 6] = ["done", "completed", "closed", "fixed", "wontfix", "cancelled"];

/// How deep entries open others, where a project does not say.
const DEPTH: u32 = 3;

/// How like an earlier entry one is that is held as its duplicate, where a project asks for it and does not say.
const DUPLICATE_THOUSANDTHS: u32 = 750;

/// How many entries may be opened that one entry led to, where a project does not say.
const PER_ORIGIN: u32 = 100;

/// What the formulas of a backlog may read.
struct Scope<'a> {
    fields: &'a BTreeMap<String, Field>,
    trust_text: &'a [String],
}

pub(super) fn resolve(
    backlog_name: &str,
    table: BacklogTable,
    pipelines: &[String],
    stages: &pipeline::Context<'_>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Backlog> {
    name(backlog_name, "backlog", place, report);
    not_blank(&table.owner, &place.key("owner"), report);
    let zone = zone(table.zone.as_deref(), &place.key("zone"), report);
    let refine = pipeline::resolve_refine(stages, &table.owner, table.refine, &place.key("refine"), report);
    let refine = refine.map(|pipeline| Refine { asked: refine::asked(&pipeline), pipeline });
    let fields: BTreeMap<String, Field> = table
        .fields
        .into_iter()
        .map(|(name, table)| {
            let place = place.key("fields").key(&name);
            let field = field::resolve(&name, table, &zone, &place, report);
            field::check_refined(&field, refine.as_ref(), &place.key("from"), report);
            (name, field)
        })
        .collect();
    let scope = Scope { fields: &fields, trust_text: &table.trust_text };
    check_trust(&scope, place, report);
    let routes = routes(table.pipeline, pipelines, &scope, &place.key("pipeline"), report);
    if refine.is_some() && routes.iter().any(|route| route.pipeline == refine::PIPELINE) {
        let message = format!("`{}` is what the refine stages of a backlog are called", refine::PIPELINE);
        report.error(&place.key("pipeline"), message, Some("give the pipeline's file another name".into()));
    }
    let eligible_place = place.key("eligible");
    let eligible = formula(&table.eligible, &scope, &eligible_place, report);
    if let Some(formula) = &eligible {
        check_untrusted(formula, &scope, &eligible_place, report);
    }
    let done = table.done.and_then(|choice| done(choice, &scope, &place.key("done"), report));
    let order = order(table.priority.as_deref(), table.order_by.as_deref(), &scope, place, report);
    let expectations = expectations(table.expect, &fields, &routes, &zone, &place.key("expect"), report);
    let claim = table.claim.and_then(|window| {
        report.take(&place.key("claim").key("cron"), Cron::parse(&window.cron, zone.clone()))
    });
    let pull = pull(table.pull, &zone, &place.key("pull"), report);
    let (sources, internal) = sources(table.source, &place.key("source"), report);
    Some(Backlog {
        name: backlog_name.to_owned(),
        owner: table.owner,
        routes,
        pull,
        claim,
        refine,
        eligible: eligible?,
        order: order?,
        on_change: table.on_change,
        done,
        depends: Depends { rule: table.depends.rule, alias: table.depends.alias.into_iter().collect() },
        sources,
        internal,
        intake: intake(table.intake, &place.key("intake"), report),
        trust_text: table.trust_text,
        expectations,
        zone,
        fields,
    })
}

fn formula(text: &str, scope: &Scope<'_>, place: &Place<'_>, report: &mut Report) -> Option<Formula> {
    match Formula::parse(text) {
        Ok(formula) => {
            for field in formula.references().fields.iter().filter(|name| !scope.fields.contains_key(*name)) {
                let help = did_you_mean(field, scope.fields.keys().map(String::as_str));
                let start = text.find(&format!("field.{field}"));
                let span = start.map(|start| start..start + "field.".len() + field.len());
                report.error_inside(place, span, format!("`field.{field}` is not declared"), help);
            }
            Some(formula)
        }
        Err(error) => {
            report.error_inside(place, error.span, error.message, error.help);
            None
        }
    }
}

fn done(choice: DoneChoice, scope: &Scope<'_>, place: &Place<'_>, report: &mut Report) -> Option<Done> {
    // Who may say that an entry is done may say that it is not worked on.
    let mut rule = |text: Option<String>, place: &Place<'_>| {
        let formula = formula(&text?, scope, place, report)?;
        for field in formula.references().fields.iter().filter_map(|name| scope.fields.get(name)) {
            refuse_text(field, "`done`", scope, place, report);
        }
        Some(formula)
    };
    match choice {
        DoneChoice::Rule(text) => {
            Some(Done { when: Some(rule(Some(text), place)?), doubt: None, file: None })
        }
        DoneChoice::Table(DoneTable { when, doubt, file }) => {
            let says_nothing = when.is_none() && file.is_none();
            let (when, doubt) = (rule(when, &place.key("when")), rule(doubt, &place.key("doubt")));
            if says_nothing {
                let help = Some("e.g. done = { when = '\"has-spec\" in labels' }".into());
                report.error(place, "names neither `when` nor `file`", help);
            }
            if let Some(file) = &file {
                done_file(file, &place.key("file"), report);
            }
            Some(Done { when, doubt, file })
        }
    }
}

/// A file for each key: without the key, one file would say of every item that it is done.
fn done_file(file: &str, place: &Place<'_>, report: &mut Report) {
    inside(file, place, report);
    if !file.contains("{key}") {
        let help = Some("e.g. file = \"specs/{key}.md\"".into());
        report.error(place, "names the same file for every item", help);
    }
}

fn check_trust(scope: &Scope<'_>, place: &Place<'_>, report: &mut Report) {
    for (position, field) in scope.trust_text.iter().enumerate() {
        if !scope.fields.contains_key(field) {
            let help = did_you_mean(field, scope.fields.keys().map(String::as_str));
            report.error(
                &place.key("trust_text").index(position),
                format!("there is no field `{field}`"),
                help,
            );
        }
    }
    for field in scope.fields.values().filter(|field| field.purpose == Purpose::Constraint) {
        refuse_text(field, "a constraint", scope, &place.key("fields").key(&field.name), report);
    }
}

fn check_untrusted(formula: &Formula, scope: &Scope<'_>, place: &Place<'_>, report: &mut Report) {
    for field in formula.references().fields.iter().filter_map(|name| scope.fields.get(name)) {
        refuse_text(field, "`eligible`", scope, place, report);
    }
}

fn refuse_text(field: &Field, reader: &str, scope: &Scope<'_>, place: &Place<'_>, report: &mut Report) {
    if field.is_text && !scope.trust_text.contains(&field.name) {
        let message = format!("{reader} reads `{}`, which anyone may have written", field.name);
        let help =
            format!("read it from front matter or a label, or list it: trust_text = [\"{}\"]", field.name);
        report.error(place, message, Some(help));
    }
}

fn routes(
    choice: PipelineChoice,
    pipelines: &[String],
    scope: &Scope<'_>,
    place: &Place<'_>,
    report: &mut Report,
) -> Vec<Route> {
    let known = |pipeline: &str, place: &Place<'_>, report: &mut Report| {
        if !pipelines.iter().any(|known| known == pipeline) {
            let help = did_you_mean(pipeline, pipelines.iter().map(String::as_str))
                .or_else(|| Some(format!("write it: pipelines/{pipeline}.toml")));
            report.error(place, format!("there is no pipeline `{pipeline}`"), help);
        }
    };
    match choice {
        PipelineChoice::One(pipeline) => {
            known(&pipeline, place, report);
            vec![Route { pipeline, when: None }]
        }
        PipelineChoice::Routes(routes) => {
            if routes.is_empty() {
                report.error(place, "expected at least one pipeline", None);
            }
            let mut all_taken = false;
            let mut resolved = Vec::new();
            for (position, route) in routes.into_iter().enumerate() {
                let place = place.index(position);
                known(&route.pipeline, &place.key("use"), report);
                if all_taken {
                    let help = Some("give the one before it a condition: `when`".into());
                    report.error(&place, "never taken: an earlier one takes every entry", help);
                }
                all_taken |= route.when.is_none();
                let when = route.when.and_then(|text| formula(&text, scope, &place.key("when"), report));
                resolved.push(Route { pipeline: route.pipeline, when });
            }
            resolved
        }
    }
}

fn order(
    priority: Option<&str>,
    order_by: Option<&[String]>,
    scope: &Scope<'_>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Order> {
    match (priority, order_by) {
        (Some(text), None) => formula(text, scope, &place.key("priority"), report).map(Order::Priority),
        (None, Some(keys)) => {
            let place = place.key("order_by");
            let keys = keys
                .iter()
                .enumerate()
                .filter_map(|(position, text)| order_key(text, scope, &place.index(position), report));
            Some(Order::By(keys.collect()))
        }
        (Some(_), Some(_)) => {
            report.key_error(
                &place.key("order_by"),
                "both `priority` and `order_by`: one of them orders a backlog",
                None,
            );
            None
        }
        (None, None) => {
            let help = Some("e.g. `order_by = [\"created\"]`: the oldest first".into());
            report.key_error(
                place,
                format!("{} has neither `priority` nor `order_by`", place.table_name()),
                help,
            );
            None
        }
    }
}

fn order_key(text: &str, scope: &Scope<'_>, place: &Place<'_>, report: &mut Report) -> Option<OrderKey> {
    let (direction, key) = match text.strip_prefix('-') {
        Some(key) => (Direction::Descending, key),
        None => (Direction::Ascending, text),
    };
    let source = match key {
        "author" => OrderSource::Author,
        "created" => OrderSource::Created,
        "key" => OrderSource::Key,
        "kind" => OrderSource::Kind,
        "title" => OrderSource::Title,
        "tracker" => OrderSource::Tracker,
        _ => {
            let field = key.strip_prefix("field.").and_then(|name| scope.fields.get(name));
            let Some(field) = field else {
                let fields: Vec<_> = scope.fields.keys().map(|name| format!("field.{name}")).collect();
                let known = ["author", "created", "key", "kind", "title", "tracker"];
                let known: Vec<_> = known.into_iter().chain(fields.iter().map(String::as_str)).collect();
                report.error(
                    place,
                    format!("nothing is ordered by `{key}`"),
                    did_you_mean(key, known.iter().copied()),
                );
                return None;
            };
            if field.kind == FieldType::List {
                report.error(place, format!("`{key}` is a list, which has no order"), None);
            }
            OrderSource::Field(field.name.clone())
        }
    };
    Some(OrderKey { source, direction })
}

fn pull(
    tables: Option<Vec<ScheduleTable>>,
    zone: &TimeZone,
    place: &Place<'_>,
    report: &mut Report,
) -> Vec<Schedule> {
    let Some(tables) = tables else { return vec![Schedule::Every(Duration::from_secs(60))] };
    if tables.is_empty() {
        report.error(place, "expected at least one schedule, e.g. [{ every = \"5m\" }]", None);
    }
    let schedule = |(position, table): (usize, ScheduleTable)| {
        let place = place.index(position);
        match (table.every, table.cron) {
            (Some(every), None) => {
                report.take(&place.key("every"), units::positive_duration(&every)).map(Schedule::Every)
            }
            (None, Some(cron)) => {
                report.take(&place.key("cron"), Cron::parse(&cron, zone.clone())).map(Schedule::Cron)
            }
            _ => {
                report.error(&place, "expected either `every` or `cron`", None);
                None
            }
        }
    };
    tables.into_iter().enumerate().filter_map(schedule).collect()
}

/// The folders, and whether there is an internal source beside them.
fn sources(tables: Vec<SourceTable>, place: &Place<'_>, report: &mut Report) -> (Vec<FolderSource>, bool) {
    let mut folders = BTreeSet::new();
    let mut sources = Vec::new();
    let mut internal = false;
    for (position, mut table) in tables.into_iter().enumerate() {
        let place = place.index(position);
        match (table.folder.take(), table.internal) {
            (Some(folder), None) => {
                inside(&folder, &place.key("folder"), report);
                if !folders.insert(folder.clone()) {
                    report.error(&place.key("folder"), format!("`{folder}` is a source already"), None);
                }
                sources.push(FolderSource { position, ..source(folder, table, &place, report) });
            }
            (None, Some(true)) => {
                if internal {
                    report.error(&place.key("internal"), "there is an internal source already", None);
                }
                if says_more_than_internal(&table) {
                    report.error(
                        &place,
                        "an internal source has no files, so nothing else is said of it",
                        None,
                    );
                }
                internal = true;
            }
            (_, Some(false)) => {
                let help = Some("without an internal source, a backlog takes no such entries".into());
                report.error(&place.key("internal"), "expected `true`; take it out instead", help);
            }
            (Some(_), Some(true)) => {
                let help = Some("write a second `[[backlog.NAME.source]]` with `internal = true`".into());
                report.error(&place.key("internal"), "a source is either a folder or internal", help);
            }
            (None, None) => {
                let message = "a source without `folder`; expected e.g. `folder = \"docs/backlog\"`, or `internal = true`";
                report.error(&place, message, None);
            }
        }
    }
    (sources, internal)
}

fn intake(table: IntakeTable, place: &Place<'_>, report: &mut Report) -> Intake {
    let mut rate = |written: Option<String>, key: &str| {
        written.and_then(|text| report.take(&place.key(key), units::rate(&text)))
    };
    Intake {
        per_source: rate(table.per_source, "per_source"),
        per_author: rate(table.per_author, "per_author"),
        duplicate_thousandths: duplicates(table.duplicates, &place.key("duplicates"), report),
        per_origin: table.per_origin.unwrap_or(PER_ORIGIN),
        depth: table.depth.unwrap_or(DEPTH),
    }
}

fn duplicates(choice: Option<DuplicatesChoice>, place: &Place<'_>, report: &mut Report) -> Option<u32> {
    match choice? {
        DuplicatesChoice::Whether(compared) => compared.then_some(DUPLICATE_THOUSANDTHS),
        DuplicatesChoice::Likeness(likeness) if likeness > 0.0 && likeness <= 1.0 =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is between 0 and 1,000"
            )]
            Some((likeness * 1_000.0).round() as u32)
        }
        DuplicatesChoice::Likeness(likeness) => {
            let message =
                format!("`{likeness}` is no share of words; expected e.g. `0.75`, or `true` for that");
            report.error(place, message, None);
            None
        }
    }
}

/// Whether a table has a key that is of use for folders alone.
fn says_more_than_internal(table: &SourceTable) -> bool {
    let texts = [
        &table.kind,
        &table.settle,
        &table.key,
        &table.title,
        &table.labels,
        &table.created,
        &table.depends,
        &table.state,
        &table.records,
        &table.on_done,
        &table.on_failed,
        &table.on_escalated,
    ];
    texts.iter().any(|text| text.is_some())
        || !table.ignore.is_empty()
        || table.closed.is_some()
        || table.moves.is_some()
        || table.retry_failed
        || table.claim_marker != ClaimMarker::None
}

fn source(folder: String, table: SourceTable, place: &Place<'_>, report: &mut Report) -> FolderSource {
    let settle = table.settle.and_then(|text| report.take(&place.key("settle"), units::duration(&text)));
    let records = table.records.unwrap_or_else(|| ".tollgate.md".into());
    if !records.starts_with('.') || !records.ends_with(".md") || records.len() < 5 || records.contains('/') {
        let help = Some("e.g. `.tollgate.md`: `BACK-12.md` gets `BACK-12.tollgate.md`".into());
        report.error(&place.key("records"), format!("`{records}` is no ending of a record file"), help);
    }
    let closed = table.closed.unwrap_or_else(|| CLOSED_STATES.map(str::to_owned).to_vec());
    let moves = table.moves.map(|mut states| {
        let field = states.remove("field").unwrap_or_else(|| "status".into());
        if states.is_empty() {
            report.error(&place.key("move"), "names no state, e.g. `done = \"Specified\"`", None);
        }
        for (outcome, state) in &states {
            not_blank(state, &place.key("move").key(outcome), report);
        }
        Moves { field, states }
    });
    let shelves = Shelves {
        done: shelf(table.on_done, &place.key("on_done"), report),
        failed: shelf(table.on_failed, &place.key("on_failed"), report),
        escalated: shelf(table.on_escalated, &place.key("on_escalated"), report),
    };
    check_shelves(&shelves, table.retry_failed, place, report);
    FolderSource {
        position: 0,
        folder,
        kind: table.kind,
        ignore: table.ignore,
        settle: settle.unwrap_or(Duration::from_secs(2)),
        names: FrontMatterNames {
            key: table.key,
            title: table.title,
            labels: table.labels,
            created: table.created,
            depends: table.depends,
            state: table.state,
        },
        closed: closed.iter().map(|state| state.to_lowercase()).collect(),
        records,
        moves,
        claim_marker: table.claim_marker,
        shelves,
        retry_failed: table.retry_failed,
    }
}

/// A folder below that of a source, without the stroke at its end.
fn shelf(written: Option<String>, place: &Place<'_>, report: &mut Report) -> Option<String> {
    let written = written?;
    let folder = written.trim_start_matches("./").trim_end_matches('/').to_owned();
    inside(&folder, place, report);
    if folder == "in-progress" {
        report.error(place, "`in-progress` is where items are while runs work on them", None);
    }
    if folder.split('/').any(|part| part.starts_with('.') && part != "..") {
        report.error(place, "hidden folders are not read, so an item there would be gone", None);
    }
    Some(folder)
}

fn check_shelves(shelves: &Shelves, retry_failed: bool, place: &Place<'_>, report: &mut Report) {
    let on_hold = [&shelves.failed, &shelves.escalated];
    if shelves.done.is_some() && on_hold.contains(&&shelves.done) {
        let help = Some("e.g. on_done = \"completed/\", on_failed = \"on-hold/\"".into());
        report.error(&place.key("on_done"), "what is done and what is not are in one folder", help);
    }
    if retry_failed && on_hold == [&None, &None] {
        let help = Some("e.g. on_failed = \"on-hold/\"".into());
        report.error(&place.key("retry_failed"), "nothing can be moved back: no item is moved away", help);
    }
}

fn expectations(
    tables: Vec<ExpectTable>,
    fields: &BTreeMap<String, Field>,
    routes: &[Route],
    zone: &TimeZone,
    place: &Place<'_>,
    report: &mut Report,
) -> Vec<Expectation> {
    let expectation = |(position, table): (usize, ExpectTable)| {
        let place = place.index(position);
        let given: Vec<_> = table
            .given
            .into_iter()
            .enumerate()
            .map(|(position, table)| given(table, fields, zone, &place.key("given").index(position), report))
            .collect();
        let known: BTreeSet<&str> = given.iter().map(|given| given.table.key.as_str()).collect();
        if known.len() < given.len() {
            report.error(&place.key("given"), "two entries have the same key", None);
        }
        if let Some(order) = &table.order {
            expected_order(order, &known, &place.key("order"), report);
        }
        let taken: BTreeSet<&str> = routes.iter().map(|route| route.pipeline.as_str()).collect();
        if let Some(pipeline) = table.pipeline.as_ref().filter(|name| !taken.contains(name.as_str())) {
            let help = did_you_mean(pipeline, taken.iter().copied());
            report.error(&place.key("pipeline"), format!("no entry of the backlog takes `{pipeline}`"), help);
        }
        if table.order.is_none() && table.eligible.is_none() && table.pipeline.is_none() {
            let help = Some("say what should come of it: `order`, `eligible` or `pipeline`".into());
            report.key_error(&place.key("given"), "this tests nothing", help);
        }
        Expectation { given, order: table.order, eligible: table.eligible, pipeline: table.pipeline }
    };
    tables.into_iter().enumerate().map(expectation).collect()
}

fn expected_order(order: &[String], known: &BTreeSet<&str>, place: &Place<'_>, report: &mut Report) {
    for (position, key) in order.iter().enumerate() {
        if !known.contains(key.as_str()) {
            let help = did_you_mean(key, known.iter().copied());
            report.error(&place.index(position), format!("no entry `{key}` is given"), help);
        }
    }
    let once: BTreeSet<_> = order.iter().collect();
    if order.len() != known.len() || once.len() != order.len() {
        report.error(place, "expected every given key once", None);
    }
}

fn given(
    table: GivenTable,
    fields: &BTreeMap<String, Field>,
    zone: &TimeZone,
    place: &Place<'_>,
    report: &mut Report,
) -> Given {
    let mut values: BTreeMap<_, _> =
        fields.iter().filter_map(|(name, field)| Some((name.clone(), field.default.clone()?))).collect();
    for (name, written) in &table.field {
        let place = place.key("field").key(name);
        let Some(field) = fields.get(name) else {
            let help = did_you_mean(name, fields.keys().map(String::as_str));
            report.key_error(&place, format!("`field.{name}` is not declared"), help);
            continue;
        };
        let converted = fields::convert(written, field.kind, field.values.as_deref(), zone);
        let converted = converted.map_err(|problem| format!("`field.{name}` {problem}"));
        if let Some(value) = report.take(&place, converted) {
            values.insert(name.clone(), value);
        }
    }
    Given { table, fields: values }
}
