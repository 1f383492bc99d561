//! What a server is given besides its objects.

use super::Manager;
use crate::Error;
use crate::network::{Address, Key};

/// A [`Manager`] before it is started: its name, and where it listens.
///
/// ```
/// use multiprocessing::{Error, Key, Manager};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let builder = Manager::builder().name("Scores").listen("127.0.0.1:0", Key::random()?);
///     let manager = builder.start()?;
///     assert!(manager.address().is_some());
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "a builder starts nothing before `start`"]
pub struct ManagerBuilder {
    pub(super) name: String,
    pub(super) listen: Option<(Address, Key)>,
}

impl Default for ManagerBuilder {
    fn default() -> Self {
        Self { name: "Manager".into(), listen: None }
    }
}

impl ManagerBuilder {
    /// The name of the server process, which its functions find in
    /// [`current_process`](crate::current_process). Without this, it is `Manager`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The server can be reached at this address, too, by those who have the key: see
    /// [`Manager::serve`].
    pub fn listen(mut self, address: impl Into<Address>, key: impl Into<Key>) -> Self {
        self.listen = Some((address.into(), key.into()));
        self
    }

    /// Starts the server process.
    ///
    /// # Errors
    ///
    /// Those of [`Manager::start`] and [`Manager::serve`].
    pub fn start(self) -> Result<Manager, Error> {
        Manager::start_with(self)
    }
}
