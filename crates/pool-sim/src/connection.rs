//! A connection that tells the record what becomes of it.

use std::sync::Arc;

use pool_core::{PooledConnection, Runtime};

use crate::aborts::Abort;
use crate::calls::{Mark, Method, Record};
use crate::lifetimes::Begun;
use crate::script::Outcome;
use crate::simulated::{Guard, Simulated};

pub(crate) struct SimConnection {
    pub(crate) id: u64,
    pub(crate) record: Arc<Record>,
}

impl SimConnection {
    /// A connect has succeeded that had begun then.
    pub(crate) fn open(record: &Arc<Record>, begun: Begun) -> Self {
        let conn = Self::open_apart(record);
        let (is_cleared, leaves) = record.page().ended.since(begun);
        conn.mark(|mark| (mark.is_cleared, mark.leaves) = (is_cleared, leaves));
        conn.joins();
        conn
    }

    /// It is one of the pool's from now on.
    pub(crate) fn joins(&self) {
        self.mark(|mark| mark.is_off_books = false);
        self.record.page().check_bound();
    }

    /// A connection that is none of the pool's.
    pub(crate) fn open_apart(record: &Arc<Record>) -> Self {
        let now = record.runtime.now();
        let mut page = record.page();
        page.made += 1;
        let id = page.made;
        page.connections.insert(
            id,
            Mark {
                is_broken: false,
                is_held: false,
                is_dirty: false,
                unfit: None,
                is_proven: true,
                is_checked: true,
                is_seen: false,
                is_unseen_return: false,
                is_cleared: false,
                is_suspect: false,
                leaves: None,
                last_use: now,
                is_off_books: true,
                was_sent: false,
                has_extension: false,
                uses: 0,
                opened: now,
                abort: Abort::default(),
                id_in_pool: 0,
            },
        );
        Self {
            id,
            record: Arc::clone(record),
        }
    }

    /// Somebody gets it. Returns what is wrong with that.
    pub(crate) fn now_taken<M: Simulated>(guard: &Guard<M>) -> Option<String> {
        let now = guard.record.runtime.now();
        let (id, uses) = (PooledConnection::id(guard), PooledConnection::uses(guard));
        let age = PooledConnection::age(guard);
        let intercepts = guard.record.page().script.settings.intercepts();
        guard.mark(|mark| {
            mark.uses += 1;
            let wrong = if mark.is_held {
                Some("I2: it has two holders")
            } else if mark.is_off_books {
                Some("it has left the pool")
            } else if mark.is_dirty {
                Some("I12: it is dirty")
            } else if age != now.saturating_duration_since(mark.opened) {
                Some("its age is wrong")
            } else if mark.id_in_pool != 0 && mark.id_in_pool != id {
                Some("its id has changed")
            } else if intercepts && (!mark.is_seen || mark.is_unseen_return) {
                Some("no interceptor has passed it")
            } else if uses < mark.uses {
                Some("its uses are wrong")
            } else if mark.is_cleared {
                Some("it was open when all was cleared")
            } else {
                mark.unfit
            };
            mark.id_in_pool = id;
            mark.is_held = true;
            mark.was_sent = false;
            mark.is_dirty = true;
            mark.is_unseen_return = true;
            wrong.map(|wrong| format!("I7: connection {} was handed out: {wrong}", guard.id))
        })
    }

    /// Its holder lets go of it.
    pub(crate) fn now_left(&self) {
        let now = self.record.runtime.now();
        self.mark(|mark| {
            mark.is_held = false;
            mark.is_proven = false;
            mark.is_checked = false;
            mark.is_seen = false;
            mark.last_use = now;
        });
    }

    /// Looks at what is known of it, or changes it.
    pub(crate) fn mark<T>(&self, look: impl FnOnce(&mut Mark) -> T) -> T {
        let mut page = self.record.page();
        let mark = page.connections.get_mut(&self.id);
        look(mark.expect("a connection is known until its drop"))
    }
}

impl Drop for SimConnection {
    fn drop(&mut self) {
        self.record.page().connections.remove(&self.id);
        let outcome = self.record.next(Method::Dropping);
        if outcome == Outcome::Panic && !std::thread::panicking() {
            panic!("scripted");
        }
    }
}
