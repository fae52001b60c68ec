//! The server in memory: sessions that remember one thing. It answers a command at the third poll.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use futures_lite::future::yield_now;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Nothing,
    Something,
}

#[derive(Default)]
pub(crate) struct Server {
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    is_stopped: bool,
    is_paused: bool,
    last: u64,
    /// Whether each session remembers something.
    sessions: HashMap<u64, bool>,
    /// Those that wait for a change.
    waiting: Vec<Waker>,
}

impl Server {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and wakes everybody who waits.
    fn change<T>(&self, change: impl FnOnce(&mut Now) -> T) -> T {
        let mut now = self.now();
        let result = change(&mut now);
        let waiting = std::mem::take(&mut now.waiting);
        drop(now);
        waiting.into_iter().for_each(Waker::wake);
        result
    }

    pub(crate) fn sessions(&self) -> usize {
        self.now().sessions.len()
    }

    /// A session beside this one, if there are at least so many.
    pub(crate) fn other_of(&self, id: u64, fewest: usize) -> Option<u64> {
        let now = self.now();
        let mut others = now.sessions.keys().filter(|other| **other != id);
        match now.sessions.len() > fewest {
            true => others.next().copied(),
            false => None,
        }
    }

    pub(crate) fn end(&self, id: u64) {
        self.change(|now| now.sessions.remove(&id));
    }

    pub(crate) fn stop(&self) {
        self.change(|now| {
            now.is_stopped = true;
            now.sessions.clear();
        });
    }

    pub(crate) fn start(&self) {
        self.change(|now| now.is_stopped = false);
    }

    pub(crate) fn pause(&self, is_paused: bool) {
        self.change(|now| now.is_paused = is_paused);
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.now().is_paused
    }

    /// Wakes everybody who waits, so that they look again whether they were aborted.
    pub(crate) fn wake_all(&self) {
        self.change(|_| ());
    }

    /// Opens a session.
    pub(crate) fn open(&self) -> io::Result<u64> {
        self.change(|now| {
            if now.is_stopped {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            now.last += 1;
            now.sessions.insert(now.last, false);
            Ok(now.last)
        })
    }

    /// Sends a command and waits for its answer, or until the connection `is_aborted`.
    pub(crate) async fn ask(
        &self,
        id: u64,
        command: &str,
        is_aborted: impl Fn() -> bool,
    ) -> io::Result<Answer> {
        yield_now().await;
        yield_now().await;
        poll_fn(|context| {
            let mut now = self.now();
            if is_aborted() {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            if !now.is_paused {
                let Some(remembers) = now.sessions.get_mut(&id) else {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                };
                match command {
                    "remember" => *remembers = true,
                    "forget" => *remembers = false,
                    _ => {}
                }
                match (command, *remembers) {
                    ("think", _) => {}
                    ("what do you remember?", false) => return Poll::Ready(Ok(Answer::Nothing)),
                    ("what do you remember?", true) => return Poll::Ready(Ok(Answer::Something)),
                    _ => return Poll::Ready(Ok(Answer::Done)),
                }
            }
            now.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}
