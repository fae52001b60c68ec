//! Why a connection may leave, and who may acquire where.

use std::panic::Location;

use pool_core::{CloseReason, Verdict};

use super::life::Life;
use crate::calls::Page;
use crate::lifetimes::Limits;
use crate::script::{Outcome, Settings};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Connecting,
    /// Nobody has used it since its connect, its check or its recycle.
    Clean,
    /// It has come back. `None`: what its manager has said of it is not known.
    Back(Option<Verdict>),
    Held,
    /// Its check has failed: it can only be closed.
    CheckFailed,
    /// Its recycle has failed: it can only be closed.
    RecycleFailed,
    Gone,
}

/// What has happened to the pool that may be the reason of a close.
pub(super) struct Causes {
    is_closing: bool,
    is_terminated: bool,
    /// It was made smaller.
    was_shrunk: bool,
    was_cleared: bool,
    /// `retain` was called.
    was_retained: bool,
    limits: Limits,
    /// There was a `pool_recycle`.
    expires: bool,
    has_idle_limit: bool,
    intercepts: bool,
    /// The script has a panic.
    panics: bool,
}

impl Causes {
    pub(super) fn of(life: &Life, page: &Page) -> Self {
        let settings = &page.script.settings;
        Self {
            is_closing: life.is_closing,
            is_terminated: life.is_terminated,
            was_shrunk: life.was_shrunk,
            was_cleared: page.clears > 0,
            was_retained: page.retains > 0,
            limits: page.limits,
            expires: page.expires,
            has_idle_limit: settings.idle_limit > 0,
            intercepts: settings.interceptors > 0,
            panics: page.has_any(&[Outcome::Panic, Outcome::PanicInCall, Outcome::GatePanic]),
        }
    }

    /// Whether a connection that was there may be closed for this reason.
    pub(super) fn may_close(&self, was: At, reason: &CloseReason) -> bool {
        let is_idle = matches!(was, At::Clean | At::Back(_));
        let is_back = matches!(was, At::Back(_));
        match reason {
            CloseReason::CheckFailed => was == At::CheckFailed,
            CloseReason::RecycleFailed => was == At::RecycleFailed,
            // What is held is written off.
            CloseReason::Terminated => self.is_terminated && (is_idle || was == At::Held),
            CloseReason::PoolClosed => self.is_closing && is_idle,
            CloseReason::Resized => self.was_shrunk && is_idle,
            CloseReason::Cleared => self.was_cleared && is_idle,
            CloseReason::Evicted => self.was_retained && is_idle,
            CloseReason::PoolRecycle => self.expires && is_idle,
            CloseReason::IdleLimit => self.has_idle_limit && is_idle,
            CloseReason::Intercepted => self.intercepts && is_idle,
            CloseReason::ManagerPanicked => self.panics && is_idle,
            CloseReason::Abandoned => is_idle,
            CloseReason::Discarded | CloseReason::HolderPanicked => is_back,
            CloseReason::Broken(_) => matches!(was, At::Back(Some(Verdict::Discard) | None)),
            // A new reason needs a law.
            reason => is_idle && self.limits.may_close(reason) == Some(true),
        }
    }

    /// Whether a connect may be dropped for this reason.
    pub(super) fn may_cancel(&self, reason: &CloseReason) -> bool {
        match reason {
            CloseReason::Terminated => self.is_terminated,
            CloseReason::PoolClosed => self.is_closing,
            CloseReason::Resized => self.was_shrunk,
            CloseReason::ManagerPanicked => self.panics,
            CloseReason::Abandoned => true,
            _ => false,
        }
    }
}

/// Whether somebody acquires there, under this label: the place is in a file of the simulator, and an acquire of a script
/// has the label of the script.
pub(super) fn is_known(
    settings: &Settings,
    place: &'static Location<'static>,
    label: Option<&str>,
) -> Result<(), String> {
    let is_here = place.file().contains("pool-sim");
    let is_of_script = place.file().ends_with("ops.rs");
    let expected = match settings.labels {
        0 => None,
        1 => is_of_script.then_some("an acquire"),
        _ => Some("a task"),
    };
    // What is polled inside of a labelled task has its label, too.
    let is_outside = settings.labels == 2 && !is_of_script && label.is_none();
    match is_here && (label == expected || is_outside) {
        true => Ok(()),
        false => Err(format!("nobody acquires at {place} with {label:?}")),
    }
}
