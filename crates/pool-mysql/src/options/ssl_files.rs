//! The certificates and keys for TLS, read from their files.

use std::fs;
use std::path::Path;

use mysql_async::{ClientIdentity, SslOpts};
use pool_core::ConfigError;

use super::SslMode;
use super::ssl::Ssl;

/// The driver's options for TLS, with the contents of the files.
pub(super) fn ssl_opts(ssl: &Ssl) -> Result<SslOpts, ConfigError> {
    let mode = ssl.mode();
    let anybody = matches!(mode, SslMode::Preferred | SslMode::Required);
    let mut opts = SslOpts::default()
        .with_danger_accept_invalid_certs(anybody)
        .with_danger_skip_domain_validation(mode != SslMode::VerifyIdentity)
        .with_client_identity(identity(ssl)?);
    if let Some(path) = &ssl.ca {
        let bytes = read("ssl_ca", path)?;
        check_certificates("ssl_ca", path, &bytes)?;
        opts = opts
            .with_root_certs(vec![bytes.into()])
            .with_disable_built_in_roots(true);
    }
    Ok(opts)
}

#[cfg(feature = "rustls")]
fn identity(ssl: &Ssl) -> Result<Option<ClientIdentity>, ConfigError> {
    use rustls::pki_types::{PrivateKeyDer, pem::PemObject};

    let (Some(cert), Some(key)) = (&ssl.cert, &ssl.key) else {
        return Ok(None);
    };
    let chain = read("ssl_cert", cert)?;
    check_certificates("ssl_cert", cert, &chain)?;
    let bytes = read("ssl_key", key)?;
    if PrivateKeyDer::from_pem_slice(&bytes).is_err() {
        return Err(bad("ssl_key", key, "it holds no private key in PEM"));
    }
    Ok(Some(ClientIdentity::new(chain.into(), bytes.into())))
}

#[cfg(feature = "rustls")]
fn check_certificates(field: &'static str, path: &Path, bytes: &[u8]) -> Result<(), ConfigError> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};

    let mut number = 0;
    for certificate in CertificateDer::pem_slice_iter(bytes) {
        certificate.map_err(|error| bad(field, path, &format!("it is no good PEM ({error})")))?;
        number += 1;
    }
    match number {
        0 => Err(bad(field, path, "it holds no certificate in PEM")),
        _ => Ok(()),
    }
}

#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
fn identity(ssl: &Ssl) -> Result<Option<ClientIdentity>, ConfigError> {
    let Some(path) = &ssl.cert else {
        return Ok(None);
    };
    let mut identity = ClientIdentity::new(read("ssl_cert", path)?.into());
    if let Some(password) = &ssl.cert_password {
        identity = identity.with_password(password.clone());
    }
    Ok(Some(identity))
}

#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
fn check_certificates(field: &'static str, path: &Path, bytes: &[u8]) -> Result<(), ConfigError> {
    // The driver would accept a file without certificates, and would then refuse every server.
    const BEGINNING: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let holds_one = bytes
        .windows(BEGINNING.len())
        .any(|window| window == BEGINNING);
    match holds_one {
        true => Ok(()),
        false => Err(bad(field, path, "it holds no certificate in PEM")),
    }
}

fn read(field: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|error| bad(field, path, &format!("it cannot be read: {error}")))
}

fn bad(field: &'static str, path: &Path, what: &str) -> ConfigError {
    ConfigError::new(field, format!("{}: {what}", path.display()))
}
