//! Misuse that must not compile.
//!
//! Each entry is two programs that differ in their last lines only. The first compiles, so the second fails for what is
//! written there, and not for a missing import. The number of the error is compared by a nightly rustdoc:
//! `cargo +nightly test -p support --doc misuse`.

macro_rules! misuse {
    ($($name:ident: $code:literal, $begin:expr, $good:literal, $bad:literal;)*) => {
        $(
            #[doc = concat!("```no_run\n", $begin, $good, "\n}\n```\n\n")]
            #[doc = concat!("```compile_fail,", $code, "\n", $begin, $bad, "\n}\n```")]
            struct $name;
        )*
    };
}

/// A guard of a pool.
macro_rules! guard {
    () => {
        "use pool_core::{Manager, Pool, PooledConnection};
use support::{FakeConnection, FakeManager};
type Guard = PooledConnection<FakeManager>;
fn uses(_: &FakeConnection) {}
fn cloned<T: Clone>(_: &T) {}
async fn program(pool: Pool<FakeManager>, mut conn: Guard) {
"
    };
}

/// A manager, up to its last item.
macro_rules! manager {
    ($connection:literal) => {
        concat!(
            "use std::{cell::Cell, convert::Infallible, rc::Rc};
use pool_core::{Manager, Pool, PooledConnection};
fn shared<T: Sync>() {}
struct Numbers;
impl Manager for Numbers {
    type Error = Infallible;
    async fn connect(&self) -> Result<Self::Connection, Infallible> { Ok(Default::default()) }
    async fn check(&self, _: &mut Self::Connection) -> Result<(), Infallible> { Ok(()) }
    ",
            $connection
        )
    };
}

/// A connection to MySQL.
macro_rules! mysql {
    () => {
        "use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, Error, PooledConnection, connect};
fn cloned<T: Clone>(_: &T) {}
async fn program(options: ConnectOptions, mut conn: PooledConnection) -> Result<(), Error> {
"
    };
}

misuse! {
    AGuardIsReleasedTwice: "E0382", guard!(),
        "PooledConnection::release(conn).await.unwrap();",
        "PooledConnection::release(conn).await.unwrap(); PooledConnection::release(conn).await.unwrap();";
    AGuardIsUsedAfterItsRelease: "E0382", guard!(),
        "uses(&conn); pool.release(conn);",
        "pool.release(conn); uses(&conn);";
    AGuardIsUsedAfterItsDrop: "E0382", guard!(),
        "uses(&conn); drop(conn);",
        "drop(conn); uses(&conn);";
    AGuardIsDiscardedAndReleased: "E0382", guard!(),
        "PooledConnection::discard(conn);",
        "PooledConnection::discard(conn); pool.release(conn);";
    AReferenceOutlivesTheRelease: "E0505", guard!(),
        "let inner: &FakeConnection = &conn; uses(inner); pool.release(conn);",
        "let inner: &FakeConnection = &conn; pool.release(conn); uses(inner);";
    AReferenceOutlivesTheDetach: "E0505", guard!(),
        "let inner: &FakeConnection = &conn; uses(inner); let _owned = PooledConnection::detach(conn);",
        "let inner: &FakeConnection = &conn; let _owned = PooledConnection::detach(conn); uses(inner);";
    AReferenceOutlivesTheGuard: "E0597", guard!(),
        "let inner: &FakeConnection = &conn; uses(inner);",
        "let inner: &FakeConnection = { let conn = pool.acquire().await.unwrap(); &*conn }; uses(inner);";
    TwoUsersHaveOneConnection: "E0499", guard!(),
        "let one: &mut FakeConnection = &mut conn; uses(one); let two: &mut FakeConnection = &mut conn; uses(two);",
        "let one: &mut FakeConnection = &mut conn; let two: &mut FakeConnection = &mut conn; uses(one); uses(two);";
    AGuardIsCloned: "E0277", guard!(),
        "cloned(&pool);",
        "cloned(&conn);";
    AManagerHasNoRecycle: "E0046", manager!("type Connection = u32;"),
        "async fn recycle(&self, _: &mut Self::Connection) -> Result<(), Infallible> { Ok(()) }",
        "";
    AConnectionCannotBeSent: "E0277", manager!(
        "async fn recycle(&self, _: &mut Self::Connection) -> Result<(), Infallible> { Ok(()) }\n"),
        "type Connection = Cell<u32>;",
        "type Connection = Rc<u32>;";
    AGuardIsSharedThoughItsConnectionCannotBe: "E0277", manager!(
        "async fn recycle(&self, _: &mut Self::Connection) -> Result<(), Infallible> { Ok(()) }
    type Connection = Cell<u32>;
}
fn program() {\n"),
        "shared::<Pool<Numbers>>();",
        "shared::<PooledConnection<Numbers>>();";
    TwoCursorsAreUsedAtOnce: "E0499", mysql!(),
        "let mut one = conn.cursor(); one.execute(\"SELECT 1\", ()).await?;
let mut two = conn.cursor(); two.execute(\"SELECT 2\", ()).await?; Ok(())",
        "let mut one = conn.cursor(); one.execute(\"SELECT 1\", ()).await?;
let mut two = conn.cursor(); two.execute(\"SELECT 2\", ()).await?;
one.execute(\"SELECT 3\", ()).await?; Ok(())";
    ACursorOutlivesItsConnection: "E0597", mysql!(),
        "let mut own = connect(options).await?; let mut cur = own.cursor(); cur.execute(\"SELECT 1\", ()).await?; Ok(())",
        "let mut cur = { let mut own = connect(options).await?; own.cursor() }; cur.execute(\"SELECT 1\", ()).await?; Ok(())";
    AConnectionIsReleasedUnderItsCursor: "E0505", mysql!(),
        "let mut cur = conn.ss_cursor(); cur.execute(\"SELECT 1\", ()).await?; cur.close().await?; drop(conn); Ok(())",
        "let mut cur = conn.ss_cursor(); cur.execute(\"SELECT 1\", ()).await?; drop(conn); cur.close().await?; Ok(())";
    AConnectionIsUsedInsteadOfItsTransaction: "E0499", mysql!(),
        "let tx = conn.start_transaction(<_>::default()).await?; tx.commit().await?; conn.ping().await?; Ok(())",
        "let tx = conn.start_transaction(<_>::default()).await?; conn.ping().await?; tx.commit().await?; Ok(())";
    AConnectionIsReleasedUnderItsTransaction: "E0505", mysql!(),
        "let tx = conn.start_transaction(<_>::default()).await?; tx.commit().await?; drop(conn); Ok(())",
        "let tx = conn.start_transaction(<_>::default()).await?; drop(conn); tx.commit().await?; Ok(())";
    ATransactionIsEndedTwice: "E0382", mysql!(),
        "let tx = conn.start_transaction(<_>::default()).await?; tx.commit().await?; Ok(())",
        "let tx = conn.start_transaction(<_>::default()).await?; tx.commit().await?; tx.rollback().await?; Ok(())";
    AConnectionIsUsedBeforeItsRowsAreRead: "E0499", mysql!(),
        "let mut rows = conn.query_iter(\"SELECT 1\").await?; rows.next().await?; conn.ping().await?; Ok(())",
        "let mut rows = conn.query_iter(\"SELECT 1\").await?; conn.ping().await?; rows.next().await?; Ok(())";
    AConnectionIsCloned: "E0277", mysql!(),
        "cloned(&options); Ok(())",
        "cloned(&*conn); Ok(())";
}
