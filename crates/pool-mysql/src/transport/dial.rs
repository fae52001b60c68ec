//! Opening the driver's connection, with TLS as it was asked for.

use std::sync::Arc;

use mysql_async::{Conn, DriverError, Error, Opts, OptsBuilder};

use crate::options::Blueprint;
use crate::transport::infile::Infile;

/// Opens a connection of the driver's, whose requests for local files `infile` answers, to a server that takes packets up to
/// so many bytes; `None`: the driver asks it.
pub(crate) async fn dial(
    blueprint: &Blueprint,
    infile: &Arc<Infile>,
    packet_limit: Option<usize>,
) -> mysql_async::Result<Conn> {
    let open = |opts| open(opts, infile, packet_limit);
    match open(first_choice(blueprint)).await {
        Err(Error::Driver(DriverError::NoClientSslFlagFromServer)) => {
            match &blueprint.without_tls {
                Some(opts) => open(opts.clone()).await,
                None => Err(DriverError::NoClientSslFlagFromServer.into()),
            }
        }
        #[cfg(feature = "rustls")]
        Err(error) => match other_name::opts(blueprint, &error) {
            Some(opts) => {
                let conn = open(opts.clone()).await?;
                other_name::remember(blueprint, opts);
                Ok(conn)
            }
            None => Err(error),
        },
        result => result,
    }
}

async fn open(
    opts: Opts,
    infile: &Arc<Infile>,
    packet_limit: Option<usize>,
) -> mysql_async::Result<Conn> {
    let handler = infile.handler();
    let mut opts = OptsBuilder::from_opts(opts).local_infile_handler(Some(handler));
    if packet_limit.is_some() {
        opts = opts
            .max_allowed_packet(packet_limit)
            // Only the driver's own pool needs this; where it is not told it asks the server.
            .wait_timeout(Some(0));
    }
    Conn::new(opts).await
}

fn first_choice(blueprint: &Blueprint) -> Opts {
    #[cfg(feature = "rustls")]
    if let Some(opts) = other_name::remembered(blueprint) {
        return opts;
    }
    blueprint.opts.clone()
}

/// Certificates that are good, for another name than the server's, where any name will do.
///
/// The driver means to let them pass, but it looks for a word in the text of rustls's error that this one has not. So the
/// server is called again by a name that its certificate gives; the certificate is verified then like any other.
#[cfg(feature = "rustls")]
mod other_name {
    use std::sync::PoisonError;

    use mysql_async::{Error, IoError, Opts, OptsBuilder, TlsError};
    use rustls::CertificateError;

    use crate::SslMode;
    use crate::options::Blueprint;

    pub(super) fn remembered(blueprint: &Blueprint) -> Option<Opts> {
        let known = blueprint.other_name.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn remember(blueprint: &Blueprint, opts: Opts) {
        let known = blueprint.other_name.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = Some(opts);
    }

    /// The driver's options by which the server can be called after this error, if it is about the name alone.
    pub(super) fn opts(blueprint: &Blueprint, error: &Error) -> Option<Opts> {
        if blueprint.options.ssl.mode() != SslMode::VerifyCa {
            return None;
        }
        let name = presented(tls_error(error)?)?;
        let ssl = blueprint.opts.ssl_opts()?.clone();
        let ssl = ssl.with_danger_tls_hostname_override(Some(name));
        let builder = OptsBuilder::from_opts(blueprint.opts.clone());
        Some(builder.ssl_opts(Some(ssl)).into())
    }

    fn tls_error(error: &Error) -> Option<&rustls::Error> {
        match error {
            Error::Io(IoError::Tls(TlsError::Tls(error))) => Some(error),
            Error::Io(IoError::Io(error)) => error.get_ref()?.downcast_ref(),
            _ => None,
        }
    }

    /// A name that the certificate gives; rustls lists them as `DnsName("db.example")` and `IpAddress(10.0.0.1)`, and has
    /// verified all else when it complains about the name.
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
                // A wildcard stands for any one label.
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
        fn the_first_name_that_can_be_called_is_taken() {
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
        fn another_fault_of_a_certificate_is_none_of_the_name() {
            let expired = rustls::Error::InvalidCertificate(CertificateError::Expired);
            assert_eq!(presented(&expired), None);
        }
    }
}
