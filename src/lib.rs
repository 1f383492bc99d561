//! Python's `multiprocessing`, for Rust on Linux.
