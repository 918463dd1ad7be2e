//! What the store does when its disk fails.
