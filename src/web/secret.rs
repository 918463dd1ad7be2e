//! How a nudge or a call proves that it is Odoo's: `docs/protocol.md`, «The nudge».

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What is older or newer than this, in seconds, may be a repetition by somebody who listens; clocks may differ by as much.
const FRESH: i64 = 600;

/// The key that signs nudges and calls: drawn at each start, told to Odoo in the handshake.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Draws a key: two ULIDs' random parts hashed, 160 bits of chance.
    pub fn draw() -> Self {
        use sha2::Digest;
        let mut hash = Sha256::new();
        for _ in 0..2 {
            hash.update(ulid::Ulid::generate().to_bytes());
        }
        Self(hash.finalize().into())
    }

    /// The key as it travels.
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// Was this signed with the key, and lately? Compared in constant time.
    pub fn signed(&self, timestamp: &str, body: &[u8], signature: &str, now: i64) -> bool {
        let fresh = timestamp.parse::<i64>().is_ok_and(|at| now.abs_diff(at) <= FRESH.unsigned_abs());
        let Some(signature) = unhex(signature) else { return false };
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length of key will do");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        fresh && mac.verify_slice(&signature).is_ok()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 == 1 || text.len() > 128 {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).expect("any length");
        mac.update(format!("{timestamp}.").as_bytes());
        mac.update(body);
        hex(&mac.finalize().into_bytes())
    }

    #[test]
    fn only_what_odoo_signed_lately_counts() {
        let secret = Secret::draw();
        let signature = sign(&secret, "1000", b"{}");
        assert!(secret.signed("1000", b"{}", &signature, 1100));
        assert!(!secret.signed("1000", b"{}", &signature, 2000), "too old");
        assert!(!secret.signed("1001", b"{}", &signature, 1100), "another time");
        assert!(!secret.signed("1000", b"{ }", &signature, 1100), "another body");
        assert!(!Secret::draw().signed("1000", b"{}", &signature, 1100), "another key");
        for odd in ["", "0", "zz", "ї1", "é"] {
            assert!(!secret.signed("1000", b"{}", odd, 1100));
        }
    }

    #[test]
    fn the_key_travels_as_64_hexadecimal_digits() {
        assert_eq!(unhex(&Secret::draw().to_hex()).map(|key| key.len()), Some(32));
    }
}
