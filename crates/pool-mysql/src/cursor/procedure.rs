//! Calls a stored procedure. Its arguments are stored in server variables first.

use mysql_async::Params;
use mysql_async::prelude::Queryable;

use crate::connection::Connection;
use crate::error::Error;
use crate::statement::quote;

impl Connection {
    /// Stores the arguments of a procedure in variables; returns the CALL statement that uses them.
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

/// The variable of an argument, with the name that aiomysql gives it.
fn variable(procedure: &str, number: usize) -> String {
    format!("@{}", quote::name(&format!("_{procedure}_{number}")))
}

/// The quoted name of a procedure, which may begin with the name of a database.
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
