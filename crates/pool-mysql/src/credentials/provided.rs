//! The provider as an option of connections.

use std::sync::Arc;

use crate::credentials::login::CredentialsProvider;
use crate::credentials::source::CredentialsSource;

/// The provider of the options, which all clones of them share. Two are equal if they are the same.
#[derive(Clone)]
pub(crate) struct Provided(Arc<CredentialsSource>);

impl Provided {
    pub(crate) fn new(provider: impl CredentialsProvider) -> Self {
        Self(Arc::new(CredentialsSource::new(provider)))
    }

    pub(crate) fn source(&self) -> &Arc<CredentialsSource> {
        &self.0
    }
}

impl PartialEq for Provided {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Provided {}
