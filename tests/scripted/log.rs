//! Everything that is logged by a test's process, at the finest level, `log` records of libraries included.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

static LOG: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
    let log = Arc::new(Mutex::new(vec![]));
    let writer = Writer(Arc::clone(&log));
    tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).init();
    log
});

#[derive(Clone)]
struct Writer(Arc<Mutex<Vec<u8>>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Begins to listen, once.
pub fn capture() {
    LazyLock::force(&LOG);
}

/// All that has been logged.
pub fn text() -> String {
    String::from_utf8_lossy(&LOG.lock().expect("no panic")).into_owned()
}
