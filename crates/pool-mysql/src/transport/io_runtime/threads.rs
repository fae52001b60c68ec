//! The runtimes that there are: the thread `pool-mysql-io`, and the caller's.

use std::future::pending;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use tokio::runtime::{Builder, Handle, RuntimeFlavor};

/// The runtime of the thread `pool-mysql-io`, which all background I/O, timers and tasks share. It is started once and never
/// ends.
pub(super) fn background() -> io::Result<&'static Handle> {
    static HANDLE: OnceLock<Handle> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(handle) = HANDLE.get() {
        return Ok(handle);
    }
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = HANDLE.get() {
        return Ok(handle);
    }
    let handle = start(|drive| {
        let thread = thread::Builder::new().name("pool-mysql-io".into());
        thread.spawn(drive).map(drop)
    })?;
    Ok(HANDLE.get_or_init(|| handle))
}

/// Makes a runtime, and drives it on the thread that `start_thread` starts.
fn start(
    start_thread: impl FnOnce(Box<dyn FnOnce() + Send>) -> io::Result<()>,
) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let handle = runtime.handle().clone();
    let (sender, receiver) = mpsc::channel::<tokio::runtime::Runtime>();
    let drive = move || {
        let Ok(runtime) = receiver.recv() else { return };
        loop {
            // A waker is somebody else's code, and its panic must not end the I/O of all connections.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(pending::<()>());
            }));
        }
    };
    let started = start_thread(Box::new(drive));
    let unused = match &started {
        Ok(()) => sender.send(runtime).err().map(|unsent| unsent.0),
        Err(_) => Some(runtime),
    };
    if let Some(runtime) = unused {
        // Dropping a runtime inside another one panics, and this may run in the drop of a command.
        runtime.shutdown_background();
    }
    started.map(|()| handle)
}

/// The current tokio runtime, if it is a multi-threaded one.
pub(super) fn current_multi_thread() -> Option<Handle> {
    Handle::try_current()
        .ok()
        .filter(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_cannot_be_started_is_an_error_also_inside_a_runtime() {
        let ambient = Builder::new_current_thread().build().unwrap();
        let started = ambient.block_on(async { start(|_| Err(io::ErrorKind::OutOfMemory.into())) });
        assert_eq!(started.unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    }
}
