//! Kill -9 with real processes: at every place at which a debug build may be killed, on each kind of store, of the host, of its connection to
//! the database, of the database's process behind it, and of the database's whole server.
//!
//! Properties wanted, wherever somebody is killed:
//!
//! 1. What is there in the end is what is there when nobody is killed: every entry done once, every effect once, at the same cost,
//!    with chains and records that an audit finds in order.
//! 2. The work goes on within a lease and five seconds.
//! 3. No place is forgotten: those of the source are those of the matrix.
//!
//! A scene goes through many places, and somebody is killed at one after the other. Each place is met at its first visit, in one scene. Where
//! `TOLLGATE_KILLS=20` says so, it is met in every scene that goes through it, twenty times, at one visit after the other, and time counts:
//! nothing else may keep the machine busy then. `TOLLGATE_KILLS_IN=work` plays one scene alone.

mod account;
mod away;
mod hold;
mod line;
mod places;
mod play;
mod recovery;
mod scene;
mod victim;

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    sync::{Mutex, OnceLock, PoisonError},
};

use self::{
    play::{Figures, Kill, Undisturbed},
    scene::{SCENES, STOPPED_AT, Scene, Step},
    victim::{Setting, Victim},
};
use crate::support::{Store, postgres::Server};

/// How many scenes go on at the same time: they wait for leases to lapse most of the time. Who asks for rounds runs nothing beside them,
/// which leaves room for more; a server of a database takes it.
fn scenes_at_once(store: Store) -> usize {
    if rounds().is_some() && store == Store::Sqlite { 10 } else { 5 }
}

/// How many servers of a database are started for them, when these are killed.
const SERVERS_MAX: usize = 3;

/// More than that many in one project would take too many hosts down under one run.
const KILLS_A_PROJECT: usize = 12;

/// How often each place is met; none where once is enough.
fn rounds() -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says so by it")]
    let said = std::env::var("TOLLGATE_KILLS").ok()?;
    Some(said.parse().expect("TOLLGATE_KILLS is a number"))
}

/// Whether this scene is played; all are where none is named.
fn is_wanted(scene: &Scene) -> bool {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says so by it")]
    let said = std::env::var("TOLLGATE_KILLS_IN").ok();
    said.is_none_or(|name| name == scene.name)
}

/// How many times as long as on a machine that has nothing else to do something may take.
fn patience() -> u32 {
    if rounds().is_some() { 1 } else { 6 }
}

/// Every scene, undisturbed, so that it is known where it goes.
fn undisturbed(store: Store) -> &'static [Undisturbed] {
    static PLAYED: [OnceLock<Vec<Undisturbed>>; 2] = [OnceLock::new(), OnceLock::new()];
    PLAYED[usize::from(store == Store::Postgres)].get_or_init(|| {
        let setting = Setting { store, server: None, line: None };
        let scenes: Vec<_> = SCENES.iter().collect();
        let mut played =
            at_once(scenes_at_once(store), scenes, |scene: &Scene| play::undisturbed(scene, &setting));
        played.sort_by_key(|played| SCENES.iter().position(|scene| scene.name == played.scene.name));
        played
    })
}

/// Does something with each, so many at the same time.
fn at_once<T: Send, R: Send>(threads: usize, all: Vec<T>, each: impl Fn(T) -> R + Sync) -> Vec<R> {
    let (all, done) = (Mutex::new(VecDeque::from(all)), Mutex::new(Vec::new()));
    let next = || all.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(one) = next() {
                    let result = each(one);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Which kills there are in which scene, for each place once or, in every scene, in this round.
fn plan(played: &'static [Undisturbed], round: Option<u64>) -> Vec<(&'static Undisturbed, Vec<Kill>)> {
    let (mut met, mut plan) = (HashSet::new(), Vec::new());
    for played in played {
        let places: BTreeSet<&String> =
            steps(played).flat_map(|(_, visits)| visits).map(|(place, _)| place).collect();
        let mut kills = Vec::new();
        for place in places {
            if round.is_some() || met.insert(place) {
                kills.push(visit(played, place, round.unwrap_or_default()));
            }
        }
        let order = |kill: &Kill| {
            let visits = &played.steps[kill.step].visits;
            (kill.step, visits.iter().position(|(place, _)| *place == kill.place))
        };
        kills.sort_by_key(order);
        plan.extend(kills.chunks(KILLS_A_PROJECT).map(|kills| (played, kills.to_vec())));
    }
    plan
}

/// The steps of a scene in which somebody may be killed, with the places that they go through.
fn steps(played: &Undisturbed) -> impl Iterator<Item = (usize, Vec<&(String, u64)>)> {
    let steps = played.scene.steps.iter().zip(&played.steps).enumerate();
    steps.filter_map(|(number, (step, undisturbed))| {
        let visits = undisturbed.visits.iter();
        match step {
            Step::Command(_) | Step::Said(_) => Some((number, visits.collect())),
            Step::Stopped => Some((number, visits.filter(|(place, _)| place != STOPPED_AT).collect())),
            Step::Dies(_) | Step::Done(_) => None,
        }
    })
}

/// The visit of a place in a scene at which somebody is killed in this round.
fn visit(played: &Undisturbed, place: &str, round: u64) -> Kill {
    let of_place = steps(played).flat_map(|(step, visits)| {
        let count = visits.iter().find(|(known, _)| known == place).map_or(0, |(_, count)| *count);
        (1..=count).map(move |visit| (step, visit))
    });
    let all: Vec<_> = of_place.collect();
    let (step, visit) = all[usize::try_from(round).expect("a small number") % all.len()];
    Kill { step, place: place.to_owned(), visit }
}

/// Plays all scenes with this victim.
#[expect(clippy::print_stdout, reason = "what a matrix found is for who runs it")]
fn matrix(store: Store, victim: Victim) {
    let played = undisturbed(store);
    let rounds = rounds().map_or(vec![None], |rounds| (0..rounds).map(Some).collect());
    let cases = rounds.into_iter().flat_map(|round| plan(played, round));
    let cases: Vec<_> = cases.filter(|(played, _)| is_wanted(played.scene)).collect();
    let mut figures = Figures::default();
    let shared = Setting { store, server: None, line: None };
    let all = match victim {
        Victim::Host | Victim::Connection => at_once(scenes_at_once(store), cases, |(played, kills)| {
            play::with_kills(played, &shared, victim, &kills)
        }),
        Victim::Answer => at_once(scenes_at_once(store), cases, |(played, mut kills)| {
            kills.retain(|kill| kill.place.starts_with("store.commit.before/"));
            let line = OnceLock::new();
            play::with_kills(played, &Setting { line: Some(&line), ..shared }, victim, &kills)
        }),
        // Who kills a server kills it for all who use it.
        Victim::Backend | Victim::Server => {
            let servers: Mutex<Vec<_>> = Mutex::default();
            at_once(SERVERS_MAX, cases, |(played, kills)| {
                let idle = servers.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let server = idle.unwrap_or_else(|| Mutex::new(Server::start()));
                let setting = Setting { server: Some(&server), ..shared };
                let figures = play::with_kills(played, &setting, victim, &kills);
                servers.lock().unwrap_or_else(PoisonError::into_inner).push(server);
                figures
            })
        }
    };
    all.iter().for_each(|one| figures.add(one));
    let Figures { kills, gave_up, lapses, after_lease, after_kill } = figures;
    println!(
        "{store:?}, {victim:?}: {kills} kills, {gave_up} commands gave up; the work went on {after_kill:.1?} after a kill, and \
         {after_lease:.1?} after one of {lapses} leases lapsed, at the most"
    );
    assert!(lapses > 0 || victim != Victim::Host, "a host that is killed holds something");
}

#[test]
fn every_place_of_the_source_is_in_the_matrix() {
    for store in [Store::Sqlite, Store::Postgres] {
        let places = undisturbed(store).iter().flat_map(steps).flat_map(|(_, visits)| visits);
        let reached: BTreeSet<String> = places.map(|(place, _)| place.clone()).collect();
        let all = places::all();
        assert_eq!(
            all.difference(&reached).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "{store:?} goes nowhere there"
        );
        assert_eq!(
            reached.difference(&all).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "{store:?} is there, the source is not"
        );
    }
}

#[test]
fn a_host_on_sqlite_is_killed_anywhere_and_the_next_one_goes_on() {
    matrix(Store::Sqlite, Victim::Host);
}

#[test]
fn a_host_on_postgresql_is_killed_anywhere_and_the_next_one_goes_on() {
    matrix(Store::Postgres, Victim::Host);
}

#[test]
#[ignore = "it takes minutes: `cargo test --workspace --test suite kills:: -- --ignored`"]
fn the_answer_to_a_commit_is_lost_anywhere_and_the_host_goes_on() {
    matrix(Store::Postgres, Victim::Answer);
}

#[test]
#[ignore = "it takes minutes: `cargo test --workspace --test suite kills:: -- --ignored`"]
fn a_connection_is_ended_anywhere_and_the_host_goes_on() {
    matrix(Store::Postgres, Victim::Connection);
}

#[test]
#[ignore = "it takes minutes: `cargo test --workspace --test suite kills:: -- --ignored`"]
fn a_backend_of_the_database_is_killed_anywhere_and_the_host_goes_on() {
    matrix(Store::Postgres, Victim::Backend);
}

#[test]
#[ignore = "it takes minutes: `cargo test --workspace --test suite kills:: -- --ignored`"]
fn the_server_of_the_database_is_killed_anywhere_and_the_host_goes_on() {
    matrix(Store::Postgres, Victim::Server);
}
