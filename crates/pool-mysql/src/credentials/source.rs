//! The answers of a provider, kept for all connects until they expire.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pool_core::Runtime;
use tokio::sync::watch;

use crate::credentials::call::{Asked, Cause, Ending, begin};
use crate::credentials::login::{Credentials, CredentialsProvider};
use crate::error::Error;

/// How long before they expire credentials are asked for again, at most.
const LONGEST_MARGIN: Duration = Duration::from_secs(30);

type Ask = Box<dyn Fn() -> Asked + Send + Sync>;

/// A provider, and what it answered last.
pub(crate) struct CredentialsSource {
    ask: Ask,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    latest: Option<Arc<Issued>>,
    /// The call of the provider that runs; there is at most one.
    call: Option<Call>,
}

/// A call of the provider that runs.
struct Call {
    ending: Waiting,
    /// The server has refused the latest credentials, so no connect uses them before this call has ended.
    is_after_refusal: bool,
}

/// What a connect does next.
enum Next {
    Use(Arc<Issued>),
    Wait { call: Waiting, is_new: bool },
}

type Waiting = watch::Receiver<Option<Ending<Arc<Issued>>>>;

/// One answer of a provider. Connections keep the one that they were opened with.
pub(crate) struct Issued {
    pub(crate) credentials: Credentials,
}

impl Issued {
    /// Whether they cannot be used any more.
    fn is_over(&self, now: Instant) -> bool {
        let validity = self.credentials.validity;
        validity.is_some_and(|validity| now >= validity.until)
    }

    /// Whether they can be used, and need not be asked for again yet.
    fn is_fresh(&self, now: Instant) -> bool {
        self.credentials.validity.is_none_or(|validity| {
            let margin = (validity.length / 10).min(LONGEST_MARGIN);
            now + margin < validity.until
        })
    }
}

impl Known {
    /// The latest credentials, if a connect can use them.
    fn usable(&self, now: Instant) -> Option<Arc<Issued>> {
        let waits = self.call.as_ref().is_some_and(|call| call.is_after_refusal);
        self.latest
            .clone()
            .filter(|latest| !waits && !latest.is_over(now))
    }
}

impl CredentialsSource {
    pub(crate) fn new(provider: impl CredentialsProvider) -> Self {
        let provider = Arc::new(provider);
        Self {
            ask: Box::new(move || {
                let provider = Arc::clone(&provider);
                Box::pin(async move {
                    let answer = provider.credentials().await;
                    answer.map_err(|error| Arc::new(error) as Cause)
                })
            }),
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was answered last.
    pub(crate) fn latest(&self) -> Option<Arc<Issued>> {
        self.known().latest.clone()
    }

    /// The user of the last answer.
    pub(crate) fn user(&self) -> Option<String> {
        self.latest().map(|issued| issued.credentials.user.clone())
    }

    /// Whether these were replaced by others and cannot be used any more.
    pub(crate) fn is_outdated(&self, issued: &Arc<Issued>) -> bool {
        issued.is_over(Instant::now())
            && self
                .latest()
                .is_some_and(|latest| !latest.credentials.is_same(&issued.credentials))
    }

    /// The credentials for a connect: the latest ones as long as they can be used, otherwise the answer to a call.
    ///
    /// Each call runs as a task of the runtime, for at most `limit`; then another one begins for those that still wait.
    ///
    /// # Cancel safety
    ///
    /// The call goes on, and its answer serves the next connects.
    pub(crate) async fn get(
        self: &Arc<Self>,
        runtime: &impl Runtime,
        limit: Duration,
    ) -> Result<Arc<Issued>, Error> {
        loop {
            let call = match self.next(runtime, limit, None) {
                Next::Use(usable) => return Ok(usable),
                Next::Wait { call, .. } => call,
            };
            match ending(call).await {
                Ending::Answered(issued) => return Ok(issued),
                // If there are some that the server has refused, it may take them now.
                Ending::Failed(cause) => {
                    let latest = self.latest();
                    let usable = latest.filter(|latest| !latest.is_over(Instant::now()));
                    return usable.ok_or(Error::Credentials(cause));
                }
                Ending::Late(_) => {}
            }
        }
    }

    /// Other credentials than these, which the server has refused; `None` if there are no others.
    ///
    /// # Cancel safety
    ///
    /// As for [`get`](Self::get).
    pub(crate) async fn instead_of(
        self: &Arc<Self>,
        refused: &Arc<Issued>,
        runtime: &impl Runtime,
        limit: Duration,
    ) -> Result<Option<Arc<Issued>>, Error> {
        let is_other = |issued: &Arc<Issued>| !issued.credentials.is_same(&refused.credentials);
        let (call, is_new) = match self.next(runtime, limit, Some(refused)) {
            // Another connect that was refused has asked meanwhile.
            Next::Use(other) => return Ok(Some(other)),
            Next::Wait { call, is_new } => (call, is_new),
        };
        let issued = issued_in(ending(call).await)?;
        if is_new || is_other(&issued) {
            return Ok(Some(issued).filter(is_other));
        }
        // That call may have been answered before the credentials were replaced.
        match self.next(runtime, limit, Some(refused)) {
            Next::Use(other) => Ok(Some(other)),
            Next::Wait { call, .. } => {
                let issued = issued_in(ending(call).await)?;
                Ok(Some(issued).filter(is_other))
            }
        }
    }

    /// What a connect does next; `refused` are the credentials that the server has just refused.
    ///
    /// It begins a call where one is due and none runs.
    fn next(
        self: &Arc<Self>,
        runtime: &impl Runtime,
        limit: Duration,
        refused: Option<&Arc<Issued>>,
    ) -> Next {
        let is_refused = |issued: &Arc<Issued>| {
            refused.is_some_and(|refused| issued.credentials.is_same(&refused.credentials))
        };
        let (usable, call, tell) = {
            let now = Instant::now();
            let mut known = self.known();
            let usable = known.usable(now).filter(|it| !is_refused(it));
            if let Some(fresh) = usable.as_ref().filter(|usable| usable.is_fresh(now)) {
                return Next::Use(Arc::clone(fresh));
            }
            let is_after_refusal = known.latest.as_ref().is_some_and(is_refused);
            let mut tell = None;
            let call = known.call.get_or_insert_with(|| {
                let (sender, ending) = watch::channel(None);
                tell = Some(sender);
                Call {
                    ending,
                    is_after_refusal,
                }
            });
            call.is_after_refusal |= is_after_refusal;
            (usable, call.ending.clone(), tell)
        };
        let is_new = tell.is_some();
        if let Some(tell) = tell {
            let source = Arc::clone(self);
            begin(runtime, limit, (self.ask)(), move |ending| {
                tell.send_replace(Some(source.ended(ending)));
            });
        }
        // They are asked for again before they expire, so that a provider may be away for a moment.
        match usable {
            Some(usable) => Next::Use(usable),
            None => Next::Wait { call, is_new },
        }
    }

    /// Notes how the call has ended.
    fn ended(&self, ending: Ending<Credentials>) -> Ending<Arc<Issued>> {
        let ending = ending.map(|credentials| Arc::new(Issued { credentials }));
        let (usable, old) = {
            let mut known = self.known();
            // After a refusal there are none that can be used, as long as the call is known.
            let usable = known.usable(Instant::now());
            let old = match &ending {
                Ending::Answered(issued) => known.latest.replace(Arc::clone(issued)),
                _ => None,
            };
            (usable, (old, known.call.take()))
        };
        drop(old);
        if let (Ending::Failed(error) | Ending::Late(error), Some(_)) = (&ending, usable) {
            tracing::warn!(%error, "the credentials provider failed: the old ones are used until they expire");
        }
        ending
    }
}

/// Waits for the end of a call.
async fn ending(mut call: Waiting) -> Ending<Arc<Issued>> {
    let ended = call.wait_for(Option::is_some).await;
    let ending = ended.ok().and_then(|ending| ending.clone());
    ending.expect("a call tells how it ends")
}

fn issued_in(ending: Ending<Arc<Issued>>) -> Result<Arc<Issued>, Error> {
    match ending {
        Ending::Answered(issued) => Ok(issued),
        Ending::Failed(cause) | Ending::Late(cause) => Err(Error::Credentials(cause)),
    }
}

#[cfg(test)]
mod tests;
