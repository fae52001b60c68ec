//! When a provider is called, and what connects get meanwhile.

mod by_hand;

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use futures::executor::block_on;
use futures::future::{join, join_all};

use self::by_hand::{Tasks, Vault, poll};
use super::*;
use crate::credentials::login::Validity;

const HOUR: Duration = Duration::from_secs(3600);
const LIMIT: Duration = Duration::from_secs(10);

fn password(issued: &Arc<Issued>) -> &str {
    &issued.credentials.password
}

/// What a connect gets that is served at once.
fn now(source: &Arc<CredentialsSource>, tasks: &Tasks) -> Option<Result<Arc<Issued>, Error>> {
    match poll(pin!(source.get(tasks, LIMIT))) {
        Poll::Ready(issued) => Some(issued),
        Poll::Pending => None,
    }
}

/// The first answer.
fn first(source: &Arc<CredentialsSource>, tasks: &Tasks) -> Arc<Issued> {
    assert!(now(source, tasks).is_none(), "there is nothing yet");
    tasks.run();
    source.latest().expect("an answer")
}

/// As if nearly an hour had passed since the latest answer, which was good for an hour; or a whole hour.
fn age(source: &CredentialsSource, left: Duration) {
    let mut known = source.known();
    let latest = known.latest.take().expect("an answer");
    let validity = Validity {
        until: Instant::now() + left,
        length: HOUR,
    };
    known.latest = Some(Arc::new(Issued {
        credentials: Credentials {
            validity: Some(validity),
            ..latest.credentials.clone()
        },
    }));
}

/// They are asked for again, but can be used for as long as a test may take.
const NEARLY_OVER: Duration = Duration::from_secs(29);

#[test]
fn many_connects_at_once_ask_once() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(HOUR);
    let mut all = pin!(join_all((0..20).map(|_| source.get(&tasks, LIMIT))));
    assert!(poll(all.as_mut()).is_pending());
    tasks.run();
    let all = block_on(all);
    let right = |one: &Arc<Issued>| password(one) == "password 0";
    assert!(all.iter().flatten().all(right));
    assert_eq!((all.iter().flatten().count(), vault.asked()), (20, 1));
    assert_eq!(source.user().as_deref(), Some("app"));
}

#[test]
fn what_has_expired_is_asked_for_again() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(Duration::ZERO);
    for number in 0..3 {
        let issued = first(&source, &tasks);
        assert_eq!(password(&issued), format!("password {number}"));
    }
    assert_eq!(vault.asked(), 3);
}

#[test]
fn credentials_that_are_asked_for_in_time_are_never_late() {
    let now = Instant::now();
    let hour = LONGEST_MARGIN * 120;
    let issued = |length: Duration| Issued {
        credentials: Credentials {
            validity: Some(Validity {
                until: now + length,
                length,
            }),
            ..Credentials::new("app", "")
        },
    };
    assert!(issued(hour).is_fresh(now + LONGEST_MARGIN * 118));
    assert!(!issued(hour).is_fresh(now + LONGEST_MARGIN * 119));
    assert!(!issued(hour).is_over(now + LONGEST_MARGIN * 119));
    assert!(issued(hour).is_over(now + hour));
    let short = Duration::from_secs(10);
    assert!(issued(short).is_fresh(now + Duration::from_millis(8_999)));
    assert!(!issued(short).is_fresh(now + Duration::from_secs(9)));
}

#[test]
fn while_new_ones_are_asked_for_connects_get_the_old_ones_at_once() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(HOUR);
    first(&source, &tasks);
    age(&source, NEARLY_OVER);
    for _ in 0..20 {
        let old = now(&source, &tasks).expect("no wait").expect("the old");
        assert_eq!(password(&old), "password 0");
    }
    tasks.run();
    let new = now(&source, &tasks).expect("no wait").expect("the new");
    assert_eq!((password(&new), vault.asked()), ("password 1", 2));
}

#[test]
fn a_provider_that_hangs_holds_up_no_connect_before_the_old_ones_expire() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(HOUR);
    first(&source, &tasks);
    age(&source, NEARLY_OVER);
    vault.is_silent(true);
    for _ in 0..20 {
        let old = now(&source, &tasks).expect("no wait").expect("the old");
        assert_eq!(password(&old), "password 0");
        tasks.run();
    }
    assert_eq!(vault.asked(), 2);
    age(&source, Duration::ZERO);
    assert!(now(&source, &tasks).is_none(), "they are over");
    tasks.run();
    assert_eq!(vault.asked(), 2, "it waits for the call that runs");
}

#[test]
fn a_call_that_takes_too_long_is_given_up_and_those_that_wait_ask_again() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(HOUR);
    vault.is_silent(true);
    let mut all = pin!(join_all((0..5).map(|_| source.get(&tasks, LIMIT))));
    assert!(poll(all.as_mut()).is_pending());
    tasks.run();
    assert_eq!(vault.asked(), 1);
    vault.is_silent(false);
    tasks.run_late();
    assert!(poll(all.as_mut()).is_pending());
    tasks.run();
    assert!(block_on(all).iter().all(Result::is_ok));
    assert_eq!(vault.asked(), 2);
    // The same where the old ones can still be used.
    age(&source, NEARLY_OVER);
    vault.is_silent(true);
    now(&source, &tasks).expect("no wait").expect("the old");
    tasks.run_late();
    now(&source, &tasks).expect("no wait").expect("the old");
    tasks.run();
    assert_eq!(vault.asked(), 4);
}

#[test]
fn a_connect_that_is_dropped_leaves_its_call_to_the_others() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(HOUR);
    for _ in 0..20 {
        // It is dropped before the call has begun, or while it runs.
        assert!(now(&source, &tasks).is_none());
        vault.is_silent(true);
        tasks.run();
    }
    assert_eq!(vault.asked(), 1);
    vault.is_silent(false);
    tasks.run_late();
    for _ in 0..20 {
        assert!(now(&source, &tasks).is_none());
    }
    tasks.run();
    let issued = now(&source, &tasks).expect("no wait").expect("an answer");
    assert_eq!((password(&issued), vault.asked()), ("password 1", 2));
}

#[test]
fn what_the_server_refuses_is_asked_for_again_once_for_all() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(HOUR);
    let refused = first(&source, &tasks);
    let all = (0..5).map(|_| source.instead_of(&refused, &tasks, LIMIT));
    let mut all = pin!(join_all(all));
    assert!(poll(all.as_mut()).is_pending());
    tasks.run();
    for other in block_on(all) {
        let other = other.expect("an answer").expect("another one");
        assert_eq!(password(&other), "password 1");
    }
    assert_eq!(vault.asked(), 2);
    // One that is refused later does not wait, also where the others are about to expire.
    age(&source, NEARLY_OVER);
    match poll(pin!(source.instead_of(&refused, &tasks, LIMIT))) {
        Poll::Ready(Ok(Some(other))) => assert_eq!(password(&other), "password 1"),
        _ => panic!("there are others"),
    }
    // The call that has begun is about the others, which have not been refused.
    let other = now(&source, &tasks).expect("no wait").expect("not over");
    assert_eq!(password(&other), "password 1");
}

#[test]
fn there_is_nothing_instead_of_a_password_that_stays_the_same() {
    let tasks = Tasks::default();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let source = Arc::new(CredentialsSource::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok::<_, Infallible>(Credentials::new("app", "same")))
    }));
    let refused = first(&source, &tasks);
    let mut other = pin!(source.instead_of(&refused, &tasks, LIMIT));
    assert!(poll(other.as_mut()).is_pending());
    // It joins the call of the other one, which may have begun before the password changed, so it asks once more itself.
    let mut later = pin!(source.instead_of(&refused, &tasks, LIMIT));
    assert!(poll(later.as_mut()).is_pending());
    tasks.run();
    assert!(matches!(poll(other), Poll::Ready(Ok(None))));
    assert!(poll(later.as_mut()).is_pending());
    tasks.run();
    assert!(matches!(poll(later), Poll::Ready(Ok(None))));
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[test]
fn nobody_uses_what_the_server_has_refused_while_others_are_asked_for() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(HOUR);
    let refused = first(&source, &tasks);
    vault.is_sealed(true);
    let mut other = pin!(source.instead_of(&refused, &tasks, LIMIT));
    assert!(poll(other.as_mut()).is_pending());
    let mut next = pin!(source.get(&tasks, LIMIT));
    assert!(poll(next.as_mut()).is_pending());
    tasks.run();
    let error = block_on(other).err().expect("the vault is sealed");
    assert_eq!(error.to_string(), SEALED);
    // There is nothing else to try.
    let again = block_on(next).expect("they are not over");
    assert_eq!((password(&again), vault.asked()), ("password 0", 2));
}

#[test]
fn a_provider_that_hangs_after_a_refusal_is_given_up() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(HOUR);
    let refused = first(&source, &tasks);
    vault.is_silent(true);
    let mut other = pin!(source.instead_of(&refused, &tasks, LIMIT));
    assert!(poll(other.as_mut()).is_pending());
    tasks.run_late();
    let error = block_on(other).err().expect("there is no answer");
    assert_eq!(
        error.to_string(),
        "the credentials provider failed: it has not answered for 10s"
    );
}

const SEALED: &str = "the credentials provider failed: the vault is sealed";

#[test]
fn while_the_provider_fails_the_old_ones_are_used_until_they_expire() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(HOUR);
    first(&source, &tasks);
    age(&source, NEARLY_OVER);
    vault.is_sealed(true);
    for asked in 2..5 {
        let still = now(&source, &tasks).expect("no wait").expect("not over");
        tasks.run();
        assert_eq!((password(&still), vault.asked()), ("password 0", asked));
    }
    age(&source, Duration::ZERO);
    let mut all = pin!(join_all((0..5).map(|_| source.get(&tasks, LIMIT))));
    assert!(poll(all.as_mut()).is_pending());
    tasks.run();
    for error in block_on(all) {
        let error = error.err().expect("there is nothing left");
        assert_eq!(error.to_string(), SEALED);
        let cause = std::error::Error::source(&error).expect("the provider's error");
        assert!(cause.is::<io::Error>());
    }
    assert_eq!(vault.asked(), 5, "they have the same error");
}

#[test]
fn a_provider_that_panics_or_cannot_be_called_has_failed() {
    let fails = |source: CredentialsSource, tasks: &Tasks| {
        let source = Arc::new(source);
        let connect = async {
            join(source.get(tasks, LIMIT), async { tasks.run() })
                .await
                .0
        };
        let error = block_on(connect).err().expect("there is no answer");
        assert!(source.known().call.is_none(), "the call has ended");
        error.to_string()
    };
    let panics = || -> std::future::Ready<Result<Credentials, Infallible>> {
        panic!("expected by this test")
    };
    assert_eq!(
        fails(CredentialsSource::new(panics), &Tasks::default()),
        "the credentials provider failed: it panicked"
    );
    let full = Tasks {
        is_full: true,
        ..Tasks::default()
    };
    let fine = || std::future::ready(Ok::<_, Infallible>(Credentials::new("app", "")));
    assert_eq!(
        fails(CredentialsSource::new(fine), &full),
        "the credentials provider failed: no task could be started to ask it"
    );
}

#[test]
fn a_connection_is_outdated_when_its_credentials_are_over_and_others_were_issued() {
    let (vault, tasks) = (Vault::default(), Tasks::default());
    let source = vault.source(Duration::ZERO);
    let old = first(&source, &tasks);
    assert!(!source.is_outdated(&old), "there are no others");
    first(&source, &tasks);
    assert!(source.is_outdated(&old));
    let source = vault.source(HOUR);
    let old = first(&source, &tasks);
    let mut other = pin!(source.instead_of(&old, &tasks, LIMIT));
    assert!(poll(other.as_mut()).is_pending());
    tasks.run();
    assert!(matches!(block_on(other), Ok(Some(_))));
    assert!(!source.is_outdated(&old), "they can still be used");
}
