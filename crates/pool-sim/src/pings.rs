//! Looks at what came out of a ping: it takes its turn as an acquire does, and its error has a reason.

use pool_core::{Error, Phase, Priority};

use crate::simulated::{SimError, Simulated};
use crate::world::{Acquiring, Done, World};

impl<M: Simulated> World<M> {
    /// Starts one.
    pub(crate) fn start_ping(&mut self) -> bool {
        let Some(pool) = self.handles.last().cloned() else {
            return false;
        };
        let acquiring = Acquiring {
            is_of_ping: true,
            ..self.acquiring(None, Priority::Normal)
        };
        let ping = async move { Done::Pinged(pool.ping().await) };
        self.push(Box::pin(ping), Some(acquiring));
        true
    }

    /// A ping has returned.
    pub(crate) fn pinged(
        &mut self,
        result: Result<(), SimError<M>>,
        acquiring: &Acquiring,
    ) -> Result<(), String> {
        let Err(error) = result else {
            return match acquiring.came_too_late {
                true => Err("a ping that began after the close was answered".into()),
                false => {
                    self.coverage.pings += 1;
                    Ok(())
                }
            };
        };
        match &error {
            // A broken connection fails, too.
            Error::Check(own) if M::is_scripted(own) => {
                self.coverage.errors += 1;
                Ok(())
            }
            Error::Check(own) => Err(format!("a ping says: {own}")),
            Error::Timeout { phase, after, .. }
                if self.has_timed_out(Phase::Check, *phase, *after) =>
            {
                self.failed(&error)
            }
            _ => {
                self.acquire_failed(&error, acquiring)?;
                self.failed(&error)
            }
        }
    }
}
