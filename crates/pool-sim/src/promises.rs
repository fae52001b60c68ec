//! What a verb that has gone well has promised.

use crate::calls::Record;

impl Record {
    /// An awaited release has returned: the connection is clean, unless somebody has used it since, or gone.
    pub(crate) fn is_released(&self, id: u64, uses: u64) {
        let mut page = self.page();
        let mark = page.connections.get(&id);
        if mark.is_some_and(|mark| mark.is_dirty && mark.uses == uses && !mark.is_off_books) {
            let text = format!("connection {id} is not clean, and its release has returned");
            page.violations.push(text);
        }
    }

    /// An awaited release says that the connection was discarded: `on_release` did not want it, or the pool was cleared
    /// meanwhile, or made smaller.
    pub(crate) fn is_discarded(&self, id: u64, before: (u64, u64)) {
        let mut page = self.page();
        // The pool may still be larger than maxsize, after an earlier resize.
        let retires = page.script.settings.retires() || page.replacements > 0;
        let is_wanted = !page.unwanted.contains(&id) && !retires;
        if is_wanted && page.discards() == before && before.1 == 0 {
            let text = format!("connection {id} was discarded without reason");
            page.violations.push(text);
        }
    }
}
