//! The tables of the database, as the audit reads them.

use std::collections::BTreeMap;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, Error};

/// A row of `moves`.
#[derive(Clone, Debug)]
pub(super) struct MoveRow {
    pub(super) id: u64,
    pub(super) debtor: u64,
    pub(super) creditor: u64,
    pub(super) amount: i64,
}

/// A row of `history`: a change of an account, as the trigger has written it down.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) id: u64,
    pub(super) account: u64,
    pub(super) amount: i64,
    pub(super) session: u64,
    pub(super) at: String,
    /// The last move that has changed an account in this session since the session was reset.
    pub(super) last_in_session: Option<u64>,
}

/// What the audit compares with the journals.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) moves: Vec<MoveRow>,
    pub(super) balances: BTreeMap<u64, i64>,
    pub(super) history: Vec<Change>,
}

pub(super) async fn read(admin: &mut Connection) -> Result<Tables, Error> {
    let moves = admin
        .query_map(
            "SELECT id, debtor, creditor, amount FROM moves",
            |(id, debtor, creditor, amount)| MoveRow {
                id,
                debtor,
                creditor,
                amount,
            },
        )
        .await?;
    let balances: Vec<(u64, i64)> = admin.query("SELECT id, balance FROM accounts").await?;
    let history = admin
        .query_map(
            "SELECT move, account, amount, session, CAST(at AS CHAR), last_in_session FROM history",
            |(id, account, amount, session, at, last_in_session)| Change {
                id,
                account,
                amount,
                session,
                at,
                last_in_session,
            },
        )
        .await?;
    Ok(Tables {
        moves,
        balances: balances.into_iter().collect(),
        history,
    })
}
