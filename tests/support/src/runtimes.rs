//! One and the same body on five runtimes.

use std::future::Future;

use crate::watchdog::{MINUTE, within};

/// The runtime on which a body runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// tokio with worker threads.
    TokioThreads,
    /// tokio on the calling thread.
    TokioCurrent,
    /// smol's global executor.
    Smol,
    /// async-std's global executor.
    AsyncStd,
    /// `futures::executor::block_on`: polls one future and knows nothing else.
    Bare,
}

impl Flavour {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::TokioThreads,
        Self::TokioCurrent,
        Self::Smol,
        Self::AsyncStd,
        Self::Bare,
    ];

    /// Runs a future to its end as a task of this runtime.
    ///
    /// # Panics
    ///
    /// When the future does.
    pub fn run<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T {
        match self {
            Self::TokioThreads => {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .expect("tokio starts");
                let task = runtime.spawn(future);
                runtime.block_on(task).expect("the body does not panic")
            }
            Self::TokioCurrent => {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("tokio starts");
                let task = runtime.spawn(future);
                runtime.block_on(task).expect("the body does not panic")
            }
            Self::Smol => smol::block_on(smol::spawn(future)),
            Self::AsyncStd => async_std::task::block_on(async_std::task::spawn(future)),
            Self::Bare => futures::executor::block_on(future),
        }
    }
}

/// Runs a body on each of the five runtimes, each under a deadline.
///
/// # Panics
///
/// When the body does on one of them, or with HANG and the runtime's name.
pub fn on_every_runtime<B, F>(body: B)
where
    B: Fn(Flavour) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    for flavour in Flavour::ALL {
        let body = body.clone();
        within(MINUTE, &format!("{flavour:?}"), move || {
            flavour.run(body(flavour));
        });
    }
}
