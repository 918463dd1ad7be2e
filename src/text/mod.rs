//! Words on their way to people: Odoo's HTML, placeholders, lengths, and the sentences that the bridge itself says.

pub mod author;
pub mod html;
pub mod length;
pub mod notices;
pub mod template;

pub use html::formatted;
pub use length::{split, utf16_len};
pub use notices::Notice;
pub use template::render;
