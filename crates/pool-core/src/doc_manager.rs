//! The smallest manager there is, for the examples in the documentation.

use std::convert::Infallible;

use crate::Manager;

/// Connections that are the number seven.
#[derive(Debug)]
pub struct Numbers;

impl Manager for Numbers {
    type Connection = u32;
    type Error = Infallible;

    async fn connect(&self) -> Result<u32, Infallible> {
        Ok(7)
    }
    async fn check(&self, _: &mut u32) -> Result<(), Infallible> {
        Ok(())
    }
    async fn recycle(&self, _: &mut u32) -> Result<(), Infallible> {
        Ok(())
    }
}
