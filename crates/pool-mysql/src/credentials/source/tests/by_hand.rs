//! A runtime and a provider that do what a test says.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use pool_core::{BoxFuture, NoSpawner, Runtime};

use crate::credentials::Credentials;
use crate::credentials::source::CredentialsSource;

/// A runtime whose tasks run when the test says so.
#[derive(Default)]
pub(super) struct Tasks {
    pub(super) spawned: Mutex<Vec<BoxFuture<'static, ()>>>,
    /// All limits of time are over.
    pub(super) is_late: Arc<AtomicBool>,
    pub(super) is_full: bool,
}

impl Runtime for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        if self.is_full {
            return Err(NoSpawner);
        }
        self.spawned.lock().unwrap().push(task);
        Ok(())
    }

    fn sleep_until(&self, _: Instant) -> BoxFuture<'static, ()> {
        let is_late = Arc::clone(&self.is_late);
        Box::pin(std::future::poll_fn(move |_| {
            match is_late.load(Ordering::Relaxed) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }))
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

impl Tasks {
    /// Polls each task once.
    pub(super) fn run(&self) {
        let mut cx = Context::from_waker(Waker::noop());
        let tasks = std::mem::take(&mut *self.spawned.lock().unwrap());
        for mut task in tasks {
            if task.as_mut().poll(&mut cx).is_pending() {
                self.spawned.lock().unwrap().push(task);
            }
        }
    }

    /// The time of all calls that run is over.
    pub(super) fn run_late(&self) {
        self.is_late.store(true, Ordering::Relaxed);
        self.run();
        self.is_late.store(false, Ordering::Relaxed);
    }
}

pub(super) fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A provider that says what the test tells it to say.
#[derive(Clone, Default)]
pub(super) struct Vault {
    asked: Arc<AtomicU32>,
    is_silent: Arc<AtomicBool>,
    is_sealed: Arc<AtomicBool>,
}

impl Vault {
    /// Each answer has another password, and is valid for so long.
    pub(super) fn source(&self, validity: Duration) -> Arc<CredentialsSource> {
        let vault = self.clone();
        Arc::new(CredentialsSource::new(move || {
            let number = vault.asked.fetch_add(1, Ordering::Relaxed);
            let vault = vault.clone();
            async move {
                if vault.is_silent.load(Ordering::Relaxed) {
                    std::future::pending::<()>().await;
                }
                match vault.is_sealed.load(Ordering::Relaxed) {
                    true => Err(io::Error::other("the vault is sealed")),
                    false => {
                        Ok(Credentials::new("app", format!("password {number}"))
                            .valid_for(validity))
                    }
                }
            }
        }))
    }

    pub(super) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    pub(super) fn is_silent(&self, is: bool) {
        self.is_silent.store(is, Ordering::Relaxed);
    }

    pub(super) fn is_sealed(&self, is: bool) {
        self.is_sealed.store(is, Ordering::Relaxed);
    }
}
