//! What a picture of costs shows where the tables have too much for one.

/// These lines of any table, and of the peers that stand side by side these.
pub struct Choice {
    key: &'static str,
    lines: &'static [&'static str],
    peers: &'static [&'static str],
}

const CHOICES: &[Choice] = &[
    Choice {
        key: "queue",
        lines: &[
            "40 bytes, 1 producer, 1 consumer",
            "40 bytes, 4 producers, 4 consumers",
            "64 KB, 1 producer, 1 consumer",
        ],
        peers: &["crossbeam", "Queue", "ipc-channel", "pipe", "Python Queue"],
    },
    Choice {
        key: "pool",
        lines: &[
            "Python, chunks of 1",
            "Python, chunks of 100",
            "Python, its choice",
            "procspawn",
            "map",
            "map, chunks of 1",
            "map, chunks of 10",
            "map, chunks of 100",
            "map, chunks of 1,000",
            "threads, a channel",
            "rayon",
            "two cores, median",
        ],
        peers: &["socket pair", "apply", "Python apply"],
    },
    Choice {
        key: "manager",
        lines: &["1 client", "16 clients", "a Unix socket", "TCP"],
        peers: &["bare socket", "Manager", "Python"],
    },
    Choice {
        key: "executor",
        lines: &[
            "Python threads",
            "Python processes",
            "Rust threads",
            "Rust processes",
            "Fibonacci 20 to 30, Rust",
            "Fibonacci 20 to 30, Python",
            "30 sleeps of 20 ms, Rust",
            "30 sleeps of 20 ms, Python",
        ],
        peers: &["threads", "processes"],
    },
];

impl Choice {
    /// None if all is shown.
    pub fn of(key: &str) -> Option<&'static Self> {
        CHOICES.iter().find(|choice| choice.key == key)
    }

    /// Whether this line is shown.
    pub fn has_line(&self, label: &str) -> bool {
        self.lines.contains(&label)
    }

    /// Whether this peer is shown.
    pub fn has_peer(&self, label: &str) -> bool {
        self.peers.contains(&label)
    }
}
