//! Prepares statements with parameters.

use mysql_async::{Params, Statement};

use crate::connection::Connection;
use crate::connection::kept::prepare;
use crate::error::Error;
use crate::session::command::Purpose;

impl Connection {
    /// Prepares a statement for these parameters, or finds it among the statements that are already prepared.
    pub(super) async fn prepare_for(
        &mut self,
        query: &str,
        params: &Params,
    ) -> Result<Statement, Error> {
        match params {
            Params::Positional(values) => self.prepare_with(query, values.len()).await,
            // The driver checks that all names have a value before it sends anything.
            _ => Ok(self.prepare_unseen(query).await?),
        }
    }

    /// Prepares a statement and checks the number of its parameters: with a wrong number the driver would close the
    /// connection.
    pub(super) async fn prepare_with(
        &mut self,
        query: &str,
        given: usize,
    ) -> Result<Statement, Error> {
        let statement = self.prepare_unseen(query).await?;
        match usize::from(statement.num_params()) {
            expected if expected == given => Ok(statement),
            expected => Err(Error::ParameterCount { expected, given }),
        }
    }

    async fn prepare_unseen(&mut self, query: &str) -> mysql_async::Result<Statement> {
        let kept = self.kept.clone();
        let prepared = self.run(Purpose::Prepare.into(), |conn| {
            Box::pin(async move { prepare(conn, &kept, query).await })
        });
        prepared.await
    }
}
