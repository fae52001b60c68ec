//! Calling a stored procedure, whose arguments lie in server variables.

use mysql_async::Params;
use mysql_async::prelude::Queryable;

use crate::connection::Connection;
use crate::error::Error;
use crate::statement::quote;

impl Connection {
    /// Puts a procedure's arguments into variables; returns the text that calls it with them.
    pub(super) async fn arguments(
        &mut self,
        procedure: &str,
        params: Params,
    ) -> Result<String, Error> {
        let values = match params {
            Params::Empty => Vec::new(),
            Params::Positional(values) => values,
            Params::Named(_) => return Err(Error::NamedParameters),
        };
        let variables: Vec<String> = (0..values.len())
            .map(|number| variable(procedure, number))
            .collect();
        if !values.is_empty() {
            let set = format!("SET {} = ?", variables.join(" = ?, "));
            let given = values.len();
            let statement = self.prepare_with(&set, given).await?;
            let command = self.statement(set.as_bytes(), Some(given));
            self.run(command, |conn| conn.exec_drop(statement, values))
                .await?;
        }
        Ok(format!(
            "CALL {}({})",
            quoted(procedure),
            variables.join(", ")
        ))
    }
}

/// The name that aiomysql gives the variable of an argument.
fn variable(procedure: &str, number: usize) -> String {
    format!("@{}", quote::name(&format!("_{procedure}_{number}")))
}

/// A procedure's name, which may begin with that of a database.
fn quoted(procedure: &str) -> String {
    let parts: Vec<String> = procedure.split('.').map(quote::name).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name() {
        assert_eq!(quoted("myinc"), "`myinc`");
        assert_eq!(quoted("shop.myinc"), "`shop`.`myinc`");
        assert_eq!(quoted("p(); DROP TABLE t; `"), "`p(); DROP TABLE t; ```");
        assert_eq!(variable("shop.myinc", 3), "@`_shop.myinc_3`");
    }
}
