//! Whether to use TLS, and which certificates to accept.

use std::path::PathBuf;

/// Whether a connection uses TLS, and which certificates of the server it accepts. The names are those of MySQL's
/// `ssl-mode`.
///
/// All but [`SslMode::Disabled`] need the feature `rustls` or `native-tls`; without one they are a
/// [`ConfigError`](pool_core::ConfigError).
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
    /// No TLS. This is the default. Everybody on the network can read everything.
    Disabled,
    /// TLS if the server offers it, with any certificate. **It does not protect against somebody who can change what is
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
            (None, None) => SslMode::Disabled,
        }
    }
}
