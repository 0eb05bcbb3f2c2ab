//! What goes to the server together.
//!
//! A statement whose count nobody asks for, and a query whose answer is not needed yet, wait here for the next question. Then all of it
//! goes at once, and the server does each in its order, as if they had come one by one. Of those that fail the first says why: the
//! server does nothing of what comes after it, not even a `COMMIT`.

use std::{future::poll_fn, mem, pin::Pin, sync::Arc, task::Poll};

use tokio_postgres::{Client, Error, Row, Statement, types::ToSql};

use super::value::Kept;
use crate::{
    sql::Query,
    tx::{Failure, Params, TxResult, Value},
};

/// A query that the server has parsed.
pub(super) struct Prepared {
    pub(super) query: Query,
    pub(super) statement: Statement,
    pub(super) names: Vec<String>,
}

/// A query with its values.
#[derive(Clone)]
pub(super) struct Asked {
    prepared: Arc<Prepared>,
    /// In the order of their numbers.
    values: Vec<Kept>,
}

/// Something for the server.
pub(super) enum Message {
    /// Statements that have no parameters and give no rows.
    Words(&'static str),
    /// One whose rows nobody wants.
    Statement(Asked),
    Question(Asked),
}

/// What the server said to it.
pub(super) enum Answer {
    Done,
    Changed(u64),
    Rows(Vec<Row>),
}

/// What waits for the next question, and what was answered and not asked yet.
#[derive(Default)]
pub(super) struct Pipeline {
    waiting: Vec<Message>,
    answered: Vec<(Asked, Vec<Row>)>,
}

impl Pipeline {
    pub(super) fn push(&mut self, message: Message) {
        self.waiting.push(message);
    }

    /// How much waits.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn waiting(&self) -> &[Message] {
        &self.waiting
    }

    pub(super) fn take_waiting(&mut self) -> Vec<Message> {
        mem::take(&mut self.waiting)
    }

    pub(super) fn keep(&mut self, asked: Asked, rows: Vec<Row>) {
        self.answered.push((asked, rows));
    }

    /// The answer to what was foreseen, once.
    pub(super) fn take_answer(&mut self, asked: &Asked) -> Option<Vec<Row>> {
        let at = self.answered.iter().position(|(answered, _)| answered.is(asked))?;
        Some(self.answered.swap_remove(at).1)
    }

    /// Whether it is answered, or about to be.
    pub(super) fn foresees(&self, asked: &Asked) -> bool {
        let is_about_to_be = |message: &Message| match message {
            Message::Question(waiting) => waiting.is(asked),
            Message::Words(_) | Message::Statement(_) => false,
        };
        self.answered.iter().any(|(answered, _)| answered.is(asked))
            || self.waiting.iter().any(is_about_to_be)
    }

    /// What was answered may have changed, and is asked again.
    pub(super) fn forget_answers(&mut self) {
        self.answered.clear();
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Asked {
    pub(super) fn new(prepared: Arc<Prepared>, params: Params<'_>) -> TxResult<Self> {
        let names = &prepared.names;
        if let Some((name, _)) = params.iter().find(|(name, _)| !names.iter().any(|known| known == name)) {
            return Err(Failure::Database(format!("a query has no parameter `{name}`")));
        }
        let value = |name: &String| {
            let found = params.iter().find(|(given, _)| given == name);
            Kept::from(found.map_or(Value::Null, |(_, param)| param.value()))
        };
        let values = names.iter().map(value).collect();
        Ok(Self { prepared, values })
    }

    pub(super) fn query(&self) -> Query {
        self.prepared.query
    }

    /// Whether it asks the same.
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.prepared, &other.prepared) && self.values == other.values
    }
}

impl Message {
    async fn send(&self, client: &Client) -> Result<Answer, Error> {
        match self {
            Self::Words(words) => client.batch_execute(words).await.map(|()| Answer::Done),
            Self::Statement(Asked { prepared, values }) => {
                client.execute_raw(&prepared.statement, values).await.map(Answer::Changed)
            }
            Self::Question(Asked { prepared, values }) => {
                let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                client.query(&prepared.statement, &values).await.map(Answer::Rows)
            }
        }
    }
}

/// Sends all of it before it waits for the first answer. Where something cannot be sent, nothing is that comes after it.
pub(super) async fn send_all(messages: &[Message], client: &Client) -> Vec<Result<Answer, Error>> {
    in_order(messages.iter().map(|message| message.send(client))).await
}

/// Begins all in their order, but none behind one that failed by then, and waits for those that have begun.
async fn in_order<T, E, F: Future<Output = Result<T, E>>>(
    futures: impl IntoIterator<Item = F>,
) -> Vec<Result<T, E>> {
    let mut begun = Vec::<Pin<Box<F>>>::new();
    let mut answers = Vec::<Option<Result<T, E>>>::new();
    let mut futures = futures.into_iter();
    poll_fn(|context| {
        for (future, answer) in begun.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            *answer = ready(future.as_mut().poll(context));
        }
        while !matches!(answers.last(), Some(Some(Err(_))))
            && let Some(future) = futures.next()
        {
            let mut future = Box::pin(future);
            answers.push(ready(future.as_mut().poll(context)));
            begun.push(future);
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What becomes of one, and whether it takes a while.
    #[derive(Clone, Copy)]
    enum Case {
        Later(Result<u32, u32>),
        AtOnce(Result<u32, u32>),
    }

    /// Those that began, in this order, and the answers.
    #[track_caller]
    fn check(cases: &[Case], begun: &[usize], answers: &[Result<u32, u32>]) {
        let began = RefCell::new(Vec::new());
        let futures = cases.iter().enumerate().map(|(index, case)| {
            let began = &began;
            async move {
                began.borrow_mut().push(index);
                match *case {
                    Case::AtOnce(answer) => answer,
                    Case::Later(answer) => {
                        tokio::task::yield_now().await;
                        answer
                    }
                }
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(in_order(futures)), answers);
        assert_eq!(*began.borrow(), begun);
    }

    #[test]
    fn all_begin_before_the_first_is_waited_for() {
        use Case::{AtOnce, Later};
        check(&[], &[], &[]);
        check(&[Later(Ok(1)), AtOnce(Ok(2)), Later(Err(3))], &[0, 1, 2], &[Ok(1), Ok(2), Err(3)]);
    }

    #[test]
    fn nothing_is_sent_after_what_could_not_be_sent() {
        use Case::{AtOnce, Later};
        check(&[Later(Ok(1)), AtOnce(Err(2)), Later(Ok(3))], &[0, 1], &[Ok(1), Err(2)]);
    }
}
