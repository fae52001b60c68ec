//! Opens the driver's connection, with TLS as the options ask for it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, MutexGuard, PoisonError};

use mysql_async::{Conn, DriverError, Error, Opts, OptsBuilder};

use crate::transport::addresses::{in_turn, resolve};
use crate::transport::connector::Connector;
use crate::transport::infile::Infile;

/// The packet limit of a side connection, in bytes; it sends short statements only.
const SIDE_PACKET_LIMIT: usize = 1024 * 1024;

/// Opens a connection of the driver; `infile` answers its server's requests for local files.
///
/// `packet_limit` is the largest packet that the server takes, in bytes; with `None` the driver asks the server.
pub(crate) async fn dial(
    connector: &Connector,
    infile: &Arc<Infile>,
    packet_limit: Option<usize>,
) -> mysql_async::Result<Conn> {
    let adapt = |opts| {
        let builder = OptsBuilder::from_opts(opts).local_infile_handler(Some(infile.handler()));
        match packet_limit {
            Some(limit) => without_questions(builder, limit),
            None => builder,
        }
    };
    dial_adapted(connector, adapt, false).await
}

/// Opens a side connection to the same server and account. It has no database, because the database may be gone, and the
/// server gets no local files.
pub(super) async fn dial_side_connection(connector: &Connector) -> mysql_async::Result<Conn> {
    let adapt = |opts| {
        let builder = OptsBuilder::from_opts(opts).db_name(None::<String>);
        without_questions(builder, SIDE_PACKET_LIMIT)
    };
    dial_adapted(connector, adapt, true).await
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
    is_side: bool,
) -> mysql_async::Result<Conn> {
    let addresses = addresses(connector, is_side).await?;
    let open = async |opts: Opts| match &addresses {
        None => Conn::new(adapt(opts)).await,
        Some(addresses) => {
            let attempt = |address: SocketAddr| {
                // The host name stays: a certificate is verified for it.
                let opts = adapt(opts.clone()).resolved_ips(Some(vec![address.ip()]));
                async move { Ok((Conn::new(opts).await?, address)) }
            };
            let limit = connector.options().connect_limit();
            let (conn, address) = in_turn(addresses, limit, attempt).await?;
            *last_reached(connector) = Some(address.ip());
            Ok(conn)
        }
    };
    match open(first_choice(connector)).await {
        Err(Error::Driver(DriverError::NoClientSslFlagFromServer)) => {
            match &connector.resolved.without_tls {
                Some(opts) => open(opts.clone()).await,
                None => Err(DriverError::NoClientSslFlagFromServer.into()),
            }
        }
        #[cfg(feature = "rustls")]
        Err(error) => match other_name::opts(connector, &error) {
            Some(opts) => {
                let conn = open(opts.clone()).await?;
                other_name::remember(connector, opts);
                Ok(conn)
            }
            None => Err(error),
        },
        result => result,
    }
}

/// The addresses of the host name; `None` where the options name one place only.
async fn addresses(
    connector: &Connector,
    is_side: bool,
) -> mysql_async::Result<Option<Vec<SocketAddr>>> {
    let options = connector.options();
    let host = options.host_name();
    if options.unix_socket.is_some() || host.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    let mut addresses = resolve(host, options.port_number()).await?;
    if is_side {
        let last = *last_reached(connector);
        addresses.sort_by_key(|address| Some(address.ip()) != last);
    }
    Ok(Some(addresses))
}

fn last_reached(connector: &Connector) -> MutexGuard<'_, Option<IpAddr>> {
    let last = connector.last_reached.lock();
    last.unwrap_or_else(PoisonError::into_inner)
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
