//! A manager whose connections come back clean: a release is the fast case.

use std::convert::Infallible;

use pool_core::{Manager, Verdict};

/// Makes sevens.
pub struct Clean;

impl Manager for Clean {
    type Connection = u32;
    type Error = Infallible;

    async fn connect(&self) -> Result<u32, Infallible> {
        Ok(7)
    }
    async fn check(&self, _: &mut u32) -> Result<(), Infallible> {
        Ok(())
    }
    async fn recycle(&self, _: &mut u32) -> Result<(), Infallible> {
        unreachable!("it comes back clean")
    }
    fn on_release(&self, _: &mut u32) -> Verdict {
        Verdict::Reuse
    }
}
