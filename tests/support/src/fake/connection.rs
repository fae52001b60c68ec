//! A fake connection: it knows its number, whether it is broken, who holds it, and what was written on it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pool_core::PooledConnection;

use super::FakeManager;
use super::record::Record;
use super::step::{FakeError, Step, Verb};

/// What can be seen of a connection, and done to it, from outside.
#[derive(Debug, Default)]
pub struct Marks {
    pub(super) broken: AtomicBool,
    pub(super) aborted: AtomicBool,
    pub(super) dropped: AtomicBool,
    /// Something was sent over it since it was clean.
    pub(super) sent: AtomicBool,
    owner: AtomicUsize,
}

impl Marks {
    /// Breaks the connection, as a dead network or a KILL does.
    pub fn break_it(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// Whether it is broken.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    /// Whether its abort handle was used.
    pub fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::SeqCst)
    }

    /// Whether it was dropped.
    pub fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::SeqCst)
    }

    /// The number of the task that holds it, or 0.
    pub fn owner(&self) -> usize {
        self.owner.load(Ordering::SeqCst)
    }
}

/// A connection of the fake manager.
pub struct FakeConnection {
    id: u64,
    marks: Arc<Marks>,
    record: Arc<Record>,
    scribbles: Vec<String>,
    in_transaction: bool,
    echo: bool,
    was_outside: bool,
}

impl FakeConnection {
    pub(super) fn new(id: u64, marks: Arc<Marks>, record: Arc<Record>, echo: bool) -> Self {
        Self {
            id,
            marks,
            record,
            scribbles: Vec::new(),
            in_transaction: false,
            echo,
            was_outside: false,
        }
    }

    /// Somebody outside of the pool has used it, so it may come back before the pool has handed it out.
    pub fn bring_from_outside(&mut self) {
        self.was_outside = true;
    }

    pub(super) fn was_outside(&self) -> bool {
        self.was_outside
    }

    /// Its number, counted from 1 in the order of connects.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What can be seen of it from outside.
    pub fn marks(&self) -> &Arc<Marks> {
        &self.marks
    }

    /// Whether the pool's `echo` had reached the manager when it was made.
    pub fn echo(&self) -> bool {
        self.echo
    }

    /// Closes it, as a user does: it is of no use any more.
    pub fn close(&mut self) {
        self.marks.break_it();
    }

    /// Asks it something.
    ///
    /// # Errors
    ///
    /// When it is broken or was aborted.
    pub fn query(&self) -> Result<i64, FakeError> {
        self.works()?;
        self.marks.sent.store(true, Ordering::SeqCst);
        Ok(1)
    }

    /// Looks at it, and sends nothing.
    pub(super) fn works(&self) -> Result<(), FakeError> {
        if self.marks.is_broken() || self.marks.is_aborted() {
            return Err(FakeError::Broken(self.id));
        }
        Ok(())
    }

    /// Leaves something behind for the next user to find, unless it is recycled before.
    pub fn scribble(&mut self, text: &str) {
        self.scribbles.push(text.to_owned());
    }

    /// What former users left behind.
    pub fn scribbles(&self) -> &[String] {
        &self.scribbles
    }

    /// Begins a transaction.
    pub fn begin(&mut self) {
        self.in_transaction = true;
    }

    /// Whether it is inside a transaction.
    pub fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    pub(super) fn make_clean(&mut self) {
        self.scribbles.clear();
        self.in_transaction = false;
        self.marks.sent.store(false, Ordering::SeqCst);
    }

    pub(super) fn blame(&self, what: &str) {
        let violation = format!("connection {}: {what}", self.id);
        self.record.page().violations.push(violation);
    }
}

impl Drop for FakeConnection {
    fn drop(&mut self) {
        self.marks.dropped.store(true, Ordering::SeqCst);
        let mut page = self.record.page();
        page.closed += 1;
        page.connections.remove(&self.id);
        drop(page);
        let (_, step) = self.record.begin(Verb::Drop, self.id);
        if matches!(step, Step::Panic | Step::PanicInCall) && !std::thread::panicking() {
            panic!("scripted: the drop of connection {} panics", self.id);
        }
    }
}

/// A guard that is watched: at most one holder at a time, and never broken or dirty when it comes.
pub struct Held {
    guard: Option<PooledConnection<FakeManager>>,
    task: usize,
}

/// Takes an acquired guard into a task's hands.
///
/// # Panics
///
/// When somebody else holds the connection, or when it is broken, inside a transaction or written upon.
#[track_caller]
pub fn hold(guard: PooledConnection<FakeManager>) -> Held {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let task = NEXT.fetch_add(1, Ordering::SeqCst);
    let marks = guard.marks();
    if let Err(other) = marks
        .owner
        .compare_exchange(0, task, Ordering::SeqCst, Ordering::SeqCst)
    {
        panic!(
            "task {task} was given connection {}, which task {other} holds",
            guard.id
        );
    }
    assert!(!marks.is_broken(), "connection {} is broken", guard.id);
    assert!(!marks.is_aborted(), "connection {} was aborted", guard.id);
    assert!(
        !guard.in_transaction,
        "connection {} is in a transaction",
        guard.id
    );
    assert!(
        guard.scribbles.is_empty(),
        "connection {} carries {:?}",
        guard.id,
        guard.scribbles
    );
    Held {
        guard: Some(guard),
        task,
    }
}

impl Held {
    /// The guard, no longer watched.
    ///
    /// # Panics
    ///
    /// When somebody else took the connection meanwhile.
    pub fn into_guard(mut self) -> PooledConnection<FakeManager> {
        self.let_go().expect("a held guard is there")
    }

    fn let_go(&mut self) -> Option<PooledConnection<FakeManager>> {
        let guard = self.guard.take()?;
        let freed =
            guard
                .marks()
                .owner
                .compare_exchange(self.task, 0, Ordering::SeqCst, Ordering::SeqCst);
        if let Err(other) = freed {
            guard.blame(&format!("taken by task {other} from task {}", self.task));
        }
        Some(guard)
    }
}

impl Deref for Held {
    type Target = PooledConnection<FakeManager>;

    fn deref(&self) -> &Self::Target {
        self.guard.as_ref().expect("a held guard is there")
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.guard.as_mut().expect("a held guard is there")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.let_go());
    }
}
