//! One call of a provider, as a task of its own.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use pool_core::{BoxFuture, Runtime};

use crate::credentials::login::Credentials;

/// Why a provider has no answer. All connects that wait for the answer get the same.
pub(super) type Cause = Arc<dyn StdError + Send + Sync>;

/// The call itself, which has not begun.
pub(super) type Asked = BoxFuture<'static, Result<Credentials, Cause>>;

/// How a call ends.
#[derive(Clone)]
pub(super) enum Ending<T> {
    Answered(T),
    Failed(Cause),
    /// There was no answer within the limit, and the call was dropped.
    Late(Cause),
}

impl<T> Ending<T> {
    pub(super) fn map<U>(self, answer: impl FnOnce(T) -> U) -> Ending<U> {
        match self {
            Self::Answered(it) => Ending::Answered(answer(it)),
            Self::Failed(cause) => Ending::Failed(cause),
            Self::Late(cause) => Ending::Late(cause),
        }
    }
}

/// Begins a call of a provider as a task, which goes on when the connect that wanted the answer is dropped.
///
/// `end` is called exactly once, also after a panic, and where no task can be spawned.
pub(super) fn begin(
    runtime: &impl Runtime,
    limit: Duration,
    mut ask: Asked,
    end: impl FnOnce(Ending<Credentials>) + Send + 'static,
) {
    let mut unended = Unended {
        end: Some(end),
        is_begun: false,
    };
    let deadline = Deadline::new(runtime, limit);
    let task = async move {
        unended.is_begun = true;
        let ending = within(deadline, &mut ask).await;
        unended.end_with(ending);
    };
    // Where no task can be spawned, the drop of this one ends the call.
    let _ = runtime.spawn(Box::pin(task));
}

struct Deadline {
    limit: Duration,
    sleep: BoxFuture<'static, ()>,
}

impl Deadline {
    /// `None` if it is beyond the clock, and never comes.
    fn new(runtime: &impl Runtime, limit: Duration) -> Option<Self> {
        let at = runtime.now().checked_add(limit)?;
        let sleep = runtime.sleep_until(at);
        Some(Self { limit, sleep })
    }
}

/// Waits for the answer, but not longer than the limit.
async fn within(mut deadline: Option<Deadline>, ask: &mut Asked) -> Ending<Credentials> {
    poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| ask.as_mut().poll(cx))) {
            Ok(Poll::Ready(Ok(credentials))) => return Poll::Ready(Ending::Answered(credentials)),
            Ok(Poll::Ready(Err(cause))) => return Poll::Ready(Ending::Failed(cause)),
            Ok(Poll::Pending) => {}
            Err(_) => return Poll::Ready(Ending::Failed(said("it panicked".into()))),
        }
        let Some(Deadline { limit, sleep }) = &mut deadline else {
            return Poll::Pending;
        };
        sleep.as_mut().poll(cx).map(|()| {
            let why = format!("it has not answered for {limit:?}");
            Ending::Late(said(why))
        })
    })
    .await
}

fn said(why: String) -> Cause {
    Arc::new(io::Error::other(why))
}

/// A call that has not ended. If its task is dropped, that ends it.
struct Unended<F: FnOnce(Ending<Credentials>)> {
    end: Option<F>,
    is_begun: bool,
}

impl<F: FnOnce(Ending<Credentials>)> Unended<F> {
    fn end_with(&mut self, ending: Ending<Credentials>) {
        if let Some(end) = self.end.take() {
            end(ending);
        }
    }
}

impl<F: FnOnce(Ending<Credentials>)> Drop for Unended<F> {
    fn drop(&mut self) {
        let why = match self.is_begun {
            true => "its task was dropped",
            false => "no task could be started to ask it",
        };
        self.end_with(Ending::Failed(said(why.into())));
    }
}
