//! The abort handles of connections. `terminate` calls the one of each connection that somebody holds, exactly once;
//! nothing else calls one.

use std::sync::Arc;

use pool_core::AbortHandle;

use crate::calls::Page;
use crate::connection::SimConnection;

/// What is known of the abort handle of a connection.
#[derive(Default)]
pub(crate) struct Abort {
    /// The pool has asked for the handle.
    is_asked_for: bool,
    /// How often the handle was called.
    calls: u32,
}

/// Makes the handle of a connection. `kind` is the setting `abort_handles`.
pub(crate) fn handle(conn: &SimConnection, kind: u16) -> Option<AbortHandle> {
    let was_asked_for = conn.mark(|mark| std::mem::replace(&mut mark.abort.is_asked_for, true));
    if was_asked_for {
        let text = format!("connection {} was asked twice for its handle", conn.id);
        conn.record.blame(text);
    }
    let (record, id) = (Arc::clone(&conn.record), conn.id);
    let abort = move || {
        record.page().is_aborted(id);
        if kind > 1 {
            panic!("scripted");
        }
    };
    (kind != 0).then(|| AbortHandle::new(abort))
}

impl Page {
    /// The pool is to be terminated: what somebody holds leaves it.
    pub(crate) fn terminates(&mut self) {
        self.is_terminating = true;
        let marks = self.connections.values_mut();
        for mark in marks.filter(|mark| mark.is_held) {
            mark.is_off_books = true;
        }
    }

    /// A handle is called.
    fn is_aborted(&mut self, id: u64) {
        let is_terminating = self.is_terminating;
        let wrong = match self.connections.get_mut(&id) {
            _ if !is_terminating => "nobody has terminated the pool",
            None => "it is gone",
            Some(mark) if !mark.is_held => "nobody holds it",
            Some(mark) => {
                mark.abort.calls += 1;
                self.aborts += 1;
                return;
            }
        };
        let text = format!("connection {id} was aborted, and {wrong}");
        self.violations.push(text);
    }

    /// After `terminate`, all connections that somebody holds have been aborted, as far as they have handles. Returns
    /// what is wrong.
    pub(crate) fn wrong_abort(&self) -> Option<String> {
        let mut held = self.connections.iter().filter(|(_, mark)| mark.is_held);
        let wanted = u32::from(self.script.settings.abort_handles != 0);
        let (id, mark) = held.find(|(_, mark)| mark.abort.calls != wanted)?;
        let calls = mark.abort.calls;
        Some(format!(
            "connection {id} is held after terminate, and was aborted {calls} times"
        ))
    }
}
