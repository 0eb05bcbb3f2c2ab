//! What waits for a person.

use std::time::Duration;

use tollgate_core::{
    approval::{Allowance, Ask, Lack},
    course::{End, Stopped},
    entry::{Hold, HoldKind},
    escalation::EscalationKind,
    time::Clock as _,
};
use tollgate_store::port::{Arrival, Escalation, EscalationFilter, Guard, Wake};

use crate::support::*;

/// `KIND KEY` of each, and how long after the beginning of the world it began to wait.
fn lines(found: &[Escalation]) -> Vec<(String, u64)> {
    let line = |one: &Escalation| {
        (format!("{} {}", one.kind, one.entry.name.key), one.since.since(start()).as_secs())
    };
    found.iter().map(line).collect()
}

pub(crate) async fn what_waits_for_a_person_is_listed_from_the_longest_on(make: &Make<'_>) {
    let world = World::new(make).await;
    let listed = async |filter: EscalationFilter| lines(&world.store.escalations(filter).await.unwrap().rows);
    let own = |arrival: Arrival| {
        let guard = Guard { own_output: Some("it has a record in it".into()), ..Guard::default() };
        Arrival { guard, ..arrival }
    };
    assert_eq!(listed(EscalationFilter::default()).await, []);

    world.admit(vec![arrival(world.lane, "A", 9), arrival(world.lane, "B", 8)]).await;
    let asks = world.claim().await;
    let step = key_of_step("publish", 1);
    let (lack, role) = (Lack::Approval, Some("release-manager".to_owned()));
    let ask = Ask { step, lack, role, reason: "it is large".into(), suggested: Allowance::default() };
    world.clock.advance(Duration::from_secs(60));
    world.store.write(wait(asks.claim, vec![Wake::Approval(Box::new(ask))])).await.unwrap();

    world.clock.advance(Duration::from_secs(60));
    let stopped = Stopped { at: None, reason: "it is not clear".into(), recovery: "say more".into() };
    let gives_up = End::Escalated { to: "tech-lead".into(), stopped: stopped.clone() };
    world.work(gives_up.clone()).await;

    world.clock.advance(Duration::from_secs(60));
    let soon = world.clock.now().after(Duration::from_secs(600));
    let later = Hold { until: Some(soon), ..hold(HoldKind::Intake, "too many at once") };
    let mut by_itself = world.arrival("E");
    by_itself.admission.holds.push(later);
    world
        .admit(vec![
            own(world.arrival("C")),
            own(world.arrival("D").held(HoldKind::NotEligible, "the policy says no")),
            by_itself,
            world.arrival("F").held(HoldKind::FieldMissing, "its effort is not known"),
        ])
        .await;

    let all = [("approval A".to_owned(), 60), ("escalated B".to_owned(), 120), ("held C".to_owned(), 180)];
    assert_eq!(listed(EscalationFilter::default()).await, all);
    // To judge an entry again is not to begin to wait again.
    world.clock.advance(Duration::from_secs(60));
    world.admit(vec![own(world.arrival("C").says("something else"))]).await;
    assert_eq!(listed(EscalationFilter::default()).await, all);

    let page = world
        .store
        .escalations(EscalationFilter { limit: 1, offset: 1, ..Default::default() })
        .await
        .unwrap();
    assert_eq!((lines(&page.rows), page.total), (vec![all[1].clone()], 3));
    let [escalated] = page.rows.try_into().unwrap();
    assert_eq!((escalated.role.as_deref(), escalated.stopped), (Some("tech-lead"), Some(stopped)));

    let kinds = vec![EscalationKind::Approval, EscalationKind::Held];
    assert_eq!(
        listed(EscalationFilter { kinds, ..Default::default() }).await,
        [all[0].clone(), all[2].clone()]
    );
    let role = Some("tech-lead".to_owned());
    assert_eq!(listed(EscalationFilter { role, ..Default::default() }).await, [all[1].clone()]);
    let not_roles = vec!["release-manager".to_owned()];
    assert_eq!(listed(EscalationFilter { not_roles, ..Default::default() }).await, all[1..]);

    // Only the newest round counts.
    world.store.retry(world.id("B").await, "ines", "it says more now").await.unwrap();
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(listed(EscalationFilter::default()).await, [all[0].clone(), all[2].clone()]);
    world.work(gives_up).await;
    assert_eq!(listed(EscalationFilter::default()).await[2], ("escalated B".to_owned(), 300));
}

fn hold(kind: HoldKind, reason: &str) -> Hold {
    Hold { kind, subject: String::new(), reason: reason.into(), until: None }
}
