//! The address of the server, in the options of each driver.

use std::path::{Path, PathBuf};

use pool_mysql::ConnectOptions;
use pool_mysql::mysql_async::{Opts, OptsBuilder};
use private_server::PrivateServer;

/// How the server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Unix,
}

impl Transport {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Unix => "a unix socket",
        }
    }

    /// Returns one of the two values, by the transport.
    pub(crate) fn pick<T>(self, tcp: T, unix: T) -> T {
        match self {
            Self::Tcp => tcp,
            Self::Unix => unix,
        }
    }
}

/// The address of a server.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) socket: Option<PathBuf>,
}

impl Target {
    pub(crate) fn tcp(server: &PrivateServer) -> Self {
        Self {
            host: server.host().to_owned(),
            port: server.port(),
            socket: None,
        }
    }

    pub(crate) fn unix(server: &PrivateServer) -> Self {
        Self {
            socket: Some(server.socket().to_owned()),
            ..Self::tcp(server)
        }
    }

    /// A server of which only the socket is known.
    pub(crate) fn socket(path: &Path) -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 3306,
            socket: Some(path.to_owned()),
        }
    }

    /// The options of mysql_async. It must not change from TCP to the socket by itself.
    pub(crate) fn driver(&self) -> OptsBuilder {
        let options = OptsBuilder::default()
            .ip_or_hostname(&self.host)
            .tcp_port(self.port)
            .user(Some("root"))
            .prefer_socket(false);
        match &self.socket {
            Some(path) => options.socket(Some(path.display().to_string())),
            None => options,
        }
    }

    pub(crate) fn opts(&self) -> Opts {
        self.driver().into()
    }

    pub(crate) fn ours(&self) -> ConnectOptions {
        let options = ConnectOptions::new()
            .host(&self.host)
            .port(self.port)
            .user("root");
        match &self.socket {
            Some(path) => options.unix_socket(path),
            None => options,
        }
    }
}
