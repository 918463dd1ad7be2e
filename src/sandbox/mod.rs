//! A Bot API server that stands in for Telegram.
