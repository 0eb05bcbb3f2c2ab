//! What several ask at about the same time goes to the database together.
//!
//! Properties wanted:
//!
//! 1. Nobody waits for company. Who asks while nothing of the kind is under way goes at once; those who ask meanwhile go together when it
//!    is over, [`MEMBERS_MAX`] at the most.
//! 2. Nobody waits for long behind what hangs, because somebody else has a row in hand or a server does not answer: after
//!    [`PATIENCE`] the next go beside it.
//! 3. Everybody is told when what they asked for is durable, and none is told what was not kept. What fails for one of them is done for
//!    each by itself; where nobody knows whether it was kept, all are told so.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use super::{Manner, StoreClock, attempt, connection::Connection, pool::Pool, transact};
use crate::{
    StoreError,
    port::Result,
    rules::Together,
    tx::{Failure, Tx, TxResult},
};

/// So many are done by one transaction at the most.
const MEMBERS_MAX: usize = 8;

/// How long others wait for one that is under way.
const PATIENCE: Duration = Duration::from_millis(25);

/// Those that ask for the same kind of thing.
pub(super) struct Gather<K: Together> {
    queue: Arc<Mutex<Queue<K>>>,
}

struct Queue<K: Together> {
    waiting: VecDeque<Waiting<K>>,
    /// Whether somebody sees to those that wait.
    is_seen_to: bool,
}

struct Waiting<K: Together> {
    member: K::Member,
    answer: oneshot::Sender<Result<K::Answer>>,
}

/// Some that go together, until they are on their way.
type Party<K> = Arc<Mutex<Vec<Waiting<K>>>>;

/// Why none of those who went together has an answer.
enum Failed {
    /// Nothing of it was kept.
    NotKept,
    /// Nobody knows whether it was kept; in the words of the database.
    Unknown(String),
}

impl<K: Together> Default for Gather<K> {
    fn default() -> Self {
        Self { queue: Arc::new(Mutex::new(Queue { waiting: VecDeque::new(), is_seen_to: false })) }
    }
}

impl<K: Together> Gather<K> {
    pub(super) async fn ask(
        &self,
        pool: &Arc<Pool>,
        clock: &StoreClock,
        member: K::Member,
    ) -> Result<K::Answer> {
        let doing = K::doing(&member);
        let (answer, told) = oneshot::channel();
        let is_first = {
            let mut queue = lock(&self.queue);
            queue.waiting.push_back(Waiting { member, answer });
            !std::mem::replace(&mut queue.is_seen_to, true)
        };
        if is_first {
            drop(tokio::spawn(see_to(Arc::clone(&self.queue), Arc::clone(pool), clock.clone())));
        }
        let gone = |_| Err(StoreError::Platform { doing, message: "whoever was to do it is gone".into() });
        told.await.unwrap_or_else(gone)
    }
}

/// Has those that wait go, until nobody does.
async fn see_to<K: Together>(queue: Arc<Mutex<Queue<K>>>, pool: Arc<Pool>, clock: StoreClock) {
    loop {
        // Those who were told something together have more to ask together.
        tokio::task::yield_now().await;
        let Some(party) = lock(&queue).next_party() else { return };
        let mut going = Box::pin(go(party, Arc::clone(&pool), clock.clone()));
        if tokio::time::timeout(PATIENCE, &mut going).await.is_err() {
            drop(tokio::spawn(going));
        }
    }
}

impl<K: Together> Queue<K> {
    /// Those that have waited longest of those that can go together.
    fn next_party(&mut self) -> Option<Vec<Waiting<K>>> {
        let Some(first) = self.waiting.pop_front() else {
            self.is_seen_to = false;
            return None;
        };
        let mut party = vec![first];
        let mut at = 0;
        while party.len() < MEMBERS_MAX && at < self.waiting.len() {
            let next = &self.waiting[at].member;
            match party.iter().all(|waiting| K::goes_with(&waiting.member, next)) {
                true => party.extend(self.waiting.remove(at)),
                false => at += 1,
            }
        }
        Some(party)
    }
}

async fn go<K: Together>(party: Vec<Waiting<K>>, pool: Arc<Pool>, clock: StoreClock) {
    let Some(doing) = party.first().map(|first| K::doing(&first.member)) else { return };
    let party: Party<K> = Arc::new(Mutex::new(party));
    let going = {
        let (party, pool) = (Arc::clone(&party), Arc::clone(&pool));
        move |connection: &Connection| {
            Trip { connection, pool: &pool, clock: &clock }.take(std::mem::take(&mut *lock(&party)));
            Ok(())
        }
    };
    let Err(error) = pool.run(doing, going).await else { return };
    // They are still there when there was no connection.
    let message = error.to_string();
    let mut error = Some(error);
    for waiting in std::mem::take(&mut *lock(&party)) {
        let doing = K::doing(&waiting.member);
        let again = || StoreError::Platform { doing, message: message.clone() };
        waiting.tell(Err(error.take().unwrap_or_else(again)));
    }
}

impl<K: Together> Waiting<K> {
    fn tell(self, answer: Result<K::Answer>) {
        // Who does not listen any more has gone away.
        let _heard = self.answer.send(answer);
    }
}

/// What some go with.
struct Trip<'t> {
    connection: &'t Connection,
    pool: &'t Pool,
    clock: &'t StoreClock,
}

impl Trip<'_> {
    fn take<K: Together>(&self, party: Vec<Waiting<K>>) {
        for waiting in self.together(party) {
            self.alone(waiting);
        }
    }

    /// Tells each what came of it, but those that have to go by themselves.
    fn together<K: Together>(&self, party: Vec<Waiting<K>>) -> Vec<Waiting<K>> {
        if party.len() == 1 {
            return party;
        }
        let (mut members, listeners): (Vec<_>, Vec<_>) =
            party.into_iter().map(|Waiting { member, answer }| (member, answer)).unzip();
        let answers = self.transact::<K>(&mut members);
        let party = members.into_iter().zip(listeners).map(|(member, answer)| Waiting { member, answer });
        match answers {
            Ok(answers) => {
                let answered = party.zip(answers).filter_map(|(waiting, answer)| match answer {
                    Some(answer) => {
                        waiting.tell(Ok(answer));
                        None
                    }
                    None => Some(waiting),
                });
                answered.collect()
            }
            Err(Failed::NotKept) => party.collect(),
            Err(Failed::Unknown(message)) => {
                for waiting in party {
                    let doing = K::doing(&waiting.member);
                    waiting.tell(Err(self.told(Failure::Database(message.clone()), doing)));
                }
                Vec::new()
            }
        }
    }

    fn transact<K: Together>(
        &self,
        members: &mut [K::Member],
    ) -> std::result::Result<Vec<Option<K::Answer>>, Failed> {
        let mut doing: Vec<_> = members.iter().map(K::doing).collect();
        doing.sort_unstable();
        doing.dedup();
        let mut is_written = false;
        let body = &mut |tx: &Tx<'_>| -> TxResult<Vec<Option<K::Answer>>> {
            let answers = K::together(tx, members)?;
            // What fails from here on is the commit: before it, nothing is kept.
            self.connection.settle()?;
            is_written = true;
            Ok(answers)
        };
        transact(self.connection, Manner::Beside, &doing, self.clock, body).map_err(
            |failure| match is_written {
                false => Failed::NotKept,
                true => Failed::Unknown(failure.into_words()),
            },
        )
    }

    fn alone<K: Together>(&self, Waiting { mut member, answer }: Waiting<K>) {
        let doing = K::doing(&member);
        let body = &mut |tx: &Tx<'_>| K::alone(tx, &mut member);
        let done = attempt(self.connection, Manner::Beside, doing, self.clock, body);
        let told = done.map_err(|failure| self.told(failure, doing));
        Waiting::<K> { member, answer }.tell(told);
    }

    fn told(&self, failure: Failure, doing: &'static str) -> StoreError {
        self.pool.where_it_failed(failure).while_doing(doing)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
