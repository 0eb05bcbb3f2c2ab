//! What goes to the server together.
//!
//! A statement whose count nobody asks for, and a query whose answer is not needed yet, wait here for the next question. Then all of it
//! goes at once, and the server does each in its order, as if they had come one by one. Of those that fail the first says why: the
//! server does nothing of what comes after it, not even a `COMMIT`.
//!
//! What waits and does the same for other values is done by one statement ([`many`]). For that it goes before what was to be
//! done first, where that makes no difference ([`effect`](super::effect)).

use std::{
    future::poll_fn,
    mem,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::Poll,
};

use tokio_postgres::{Client, Error, Row, Statement, types::ToSql};

use super::{
    effect::Effect,
    many::{self, Form, Verb},
    value::Kept,
};
use crate::{
    sql::Query,
    tx::{Failure, Params, TxResult, Value},
};

/// So many are done by one statement at the most.
const TOGETHER_MAX: usize = 256;

/// A query that the server has parsed.
pub(super) struct Prepared {
    pub(super) query: Query,
    pub(super) statement: Statement,
    pub(super) names: Vec<String>,
    form: Form,
    effect: Effect,
    /// The value that is added to what is there.
    summed: Option<usize>,
    /// The same for many values, once that was wanted.
    many: OnceLock<Statement>,
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
    /// One whose rows nobody wants, for each of these values.
    Statement(Vec<Asked>),
    /// A question about each of these values.
    Question(Vec<Asked>),
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
    answered: Vec<Known>,
    /// What is answered once for the whole transaction.
    lasting: Vec<Asked>,
}

/// What was answered.
struct Known {
    asked: Asked,
    rows: Arc<Vec<Row>>,
    /// Whether it stays so until the transaction is over.
    stays: bool,
}

impl Pipeline {
    pub(super) fn push(&mut self, message: Message) {
        self.waiting.push(message);
    }

    /// Adds it to what does the same for other values, where there is such a thing.
    pub(super) fn join(&mut self, message: Message) {
        let Some(message) = self.joined(message) else { return };
        self.waiting.push(message);
    }

    /// None when it has joined.
    fn joined(&mut self, message: Message) -> Option<Message> {
        for other in self.waiting.iter_mut().rev() {
            if other.adds(&message) {
                return None;
            }
            if other.takes(&message) {
                other.extend(message);
                return None;
            }
            if !message.may_go_before(other) {
                break;
            }
        }
        Some(message)
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
        let stays = self.lasting.iter().any(|lasting| lasting.is(&asked));
        self.answered.push(Known { asked, rows: Arc::new(rows), stays });
    }

    /// What is answered to this stays so until the transaction is over.
    pub(super) fn have_stay(&mut self, asked: &Asked) {
        let known = self.answered.iter_mut().find(|known| known.asked.is(asked));
        known.into_iter().for_each(|known| known.stays = true);
        self.lasting.push(asked.clone());
    }

    /// The answer to what was foreseen, once where it does not stay so.
    pub(super) fn take_answer(&mut self, asked: &Asked) -> Option<Arc<Vec<Row>>> {
        let at = self.answered.iter().position(|known| known.asked.is(asked))?;
        match &self.answered[at] {
            Known { rows, stays: true, .. } => Some(Arc::clone(rows)),
            Known { stays: false, .. } => Some(self.answered.swap_remove(at).rows),
        }
    }

    /// Whether it is answered, or about to be.
    pub(super) fn foresees(&self, asked: &Asked) -> bool {
        let is_about_to_be = |message: &Message| match message {
            Message::Question(waiting) => waiting.iter().any(|waiting| waiting.is(asked)),
            Message::Words(_) | Message::Statement(_) => false,
        };
        self.answered.iter().any(|known| known.asked.is(asked)) || self.waiting.iter().any(is_about_to_be)
    }

    /// What was answered may have changed, and is asked again.
    pub(super) fn forget_answers(&mut self) {
        self.answered.retain(|known| known.stays);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Prepared {
    /// Of a query with numbers for its parameters.
    pub(super) fn new(query: Query, numbered: &str, names: Vec<String>, statement: Statement) -> Self {
        let form = Form::of(numbered);
        let summed =
            many::summed(query.postgres).and_then(|summed| names.iter().position(|name| name == summed));
        let effect = Effect::of(&form);
        Self { query, statement, names, form, effect, summed, many: OnceLock::new() }
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

    /// Adds what another adds to the same; whether it does.
    fn adds(&mut self, other: &Self) -> bool {
        let Some(summed) = self.prepared.summed.filter(|_| Arc::ptr_eq(&self.prepared, &other.prepared))
        else {
            return false;
        };
        let mut values = self.values.iter().zip(&other.values).enumerate();
        if values.any(|(at, (own, other))| at != summed && own != other) {
            return false;
        }
        match (&mut self.values[summed], &other.values[summed]) {
            (Kept::Integer(own), Kept::Integer(other)) => *own = own.saturating_add(*other),
            _ => return false,
        }
        true
    }

    /// Which row an update changes, as far as one value says it.
    fn key(&self) -> Option<&Kept> {
        let number = self.prepared.form.key?;
        self.values.get(number.checked_sub(1)?)
    }

    /// How its values travel by themselves.
    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values.iter().map(|value| value as _).collect()
    }
}

impl Message {
    fn of(&self) -> &[Asked] {
        match self {
            Self::Words(_) => &[],
            Self::Statement(of) | Self::Question(of) => of,
        }
    }

    /// Does with the sum what `other` would do as well; whether it does.
    fn adds(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Statement(of), Self::Statement(other)) => match (&mut of[..], &other[..]) {
                ([own], [other]) => own.adds(other),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether `other` can be done with it.
    fn takes(&self, other: &Self) -> bool {
        let is_like = matches!(
            (self, other),
            (Self::Statement(_), Self::Statement(_)) | (Self::Question(_), Self::Question(_))
        );
        let (Some(first), Some(next)) = (self.of().first(), other.of().first()) else { return false };
        let comes_again = || next.key().is_some() && self.of().iter().any(|asked| asked.key() == next.key());
        is_like
            && Arc::ptr_eq(&first.prepared, &next.prepared)
            && first.prepared.form.is_for_many
            && self.of().len() < TOGETHER_MAX
            && !comes_again()
    }

    fn extend(&mut self, other: Self) {
        match (self, other) {
            (Self::Statement(of), Self::Statement(more)) | (Self::Question(of), Self::Question(more)) => {
                of.extend(more)
            }
            _ => {}
        }
    }

    /// Whether it may be done before `other`, which was to be done first.
    fn may_go_before(&self, other: &Self) -> bool {
        // A sent `SELECT` is there for the locks that it takes.
        let locks = matches!(other, Self::Statement(of)
            if of.iter().any(|asked| asked.prepared.form.verb == Verb::Select));
        match (self.of().first(), other.of().first()) {
            (Some(this), Some(other)) => !locks && this.prepared.effect.may_go_before(&other.prepared.effect),
            _ => false,
        }
    }

    /// The text of what the server has to parse before this can be sent.
    pub(super) fn wants(&self) -> Option<(Arc<Prepared>, String)> {
        let [first, _, ..] = self.of() else { return None };
        let prepared = &first.prepared;
        if prepared.many.get().is_some() {
            return None;
        }
        Some((Arc::clone(prepared), prepared.form.for_many(prepared.statement.params())?))
    }

    /// Has everybody change rows in the same order.
    pub(super) fn sort(&mut self) {
        if let Self::Statement(of) = self {
            of.sort_by(|one, other| one.key().cmp(&other.key()));
        }
    }

    async fn send(&self, client: &Client) -> Result<Answer, Error> {
        match self {
            Self::Words(words) => client.batch_execute(words).await.map(|()| Answer::Done),
            Self::Statement(of) => {
                let (statement, columns) = Self::together(of);
                let changed = match &columns {
                    None => client.execute(statement, &of[0].values()).await,
                    Some(columns) => client.execute(statement, &arrays(columns)).await,
                };
                changed.map(Answer::Changed)
            }
            Self::Question(of) => {
                let (statement, columns) = Self::together(of);
                let rows = match &columns {
                    None => client.query(statement, &of[0].values()).await,
                    Some(columns) => client.query(statement, &arrays(columns)).await,
                };
                rows.map(Answer::Rows)
            }
        }
    }

    /// The statement for these values, and each parameter's array where there are many.
    fn together(of: &[Asked]) -> (&Statement, Option<Vec<Vec<&Kept>>>) {
        let prepared = &of[0].prepared;
        match prepared.many.get() {
            Some(many) if of.len() > 1 => {
                let column = |at: usize| of.iter().map(|asked| &asked.values[at]).collect();
                (many, Some((0..prepared.names.len()).map(column).collect()))
            }
            _ => (&prepared.statement, None),
        }
    }
}

impl Prepared {
    /// The server has parsed the text for many.
    pub(super) fn know_many(&self, statement: Statement) {
        // Whoever came first has the same.
        let _known = self.many.set(statement);
    }
}

fn arrays<'a>(columns: &'a [Vec<&'a Kept>]) -> Vec<&'a (dyn ToSql + Sync)> {
    columns.iter().map(|column| column as _).collect()
}

/// The rows that were answered to each of many questions.
pub(super) fn apart(asked: Vec<Asked>, rows: Vec<Row>) -> TxResult<Vec<(Asked, Vec<Row>)>> {
    if asked.len() == 1 {
        return Ok(asked.into_iter().zip([rows]).collect());
    }
    let mut answers: Vec<_> = asked.into_iter().map(|asked| (asked, Vec::new())).collect();
    for row in rows {
        let number: i64 = row.try_get(many::NUMBER)?;
        let answer = usize::try_from(number - 1).ok().and_then(|at| answers.get_mut(at));
        let (_, rows) =
            answer.ok_or_else(|| Failure::damaged(format!("the database answered to question {number}")))?;
        rows.push(row);
    }
    Ok(answers)
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
