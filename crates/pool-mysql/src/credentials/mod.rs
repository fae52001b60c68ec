//! Users and passwords that change while the program runs.

mod call;
mod login;
mod provided;
mod source;

pub use self::login::{Credentials, CredentialsProvider};
pub(crate) use self::provided::Provided;
pub(crate) use self::source::{CredentialsSource, Issued};
