//! What a connection must be when it is handed out: not too old, and none of those that were to be replaced.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a connection lives; so short that each part of a round sees many ends of life.
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(3);

/// A connection that an acquire has got.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandedOut {
    /// Its number in its pool.
    pub(crate) id: u64,
    /// How often it was handed out, this time included.
    pub(crate) uses: u64,
    pub(crate) age: Duration,
    /// When the acquire began, and how long it took.
    pub(crate) began: Duration,
    pub(crate) waited: Duration,
}

/// From this time on no acquire begins that gets one of the connections up to this number.
#[derive(Clone, Copy, Debug, Default)]
struct Replaced {
    newest: u64,
    since: Duration,
}

/// What is known of the connections of one pool.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    /// The largest number that was handed out.
    newest: AtomicU64,
    replaced: Mutex<Replaced>,
}

impl Connections {
    pub(crate) fn newest(&self) -> u64 {
        self.newest.load(Ordering::SeqCst)
    }

    /// All up to this number were replaced by this time.
    pub(crate) fn replaced(&self, newest: u64, since: Duration) {
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        *replaced = Replaced { newest, since };
    }

    /// Notes that this one was handed out. Returns what is wrong with that.
    pub(crate) fn see(&self, one: HandedOut) -> Option<String> {
        self.newest.fetch_max(one.id, Ordering::SeqCst);
        let replaced = *self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        too_old(one).or_else(|| was_replaced(one, replaced))
    }
}

/// It was handed out at some time during the acquire. One whose connect took too long is good for its first use.
fn too_old(one: HandedOut) -> Option<String> {
    let HandedOut {
        id, age, waited, ..
    } = one;
    (one.uses > 1 && age > MAX_LIFETIME + waited).then(|| {
        format!("connection {id} was handed out at the age of {age:?}, after {waited:?}; max_lifetime is {MAX_LIFETIME:?}")
    })
}

fn was_replaced(one: HandedOut, replaced: Replaced) -> Option<String> {
    let Replaced { newest, since } = replaced;
    (one.id <= newest && one.began >= since).then(|| {
        format!(
            "connection {} was handed out, and all up to {newest} were replaced {:?} before",
            one.id,
            one.began.saturating_sub(since)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn handed_out(id: u64, uses: u64, age: Duration) -> HandedOut {
        HandedOut {
            id,
            uses,
            age,
            began: 10 * SECOND,
            waited: SECOND,
        }
    }

    #[test]
    fn a_connection_that_is_older_than_max_lifetime_is_a_violation() {
        let connections = Connections::default();
        let see = |uses, age| connections.see(handed_out(1, uses, age));
        assert_eq!(see(2, MAX_LIFETIME + SECOND), None);
        let late = MAX_LIFETIME + SECOND + Duration::from_millis(1);
        let words =
            "connection 1 was handed out at the age of 4.001s, after 1s; max_lifetime is 3s";
        assert_eq!(see(2, late).as_deref(), Some(words));
        assert_eq!(see(1, late), None, "its connect took too long");
    }

    #[test]
    fn a_connection_that_was_to_be_replaced_before_the_acquire_is_a_violation() {
        let connections = Connections::default();
        let see = |id| connections.see(handed_out(id, 2, SECOND));
        assert_eq!((see(6), see(7), see(5)), (None, None, None));
        assert_eq!(connections.newest(), 7);
        connections.replaced(7, 9 * SECOND);
        let words = "connection 7 was handed out, and all up to 7 were replaced 1s before";
        assert_eq!(see(7).as_deref(), Some(words));
        assert!(see(1).is_some());
        assert_eq!(see(8), None, "it is newer");
        connections.replaced(7, 11 * SECOND);
        assert_eq!(see(7), None, "the acquire began before");
    }
}
