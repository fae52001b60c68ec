//! A user and a password, and where they come from.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

/// A user and a password, and until when they can be used to log in.
///
/// The `Debug` form never shows the password.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use pool_mysql::Credentials;
///
/// let credentials = Credentials::new("app", "secret").valid_for(Duration::from_secs(900));
/// assert!(!format!("{credentials:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(super) validity: Option<Validity>,
}

/// Until when they can be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    pub(super) until: Instant,
    /// How long it was when the credentials were made.
    pub(super) length: Duration,
}

impl Credentials {
    /// Credentials that do not expire.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            validity: None,
        }
    }

    /// They expire after this time, from now on.
    pub fn valid_for(mut self, length: Duration) -> Self {
        // A time beyond the clock never comes.
        let until = Instant::now().checked_add(length);
        self.validity = until.map(|until| Validity { until, length });
        self
    }

    /// They expire at this time; at once, if it is over.
    pub fn valid_until(self, at: SystemTime) -> Self {
        let length = at.duration_since(SystemTime::now()).unwrap_or_default();
        self.valid_for(length)
    }

    /// The user to log in as.
    pub fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.user, &self.password) == (&other.user, &other.password)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

/// Where users and passwords come from that change while the program runs: a vault, a token service, a file.
///
/// A closure that returns a future is one. Its answers are kept for all connects until shortly before they expire (a tenth
/// of their validity, at most 30 s). Then the next connect asks again, and connects use the old answer until there is a new
/// one or the old one has expired.
///
/// It is asked again at once when the server refuses what it answered last. No connect logs in with the refused answer while
/// it is asked.
///
/// # Calls
///
/// There is one call at a time, however many connects need its answer. They wait for it within their own limit: a connect
/// fails with [`Error::ConnectTimeout`](crate::Error::ConnectTimeout), and an acquire with a time-out in
/// [`Phase::Connect`](pool_core::Phase::Connect).
///
/// A call runs as a task of the thread `pool-mysql-io`. That is a tokio runtime with timers and I/O, but not the program's, and
/// all connections of the thread wait for a call that blocks. The call goes on when the connect that wanted its answer is
/// dropped. A call that takes longer than the `connect_timeout` of the options (but at least 10 s; a minute if there is none)
/// is dropped, and the next connect that needs an answer asks again.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use pool_mysql::{ConnectOptions, Credentials};
///
/// async fn token() -> Result<String, std::io::Error> {
///     std::fs::read_to_string("/run/secrets/db-token")
/// }
///
/// let options = ConnectOptions::new().host("db.example").credentials(|| async {
///     Ok::<_, std::io::Error>(Credentials::new("app", token().await?).valid_for(Duration::from_secs(900)))
/// });
/// # drop(options);
/// ```
pub trait CredentialsProvider: Send + Sync + 'static {
    /// Why it has no answer. Its text must not contain a password: it becomes part of an error of the pool.
    type Error: StdError + Send + Sync + 'static;

    /// The user and the password with which the next connections log in.
    ///
    /// # Errors
    ///
    /// Fails the connect with [`Error::Credentials`](crate::Error::Credentials), unless earlier credentials can still be
    /// used. If the server has refused the earlier ones, the connect fails with the refusal (class
    /// [`Auth`](pool_core::ErrorClass::Auth)), and its text says how the provider failed. A panic counts as a failure.
    fn credentials(&self) -> impl Future<Output = Result<Credentials, Self::Error>> + Send;
}

impl<F, A, E> CredentialsProvider for F
where
    F: Fn() -> A + Send + Sync + 'static,
    A: Future<Output = Result<Credentials, E>> + Send,
    E: StdError + Send + Sync + 'static,
{
    type Error = E;

    fn credentials(&self) -> impl Future<Output = Result<Credentials, E>> + Send {
        self()
    }
}
