//! What waits for the writer, and in which order it is served.
//!
//! Properties wanted: what somebody waits for is served in the order in which it came; and work on the whole backlog, such as new
//! scores at midnight, is done when nobody waits for anything else, however much of it there is.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

/// When something is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// In the order in which it came.
    InOrder,
    /// When nothing else waits.
    Behind,
}

/// How much waits in order: what is done behind everything else gives way to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    /// Whether anybody waits.
    pub(super) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// The way to a queue.
pub(super) struct Callers<J> {
    to: mpsc::Sender<(Turn, J)>,
    waiting: Waiting,
}

/// The end of it that is served.
pub(super) struct Queue<J> {
    from: mpsc::Receiver<(Turn, J)>,
    behind: VecDeque<J>,
    waiting: Waiting,
}

/// An empty queue.
pub(super) fn queue<J>() -> (Callers<J>, Queue<J>) {
    let (to, from) = mpsc::channel();
    let waiting = Waiting::default();
    (Callers { to, waiting: waiting.clone() }, Queue { from, behind: VecDeque::new(), waiting })
}

impl<J> Callers<J> {
    /// Whether it was sent: nobody serves the queue any more when it was not.
    pub(super) fn send(&self, turn: Turn, job: J) -> bool {
        if turn == Turn::InOrder {
            self.waiting.0.fetch_add(1, Ordering::Relaxed);
        }
        self.to.send((turn, job)).is_ok()
    }
}

impl<J> Queue<J> {
    /// What is to be served next; waits until there is something. None when nothing is left and nothing more can come.
    pub(super) fn next(&mut self) -> Option<J> {
        loop {
            if let Some(job) = self.next_in_order().or_else(|| self.behind.pop_front()) {
                return Some(job);
            }
            let (turn, job) = self.from.recv().ok()?;
            if let Some(job) = self.sort_in(turn, job) {
                return Some(job);
            }
        }
    }

    /// What has come in order by now.
    pub(super) fn next_in_order(&mut self) -> Option<J> {
        while let Ok((turn, job)) = self.from.try_recv() {
            if let Some(job) = self.sort_in(turn, job) {
                return Some(job);
            }
        }
        None
    }

    /// How much waits.
    pub(super) fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    fn sort_in(&mut self, turn: Turn, job: J) -> Option<J> {
        match turn {
            Turn::InOrder => {
                self.waiting.0.fetch_sub(1, Ordering::Relaxed);
                Some(job)
            }
            Turn::Behind => {
                self.behind.push_back(job);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_in_order_goes_before_what_stands_behind() {
        let (callers, mut queue) = queue();
        for (turn, job) in [(Turn::Behind, 1), (Turn::InOrder, 2), (Turn::Behind, 3), (Turn::InOrder, 4)] {
            assert!(callers.send(turn, job));
        }
        assert!(queue.waiting().is_any());
        assert_eq!(queue.next(), Some(2));
        assert_eq!(queue.next_in_order(), Some(4));
        assert!(!queue.waiting().is_any());
        assert_eq!((queue.next_in_order(), queue.next()), (None, Some(1)));
        assert!(callers.send(Turn::InOrder, 5));
        drop(callers);
        assert_eq!([queue.next(), queue.next(), queue.next()], [Some(5), Some(3), None]);
    }
}
