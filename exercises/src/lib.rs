//! The exercises: what each asks, how it is checked, and the commands of `cargo exercise`.

#![allow(missing_docs, reason = "nobody else uses it")]

pub mod build;
pub mod checks;
pub mod clients;
pub mod commands;
pub mod exercise;
pub mod files;
pub mod hang;
pub mod list;
pub mod paint;
pub mod refuse;
pub mod rest;
pub mod see;
pub mod seen;
pub mod store;
pub mod waits;
pub mod watch;

pub use exercise::{EXERCISES, Exercise};
