//! The contracts as tests: each implementation of a port runs them.
