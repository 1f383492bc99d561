//! What a child finds when it starts: its environment, its folder, its outputs.

use crate::Error;
use crate::descriptor::Descriptor;
use crate::error::Trying;
use nix::unistd::{dup2_stderr, dup2_stdout};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

type Variable = (OsString, OsString);

/// What is left out is the same as in the parent.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Setup {
    pub environment: Vec<Variable>,
    pub directory: Option<OsString>,
    pub stdout: Option<Descriptor>,
    pub stderr: Option<Descriptor>,
}

impl Setup {
    /// Refuses what the system or `set_var` would not accept.
    pub fn check(&self) -> Result<(), Error> {
        let variables = self.environment.iter();
        for text in variables.flat_map(|(name, value)| [name, value]).chain(&self.directory) {
            c_string(text)?;
        }
        // A variable's name ends at the first `=`.
        let is_no_name = |name: &OsStr| name.is_empty() || name.as_bytes().contains(&b'=');
        match self.environment.iter().find(|(name, _)| is_no_name(name)) {
            Some((name, _)) => {
                Err(Error::refused(format!("set a variable with the name {name:?}"), libc::EINVAL))
            }
            None => Ok(()),
        }
    }

    /// This process's environment with the changes and another variable.
    pub fn environment_with(&self, variable: Variable) -> Result<Vec<CString>, Error> {
        let mut variables: BTreeMap<OsString, OsString> = env::vars_os().collect();
        variables.extend(self.environment.iter().cloned().chain([variable]));
        let entry = |(mut entry, value): Variable| {
            entry.push("=");
            entry.push(value);
            c_string(&entry)
        };
        variables.into_iter().map(entry).collect()
    }

    /// Applies this setup, which was checked, to this process.
    ///
    /// # Safety
    ///
    /// This process has one thread. Another one could read the environment meanwhile.
    pub unsafe fn apply(self) -> Result<(), Error> {
        for (name, value) in self.environment {
            // SAFETY: as the caller promises, no other thread can use the environment.
            unsafe { env::set_var(name, value) };
        }
        if let Some(folder) = self.directory {
            let what = || format!("change to the folder {}", folder.display());
            env::set_current_dir(&folder).trying_to_do(what)?;
        }
        let (stdout, stderr) = (self.stdout.map(dup2_stdout), self.stderr.map(dup2_stderr));
        stdout.transpose().trying_to("redirect the standard output")?;
        stderr.transpose().trying_to("redirect the standard error")?;
        Ok(())
    }
}

/// A string for the system, in which there is no NUL but its end.
pub fn c_string(text: &OsStr) -> Result<CString, Error> {
    let text = CString::new(text.as_bytes());
    text.trying_to("pass a NUL in a name, a path, an argument or the environment")
}
