//! Opens the driver's connection, with TLS as the options ask for it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use mysql_async::{Conn, DriverError, Error, Opts, OptsBuilder};

use crate::credentials::{Credentials, Issued};
use crate::transport::addresses::{Addresses, resolve};
use crate::transport::connector::Connector;
use crate::transport::infile::Infile;

/// The packet limit of a side connection, in bytes; it sends short statements only.
const SIDE_PACKET_LIMIT: usize = 1024 * 1024;

/// A connection of the driver, and which address of the host name it has reached; `None` where there is only one place.
pub(crate) struct Dialled {
    pub(crate) conn: Conn,
    pub(crate) reached: Option<IpAddr>,
}

/// Opens a connection of the driver; `infile` answers its server's requests for local files.
///
/// `packet_limit` is the largest packet that the server takes, in bytes; with `None` the driver asks the server.
pub(crate) async fn dial(
    connector: &Connector,
    issued: Option<&Issued>,
    infile: &Arc<Infile>,
    packet_limit: Option<usize>,
) -> mysql_async::Result<Dialled> {
    let adapt = |opts| {
        let builder = with_login(opts, issued).local_infile_handler(Some(infile.handler()));
        match packet_limit {
            Some(limit) => without_questions(builder, limit),
            None => builder,
        }
    };
    dial_adapted(connector, adapt, None).await
}

/// Opens a side connection to the same server and account. It has no database, because the database may be gone, and the
/// server gets no local files.
///
/// `first` is the address that is tried first, where the host name has several.
pub(super) async fn dial_side_connection(
    connector: &Connector,
    issued: Option<&Issued>,
    first: Option<IpAddr>,
) -> mysql_async::Result<Conn> {
    let adapt = |opts| {
        let builder = with_login(opts, issued).db_name(None::<String>);
        without_questions(builder, SIDE_PACKET_LIMIT)
    };
    let dialled = dial_adapted(connector, adapt, first).await?;
    Ok(dialled.conn)
}

/// The options, with what a provider said, if there is one.
fn with_login(opts: Opts, issued: Option<&Issued>) -> OptsBuilder {
    let builder = OptsBuilder::from_opts(opts);
    match issued.map(|issued| &issued.credentials) {
        Some(Credentials { user, password, .. }) => builder
            .user(Some(user))
            .pass(Some(password).filter(|password| !password.is_empty())),
        None => builder,
    }
}

/// The driver asks a new session for these two values if it does not know them.
fn without_questions(builder: OptsBuilder, packet_limit: usize) -> OptsBuilder {
    builder
        .max_allowed_packet(Some(packet_limit))
        // Only the driver's own pool uses this value.
        .wait_timeout(Some(0))
}

async fn dial_adapted(
    connector: &Connector,
    adapt: impl Fn(Opts) -> OptsBuilder,
    first: Option<IpAddr>,
) -> mysql_async::Result<Dialled> {
    let mut addresses = addresses(connector, first).await?;
    let mut conn = open(addresses.as_mut(), &adapt, first_choice(connector)).await;
    if let Err(error) = &conn
        && let Some((opts, has_other_name)) = second_choice(connector, error)
    {
        conn = open(addresses.as_mut(), &adapt, opts.clone()).await;
        #[cfg(feature = "rustls")]
        if has_other_name && conn.is_ok() {
            other_name::remember(connector, opts);
        }
        #[cfg(not(feature = "rustls"))]
        let _ = (opts, has_other_name);
    }
    Ok(Dialled {
        conn: conn?,
        reached: addresses.and_then(|addresses| addresses.reached()),
    })
}

async fn open(
    addresses: Option<&mut Addresses>,
    adapt: &impl Fn(Opts) -> OptsBuilder,
    opts: Opts,
) -> mysql_async::Result<Conn> {
    match addresses {
        None => Conn::new(adapt(opts)).await,
        Some(addresses) => {
            // The host name stays in the options: a certificate is verified for it.
            let attempt = |address: SocketAddr| {
                Conn::new(adapt(opts.clone()).resolved_ips(Some(vec![address.ip()])))
            };
            addresses.in_turn(attempt).await
        }
    }
}

/// The addresses of the host name, this one first; `None` where the options name one place only.
async fn addresses(
    connector: &Connector,
    first: Option<IpAddr>,
) -> mysql_async::Result<Option<Addresses>> {
    let options = connector.options();
    let host = options.host_name();
    if options.unix_socket.is_some() || host.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    let limit = options.connect_limit();
    let start = Instant::now();
    let mut each = resolve(host, options.port_number()).await?;
    each.sort_by_key(|address| Some(address.ip()) != first);
    let limit = limit.map(|limit| limit.saturating_sub(start.elapsed()));
    Ok(Some(Addresses::new(each, limit)))
}

/// The driver's options for a second attempt after this error, and whether they are for a certificate with another name.
fn second_choice(connector: &Connector, error: &Error) -> Option<(Opts, bool)> {
    if let Error::Driver(DriverError::NoClientSslFlagFromServer) = error {
        return Some((connector.resolved.without_tls.clone()?, false));
    }
    #[cfg(feature = "rustls")]
    return Some((other_name::opts(connector, error)?, true));
    #[cfg(not(feature = "rustls"))]
    None
}

fn first_choice(connector: &Connector) -> Opts {
    #[cfg(feature = "rustls")]
    if let Some(opts) = other_name::remembered(connector) {
        return opts;
    }
    connector.resolved.opts.clone()
}

/// Good certificates with another name than the server's, where the options accept any name (`VerifyCa`).
///
/// The driver means to accept such a certificate, but it recognises the error by a word that the text of this error of
/// rustls does not contain. So the server is connected to again under a name from its certificate; the certificate is then
/// verified like any other.
#[cfg(feature = "rustls")]
mod other_name {
    use std::sync::PoisonError;

    use mysql_async::{Error, IoError, Opts, OptsBuilder, TlsError};
    use rustls::CertificateError;

    use crate::SslMode;
    use crate::transport::connector::Connector;

    pub(super) fn remembered(connector: &Connector) -> Option<Opts> {
        let known = connector.other_name.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn remember(connector: &Connector, opts: Opts) {
        let known = connector.other_name.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        let old = known.replace(opts);
        drop(known);
        drop(old);
    }

    /// The driver's options for the next attempt after this error, if the error is about the name alone.
    pub(super) fn opts(connector: &Connector, error: &Error) -> Option<Opts> {
        if connector.options().ssl.mode() != SslMode::VerifyCa {
            return None;
        }
        let name = presented(tls_error(error)?)?;
        let ssl = connector.resolved.opts.ssl_opts()?.clone();
        let ssl = ssl.with_danger_tls_hostname_override(Some(name));
        let builder = OptsBuilder::from_opts(connector.resolved.opts.clone());
        Some(builder.ssl_opts(Some(ssl)).into())
    }

    fn tls_error(error: &Error) -> Option<&rustls::Error> {
        match error {
            Error::Io(IoError::Tls(TlsError::Tls(error))) => Some(error),
            Error::Io(IoError::Io(error)) => error.get_ref()?.downcast_ref(),
            _ => None,
        }
    }

    /// A name from the certificate. rustls lists them as `DnsName("db.example")` and `IpAddress(10.0.0.1)`, and it has
    /// verified everything else before it reports a wrong name.
    fn presented(error: &rustls::Error) -> Option<String> {
        let rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented,
            ..
        }) = error
        else {
            return None;
        };
        presented.iter().find_map(|name| {
            let dns = name
                .strip_prefix("DnsName(\"")
                .and_then(|name| name.strip_suffix("\")"))
                // Any label fits a wildcard.
                .map(|name| name.replacen('*', "any", 1));
            let address = || {
                Some(
                    name.strip_prefix("IpAddress(")?
                        .strip_suffix(')')?
                        .to_owned(),
                )
            };
            dns.or_else(address)
        })
    }

    #[cfg(test)]
    mod tests {
        use rustls::pki_types::ServerName;

        use super::*;

        fn name_of(presented_names: &[&str]) -> Option<String> {
            let context = CertificateError::NotValidForNameContext {
                expected: ServerName::try_from("localhost").unwrap(),
                presented: presented_names
                    .iter()
                    .map(|&name| name.to_owned())
                    .collect(),
            };
            presented(&rustls::Error::InvalidCertificate(context))
        }

        #[test]
        fn the_first_host_name_or_address_is_used() {
            let name = name_of(&["UniformResourceIdentifier(\"x\")", "DnsName(\"a.example\")"]);
            assert_eq!(name.as_deref(), Some("a.example"));
            assert_eq!(
                name_of(&["DnsName(\"*.example\")"]).as_deref(),
                Some("any.example")
            );
            assert_eq!(
                name_of(&["IpAddress(10.0.0.1)"]).as_deref(),
                Some("10.0.0.1")
            );
            assert_eq!(name_of(&[]), None);
        }

        #[test]
        fn an_expired_certificate_is_not_a_wrong_name() {
            let expired = rustls::Error::InvalidCertificate(CertificateError::Expired);
            assert_eq!(presented(&expired), None);
        }
    }
}
