//! The prepared statements that the driver keeps for a connection, and what happens where the server has no room for one
//! more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mysql_async::prelude::{AsQuery, Queryable};
use mysql_async::{Conn, Error, Statement};

use crate::statement::sql::Sql;

/// The server keeps `max_prepared_stmt_count` statements for all sessions, and has that many.
const TOO_MANY_STATEMENTS: u16 = 1461;

/// How many statements are remembered at most. The driver forgets the oldest of its own by itself.
const MOST: usize = 1024;

/// The statements that were prepared for texts. The driver keeps them, and does not tell which.
///
/// Clones are the same list.
#[derive(Clone, Default)]
pub(crate) struct KeptStatements(Arc<Mutex<List>>);

#[derive(Default)]
struct List {
    kept: Vec<Statement>,
    /// The largest number of a statement so far. The numbers of a session only grow.
    newest: u32,
    /// Those that a user has prepared himself, and may still want to execute.
    of_user: Vec<u32>,
}

impl KeptStatements {
    /// A statement was prepared for a text, or found among those that are.
    fn note(&self, statement: &Statement) {
        let mut list = self.list();
        if statement.id() > list.newest {
            list.newest = statement.id();
            if list.kept.len() == MOST {
                list.kept.remove(0);
            }
            list.kept.push(statement.clone());
        }
    }

    /// A user has prepared this statement.
    pub(crate) fn belongs_to_user(&self, id: u32) {
        let mut list = self.list();
        list.kept.retain(|statement| statement.id() != id);
        if !list.of_user.contains(&id) && list.of_user.len() < MOST {
            list.of_user.push(id);
        }
    }

    /// The user has closed it.
    pub(crate) fn closed(&self, id: u32) {
        let mut list = self.list();
        list.kept.retain(|statement| statement.id() != id);
        list.of_user.retain(|of_user| *of_user != id);
    }

    /// The server has dropped all statements of the session.
    pub(crate) fn clear(&self) {
        *self.list() = List::default();
    }

    fn take(&self) -> Vec<Statement> {
        let mut list = self.list();
        let List { kept, of_user, .. } = &mut *list;
        kept.retain(|statement| !of_user.contains(&statement.id()));
        std::mem::take(kept)
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prepares a statement, or finds it among those that the driver keeps. Where the server has no room for one more, those
/// that the driver keeps for this connection are closed, and it is tried once more.
pub(crate) async fn prepare(
    conn: &mut Conn,
    kept: &KeptStatements,
    text: impl AsQuery,
) -> mysql_async::Result<Statement> {
    let text = text.as_query();
    let prepared = match conn.prep(&*text).await {
        Err(Error::Server(error)) if error.code == TOO_MANY_STATEMENTS => {
            let closable = kept.take();
            if closable.is_empty() {
                return Err(Error::Server(error));
            }
            for statement in closable {
                conn.close(statement).await?;
            }
            conn.prep(&*text).await
        }
        prepared => prepared,
    };
    if let Ok(statement) = &prepared {
        kept.note(statement);
    }
    prepared
}

/// A statement for a text; `None` for one that is prepared already.
pub(crate) async fn prepare_text(
    conn: &mut Conn,
    kept: &KeptStatements,
    statement: &impl Sql,
) -> mysql_async::Result<Option<Statement>> {
    match statement.text() {
        Some(text) => prepare(conn, kept, text).await.map(Some),
        None => Ok(None),
    }
}

/// A statement whose text the driver does not show: it is prepared by the driver, if that is to be done.
pub(crate) async fn leave_to_driver<S: Sync>(
    _: &mut Conn,
    _: &KeptStatements,
    _: &S,
) -> mysql_async::Result<Option<Statement>> {
    Ok(None)
}
