//! The answers of a provider, kept for all connects until they expire.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::credentials::login::{Credentials, CredentialsProvider};
use crate::error::Error;

/// How long before they expire credentials are asked for again, at most.
const LONGEST_MARGIN: Duration = Duration::from_secs(30);

type Answer = Result<Credentials, Error>;
type Ask = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

/// A provider, and what it answered last.
pub(crate) struct CredentialsSource {
    ask: Ask,
    latest: Mutex<Option<Arc<Issued>>>,
    /// Whoever asks holds it, so that many connects at once ask once.
    turn: tokio::sync::Mutex<()>,
}

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

impl CredentialsSource {
    pub(crate) fn new(provider: impl CredentialsProvider) -> Self {
        let provider = Arc::new(provider);
        Self {
            ask: Box::new(move || {
                let provider = Arc::clone(&provider);
                Box::pin(async move {
                    let answer = provider.credentials().await;
                    answer.map_err(|error| Error::Credentials(Box::new(error)))
                })
            }),
            latest: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// What was answered last.
    pub(crate) fn latest(&self) -> Option<Arc<Issued>> {
        let latest = self.latest.lock();
        latest.unwrap_or_else(PoisonError::into_inner).clone()
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

    /// The credentials for a connect.
    ///
    /// # Cancel safety
    ///
    /// The next caller asks again.
    pub(crate) async fn get(&self) -> Result<Arc<Issued>, Error> {
        if let Some(fresh) = self.fresh() {
            return Ok(fresh);
        }
        let _turn = self.turn.lock().await;
        if let Some(fresh) = self.fresh() {
            return Ok(fresh);
        }
        match self.ask_now().await {
            Ok(fresh) => Ok(fresh),
            // They are asked for again before they expire, so that a provider may be away for a moment.
            Err(error) => match self.latest() {
                Some(usable) if !usable.is_over(Instant::now()) => {
                    tracing::warn!(%error, "the old credentials are used until they expire");
                    Ok(usable)
                }
                _ => Err(error),
            },
        }
    }

    /// Other credentials than these, which the server has refused; `None` if there are no others.
    pub(crate) async fn instead_of(
        &self,
        refused: &Arc<Issued>,
    ) -> Result<Option<Arc<Issued>>, Error> {
        let _turn = self.turn.lock().await;
        let is_other = |issued: &Arc<Issued>| !issued.credentials.is_same(&refused.credentials);
        // Another connect that was refused has asked meanwhile.
        if let Some(latest) = self.fresh().filter(is_other) {
            return Ok(Some(latest));
        }
        Ok(Some(self.ask_now().await?).filter(is_other))
    }

    fn fresh(&self) -> Option<Arc<Issued>> {
        self.latest()
            .filter(|issued| issued.is_fresh(Instant::now()))
    }

    /// Asks the provider. The caller has the turn.
    async fn ask_now(&self) -> Result<Arc<Issued>, Error> {
        let credentials = (self.ask)().await?;
        let issued = Arc::new(Issued { credentials });
        let old = {
            let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            latest.replace(Arc::clone(&issued))
        };
        drop(old);
        Ok(issued)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::executor::block_on;
    use futures::future::join_all;

    use super::*;
    use crate::credentials::login::Validity;

    /// Each answer has another password, and is valid for so long.
    fn counting(validity: Duration) -> (CredentialsSource, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let source = CredentialsSource::new(move || {
            let number = count.fetch_add(1, Ordering::Relaxed);
            async move {
                // Others come meanwhile.
                tokio::task::yield_now().await;
                let credentials = Credentials::new("app", format!("password {number}"));
                Ok::<_, Infallible>(credentials.valid_for(validity))
            }
        });
        (source, asked)
    }

    fn password(issued: &Arc<Issued>) -> &str {
        &issued.credentials.password
    }

    #[test]
    fn many_connects_at_once_ask_once() {
        let (source, asked) = counting(Duration::from_secs(900));
        let all = block_on(join_all((0..20).map(|_| source.get())));
        assert!(
            all.iter()
                .flatten()
                .all(|one| password(one) == "password 0")
        );
        assert_eq!((all.len(), asked.load(Ordering::Relaxed)), (20, 1));
        assert_eq!(source.user().as_deref(), Some("app"));
    }

    #[test]
    fn what_is_about_to_expire_is_asked_for_again() {
        let (source, asked) = counting(Duration::ZERO);
        for number in 0..3 {
            let issued = block_on(source.get()).expect("an answer");
            assert_eq!(password(&issued), format!("password {number}"));
        }
        assert_eq!(asked.load(Ordering::Relaxed), 3);
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
    fn what_the_server_refuses_is_asked_for_again_once_for_all() {
        let (source, asked) = counting(Duration::from_secs(900));
        let refused = block_on(source.get()).expect("an answer");
        let all = block_on(join_all((0..5).map(|_| source.instead_of(&refused))));
        for other in all {
            let other = other.expect("an answer").expect("another one");
            assert_eq!(password(&other), "password 1");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn there_is_nothing_instead_of_a_password_that_stays_the_same() {
        let source = CredentialsSource::new(|| async {
            Ok::<_, Infallible>(Credentials::new("app", "same"))
        });
        let refused = block_on(source.get()).expect("an answer");
        let other = block_on(source.instead_of(&refused)).expect("an answer");
        assert!(other.is_none());
    }

    #[test]
    fn while_the_provider_fails_the_old_ones_are_used_until_they_expire() {
        let answers = Mutex::new(vec![
            Err(std::io::Error::other("the vault is sealed")),
            Err(std::io::Error::other("the vault is sealed")),
            Ok(Credentials::new("app", "old").valid_for(Duration::from_secs(3600))),
        ]);
        let source = CredentialsSource::new(move || {
            let answer = answers.lock().unwrap().pop();
            async move { answer.expect("not asked so often") }
        });
        let old = block_on(source.get()).expect("the first answer");
        // As if nearly an hour had passed.
        let nearly_over = Issued {
            credentials: Credentials {
                validity: Some(Validity {
                    until: Instant::now() + Duration::from_secs(20),
                    length: Duration::from_secs(3600),
                }),
                ..old.credentials.clone()
            },
        };
        *source.latest.lock().unwrap() = Some(Arc::new(nearly_over));
        let still = block_on(source.get()).expect("it is not over");
        assert_eq!(password(&still), "old");
        *source.latest.lock().unwrap() = None;
        let error = block_on(source.get()).err().expect("there is nothing left");
        assert_eq!(
            error.to_string(),
            "the credentials provider failed: the vault is sealed"
        );
    }

    #[test]
    fn a_connection_is_outdated_when_its_credentials_are_over_and_others_were_issued() {
        let (source, _) = counting(Duration::ZERO);
        let first = block_on(source.get()).expect("an answer");
        assert!(!source.is_outdated(&first), "there are no others");
        let _second = block_on(source.get()).expect("an answer");
        assert!(source.is_outdated(&first));
        let (source, _) = counting(Duration::from_secs(900));
        let first = block_on(source.get()).expect("an answer");
        let _second = block_on(source.instead_of(&first)).expect("an answer");
        assert!(!source.is_outdated(&first), "they can still be used");
    }
}
