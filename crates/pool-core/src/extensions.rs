//! Values that live with a connection, one of each type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;

type Values = HashMap<TypeId, Box<dyn Any + Send + Sync>>;

/// Values that live with a connection, one of each type; see
/// [`PooledConnection::extensions`](crate::PooledConnection::extensions). The `http` crate has a type of this name that
/// works alike.
///
/// # Examples
///
/// ```
/// use pool_core::Extensions;
///
/// let mut extensions = Extensions::default();
/// assert_eq!(extensions.insert(3_u32), None);
/// assert_eq!(extensions.insert(4_u32), Some(3));
/// *extensions.get_mut::<u32>().unwrap() += 1;
/// assert_eq!(extensions.get::<u32>(), Some(&5));
/// assert_eq!(extensions.remove::<u32>(), Some(5));
/// assert!(extensions.is_empty());
/// ```
#[derive(Default)]
pub struct Extensions {
    /// Boxed, because most connections have none.
    values: Option<Box<Values>>,
}

impl Extensions {
    /// Stores a value. The one of this type that was there comes out.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) -> Option<T> {
        let values = self.values.get_or_insert_default();
        values
            .insert(TypeId::of::<T>(), Box::new(value))
            .and_then(unbox)
    }

    /// The value of this type.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        let value = self.values.as_ref()?.get(&TypeId::of::<T>())?;
        value.downcast_ref()
    }

    /// The value of this type, to be changed.
    pub fn get_mut<T: 'static>(&mut self) -> Option<&mut T> {
        let value = self.values.as_mut()?.get_mut(&TypeId::of::<T>())?;
        value.downcast_mut()
    }

    /// Takes out the value of this type.
    pub fn remove<T: 'static>(&mut self) -> Option<T> {
        let value = self.values.as_mut()?.remove(&TypeId::of::<T>())?;
        unbox(value)
    }

    /// Drops all values.
    pub fn clear(&mut self) {
        self.values = None;
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.values.as_ref().is_none_or(|values| values.is_empty())
    }
}

fn unbox<T: 'static>(value: Box<dyn Any + Send + Sync>) -> Option<T> {
    value.downcast().ok().map(|value| *value)
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values need not be Debug.
        let values = self.values.as_ref().map_or(0, |values| values.len());
        f.debug_struct("Extensions")
            .field("values", &values)
            .finish()
    }
}
