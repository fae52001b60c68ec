//! The processor time of this process.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment in the processor time that all threads of this process have used, in the program and in the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuTime(Duration);

impl CpuTime {
    pub(crate) fn now() -> Self {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        Self(Duration::try_from(time).unwrap_or_default())
    }

    /// The processor time since that moment.
    pub(crate) fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_time_of_other_threads_counts() {
        let busy = Duration::from_millis(20);
        let before = CpuTime::now();
        let thread = std::thread::spawn(move || {
            let start = CpuTime::now();
            // The limit is for a clock that stands still.
            let limit = Instant::now() + Duration::from_secs(60);
            while start.elapsed() < busy && Instant::now() < limit {}
        });
        thread.join().expect("it ends");
        assert!(before.elapsed() >= busy);
    }
}
