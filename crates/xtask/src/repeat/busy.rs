//! Threads that take the time of all cores.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// The number of cores.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Busy loops; they end when this is dropped.
pub(super) struct BusyLoops {
    threads: Vec<JoinHandle<()>>,
    is_over: Arc<AtomicBool>,
}

impl BusyLoops {
    pub(super) fn none() -> Self {
        Self {
            threads: Vec::new(),
            is_over: Arc::default(),
        }
    }

    /// One loop for each core.
    pub(super) fn on_all_cores() -> Self {
        let mut loops = Self::none();
        for _ in 0..cores() {
            let is_over = Arc::clone(&loops.is_over);
            loops.threads.push(thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    (0..10_000).for_each(|_| spin_loop());
                }
            }));
        }
        loops
    }

    /// For the closing line.
    pub(super) fn words(&self) -> String {
        match self.threads.len() {
            0 => String::new(),
            count => format!(" beside {count} busy loops"),
        }
    }
}

impl Drop for BusyLoops {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It only fails for a thread that has panicked.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loops_end_with_their_owner() {
        let loops = BusyLoops::on_all_cores();
        assert!(loops.words().starts_with(" beside "));
        let is_over = Arc::clone(&loops.is_over);
        drop(loops);
        assert!(is_over.load(Ordering::Relaxed));
        assert_eq!(Arc::strong_count(&is_over), 1, "every thread is gone");
        assert_eq!(BusyLoops::none().words(), "");
    }
}
