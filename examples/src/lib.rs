//! The examples share this: it finds or starts their server.

#![forbid(unsafe_code)]

use std::error::Error;

use private_server::PrivateServer;

/// A server for an example: the one in `MYSQL_URL`, or a private one that is stopped when this value is dropped.
pub struct Server {
    url: String,
    _private: Option<PrivateServer>,
}

impl Server {
    /// Finds or starts a server.
    ///
    /// # Errors
    ///
    /// If there is no server and none can be started. The text says what to install.
    pub fn find() -> Result<Self, Box<dyn Error>> {
        if let Ok(url) = std::env::var("MYSQL_URL") {
            return Ok(Self {
                url,
                _private: None,
            });
        }
        let private = PrivateServer::start()?;
        Ok(Self {
            url: private.url(),
            _private: Some(private),
        })
    }

    /// The URL of the server: `mysql://user:password@host:port/db`.
    pub fn url(&self) -> &str {
        &self.url
    }
}
