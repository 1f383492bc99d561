//! What mdBook complains of. It logs a broken include and goes on with exit
//! status 0; here each warning is a fault of the build.

use std::fmt::Write;
use std::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

static COMPLAINTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Collects what mdBook logs from here on. A second call changes nothing.
pub fn listen() {
    let _ = tracing_subscriber::registry().with(Listener).try_init();
}

/// The complaints since the last call.
pub fn take() -> Vec<String> {
    std::mem::take(&mut COMPLAINTS.lock().unwrap_or_else(|e| e.into_inner()))
}

struct Listener;

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() <= Level::WARN {
            let mut text = Text::default();
            event.record(&mut text);
            let mut complaints = COMPLAINTS.lock().unwrap_or_else(|e| e.into_inner());
            complaints.push(format!("mdBook: {}", text.0));
        }
    }
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
