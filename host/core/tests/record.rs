//! Every version of the record that was ever written stays readable. A fixture is frozen: it is never made again.

use tollgate_core::{
    adoption::{Adoption, EvidenceKind},
    course::End,
    record::{Record, RecordError},
};

#[test]
fn version_1_is_read_whole() {
    let text = include_str!("fixtures/record-1.json");
    let record = Record::read(text).expect("a record of version 1");
    assert_eq!(record.entry.name.key, "LIB-121");
    assert_eq!(record.end, End::Done);
    assert_eq!(record.steps.len(), 6);
    assert_eq!(record.reworks[0].findings[0].rule, "SPEC-002");
    let again = serde_json::to_value(&record).expect("a record is JSON");
    let there: serde_json::Value = serde_json::from_str(text).expect("the fixture is JSON");
    assert_eq!(again, there, "reading loses nothing");
}

#[test]
fn a_later_version_is_refused_by_name() {
    let text = include_str!("fixtures/record-1.json").replace("tollgate.record/1", "tollgate.record/2");
    let found = "tollgate.record/2".to_owned();
    assert_eq!(Record::read(&text), Err(RecordError::UnknownVersion { found, known: "tollgate.record/1" }));
}

#[test]
fn version_1_of_an_adoption_is_read_whole() {
    let text = include_str!("fixtures/adopted-1.json");
    let adoption = Adoption::read(text).expect("an adoption of version 1");
    assert_eq!(adoption.entry.name.key, "LIB-121");
    assert_eq!(
        adoption.evidence.iter().map(|it| it.kind).collect::<Vec<_>>(),
        [EvidenceKind::Rule, EvidenceKind::Table]
    );
    let again = serde_json::to_value(&adoption).expect("an adoption is JSON");
    let there: serde_json::Value = serde_json::from_str(text).expect("the fixture is JSON");
    assert_eq!(again, there, "reading loses nothing");
    let later = text.replace("tollgate.adopted/1", "tollgate.adopted/2");
    let found = "tollgate.adopted/2".to_owned();
    assert_eq!(
        Adoption::read(&later),
        Err(RecordError::UnknownVersion { found, known: "tollgate.adopted/1" })
    );
}
