//! Whether to use TLS, and which certificates to accept.

use std::path::PathBuf;

/// Whether a connection uses TLS, and which certificates of the server it accepts. The names are those of MySQL's
/// `ssl-mode`.
///
/// All but [`SslMode::Disabled`] need the feature `rustls` or `native-tls`; without one they are a
/// [`ConfigError`](pool_core::ConfigError). With one of these features the default is [`SslMode::Preferred`], as in MySQL's own
/// clients, or [`SslMode::VerifyIdentity`] where [`ssl_ca`](crate::ConnectOptions::ssl_ca) is given; without them it is
/// [`SslMode::Disabled`]. A unix socket never has TLS: it does not leave the machine.
///
/// **Over a network, use [`SslMode::VerifyIdentity`].** The other modes cannot tell the server from somebody who poses as it.
/// This matters also for the password: over a connection without TLS, the login `caching_sha2_password`, which is the default
/// of MySQL since 8.0, encrypts the password with a key that the other side sends, and the driver takes any key. With
/// [`SslMode::Preferred`] and [`SslMode::Required`] the password goes to whoever answers, too.
///
/// # Examples
///
/// ```
/// use pool_mysql::{ConnectOptions, SslMode};
///
/// let options = ConnectOptions::new()
///     .host("db.example")
///     .ssl_mode(SslMode::VerifyIdentity)
///     .ssl_ca("/etc/ssl/our-ca.pem");
/// # drop(options);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SslMode {
    /// No TLS. Everybody on the network can read everything, and somebody who poses as the server gets the password of a
    /// `caching_sha2_password` account. This is the default in a build without TLS.
    Disabled,
    /// TLS if the server offers it, with any certificate. This is the default in a build with TLS. **It does not protect against somebody who can change what is
    /// sent**: he can remove the server's offer of TLS.
    Preferred,
    /// TLS with any certificate, or no connection. It protects only against somebody who listens and changes nothing.
    Required,
    /// TLS with a valid certificate that is signed by one of [`ssl_ca`](crate::ConnectOptions::ssl_ca). It may be for any
    /// name.
    ///
    /// With the feature `rustls` the certificate must have a name in its `subjectAltName`. If that is not the server's name,
    /// the first connection costs a second connect.
    VerifyCa,
    /// The same, and the certificate must be for the name of the host.
    VerifyIdentity,
}

/// The options for TLS.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Ssl {
    pub(crate) mode: Option<SslMode>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) cert_password: Option<String>,
}

impl Ssl {
    /// The mode that is used: where none is given, it depends on the other options.
    pub(crate) fn mode(&self) -> SslMode {
        match (self.mode, &self.ca) {
            (Some(mode), _) => mode,
            (None, Some(_)) => SslMode::VerifyIdentity,
            (None, None) if cfg!(any(feature = "rustls", feature = "native-tls")) => {
                SslMode::Preferred
            }
            (None, None) => SslMode::Disabled,
        }
    }
}
