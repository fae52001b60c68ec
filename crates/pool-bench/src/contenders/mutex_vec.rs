//! A floor: a `Vec` in std's mutex.

use std::sync::{Mutex, PoisonError};

use crate::contender::Contender;
use crate::fake::{Connection, Server};

pub(crate) struct Stack<const PAD: usize> {
    idle: Mutex<Vec<Connection<PAD>>>,
}

pub(crate) struct Taken<'a, const PAD: usize> {
    conn: Option<Connection<PAD>>,
    stack: &'a Stack<PAD>,
}

impl<const PAD: usize> Drop for Taken<'_, PAD> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            let idle = self.stack.idle.lock();
            idle.unwrap_or_else(PoisonError::into_inner).push(conn);
        }
    }
}

impl<const PAD: usize> Contender for Stack<PAD> {
    const NAME: &'static str = "floor: Mutex<Vec>";
    const SETTINGS: &'static str = "std's Mutex<Vec>, pop and push, full from the start; no waiting, no limits, a borrowed guard";
    const WAITS: bool = false;

    type Guard<'a> = Taken<'a, PAD>;

    async fn open(server: Server, size: usize) -> Self {
        Self {
            idle: Mutex::new((0..size).map(|_| server.connect_now()).collect()),
        }
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        let idle = self.idle.lock();
        let conn = idle.unwrap_or_else(PoisonError::into_inner).pop();
        Taken {
            conn: Some(conn.expect("nobody waits")),
            stack: self,
        }
    }

    fn acquire_size(&self) -> usize {
        0
    }
}
