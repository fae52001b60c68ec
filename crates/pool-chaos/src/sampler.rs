//! Looks at the server's sessions while the round goes on.
//!
//! Counted is what the pool holds open: a session of the pool's user whose connection neither side has begun to close. The
//! proxy knows that; the server may not have noticed yet that its client has gone. Not counted are sessions of connections that a fault has cut, since the pool
//! may have replaced them, and of connections whose bytes a fault holds back, because the proxy does not hear of their
//! end in time. One session more than `maxsize` is allowed: the side connection that sends KILL. It is too
//! many when two looks in succession see the same excess, so that a close which is on its way is not taken for one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pool_chaos::proxy::Proxy;
use pool_mysql::{Connection, Error};

use crate::bank;
use crate::pool_place::MAXSIZE;
use crate::tally::Tally;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(150);

/// Looks until the round is over. The server may be down at times.
pub(crate) async fn run(port: u16, proxy: Arc<Proxy>, tally: Arc<Tally>) {
    let mut before = BTreeSet::new();
    let mut admin = None;
    while !tally.is_over() {
        tokio::time::sleep(PAUSE).await;
        let look = look(&mut admin, port, &proxy);
        let Ok(Ok(now)) = tokio::time::timeout(Duration::from_secs(2), look).await else {
            admin = None;
            continue;
        };
        let both = before.intersection(&now).count();
        tally.note(|sum| {
            sum.samples += 1;
            sum.most_sessions = sum.most_sessions.max(both);
        });
        if both > MAXSIZE + 1 {
            tally.violation(format!(
                "the pool has {both} sessions, and maxsize is {MAXSIZE}"
            ));
        }
        before = now;
    }
}

async fn look(
    admin: &mut Option<Connection>,
    port: u16,
    proxy: &Proxy,
) -> Result<BTreeSet<u64>, Error> {
    let conn = match admin {
        Some(conn) => conn,
        None => admin.insert(bank::admin(port).await?),
    };
    let sessions = bank::sessions(conn).await?;
    let links = proxy.links();
    let open = links.iter().filter(|link| !link.is_slow());
    let ports: BTreeSet<u16> = open.map(|link| link.server_side_port()).collect();
    let of_pool = sessions.iter().filter(|(_, port)| ports.contains(port));
    Ok(of_pool.map(|(id, _)| *id).collect())
}
