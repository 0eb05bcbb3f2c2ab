use std::{fs, sync::Barrier, thread};

use proptest::prelude::*;
use tollgate_core::{StoreId, course::End, effect::Delivered, record::Record};
use tollgate_tracker::{Delivery, DeliveryError, Integrity, RecordReport, Tracker as _, record};

use crate::{
    project::{Project, block_on, refusal, was_there},
    sample,
};

const RECORDS: &str = "backlog/a.tollgate.md";

fn project() -> Project {
    let project = Project::new();
    project.write("backlog/a.md", "---\nid: A-1\n---\nbody\n");
    project
}

fn deliver(project: &Project, record: Record) -> Result<Delivered, DeliveryError> {
    project.deliver(Delivery::Record(Box::new(record)))
}

fn records(project: &Project) -> RecordReport {
    block_on(project.tracker().records()).unwrap()
}

#[test]
fn records_stand_beside_the_item_and_are_no_items() {
    let project = project();
    assert!(!was_there(deliver(&project, sample::done())));
    assert!(!was_there(deliver(&project, sample::failed())));
    assert_eq!(project.files("backlog"), ["backlog/a.md", RECORDS]);
    assert_eq!(project.scan().items.len(), 1);
    assert_eq!(project.read("backlog/a.md"), "---\nid: A-1\n---\nbody\n");

    let found = records(&project).records;
    let read: Vec<_> = found.iter().map(|found| found.account.clone().unwrap()).collect();
    assert_eq!(read, [sample::done(), sample::failed()]);
    assert!(found.iter().all(|found| found.integrity == Integrity::Intact && found.place == RECORDS));
}

#[test]
fn the_first_record_of_a_run_stays() {
    let project = project();
    deliver(&project, sample::done()).unwrap();
    let before = project.read(RECORDS);
    let again = deliver(&project, sample::done()).unwrap();
    let other =
        deliver(&project, Record { end: End::Cancelled { reason: "x".into() }, ..sample::done() }).unwrap();
    assert_eq!(project.read(RECORDS), before);
    let data = |delivered| match delivered {
        Delivered::Done { data, .. } => data.to_string(),
        Delivered::Refused { reason } | Delivered::Withheld { reason } => reason,
    };
    assert_eq!(data(again), r#"{"was-there":true,"differs":false}"#);
    assert_eq!(data(other), r#"{"was-there":true,"differs":true}"#);
}

#[test]
fn what_people_write_around_the_sections_stays() {
    let project = project();
    deliver(&project, sample::done()).unwrap();
    let edited = format!("My notes.\r\n{}\nMore notes without a line end \u{fe0f}", project.read(RECORDS));
    let mut bytes = edited.into_bytes();
    bytes.push(0xff);
    fs::write(project.path(RECORDS), &bytes).unwrap();
    assert!(was_there(deliver(&project, sample::done())));
    assert!(!was_there(deliver(&project, sample::failed())));
    assert!(fs::read(project.path(RECORDS)).unwrap().starts_with(&bytes));
    assert_eq!(records(&project).records.len(), 2);
}

#[test]
fn a_change_in_a_section_is_noticed() {
    let project = project();
    deliver(&project, sample::done()).unwrap();
    let text = project.read(RECORDS);
    fs::write(project.path(RECORDS), text.replace('\n', "\r\n")).unwrap();
    assert_eq!(records(&project).records[0].integrity, Integrity::Intact);
    fs::write(project.path(RECORDS), text.replace("## Done", "## Failed")).unwrap();
    let found = records(&project).records.remove(0);
    assert!(matches!(found.integrity, Integrity::Changed { .. }));
    assert_eq!(found.account.unwrap(), sample::done());
}

#[test]
fn a_section_without_its_end_is_written_anew() {
    let project = project();
    deliver(&project, sample::done()).unwrap();
    let text = project.read(RECORDS);
    let half = &text[..text.len() / 2];
    fs::write(project.path(RECORDS), half).unwrap();
    assert!(!was_there(deliver(&project, sample::done())));
    assert!(project.read(RECORDS).starts_with(half));
    assert_eq!(records(&project).records.len(), 1);
}

#[test]
fn what_is_no_whole_record_any_more_is_named_with_its_item() {
    let project = project();
    let damage = || -> Vec<_> {
        let found = records(&project).damaged.into_iter();
        found.map(|it| (it.place, it.beside, it.item, it.reason)).collect()
    };
    deliver(&project, sample::done()).unwrap();
    assert_eq!(damage(), []);
    let text = project.read(RECORDS);
    fs::write(project.path(RECORDS), &text[..text.len() / 2]).unwrap();
    let run = sample::done().run;
    let named = |item: Option<&str>, reason: String| {
        (RECORDS.to_owned(), "backlog/a.md".to_owned(), item.map(str::to_owned), reason)
    };
    assert_eq!(damage(), [named(Some("A-1"), format!("the record of run {run} has no end"))]);
    fs::write(project.path(RECORDS), "They were here.\n").unwrap();
    assert_eq!(damage(), [named(None, "no record can be found in it".into())]);
}

#[test]
fn an_adoption_stands_among_the_records_once() {
    let project = project();
    let adopt = || project.deliver(Delivery::Adopted(Box::new(sample::adopted())));
    deliver(&project, sample::done()).unwrap();
    assert!(!was_there(adopt()));
    assert!(was_there(adopt()));
    let found = records(&project);
    assert_eq!((found.records.len(), found.adoptions.len()), (1, 1));
    assert_eq!(found.adoptions[0].account.clone().unwrap(), sample::adopted());
    assert_eq!(found.adoptions[0].integrity, Integrity::Intact);
    fs::write(project.path(RECORDS), project.read(RECORDS).replace("ines", "somebody")).unwrap();
    assert!(matches!(records(&project).adoptions[0].integrity, Integrity::Changed { .. }));
}

#[test]
fn an_item_that_moved_takes_its_records_with_it() {
    let project = project();
    fs::create_dir(project.path("backlog/done")).unwrap();
    fs::rename(project.path("backlog/a.md"), project.path("backlog/done/b.md")).unwrap();
    deliver(&project, sample::done()).unwrap();
    assert_eq!(project.files("backlog"), ["backlog/done/b.md", "backlog/done/b.tollgate.md"]);
}

#[test]
fn an_item_that_is_gone_still_gets_its_record() {
    let project = project();
    fs::remove_file(project.path("backlog/a.md")).unwrap();
    deliver(&project, sample::done()).unwrap();
    project.deliver_for("../x/A 1", None, Delivery::Record(Box::new(sample::failed()))).unwrap();
    project
        .deliver_for("A-9", Some("backlog/../../etc/x.md"), Delivery::Record(Box::new(sample::escalated())))
        .unwrap();
    let expected = ["backlog/-x-A-1.tollgate.md", "backlog/A-9.tollgate.md", RECORDS];
    assert_eq!(project.files(""), expected);
}

#[test]
fn a_record_file_that_is_no_file_is_refused() {
    let project = project();
    project.write("outside.md", "mine");
    std::os::unix::fs::symlink("../outside.md", project.path(RECORDS)).unwrap();
    insta::assert_snapshot!(refusal(deliver(&project, sample::done())), @"the record cannot be written: backlog/a.tollgate.md is no plain file; move it out of the folder or list it under `ignore`");
    assert_eq!(project.read("outside.md"), "mine");
}

#[test]
fn deliveries_at_the_same_time_lose_nothing() {
    let project = project();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8 {
            let (project, start) = (&project, &start);
            scope.spawn(move || {
                start.wait();
                // Each run is delivered by two threads.
                deliver(project, Record { run: sample::run(number / 2), ..sample::done() }).unwrap();
            });
        }
    });
    let runs: Vec<_> = records(&project).records.into_iter().map(|found| found.id).collect();
    let mut sorted = runs.clone();
    sorted.sort();
    assert_eq!(sorted, [0, 1, 2, 3].map(sample::run));
}

#[test]
fn what_a_crash_left_behind_is_in_nobodys_way() {
    let project = project();
    // Written and synced, but never renamed.
    let left = format!("# Records\n\n{}", record::section(&sample::done()));
    fs::write(project.path("backlog/.tollgate-write-AbCdEf"), left).unwrap();
    assert!(records(&project).records.is_empty());
    assert!(!was_there(deliver(&project, sample::done())));
    assert_eq!(records(&project).records.len(), 1);
    assert_eq!(project.scan().items.len(), 1);

    // Of two such files, the one that may still be written stays.
    fs::write(project.path("backlog/.tollgate-write-GhIjKl"), "").unwrap();
    project.touch("backlog/.tollgate-write-AbCdEf", -3_600_000);
    project.touch("backlog/.tollgate-write-GhIjKl", -3_599_000);
    block_on(project.tracker().claim_ownership(StoreId::generate())).unwrap();
    assert!(!project.path("backlog/.tollgate-write-AbCdEf").exists());
    assert!(project.path("backlog/.tollgate-write-GhIjKl").exists());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// However often and in whatever order runs are delivered, each has one section, and the first delivery decides.
    #[test]
    fn one_section_a_run(deliveries in proptest::collection::vec(0..4_u32, 1..12)) {
        let project = project();
        for (at, &number) in deliveries.iter().enumerate() {
            let there = was_there(deliver(&project, Record { run: sample::run(number), ..sample::done() }));
            prop_assert_eq!(there, deliveries[..at].contains(&number));
        }
        let mut expected = Vec::new();
        for number in deliveries {
            if !expected.contains(&sample::run(number)) {
                expected.push(sample::run(number));
            }
        }
        let runs: Vec<_> = records(&project).records.into_iter().map(|found| found.id).collect();
        prop_assert_eq!(runs, expected);
    }

    /// Nothing that an item or plugin says can end the section or begin another.
    #[test]
    fn hostile_text_forges_nothing(said in "(\\PC|\n|<!-- tollgate:(record v=1|end) run=| -->|```|</details>|\\|){0,30}") {
        let mut hostile = sample::failed();
        hostile.entry.title.clone_from(&said);
        hostile.entry.name.key.clone_from(&said);
        hostile.steps[0].summary.clone_from(&said);
        hostile.end = End::Cancelled { reason: said };
        let text = format!("{}{}", record::section(&hostile), record::section(&sample::done()));
        let read: Vec<_> = record::read_sections(&text).records.into_iter().map(|section| section.account.unwrap()).collect();
        prop_assert_eq!(read, [hostile, sample::done()]);
    }

    /// Nothing that a list or table says can, either.
    #[test]
    fn hostile_evidence_forges_nothing(said in "(\\PC|\n|<!-- tollgate:(adopted v=1|end) adoption=| -->|```|</details>|\\|){0,30}") {
        let mut hostile = sample::adopted();
        hostile.entry.name.key.clone_from(&said);
        hostile.evidence[0].says.clone_from(&said);
        hostile.who.clone_from(&said);
        hostile.despite = vec![said];
        let text = format!("{}{}", record::adopted_section(&hostile), record::section(&sample::done()));
        let read = record::read_sections(&text);
        prop_assert_eq!(&read.unfinished, &[]);
        prop_assert_eq!(read.records.len(), 1);
        prop_assert_eq!(read.adoptions.into_iter().map(|section| section.account.unwrap()).collect::<Vec<_>>(), [hostile]);
    }

    /// No text makes the reader fail.
    #[test]
    fn any_text_can_be_read(text in "(\\PC|\n|<!-- tollgate:record v=1 run=01KA5PZ3M2Q4R6S8T0V2000001 -->\n|```json\n){0,40}") {
        record::read_sections(&text);
    }
}
