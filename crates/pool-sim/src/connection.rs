//! A connection that tells the record what becomes of it.

use std::sync::Arc;

use pool_core::Runtime;

use crate::calls::{Mark, Record};

pub(crate) struct SimConnection {
    pub(crate) id: u64,
    record: Arc<Record>,
}

impl SimConnection {
    /// A connect has succeeded.
    pub(crate) fn open(record: &Arc<Record>) -> Self {
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
                last_use: now,
                is_off_books: false,
            },
        );
        Self {
            id,
            record: Arc::clone(record),
        }
    }

    /// Its holder lets go of it.
    pub(crate) fn now_left(&self) {
        let now = self.record.runtime.now();
        self.mark(|mark| {
            mark.is_held = false;
            mark.is_proven = false;
            mark.is_checked = false;
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
    }
}
