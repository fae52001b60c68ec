//! What the examples share: where their server is.

#![forbid(unsafe_code)]

use std::error::Error;

use private_server::PrivateServer;

/// A server for an example: the one in `MYSQL_URL`, else a private one that ends with this value.
pub struct Server {
    url: String,
    _private: Option<PrivateServer>,
}

impl Server {
    /// Finds or starts a server.
    ///
    /// # Errors
    ///
    /// Where neither is possible; the text says what to install.
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

    /// How to reach it, as `mysql://user:password@host:port/db`.
    pub fn url(&self) -> &str {
        &self.url
    }
}
