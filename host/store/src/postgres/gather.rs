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
    answer: Listener<K>,
}

/// Who is told what came of it.
type Listener<K> = oneshot::Sender<Result<<K as Together>::Answer>>;

/// Why none of those who went together has an answer.
enum Failed {
    /// Nothing of it was kept.
    NotKept,
    /// Nobody knows whether it was kept.
    Unknown(Failure),
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

/// Has them go together, and those by themselves who have to. They are told when the connection is there for whoever asks next.
async fn go<K: Together>(party: Vec<Waiting<K>>, pool: Arc<Pool>, clock: StoreClock) {
    let left = if party.len() > 1 { go_together(party, &pool, &clock).await } else { party };
    for Waiting { mut member, answer } in left {
        let (doing, clock) = (K::doing(&member), clock.clone());
        let body = move |connection: &Connection| {
            attempt(connection, Manner::Beside, doing, &clock, &mut |tx| K::alone(tx, &mut member))
        };
        tell::<K>(answer, pool.run(doing, body).await);
    }
}

/// Tells each what came of it, but those that have to go by themselves.
async fn go_together<K: Together>(
    party: Vec<Waiting<K>>,
    pool: &Arc<Pool>,
    clock: &StoreClock,
) -> Vec<Waiting<K>> {
    let (members, listeners): (Vec<_>, Vec<_>) =
        party.into_iter().map(|Waiting { member, answer }| (member, answer)).unzip();
    let Some(doing) = members.first().map(K::doing) else { return Vec::new() };
    let clock = clock.clone();
    let mut members = Some(members);
    let body = move |connection: &Connection| {
        let mut members = members.take().unwrap_or_default();
        let came = transact_together::<K>(connection, &clock, &mut members);
        Ok((members, came))
    };
    let (members, answers) = match pool.run(doing, body).await {
        Ok((members, Ok(answers))) => (members, answers),
        Ok((members, Err(Failed::NotKept))) => {
            let answers = members.iter().map(|_| None).collect();
            (members, answers)
        }
        Ok((_, Err(Failed::Unknown(failure)))) => {
            tell_all::<K>(listeners, pool.where_it_failed(failure).while_doing(doing), doing);
            return Vec::new();
        }
        Err(error) => {
            tell_all::<K>(listeners, error, doing);
            return Vec::new();
        }
    };
    let mut left = Vec::new();
    for ((member, listener), came) in members.into_iter().zip(listeners).zip(answers) {
        match came {
            Some(came) => tell::<K>(listener, Ok(came)),
            None => left.push(Waiting { member, answer: listener }),
        }
    }
    left
}

fn transact_together<K: Together>(
    connection: &Connection,
    clock: &StoreClock,
    members: &mut [K::Member],
) -> std::result::Result<Vec<Option<K::Answer>>, Failed> {
    let mut doing: Vec<_> = members.iter().map(K::doing).collect();
    doing.sort_unstable();
    doing.dedup();
    let mut is_written = false;
    let body = &mut |tx: &Tx<'_>| -> TxResult<Vec<Option<K::Answer>>> {
        let answers = K::together(tx, members)?;
        // What fails from here on is the commit: before it, nothing is kept.
        connection.settle()?;
        is_written = true;
        Ok(answers)
    };
    transact(connection, Manner::Beside, &doing, clock, body).map_err(|failure| match is_written {
        false => Failed::NotKept,
        true => Failed::Unknown(failure),
    })
}

fn tell<K: Together>(listener: Listener<K>, answer: Result<K::Answer>) {
    // Who does not listen any more has gone away.
    let _heard = listener.send(answer);
}

/// Tells the first the error itself, and the others what it says.
fn tell_all<K: Together>(listeners: Vec<Listener<K>>, error: StoreError, doing: &'static str) {
    let message = error.to_string();
    let again = std::iter::repeat_with(|| StoreError::Platform { doing, message: message.clone() });
    for (listener, error) in listeners.into_iter().zip(std::iter::once(error).chain(again)) {
        tell::<K>(listener, Err(error));
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
