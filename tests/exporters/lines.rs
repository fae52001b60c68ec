//! An error of several lines in the log.

use pool_core::{ErrorClass, Manager, Pool, TracingObserver};

use super::levels::log;

/// Its server answers with a text of several lines.
struct Wordy;

impl Manager for Wordy {
    type Connection = ();
    type Error = std::io::Error;

    async fn connect(&self) -> Result<(), std::io::Error> {
        let text = "no route\n  to host\r\n\n[2026-11-28] ERROR forged\n";
        Err(std::io::Error::other(text))
    }
    async fn check(&self, (): &mut ()) -> Result<(), std::io::Error> {
        Ok(())
    }
    async fn recycle(&self, (): &mut ()) -> Result<(), std::io::Error> {
        Ok(())
    }
    fn classify(&self, _: &std::io::Error) -> ErrorClass {
        ErrorClass::Auth
    }
}

#[test]
fn what_a_server_says_in_several_lines_is_one_line_of_the_log() {
    let log = log(|| {
        let pool = Pool::builder(Wordy).observer(TracingObserver::new());
        let pool = pool.minsize(0).build_lazy().unwrap();
        for _ in 0..2 {
            assert!(futures_lite::future::block_on(pool.acquire()).is_err());
        }
    });
    let mut told = 0;
    for line in log.events() {
        for text in line.fields.0.values() {
            assert!(!text.contains(['\n', '\r']), "{line:?}");
        }
        if let Some(error) = line.fields.0.get("error") {
            assert!(
                error.contains("no route to host [2026-11-28] ERROR forged"),
                "{error}"
            );
            told += 1;
        }
    }
    assert_eq!(told, 4, "the connect, the breaker, and two acquires");
}
