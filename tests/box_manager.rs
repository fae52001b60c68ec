//! A manager that is chosen at run time: every method is forwarded, and the pool is the same.

use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::executor::block_on;
use pool_core::{
    AbortHandle, BoxError, BoxManager, CheckPolicy, ConfigError, Error, ErrorClass, Manager, Pool,
    PooledConnection, Verdict,
};
use support::{FakeConnection, FakeControl, FakeError, FakeManager, Stage, Step, Verb};

/// Answers nothing as the defaults do, so that a method that is not forwarded shows.
#[derive(Clone, Default)]
struct Peculiar {
    calls: Arc<Mutex<Vec<&'static str>>>,
    aborts: Arc<AtomicUsize>,
    echo: Arc<Mutex<Option<bool>>>,
}

impl Peculiar {
    fn note(&self, call: &'static str) {
        self.calls.lock().unwrap().push(call);
    }

    fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

#[derive(Debug, PartialEq)]
struct Oops(&'static str);

impl std::fmt::Display for Oops {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "oops: {}", self.0)
    }
}

impl std::error::Error for Oops {}

impl Manager for Peculiar {
    type Connection = u8;
    type Error = Oops;

    async fn connect(&self) -> Result<u8, Oops> {
        self.note("connect");
        Ok(7)
    }
    async fn check(&self, conn: &mut u8) -> Result<(), Oops> {
        self.note("check");
        *conn += 10;
        Err(Oops("check"))
    }
    async fn recycle(&self, conn: &mut u8) -> Result<(), Oops> {
        self.note("recycle");
        *conn += 100;
        Err(Oops("recycle"))
    }
    fn on_release(&self, conn: &mut u8) -> Verdict {
        self.note("on_release");
        *conn += 1;
        Verdict::Reuse
    }
    async fn close(&self, conn: u8) {
        self.note("close");
        assert_eq!(conn, 7);
    }
    fn abort_handle(&self, _: &u8) -> Option<AbortHandle> {
        self.note("abort_handle");
        let aborts = Arc::clone(&self.aborts);
        Some(AbortHandle::new(move || {
            aborts.fetch_add(1, Ordering::SeqCst);
        }))
    }
    fn was_unused(&self, _: &u8) -> bool {
        self.note("was_unused");
        true
    }
    fn idle_limit(&self, _: &u8) -> Option<Duration> {
        self.note("idle_limit");
        Some(Duration::from_secs(7))
    }
    fn classify(&self, error: &Oops) -> ErrorClass {
        self.note("classify");
        match error.0 {
            "recycle" => ErrorClass::ReadOnly,
            _ => ErrorClass::Fatal,
        }
    }
    fn validate(&self) -> Result<(), ConfigError> {
        self.note("validate");
        Err(ConfigError::new("peculiar", "is never valid"))
    }
    fn set_echo(&mut self, on: bool) {
        self.note("set_echo");
        *self.echo.lock().unwrap() = Some(on);
    }
}

#[test]
fn every_method_is_forwarded() {
    let peculiar = Peculiar::default();
    let mut boxed: BoxManager<u8> = BoxManager::new(peculiar.clone());
    let mut conn = block_on(boxed.connect()).unwrap();
    assert_eq!((conn, peculiar.calls()), (7, vec!["connect"]));

    let error = block_on(boxed.check(&mut conn)).unwrap_err();
    assert_eq!((conn, peculiar.calls()), (17, vec!["check"]));
    assert_eq!(boxed.classify(&error), ErrorClass::Fatal);
    assert_eq!(peculiar.calls(), ["classify"]);

    let error = block_on(boxed.recycle(&mut conn)).unwrap_err();
    assert_eq!((conn, peculiar.calls()), (117, vec!["recycle"]));
    assert_eq!(boxed.classify(&error), ErrorClass::ReadOnly);
    assert_eq!(peculiar.calls(), ["classify"]);

    assert_eq!(boxed.on_release(&mut conn), Verdict::Reuse);
    assert_eq!((conn, peculiar.calls()), (118, vec!["on_release"]));
    assert!(boxed.abort_handle(&conn).is_some());
    assert_eq!(peculiar.calls(), ["abort_handle"]);
    assert_eq!(boxed.idle_limit(&conn), Some(Duration::from_secs(7)));
    assert_eq!(peculiar.calls(), ["idle_limit"]);
    assert!(boxed.was_unused(&conn));
    assert_eq!(peculiar.calls(), ["was_unused"]);
    assert_eq!(boxed.validate().unwrap_err().field(), "peculiar");
    assert_eq!(peculiar.calls(), ["validate"]);
    boxed.set_echo(true);
    assert_eq!(*peculiar.echo.lock().unwrap(), Some(true));
    assert_eq!(peculiar.calls(), ["set_echo"]);
    block_on(boxed.close(7));
    assert_eq!(peculiar.calls(), ["close"]);
}

#[test]
fn a_box_in_a_box_forwards_too() {
    let peculiar = Peculiar::default();
    let boxed: BoxManager<u8> = BoxManager::new(BoxManager::new(peculiar.clone()));
    let mut conn = block_on(boxed.connect()).unwrap();
    assert_eq!(boxed.on_release(&mut conn), Verdict::Reuse);
    let error = block_on(boxed.recycle(&mut conn)).unwrap_err();
    assert_eq!(boxed.classify(&error), ErrorClass::ReadOnly);
    let calls = ["connect", "on_release", "recycle", "classify"];
    assert_eq!(peculiar.calls(), calls);
}

#[test]
fn an_error_that_is_not_the_managers_own_is_transient() {
    let boxed: BoxManager<u8> = BoxManager::new(Peculiar::default());
    let foreign = BoxError::new(std::fmt::Error);
    assert_eq!(boxed.classify(&foreign), ErrorClass::Transient);
}

fn boxed(stage: &Stage, maxsize: usize) -> (BoxManager<FakeConnection>, FakeControl) {
    let (manager, control) = stage.fake(maxsize);
    (BoxManager::new(manager), control)
}

#[test]
fn a_pool_of_a_boxed_manager_is_the_same_pool() {
    Stage::each(|stage| {
        let (manager, control) = boxed(stage, 2);
        control.give_abort_handles();
        let builder = stage.builder(manager).minsize(1).maxsize(2).echo(true);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool: Pool<BoxManager<FakeConnection>> = stage.run(builder.build()).unwrap();
        assert_eq!((pool.size(), control.echo()), (1, Some(true)));
        let mut conn = stage.run(pool.acquire()).unwrap();
        assert_eq!(control.checks(), 1);
        conn.begin();
        stage.run(PooledConnection::release(conn)).unwrap();
        assert_eq!((control.recycles(), control.calls(Verb::OnRelease)), (1, 1));
        let conn = stage.run(pool.acquire()).unwrap();
        assert!(!conn.in_transaction());
        let other = stage.run(pool.acquire()).unwrap();
        pool.release(other);
        pool.terminate();
        assert!(conn.marks().is_aborted());
        stage.run(pool.wait_closed()).unwrap();
        drop(conn);
        stage.settle();
        assert_eq!(control.live(), 0);
    });
}

#[test]
fn managers_of_different_kinds_make_pools_of_one_type() {
    let stage = Stage::spawning();
    struct Fixed;
    impl Manager for Fixed {
        type Connection = u8;
        type Error = std::convert::Infallible;
        async fn connect(&self) -> Result<u8, Self::Error> {
            Ok(3)
        }
        async fn check(&self, _: &mut u8) -> Result<(), Self::Error> {
            Ok(())
        }
        async fn recycle(&self, _: &mut u8) -> Result<(), Self::Error> {
            Ok(())
        }
    }
    struct Counting(AtomicUsize);
    impl Manager for Counting {
        type Connection = u8;
        type Error = Oops;
        async fn connect(&self) -> Result<u8, Oops> {
            Ok(self.0.fetch_add(1, Ordering::SeqCst) as u8)
        }
        async fn check(&self, _: &mut u8) -> Result<(), Oops> {
            Ok(())
        }
        async fn recycle(&self, _: &mut u8) -> Result<(), Oops> {
            Ok(())
        }
    }
    let managers = [
        BoxManager::new(Fixed),
        BoxManager::new(Counting(AtomicUsize::new(0))),
    ];
    let mut numbers = Vec::new();
    for manager in managers {
        let pool = stage.builder(manager).build_lazy().unwrap();
        let guards = [(); 2].map(|()| stage.run(pool.acquire()).unwrap());
        numbers.extend(guards.iter().map(|guard| **guard));
    }
    assert_eq!(numbers, [3, 3, 0, 1]);
}

#[test]
fn the_cause_survives_the_box() {
    Stage::each(|stage| {
        let (manager, control) = boxed(stage, 1);
        control.next(Verb::Connect, Step::Fail(ErrorClass::Auth));
        let pool = stage.builder(manager).minsize(0).build_lazy().unwrap();
        let error = stage.run(pool.acquire()).expect_err("it is scripted");
        let Error::Connect(boxed) = &error else {
            panic!("it must be Connect: {error:?}");
        };
        assert!(boxed.get_ref().is::<FakeError>());
        let source = error.source().expect("the box");
        let inner = source.source().expect("the manager's own error");
        assert!(matches!(
            inner.downcast_ref::<FakeError>(),
            Some(FakeError::Scripted {
                class: ErrorClass::Auth,
                ..
            })
        ));
    });
}

#[test]
fn a_refusal_of_the_boxed_manager_reaches_the_builder() {
    let own = ConfigError::new("host", "an empty host cannot be reached: name one");
    let manager = BoxManager::new(FakeManager::new().refusing(own.clone()));
    match Pool::builder(manager).build_lazy() {
        Err(Error::Config(error)) => assert_eq!(error, own),
        _ => panic!("it must be the manager's own error"),
    }
}
