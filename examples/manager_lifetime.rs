//! How long does an object live? Its end is printed.
//!
//!     cargo run --example manager_lifetime
