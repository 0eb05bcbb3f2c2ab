use tollgate_core::effect::Delivered;
use tollgate_tracker::{Delivery, DeliveryRequest, InternalTracker, ItemRef, Tracker as _};

use crate::{
    project::{Project, block_on},
    sample,
};

const FOLDER: &str = ".tollgate/internal";

fn deliver(project: &Project) -> Delivered {
    let tracker = InternalTracker::open(project.path(""), project.clock.clone()).unwrap();
    let item = ItemRef { key: "A-1".into(), url: None };
    let what = Delivery::Record(Box::new(sample::done()));
    block_on(tracker.deliver(DeliveryRequest { item, what, ambiguous: false })).unwrap()
}

fn place(delivered: Delivered) -> String {
    match delivered {
        Delivered::Done { reference: Some(place), .. } => place,
        other => panic!("this is not done: {other:?}"),
    }
}

#[test]
fn an_entry_of_the_store_has_no_file_and_none_is_looked_for_among_its_records() {
    let project = Project::new();
    // Whoever looked through the folder would find it, and put the record beside it.
    project.write(&format!("{FOLDER}/elsewhere/a.md"), "---\nid: A-1\n---\nbody\n");
    assert_eq!(place(deliver(&project)), format!("{FOLDER}/A-1.tollgate.md"));
    assert_eq!(place(deliver(&project)), format!("{FOLDER}/A-1.tollgate.md"), "once");
    assert_eq!(
        project.files(FOLDER),
        [format!("{FOLDER}/A-1.tollgate.md"), format!("{FOLDER}/elsewhere/a.md")]
    );
}
