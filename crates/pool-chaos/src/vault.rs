//! The user and the password of the pool, which change in the course of a round.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, Credentials, Error};

use crate::bank::POOL_USERS;

/// What the pool's provider of credentials answers.
#[derive(Debug)]
pub(crate) struct Vault {
    /// Which of the users it is, and the number of its password.
    now: Mutex<(usize, u32)>,
}

fn password(number: u32) -> String {
    format!("password {number}")
}

impl Vault {
    /// Creates the first user.
    pub(crate) async fn open(admin: &mut Connection) -> Result<Arc<Self>, Error> {
        create_user(admin, POOL_USERS[0], 0).await?;
        let now = Mutex::new((0, 0));
        Ok(Arc::new(Self { now }))
    }

    fn now(&self) -> (usize, u32) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider of a pool.
    pub(crate) fn provider(
        self: &Arc<Self>,
    ) -> impl Fn() -> std::future::Ready<io::Result<Credentials>> + Send + Sync + 'static {
        let vault = Arc::clone(self);
        move || {
            let (user, number) = vault.now();
            std::future::ready(Ok(Credentials::new(POOL_USERS[user], password(number))))
        }
    }

    /// Creates the other user with a new password, and drops the one of before. Returns that one.
    pub(crate) async fn rotate(&self, admin: &mut Connection) -> Result<&'static str, Error> {
        let (old, number) = self.now();
        let new = (old + 1) % POOL_USERS.len();
        create_user(admin, POOL_USERS[new], number + 1).await?;
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = (new, number + 1);
        let old = POOL_USERS[old];
        admin.query_drop(format!("DROP USER {old}@'%'")).await?;
        Ok(old)
    }
}

async fn create_user(admin: &mut Connection, user: &str, number: u32) -> Result<(), Error> {
    let password = password(number);
    let create = format!("CREATE OR REPLACE USER {user}@'%' IDENTIFIED BY '{password}'");
    admin.query_drop(create).await?;
    let grant = format!("GRANT ALL ON test.* TO {user}@'%'");
    Ok(admin.query_drop(grant).await?)
}
