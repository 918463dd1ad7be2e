//! The contracts as tests: each implementation of a port runs them.

pub mod store;
