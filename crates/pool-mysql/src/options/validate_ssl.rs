//! Checks the options for TLS.

use pool_core::ConfigError;

use super::{ConnectOptions, SslMode};

impl ConnectOptions {
    /// Checks that the options for TLS fit each other, and the features that are compiled in.
    pub(super) fn check_ssl(&self) -> Result<(), ConfigError> {
        let ssl = &self.ssl;
        let mode = ssl.mode();
        let has_ca = ssl.ca.is_some();
        let has_cert = ssl.cert.is_some();
        let others = [
            ("ssl_cert", has_cert),
            ("ssl_key", ssl.key.is_some()),
            ("ssl_cert_password", ssl.cert_password.is_some()),
        ];
        if mode == SslMode::Disabled {
            let first = others.into_iter().find(|(_, is_there)| *is_there);
            if let Some((field, _)) = first.or(has_ca.then_some(("ssl_ca", true))) {
                return Err(bad(
                    field,
                    "without TLS it is of no use: say ssl_mode=required or more, or leave it out",
                ));
            }
            return Ok(());
        }
        if !cfg!(any(feature = "rustls", feature = "native-tls")) {
            return Err(bad(
                "ssl_mode",
                "this build has no TLS: enable the feature rustls or native-tls of pool-mysql, or say ssl_mode=disabled",
            ));
        }
        if self.unix_socket.is_some() && mode != SslMode::Preferred {
            return Err(bad(
                "ssl_mode",
                "the driver speaks no TLS over a unix socket, which never leaves the machine: leave it out, or use host and port",
            ));
        }
        if has_ca && matches!(mode, SslMode::Preferred | SslMode::Required) {
            return Err(bad(
                "ssl_ca",
                "this ssl_mode looks at no certificate: say ssl_mode=verify_identity or verify_ca, or leave it out",
            ));
        }
        if let Some((field, _)) = others[1..].iter().find(|(_, is_there)| *is_there)
            && !has_cert
        {
            return Err(bad(
                field,
                "it belongs to ssl_cert: give that too, or leave it out",
            ));
        }
        if cfg!(feature = "rustls") && ssl.cert_password.is_some() {
            return Err(bad(
                "ssl_cert_password",
                "rustls takes no archive: give the certificate in PEM as ssl_cert and its key as ssl_key",
            ));
        }
        if cfg!(feature = "rustls") && has_cert && ssl.key.is_none() {
            return Err(bad(
                "ssl_key",
                "the key of ssl_cert is missing: give its path",
            ));
        }
        if cfg!(feature = "native-tls") && ssl.key.is_some() {
            return Err(bad(
                "ssl_key",
                "native-tls takes one archive with certificate and key: make it with `openssl pkcs12 -export` and give its path as ssl_cert",
            ));
        }
        Ok(())
    }
}

fn bad(field: &'static str, message: &'static str) -> ConfigError {
    ConfigError::new(field, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_of(options: ConnectOptions) -> Option<String> {
        options.check_ssl().err().map(|e| e.field().to_owned())
    }

    #[test]
    fn a_ca_alone_means_verify_identity() {
        let options = ConnectOptions::new();
        let default = match cfg!(any(feature = "rustls", feature = "native-tls")) {
            true => SslMode::Preferred,
            false => SslMode::Disabled,
        };
        assert_eq!(options.ssl.mode(), default);
        assert_eq!(options.ssl_ca("ca").ssl.mode(), SslMode::VerifyIdentity);
    }

    #[test]
    fn an_option_without_effect_is_refused() {
        assert_eq!(field_of(ConnectOptions::new()), None);
        let new = || ConnectOptions::new().ssl_mode(SslMode::Disabled);
        for (options, field) in [
            (new().ssl_cert("c"), "ssl_cert"),
            (new().ssl_key("k"), "ssl_key"),
            (new().ssl_cert_password("p"), "ssl_cert_password"),
            (new().ssl_ca("c"), "ssl_ca"),
        ] {
            assert_eq!(field_of(options).as_deref(), Some(field));
        }
    }

    #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
    #[test]
    fn tls_needs_a_feature() {
        for mode in [SslMode::Preferred, SslMode::Required, SslMode::VerifyCa] {
            let error = ConnectOptions::new().ssl_mode(mode).validate().unwrap_err();
            assert_eq!(error.field(), "ssl_mode");
            assert!(error.message().contains("enable the feature"), "{error}");
        }
        assert_eq!(
            field_of(ConnectOptions::new().ssl_ca("c")).as_deref(),
            Some("ssl_mode")
        );
    }

    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    #[test]
    fn options_that_fit_are_accepted_and_others_are_named() {
        let with = |mode| ConnectOptions::new().ssl_mode(mode);
        assert_eq!(field_of(with(SslMode::VerifyCa).ssl_ca("c")), None);
        let socket = with(SslMode::Preferred).unix_socket("/s");
        assert_eq!(field_of(socket), None);
        for (options, field) in [
            (with(SslMode::Required).unix_socket("/s"), "ssl_mode"),
            (with(SslMode::Required).ssl_ca("c"), "ssl_ca"),
            (with(SslMode::Required).ssl_key("k"), "ssl_key"),
        ] {
            assert_eq!(field_of(options).as_deref(), Some(field));
        }
    }

    #[cfg(feature = "rustls")]
    #[test]
    fn rustls_takes_a_certificate_with_its_key() {
        let with = || {
            ConnectOptions::new()
                .ssl_mode(SslMode::Required)
                .ssl_cert("c")
        };
        assert_eq!(field_of(with()).as_deref(), Some("ssl_key"));
        assert_eq!(field_of(with().ssl_key("k")), None);
        let archive = with().ssl_cert_password("p");
        assert_eq!(field_of(archive).as_deref(), Some("ssl_cert_password"));
    }

    #[cfg(feature = "native-tls")]
    #[test]
    fn native_tls_takes_an_archive() {
        let with = || {
            ConnectOptions::new()
                .ssl_mode(SslMode::Required)
                .ssl_cert("c")
        };
        assert_eq!(field_of(with().ssl_cert_password("p")), None);
        assert_eq!(field_of(with().ssl_key("k")).as_deref(), Some("ssl_key"));
    }
}
