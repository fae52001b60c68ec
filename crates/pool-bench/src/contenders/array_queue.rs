//! A floor: crossbeam's lock-free queue. Acquire and release are one atomic operation each.

use crossbeam_queue::ArrayQueue;

use crate::contender::Contender;
use crate::fake::{Connection, Server};

pub(crate) struct Queue<const PAD: usize> {
    idle: ArrayQueue<Connection<PAD>>,
}

pub(crate) struct Taken<'a, const PAD: usize> {
    conn: Option<Connection<PAD>>,
    queue: &'a Queue<PAD>,
}

impl<const PAD: usize> Drop for Taken<'_, PAD> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            // The queue is never full, because the connection was taken from it.
            let _ = self.queue.idle.push(conn);
        }
    }
}

impl<const PAD: usize> Contender for Queue<PAD> {
    const NAME: &'static str = "floor: ArrayQueue";
    const SETTINGS: &'static str = "crossbeam ArrayQueue, pop and push, full from the start; no waiting, no limits, a borrowed guard";
    const WAITS: bool = false;

    type Guard<'a> = Taken<'a, PAD>;

    async fn open(server: Server, size: usize) -> Self {
        let idle = ArrayQueue::new(size);
        while !idle.is_full() {
            let _ = idle.push(server.connect_now());
        }
        Self { idle }
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        Taken {
            conn: Some(self.idle.pop().expect("nobody waits")),
            queue: self,
        }
    }

    fn acquire_size(&self) -> usize {
        0
    }
}
